"""Lines, or whole texts, match a regular expression, in bounded time."""

import contextlib
import re
import subprocess
import sys
import threading

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


# Each with a text on which it takes longer than anyone can wait, within one match.
CATASTROPHES = [
    (r"(a|aa)+", "a" * 200_000 + "b"),
    (r"(a+)+", "a" * 1_000_000 + "b"),
    (r"(?:x+x+)+y", "x" * 1_000_000 + "xy1"),
    (r"(.*)*x", "a" * 1_000_000 + "xy"),
    (r".*.*.*=.*d", "x" * 1_000_000 + "=="),
    (r"(\w+\s?)*\.\d", "word " * 200_000 + "."),
    (r"^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 1_000_000 + "Zb1"),
    (r"(.*)\1{2}b?", "a" * 1_000_000 + "c"),
    (r"(?:(\w)|(\w))+!?", "w" * 1_000_000 + "."),
    (r"(?:(?=(a*))\1?a?)*c", "a" * 1_000_000 + "cd"),
    (r"(?:a{0,1000000}){0,1000000}c", "a" * 1_000_000 + "cd"),
    (r"(?=(a+)*b)a", "a" * 1_000_000),
    (r"(?r)b(?:a|aa)+", "c" + "a" * 200_000),
    (r"(?b)(?:a|aa)+", "a" * 200_000 + "b"),
]


@pytest.mark.parametrize(("pattern", "text"), CATASTROPHES, ids=[pattern for pattern, _ in CATASTROPHES])
@pytest.mark.parametrize("every_line", [True, False])
def test_the_time_bound_holds_during_one_match(verdict, pattern, text, every_line):
    """Without the bound this test would not end: that it does is the proof."""
    with pytest.raises(TooSlow):
        verdict("regex", {"pattern": pattern, "every_line": every_line}, text.encode(), seconds=0.3)


def test_other_threads_go_on_while_a_match_takes_its_time(verdict):
    """The package lets go of the interpreter's lock: a hostile text holds up its own request, and no other."""
    under_way, ended, steps = threading.Event(), threading.Event(), 0

    def match() -> None:
        under_way.set()
        with contextlib.suppress(TooSlow):
            verdict("regex", {"pattern": r"(a+)+"}, b"a" * 1_000_000 + b"b", seconds=1)
        ended.set()

    thread = threading.Thread(target=match)
    thread.start()
    under_way.wait()
    while not ended.is_set():
        steps += 1
        ended.wait(0.001)
    thread.join()
    assert steps > 3  # while the lock is held there is none


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
    with pytest.raises(ValidationError, match="is no regular expression: missing \\) at position 2"):
        build_validator("regex", {"pattern": "(a"})


@pytest.mark.parametrize("call", ["(?R)", "(?0)", "(?1)", "(?+1)", "(?&n)", "(?P>n)"])
def test_a_pattern_that_calls_itself_is_refused_with_the_configuration(call):
    with pytest.raises(ValidationError, match=re.escape(f"calls a part of itself by {call}")):
        build_validator("regex", {"pattern": f"(a{call}?)(?P<n>b)"})


@pytest.mark.parametrize("pattern", [r"\(?R\)", r"a\(?1\)", "(?P<n>a)(?P=n)", "(a)?(?(1)b|c)", "(?:1)", "(?i:R)"])
def test_what_only_looks_like_recursion_is_taken(pattern):
    build_validator("regex", {"pattern": pattern})


def test_a_match_without_memory_refuses_the_file():
    """In a process with little memory of its own, as the package's own limit is a gigabyte."""
    code = """
import io, resource
from analytics_automated.pipelines.validators.base import CheckedStream, Invalid
from analytics_automated.pipelines.validators.registry import build_validator
validator = build_validator("regex", {"pattern": "(?:(a)|(b)|a)+c"})
text = b"a" * 1_000_000 + b"cd"
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * resource.getpagesize() + 40_000_000
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    validator.check(CheckedStream(io.BytesIO(text), size=len(text), seconds=500, file_name="x"))
except Invalid as invalid:
    print(invalid)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "The text takes too much memory to be matched with the pattern '(?:(a)|(b)|a)+c'.\n"


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
