"""Text decodes, has no control characters, and keeps its bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from analytics_automated.pipelines.validators.registry import build_validator


@pytest.mark.parametrize(
    ("options", "data"),
    [
        ({}, b""),
        ({}, "Grüße,\t世界 😀\r\nzweite\rdritte".encode()),
        ({}, b"\xef\xbb\xbfwith a mark"),
        ({"encoding": "ascii"}, b"plain\r\ntext\n"),
        ({"min_lines": 2, "max_lines": 2}, b"one\ntwo"),
        ({"min_lines": 2, "max_lines": 2}, b"one\r\ntwo\r\n"),
        ({"min_lines": 2, "max_lines": 2}, b"\r\r"),
        ({"max_lines": 0}, b""),
        ({"max_line_length": 3}, "äöü\r\nabc\n\nxyz".encode()),
        ({"max_line_length": 3}, b"\xef\xbb\xbfabc"),
    ],
)
@pytest.mark.parametrize("at_once", [1, 2, 1000])
def test_what_is_good(verdict, options, data, at_once):
    assert verdict("text", options, data, at_once=at_once) is None


@pytest.mark.parametrize(
    ("options", "data", "refusal"),
    [
        ({}, b"ab\n\xc3", "The file is not UTF-8 text: it holds the byte 0xC3 (line 2, column 1)."),
        ({}, b"\xff\xfea\x00", "The file is not UTF-8 text: it holds the byte 0xFF (line 1, column 1)."),
        (
            {},
            "é\nöü".encode("latin-1"),
            "The file is not UTF-8 text: it holds the byte 0xE9 (line 1, column 1).",
        ),
        ({}, b"\xc0\xaf", "The file is not UTF-8 text: it holds the byte 0xC0 (line 1, column 1)."),
        ({}, b"\xed\xa0\x80", "The file is not UTF-8 text: it holds the byte 0xED (line 1, column 1)."),
        (
            {"encoding": "ascii"},
            "plain\nnaïve".encode(),
            "The file is not ASCII text: it holds the byte 0xC3 (line 2, column 3).",
        ),
        ({}, "ä\nöü\x07".encode(), "The text holds the control character U+0007 (line 2, column 3)."),
        ({}, b"a\x7f", "The text holds the control character U+007F (line 1, column 2)."),
        ({}, "a\x85".encode(), "The text holds the control character U+0085 (line 1, column 2)."),
        ({}, b"M\x00Z", "The text holds a NUL: is it a binary file, or UTF-16? (line 1, column 2)."),
        ({"min_lines": 3}, b"one\ntwo\n", "The text has too few lines: 2, where 3 are needed."),
        ({"max_lines": 1}, b"one\n\n\xff", "The text has more than 1 lines (line 2)."),
        ({"max_line_length": 2}, "äö\näöü\n\x00".encode(), "A line is longer than 2 characters (line 2)."),
        ({"max_line_length": 2, "max_lines": 1}, b"a\nabc\n", "The text has more than 1 lines (line 2)."),
        (
            {"max_line_length": 2, "max_lines": 2},
            b"a\nabc\n\n",
            "A line is longer than 2 characters (line 2).",
        ),
    ],
)
@pytest.mark.parametrize("at_once", [1, 2, 1000])
def test_what_is_wrong_and_where_is_said(verdict, options, data, refusal, at_once):
    assert verdict("text", options, data, at_once=at_once) == refusal


@pytest.mark.parametrize("options", [{}, {"max_line_length": 80}])
def test_a_line_without_end_is_not_held(verdict, endless, peak_below, options):
    with peak_below(2):
        refusal = verdict("text", options, endless(b"", "größer ".encode() * 6000, 900))
    assert refusal == ("A line is longer than 80 characters (line 1)." if options else None)


@pytest.mark.parametrize(
    "options",
    [{"encoding": "utf-16"}, {"min_lines": 2, "max_lines": 1}, {"max_line_length": 0}, {"min_lines": True}],
)
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(ValidationError):
        build_validator("text", options)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])), st.integers(1, 9))
def test_every_text_without_control_characters_is_good(verdict, text, at_once):
    assert verdict("text", {}, text.encode(), at_once=at_once) is None


@given(st.text(st.sampled_from("ab\r\n"), max_size=30), st.integers(0, 5), st.integers(1, 5), st.integers(1, 5))
def test_lines_are_counted_as_python_counts_them(verdict, text, most, longest, at_once):
    lines = text.splitlines()
    options = {"max_lines": most, "max_line_length": longest}
    good = len(lines) <= most and all(len(line) <= longest for line in lines)
    assert (verdict("text", options, text.encode(), at_once=at_once) is None) == good
