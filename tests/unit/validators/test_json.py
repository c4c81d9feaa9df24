"""JSON is told from what is nearly JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from analytics_automated.pipelines.validators.registry import build_validator


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b"[]",
        b" null\r\n",
        b"-0.0e-0",
        b'"\\ud800 \\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9"',
        b'{"a": {"b": [1, 2.5, -3e+10, true, false, null, "x", [], {}]}, "a": 1}',
        b'[1 , "two" , [ 3 ] ,\n{ "four" : 4 } , [[[[5]]]]\t]',
        '{"größe": "≥ 5 µm", "": "😀"}'.encode(),
        b"[" * 100 + b"]" * 100,
        b"[-" + b"9" * 5000 + b"]",
        b"1e99999999999999999999",
        b'"' + b"\\n" * 1000 + b'"',
    ],
)
@pytest.mark.parametrize("at_once", [1, 3, 1_000_000])
def test_what_is_good(verdict, data, at_once):
    assert verdict("json", {}, data, at_once=at_once) is None


@pytest.mark.parametrize(
    ("options", "data", "refusal"),
    [
        ({}, b"", "The text ends where a value is expected (line 1, column 1)."),
        ({}, b" \n ", "The text ends where a value is expected (line 2, column 2)."),
        ({}, b"[1,\n2", "The text ends where ',' or ']' is expected (line 2, column 2)."),
        ({}, b'{"a"', "The text ends where ':' is expected (line 1, column 5)."),
        ({}, b'["a', "The text ends within a string (line 1, column 4)."),
        ({}, b'{"a": 1,}', "'}' stands where a name in double quotes is expected (line 1, column 9)."),
        ({}, b"[1,]", "']' stands where a value is expected (line 1, column 4)."),
        ({}, b"[,1]", "',' stands where a value or ']' is expected (line 1, column 2)."),
        ({}, b"[1 2]", "'2' stands where ',' or ']' is expected (line 1, column 4)."),
        ({}, b"[1}", "'}' stands where ',' or ']' is expected (line 1, column 3)."),
        ({}, b"{'a': 1}", "''' stands where a name in double quotes or '}' is expected (line 1, column 2)."),
        ({}, b"{a: 1}", "'a' stands where a name in double quotes or '}' is expected (line 1, column 2)."),
        ({}, b'{"a" 1}', "'1' stands where ':' is expected (line 1, column 6)."),
        ({}, b"{} {}", "'{' stands where nothing more is expected (line 1, column 4)."),
        ({}, b"1\n2", "'2' stands where nothing more is expected (line 2, column 1)."),
        ({}, b"]", "']' stands where a value is expected (line 1, column 1)."),
        ({}, b"[NaN]", "'NaN' is no JSON value (line 1, column 2)."),
        ({}, b"-Infinity", "'-Infinity' is no JSON value (line 1, column 1)."),
        ({}, b"[+1]", "'+1' is no JSON value (line 1, column 2)."),
        ({}, b"[1.e5]", "'1.e5' is no JSON value (line 1, column 2)."),
        ({}, b"01", "'01' is no JSON value (line 1, column 1)."),
        ({}, b"-", "'-' is no JSON value (line 1, column 1)."),
        ({}, b"[True]", "'True' is no JSON value (line 1, column 2)."),
        ({}, b"// no\n1", "'/' stands where a value is expected (line 1, column 1)."),
        (
            {},
            b"\xef\xbb\xbf{}",
            "The file begins with a byte order mark, which is not JSON (line 1, column 1).",
        ),
        (
            {},
            b'["\t"]',
            "A string holds the control character U+0009, which must be escaped (line 1, column 3).",
        ),
        (
            {},
            b'["\r\n"]',
            "A string holds the control character U+000A, which must be escaped (line 1, column 3).",
        ),
        ({}, b'["\\x"]', "'\\x' begins no escape that JSON has (line 1, column 3)."),
        ({}, b'["\\u12g4"]', "Four hexadecimal digits are expected after '\\u' (line 1, column 3)."),
        ({}, b'["\xff"]', "The file is not UTF-8 text: it holds the byte 0xFF (line 1, column 3)."),
        (
            {},
            '{"größe":\n "é", x}'.encode(),
            "'x' stands where a name in double quotes is expected (line 2, column 7).",
        ),
        ({"type": "object"}, b"[]", "The outermost value is not an object (line 1, column 1)."),
        ({"type": "array"}, b"\n {}", "The outermost value is not an array (line 2, column 2)."),
        ({"type": "array"}, b"12", "The outermost value is not an array (line 1, column 1)."),
        ({"type": "object"}, b'"a"', "The outermost value is not an object (line 1, column 1)."),
        (
            {"max_depth": 2},
            b'[{"a": 1}, {"b": [2]}]',
            "Objects and arrays are more than 2 deep inside one another (line 1, column 18).",
        ),
        (
            {"max_depth": 0},
            b"[]",
            "Objects and arrays are more than 0 deep inside one another (line 1, column 1).",
        ),
    ],
)
@pytest.mark.parametrize("at_once", [1, 3, 1_000_000])
def test_what_is_wrong_and_where_is_said(verdict, options, data, refusal, at_once):
    assert verdict("json", options, data, at_once=at_once) == refusal


@pytest.mark.parametrize("depth", range(8))
def test_the_depth_is_bounded_exactly(verdict, depth):
    nested = b'[1, {"a": 1, "b": ' * depth + b"2" + b"}]" * depth
    assert verdict("json", {"max_depth": 2 * depth}, nested) is None
    if depth:
        assert verdict("json", {"max_depth": 2 * depth - 1}, nested) is not None


def test_brackets_without_end_are_refused_while_they_are_read(verdict, endless, peak_below):
    with peak_below(8):
        refusal = verdict("json", {"max_depth": 20_000}, endless(b"", b"[" * 65_536, 1024))
    assert refusal == "Objects and arrays are more than 20000 deep inside one another (line 1, column 20001)."


def test_a_string_of_any_length_is_not_held(verdict, endless, peak_below):
    with peak_below(4):
        assert verdict("json", {}, endless(b'{"msa": "', b"ACDEF-\\n" * 8192, 1024, b'"}')) is None


@pytest.mark.parametrize("at_once", [20_000, 1_000_000])
def test_a_number_may_have_65536_characters(verdict, at_once):
    assert verdict("json", {}, b"[" + b"1" * 65_536 + b",2]", at_once=at_once) is None
    refusal = verdict("json", {}, b"[" + b"1" * 65_537 + b",2]", at_once=at_once)
    assert refusal == "A number or word is longer than 65536 characters (line 1, column 2)."


def test_a_number_without_end_is_refused_while_it_is_read(verdict, endless, peak_below):
    with peak_below(4):
        refusal = verdict("json", {}, endless(b"1", b"0" * 65_536, 1024))
    assert refusal == "A number or word is longer than 65536 characters (line 1, column 1)."


def test_a_long_array_is_not_held(verdict, endless, peak_below):
    text = b"x" * 1000
    record = b'{"id": 17, "text": "%b", "score": 0.75, "tags": ["%b", {"b": [[[[["\\n"]]]]]}]},\n' % (
        text,
        text,
    )
    with peak_below(4):
        assert verdict("json", {}, endless(b"[", record * 30, 100, b"1]")) is None


@pytest.mark.parametrize("options", [{"type": "number"}, {"max_depth": -1}, {"max_depth": 10**9}, {"schema": []}])
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(ValidationError):
        build_validator("json", options)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=4), inner, max_size=5),
    max_leaves=25,
)


@given(VALUES, st.booleans(), st.sampled_from([None, 0, 2]), st.integers(1, 20))
def test_what_the_json_module_writes_is_good(verdict, value, ascii_only, indent, at_once):
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    data = text.encode("utf-8", "replace")
    assert verdict("json", {}, data) is None
    assert verdict("json", {}, data, at_once=at_once) is None


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


@given(
    st.lists(
        st.sampled_from(
            [
                *'[]{},:"\\n1-0.e+ \n\té',
                *(
                    "u00e9",
                    "true",
                    "null",
                    "NaN",
                    '"a"',
                    '"a":',
                    "[]",
                    "{}",
                    '{"a":1}',
                    "[1,2]",
                    '{"a":{"b":[1]}}',
                ),
            ]
        ),
        max_size=25,
    ),
    st.integers(1, 9),
)
def test_good_is_what_the_json_module_reads(verdict, pieces, at_once):
    text = "".join(pieces)
    try:
        json.loads(text, parse_constant=_refuse_constant)
        good = True
    except ValueError:
        good = False
    whole = verdict("json", {}, text.encode())
    assert (whole is None) == good
    assert verdict("json", {}, text.encode(), at_once=at_once) == whole


@given(VALUES, st.data(), st.sampled_from(['"', "\\", ",", ":", "[", "}", "x", "\n", ""]), st.integers(1, 20))
def test_good_is_what_the_json_module_reads_when_a_character_is_exchanged(verdict, value, data, other, at_once):
    text = json.dumps(value)
    place = data.draw(st.integers(0, len(text)))
    changed = text[:place] + other + text[place + 1 :]
    try:
        json.loads(changed, parse_constant=_refuse_constant)
        good = True
    except ValueError:
        good = False
    whole = verdict("json", {}, changed.encode())
    assert (whole is None) == good
    assert verdict("json", {}, changed.encode(), at_once=at_once) == whole
