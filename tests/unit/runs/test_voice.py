"""What a command tells the caller: read from files that may hold anything."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics_automated.runs.secrets import Secrets
from analytics_automated.runs.voice import (
    LONGEST_MESSAGE,
    LONGEST_PROGRESS,
    Progress,
    read_message,
    read_progress,
)

NONE = Secrets()
BAD = "\N{REPLACEMENT CHARACTER}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "voice"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b"No homologue was found.\n", "No homologue was found."),
        (b"", ""),
        (b" \n\t\n", ""),
        (b"two\r\nlines\n", "two\nlines"),
        ("ü 漢字 \N{GRINNING FACE}".encode(), "ü 漢字 \N{GRINNING FACE}"),
        ("क्\u200dष".encode(), "क्\u200dष"),
        (b"bad \xff byte", f"bad {BAD} byte"),
        (b"a\x00b\x07c\x7f", f"a{BAD}b{BAD}c{BAD}"),
        (b"\x1b[1;31mred\x1b[0m \x1b]0;title\x07done \x1b", "red done"),
        ("turned \u202e round \u2066x".encode(), f"turned {BAD} round {BAD}x"),
        (b"cut \xe2\x82", f"cut {BAD}"),
    ],
)
def test_a_message_is_text(file: Path, written: bytes, read: str) -> None:
    file.write_bytes(written)
    assert read_message(file, NONE) == read


def test_a_message_is_cut_at_its_bound(file: Path) -> None:
    file.write_text("é" * 2_000_000)
    assert read_message(file, NONE) == "é" * LONGEST_MESSAGE


@given(st.binary(max_size=300))
def test_no_message_breaks_anything(tmp_path_factory: pytest.TempPathFactory, written: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(written)
    text = read_message(path, NONE)
    text.encode()
    assert all(sign.isprintable() or sign in "\n\u200c\u200d" for sign in text)
    progress = read_progress(path, NONE)
    assert progress is None or (0 <= progress.value <= 1 and len(progress.text) <= LONGEST_PROGRESS)


@pytest.mark.parametrize("kind", ["missing", "link", "pipe", "folder", "socket"])
def test_only_a_regular_file_is_read(file: Path, tmp_path: Path, kind: str) -> None:
    match kind:
        case "link":
            (tmp_path / "target").write_text("0.5 secret of another")
            file.symlink_to(tmp_path / "target")
        case "pipe":
            os.mkfifo(file)
        case "folder":
            file.mkdir()
        case "socket":
            os.mknod(file, 0o140600)
    assert read_message(file, NONE) == ""
    assert read_progress(file, NONE) is None


@pytest.mark.parametrize(
    ("written", "value", "text"),
    [
        ("0.5", 0.5, ""),
        ("0", 0, ""),
        ("1", 1, ""),
        ("1.0 done\n", 1, "done"),
        (".25 a  quarter\t here", 0.25, "a quarter here"),
        ("1e-3 begun", 0.001, "begun"),
        ("0.5\nAligning", 0.5, "Aligning"),
        ("0.1 one\n0.2 two\n0.3 three\n", 0.3, "three"),
        ("starting\n0.1 one", 0.1, "one"),
        ("0.4 " + "x" * 500, 0.4, "x" * LONGEST_PROGRESS),
        ("0.4 \x1b[31mred\x1b[0m", 0.4, "red"),
        ("0.9 first\n" * 10_000 + "0.95 last", 0.95, "last"),
    ],
)
def test_progress_is_a_number_and_a_text(file: Path, written: str, value: float, text: str) -> None:
    file.write_text(written)
    assert read_progress(file, NONE) == Progress(value, text)


@pytest.mark.parametrize(
    "written", ["", "half", "50%", "1.5 much", "-0.1", "nan", "inf", "1_0", "0.5x", "0,5", "2 of 3", "1e9", "٠"]
)
def test_what_is_no_number_from_0_to_1_is_no_progress(file: Path, written: str) -> None:
    file.write_text(written)
    assert read_progress(file, NONE) is None


def test_secrets_are_masked_before_anything_is_cut(file: Path) -> None:
    secrets = Secrets({"X": "very secret text"})
    file.write_text("m" * (LONGEST_MESSAGE - 6) + "very secret text")
    assert read_message(file, secrets).endswith("mmm***")
    file.write_text("0.5 with very secret text")
    assert read_progress(file, secrets) == Progress(0.5, "with ***")
