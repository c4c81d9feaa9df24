"""The tutorial does what it says, block by block."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.live import ROOT
from integration.tutorial import Reader, blocks_of, comparable

PAGE = ROOT / "docs/tutorial/first-service.md"


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    someone = Reader(tmp_path / "home")
    yield someone
    someone.close()


def test_each_block_of_the_tutorial_does_what_is_shown(reader: Reader) -> None:
    blocks = blocks_of(PAGE.read_text())
    assert sum(block.shown is not None for block in blocks) > 8
    for block in blocks:
        printed = comparable(reader.walk(block), reader.home)
        if block.shown is not None:
            assert printed == comparable(block.shown, reader.home), f"the block in line {block.line}"
        else:
            assert "error" not in printed.lower(), f"the block in line {block.line}: {printed}"
