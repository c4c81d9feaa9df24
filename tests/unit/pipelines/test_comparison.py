"""Files beside those that were meant."""

import io

import pytest

from analytics_automated.pipelines.comparison import difference, holds


def compared(made: bytes, meant: bytes, tolerance: float | None = None) -> str | None:
    return difference(io.BytesIO(made), io.BytesIO(meant), tolerance)


@pytest.mark.parametrize("tolerance", [None, 0.0, 0.1])
@pytest.mark.parametrize("data", [b"", b"a\n", b"1.5\t2\r\n\x00\xff", b"no end"])
def test_equal_files_do_not_differ(data: bytes, tolerance: float | None) -> None:
    assert compared(data, data, tolerance) is None


@pytest.mark.parametrize(
    ("made", "meant", "tolerance", "said"),
    [
        (b"a\nb\n", b"a\nc\n", None, "line 2 is 'b', not 'c'"),
        (b"1.0\n", b"1.00\n", None, "line 1 is '1.0', not '1.00'"),
        (b"1.0\n", b"1.00\n", 0.0, None),
        (b"p = 0.1001\n", b"p = 0.1\n", 1e-3, None),
        (b"p = 0.11\n", b"p = 0.1\n", 1e-3, "line 1: 0.11 is not within 0.001 of 0.1"),
        (b"q = 0.1\n", b"p = 0.1\n", 1e-3, "line 1: it is 'q = 0.1', not 'p = 0.1'"),
        (b"1000001 x\n", b"1e6 x\n", 1e-5, None),
        (b"1 2\n", b"1\n", 1.0, "line 1: it is '1 2', not '1'"),
        (b"a\n", b"a\nb\n", None, "it ends before line 2"),
        (b"a\nb\n", b"a\n", None, "it goes on after line 1"),
        (b"", b"b\n", 0.5, "it ends before line 1"),
        (b"nan\n", b"1\n", 0.5, "line 1: it is 'nan', not '1'"),
        (b"a", b"a\n", None, "line 1 is 'a', not 'a'"),
    ],
)  # fmt: skip
def test_a_difference_names_its_line(made: bytes, meant: bytes, tolerance: float | None, said: str | None) -> None:
    assert compared(made, meant, tolerance) == said


def test_a_text_is_found_across_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analytics_automated.pipelines.comparison.LONGEST_LINE", 4)
    assert holds(io.BytesIO(b"abcdefghij"), b"cdefg")
    assert not holds(io.BytesIO(b"abcdefghij"), b"cdefh")
    assert holds(io.BytesIO(b""), b"")
