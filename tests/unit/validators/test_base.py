"""The stream that validators read keeps its bounds, and cuts nothing wrong."""

import io
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics_automated.pipelines.validators.base import CheckedStream, Invalid, Position, TooSlow, excerpt


class CutStream(CheckedStream):
    """A stream that comes in chunks of at most so many bytes."""

    most = 1_000_000

    def chunks(self, size: int = 65_536) -> Iterator[bytes]:
        return super().chunks(min(size, self.most))


def stream(data: bytes, *, most: int = 1_000_000, seconds: float = 60) -> CheckedStream:
    made = CutStream(io.BytesIO(data), size=len(data), seconds=seconds)
    made.most = most
    return made


def test_it_reads_and_moves_like_a_file():
    file = stream(b"0123456789")
    assert file.readable()
    assert file.seekable()
    assert not file.writable()
    assert file.read(3) == b"012"
    assert file.seek(-2, io.SEEK_END) == 8
    assert file.read() == b"89"
    assert file.tell() == 10
    assert file.read(5) == b""
    file.seek(0)
    assert b"".join(file.chunks(4)) == b"0123456789"


class Short(io.BytesIO):
    """A file that gives less than was asked for, as raw files and sockets may."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(1 if size is None or size < 0 else min(size, 1))


def test_it_gives_as_much_as_was_asked_for():
    file = CheckedStream(Short(b"0123456789"), size=10, seconds=60)
    assert file.read(4) == b"0123"
    assert list(file.chunks(4)) == [b"4567", b"89"]


def test_a_closed_stream_leaves_the_file_to_its_owner():
    raw = io.BytesIO(b"data")
    CheckedStream(raw, size=4, seconds=60).close()
    assert not raw.closed


def test_past_its_deadline_it_reads_nothing_more():
    file = stream(b"data", seconds=0)
    for use in (file.read, file.seconds_left, lambda: file.seek(0), lambda: next(file.lines())):
        with pytest.raises(TooSlow, match="within the time"):
            use()


def test_the_seconds_left_are_known():
    assert 0 < stream(b"").seconds_left() <= 60


ENDINGS = st.lists(st.sampled_from([b"\n", b"\r", b"\r\n", b"a", b"bc", "é".encode()]))


@given(ENDINGS, st.integers(1, 4))
def test_line_endings_of_all_kinds_become_lf_wherever_the_file_is_cut(pieces, most):
    data = b"".join(pieces)
    expected = re.sub(rb"\r\n|\r", b"\n", data)
    assert b"".join(stream(data, most=most).lf_chunks()) == expected
    assert "".join(stream(data, most=most).text()) == expected.decode()


@given(ENDINGS, st.integers(1, 4))
def test_lines_are_numbered_and_have_no_endings(pieces, most):
    data = b"".join(pieces)
    expected = re.split(r"\r\n|\r|\n", data.decode())
    if not expected[-1]:
        expected.pop()
    assert list(stream(data, most=most).lines()) == list(enumerate(expected, 1))


@pytest.mark.parametrize("most", [1, 1000])
@pytest.mark.parametrize("data", [b"1234\n12345\n1234", b"1234\n12345", b"1234\r\n12345\r\n"])
def test_a_line_that_is_too_long_is_refused_wherever_it_stands(data, most):
    assert len(list(stream(data, most=most).lines(longest=5))) > 1
    with pytest.raises(Invalid) as caught:
        list(stream(data, most=most).lines(longest=4))
    assert str(caught.value) == "A line is longer than 4 characters (line 2)."


@pytest.mark.parametrize("most", [1, 2, 1000])
def test_the_first_byte_that_is_no_text_is_shown_with_its_place(most):
    file = stream("größe\r\nhö".encode() + b"\xe2\x82 and more", most=most)
    with pytest.raises(Invalid) as caught:
        list(file.text())
    assert str(caught.value) == "The file is not UTF-8 text: it holds the byte 0xE2 (line 2, column 3)."


@pytest.mark.parametrize("most", [1, 1000])
def test_all_that_stands_before_a_bad_byte_is_handed_out(most):
    read = []
    with pytest.raises(Invalid):
        read.extend(stream(b"good\n\xff", most=most).text())
    assert "".join(read) == "good\n"


@given(st.lists(st.text(st.sampled_from("a\né"), max_size=4)))
def test_a_position_does_not_depend_on_the_pieces(pieces):
    text = "".join(pieces)
    whole, parts, octets = Position(), Position(), Position()
    whole.pass_over(text)
    octets.pass_over(text.encode())
    for piece in pieces:
        parts.pass_over(piece)
    assert (whole.line, whole.column) == (parts.line, parts.column)
    assert whole.line == octets.line == text.count("\n") + 1
    assert whole.column == len(text.rpartition("\n")[2]) + 1


def test_refusals_say_what_is_known():
    assert str(Invalid("It is wrong.")) == "It is wrong."
    assert str(Invalid("It is wrong.", line=3)) == "It is wrong (line 3)."
    assert str(Invalid("It is wrong.", record="sp|P1")) == "It is wrong (record 'sp|P1')."


def test_quoted_data_are_short_and_printable():
    assert excerpt("abc") == "'abc'"
    assert excerpt("a\nb\x1b[31m") == "'a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}[31m'"
    assert excerpt("x" * 41) == "'" + "x" * 37 + "...'"
    assert len(excerpt("x" * 40)) == 42
