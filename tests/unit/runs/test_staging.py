"""Names and places of inputs in a work folder."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics_automated.pipelines.definitions import TaskDefinition
from analytics_automated.runs.staging import LONGEST_NAME, free_name, reserved_paths, safe_name, ship
from analytics_automated.storage.models import Blob
from analytics_automated.storage.streams import copy_out, open_stored, remove, store


@pytest.mark.parametrize(
    ("given_name", "expected"),
    [
        ("report.txt", "report.txt"),
        ("my data (1).csv", "my data (1).csv"),
        ("données.fasta", "données.fasta"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\a.txt", "a.txt"),
        ("..", "file"),
        (".bashrc", "bashrc"),
        ("", "file"),
        ("a\nb.txt", "a_b.txt"),
        ("a\x00b", "a_b"),
    ],
)
def test_a_users_file_name_becomes_a_plain_name(given_name: str, expected: str) -> None:
    assert safe_name(given_name) == expected


@given(st.text(max_size=400))
def test_no_name_leads_out_of_the_folder_or_is_too_long(name: str) -> None:
    safe = safe_name(name)
    assert safe not in {"", ".", ".."}
    assert "/" not in safe
    assert "\x00" not in safe
    assert not safe.startswith(".")
    assert len(safe.encode("utf-8", "surrogatepass")) <= LONGEST_NAME


def test_names_that_clash_get_their_index_in_front() -> None:
    taken: set[str] = set()
    assert [free_name("parts/", "a.txt", index, taken) for index in (1, 2, 3)] == [
        "parts/a.txt",
        "parts/2-a.txt",
        "parts/3-a.txt",
    ]


def test_what_is_the_tasks_own_is_taken_with_the_folders_around_it() -> None:
    task = TaskDefinition.model_validate(
        {
            "command": "tool",
            "inputs": {"one": "in/one.txt", "all": {"file": ".", "many": True}, "more": {"file": "more", "many": True}},
            "outputs": {"made": "out/a/made.txt", "logs": {"file": "*.log", "many": True}, "plots": "plots/*.png"},
            "stderr": "logs",
        }
    )
    paths = {"in/one.txt", "more", "out/a/made.txt", "*.log", "stderr.log", "plots/*.png", "helpers/h.txt"}
    assert reserved_paths(task, ["helpers/h.txt"]) == {*paths, "in", "out", "out/a", "plots", "helpers"}


@pytest.mark.parametrize(
    ("content", "mode"),
    [(b"#!/bin/sh\n", 0o555), (b"\x7fELF\x02\x01", 0o555), (b"echo\n", 0o444), (b"", 0o444), (b"# !/bin/sh", 0o444)],
)
def test_what_is_a_program_by_its_first_bytes_may_be_run(tmp_path: Path, content: bytes, mode: int) -> None:
    stored = store([content], "test")
    ship({"tools/it": Blob(key=stored.key)}, tmp_path)
    assert (tmp_path / "tools" / "it").stat().st_mode & 0o777 == mode
    remove([stored.key])


def test_stored_bytes_come_back_as_they_were(tmp_path) -> None:  # type: ignore[no-untyped-def]
    data = [b"x" * 100_000, b"", b"end"]
    stored = store(iter(data), "test")
    assert stored.size == 100_003
    copy_out(stored.key, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"".join(data)
    remove([stored.key])
    with pytest.raises(FileNotFoundError):
        open_stored(stored.key)


def test_nothing_stays_stored_where_the_source_breaks() -> None:
    from analytics_automated.storage.streams import blob_storage

    def source():  # type: ignore[no-untyped-def]
        yield b"x" * 1000
        raise ConnectionError

    def files() -> int:
        storage = blob_storage()
        return sum(len(storage.listdir(folder)[1]) for folder in storage.listdir("")[0])

    before = files()
    with pytest.raises(ConnectionError):
        store(source(), "test")
    assert files() == before
