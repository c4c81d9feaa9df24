"""Lines, or whole texts, match a regular expression, in bounded time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from analytics_automated.pipelines.validators.base import TooSlow
from analytics_automated.pipelines.validators.registry import build_validator

ACCESSION = r"[OPQ][0-9][A-Z0-9]{3}[0-9]|[A-NR-Z][0-9](?:[A-Z][A-Z0-9]{2}[0-9]){1,2}"


@pytest.mark.parametrize(
    ("options", "data"),
    [
        ({"pattern": ACCESSION}, b"P69905\r\nP68871\r\nA0A022YWF9"),
        ({"pattern": r"\d*"}, b"1\n\n22\n"),
        ({"pattern": r"\d*"}, b""),
        ({"pattern": r"\p{Lu}\p{Ll}+"}, "Ångström\nŒuvre".encode()),
        ({"pattern": r"(?s)a.*z", "every_line": False}, b"a\r\nb\r\nz\r\n"),
        ({"pattern": r"a\nb\n", "every_line": False}, b"a\nb\n\n"),
        ({"pattern": "()", "every_line": False}, b""),
        ({"pattern": r"(?s).*", "every_line": False}, b"x" * 1_048_576),
    ],
)
@pytest.mark.parametrize("at_once", [5, 100_000])
def test_what_is_good(verdict, options, data, at_once):
    assert verdict("regex", options, data, at_once=at_once) is None


@pytest.mark.parametrize(
    ("options", "data", "refusal"),
    [
        ({"pattern": r"\d+"}, b"12\n3x\n", r"'3x' does not match the pattern '\d+' (line 2)."),
        ({"pattern": r"\d+"}, b"12\n\n3", r"'' does not match the pattern '\d+' (line 2)."),
        ({"pattern": r"\d+"}, b"", r"The file is empty, which does not match the pattern '\d+'."),
        ({"pattern": r"a|ab"}, b"abc", r"'abc' does not match the pattern 'a|ab' (line 1)."),
        ({"pattern": r"x+"}, b"y" * 50, "'" + "y" * 37 + "...' does not match the pattern 'x+' (line 1)."),
        (
            {"pattern": r"\w+"},
            b"ab\nc\xff",
            "The file is not UTF-8 text: it holds the byte 0xFF (line 2, column 2).",
        ),
        ({"pattern": r"x*"}, b"x" * 1_048_577, "A line is longer than 1048576 characters (line 1)."),
        ({"pattern": r"a.b", "every_line": False}, b"a\nb", "The text does not match the pattern 'a.b'."),
        (
            {"pattern": r"x*", "every_line": False},
            b"x" * 1_048_577,
            "The text is longer than the 1048576 characters that can be matched as a whole.",
        ),
    ],
)
@pytest.mark.parametrize("at_once", [65_536, 100_000_000])
def test_what_is_wrong_and_where_is_said(verdict, options, data, refusal, at_once):
    assert verdict("regex", options, data, at_once=at_once) == refusal


@pytest.mark.parametrize("every_line", [True, False])
def test_a_pattern_that_backtracks_without_end_is_ended_by_the_time_bound(verdict, every_line):
    options = {"pattern": r"(a|aa)+", "every_line": every_line}
    with pytest.raises(TooSlow):
        verdict("regex", options, b"a" * 100_000 + b"b", seconds=0.2)


def test_a_file_without_end_is_refused_while_it_is_read(verdict, endless, peak_below):
    with peak_below(8):
        refusal = verdict("regex", {"pattern": "x*", "every_line": False}, endless(b"", b"x" * 65_536, 1024))
    assert refusal == "The text is longer than the 1048576 characters that can be matched as a whole."


@pytest.mark.parametrize(
    "pattern", ["(", "a**", r"\p{Nope}", "(?P<a", "", "(" * 5000 + ")" * 5000, "x" * 10_001, 5, None]
)
def test_a_pattern_that_is_none_is_refused_with_the_configuration(pattern):
    with pytest.raises(ValidationError):
        build_validator("regex", {"pattern": pattern})


def test_what_is_wrong_with_a_pattern_is_said():
    with pytest.raises(ValidationError, match="not a regular expression: missing \\) at position 2"):
        build_validator("regex", {"pattern": "(a"})


def test_there_is_no_default_pattern():
    with pytest.raises(ValidationError):
        build_validator("regex", {})


@given(st.text(st.sampled_from(list("()[]{}?*+|\\.^$-a1,<>=!:P&#~@\n")), max_size=20))
def test_any_pattern_either_works_or_is_refused(verdict, pattern):
    try:
        build_validator("regex", {"pattern": pattern})
    except ValidationError:
        return
    try:
        verdict("regex", {"pattern": pattern}, b"a1\n\n(a)", seconds=0.5)
    except TooSlow:
        return
