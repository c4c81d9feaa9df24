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
        ("0.5\n2\nnan\n", 0.5, ""),
        ("0.5 half\nnan\n", 0.5, "half"),
        ("0.5\n50 %", 0.5, ""),
        ("0.5\n\n2 of 3\nmore", 0.5, "2 of 3"),
        ("0.5 half\n1.5 much", 0.5, "half"),
        ("1" + "0.5 first\n" * 10_000, 0.5, "first"),
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


@pytest.mark.parametrize("gap", ["\033[0m", "\033]0;title\007", "\033c"])
def test_a_secret_that_is_whole_only_without_escapes_is_masked(file: Path, gap: str) -> None:
    secrets = Secrets({"X": "s3cr3t-value"})
    file.write_text(f"it is s3cr{gap}3t-value")
    assert read_message(file, secrets) == "it is ***"
    file.write_text(f"0.5 it is s3cr{gap}3t-value")
    assert read_progress(file, secrets) == Progress(0.5, "it is ***")


def test_a_secret_that_is_whole_only_without_further_blanks_is_masked(file: Path) -> None:
    file.write_text("0.5 a  secret\tof words")
    assert read_progress(file, Secrets({"X": "secret of words"})) == Progress(0.5, "a ***")


@pytest.mark.parametrize("size", [8_192, 8_200])
def test_no_part_of_a_secret_is_left_where_reading_ends(file: Path, size: int) -> None:
    secrets = Secrets({"X": "s3cr3t-value"})
    file.write_text(("said:" + "\033[0m" * 3_000)[: size - 20] + "s3cr3t-value" * 3)
    assert "s3" not in read_message(file, secrets)
    file.write_text("s3cr3t-value" + " 0.5 begun\n0.6 " + "x" * (8_192 - 20))
    shown = read_progress(file, secrets)
    assert shown is None or "value" not in shown.text
