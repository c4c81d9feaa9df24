"""Bounded logs: what is kept, what is counted, and how it reads."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics_automated.executors.base import Log
from analytics_automated.executors.logs import BoundedLog


@given(chunks=st.lists(st.binary(max_size=40)), limit=st.integers(0, 60))
def test_the_two_ends_are_kept_and_the_rest_is_counted(chunks: list[bytes], limit: int):
    bounded = BoundedLog(limit)
    for chunk in chunks:
        bounded.write(chunk)
    written, log = b"".join(chunks), bounded.log()
    if len(written) <= limit:
        assert (log.head + log.tail, log.omitted) == (written, 0)
    else:
        assert log.head == written[: limit // 2]
        assert log.tail == written[len(written) - (limit - limit // 2) :]
        assert log.omitted == len(written) - limit


def test_memory_stays_near_the_limit_whatever_is_written():
    chunk = bytes(50_000)
    tracemalloc.start()
    try:
        bounded = BoundedLog(100_000)
        for _ in range(1000):
            bounded.write(chunk)
        assert tracemalloc.get_traced_memory()[1] < 400_000
    finally:
        tracemalloc.stop()


def test_a_limit_below_nothing_is_refused():
    with pytest.raises(ValueError, match="-1 bytes"):
        BoundedLog(-1)


def test_a_character_across_the_two_halves_is_still_one():
    bounded = BoundedLog(5)
    bounded.write("x\N{EURO SIGN}".encode())
    assert bounded.log().text() == "x\N{EURO SIGN}"


def test_the_cut_is_on_a_line_of_its_own():
    assert Log(b"abc", b"xyz", 17).text() == "abc\n[... 17 bytes not kept ...]\nxyz"


def test_bytes_that_are_no_text_are_made_visible():
    assert Log(b"a\x00b", b"\xff").text() == "a\N{SYMBOL FOR NULL}b\N{REPLACEMENT CHARACTER}"
