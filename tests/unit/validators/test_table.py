"""CSV and TSV tables have rows of one width, and the columns that were asked for."""

import contextlib
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from analytics_automated.pipelines.validators.base import CheckedStream, Invalid
from analytics_automated.pipelines.validators.registry import build_validator


@pytest.mark.parametrize(
    ("name", "options", "data"),
    [
        ("csv", {}, b"a,b\n1,2\n3,4\n"),
        ("csv", {}, b"a,b\r\n1,2\r\n3,4"),
        ("csv", {}, b"a,b\r1,2\r3,4\r"),
        ("csv", {}, b"\n\na,b\n\n1,2\n\n"),
        ("csv", {}, b'"a","b"\n"1,5","say ""hi"""\n"two\nlines",""\n'),
        ("csv", {}, b'a,b\n"one\n\n\ntwo","three\nfour"\n'),
        ("csv", {}, b'"""",b\n1,2\n'),
        ("csv", {"delimiter": ";"}, "größe;höhe\n1,5;2,5\n".encode()),
        ("csv", {"delimiter": "|"}, b'a|b\n"1|2"|3\n'),
        ("csv", {"delimiter": "\t"}, b'a\tb\n"1\t2"\t3\n'),
        ("csv", {"columns": ["b", "a"]}, b"\xef\xbb\xbfa,b,c\n1,2,3\n"),
        ("csv", {"columns": ["first\nname"]}, b'\n"first\nname",b\n1,2\n'),
        ("csv", {"columns": ['say "hi"', "b"]}, b'"say ""hi""",b\n1,2\n'),
        ("csv", {"header": False}, b"1,2\n"),
        ("csv", {"min_rows": 0}, b"a,b\n"),
        ("csv", {"header": False, "min_rows": 0}, b""),
        ("csv", {"min_rows": 2, "max_rows": 2}, b"a\n1\n2\n"),
        ("csv", {"header": False, "min_rows": 2, "max_rows": 2}, b"1\n2\n"),
        ("tsv", {"columns": ["name"]}, b'name\tvalue\n"odd\t1\nplain\t""\n'),
        ("tsv", {}, b"\xef\xbb\xbfa\tb\r\n\t\r\n"),
    ],
)
@pytest.mark.parametrize("at_once", [1, 1000])
def test_what_is_good(verdict, name, options, data, at_once):
    assert verdict(name, options, data, at_once=at_once) is None


@pytest.mark.parametrize(
    ("name", "options", "data", "refusal"),
    [
        ("csv", {}, b"", "The table is empty: a row with the names of the columns is expected."),
        ("tsv", {}, b"\n\n", "The table is empty: a row with the names of the columns is expected."),
        ("csv", {}, b"a,b\n1,2\n1,2,3\n", "A row has 3 fields, where the first row has 2 (line 3)."),
        ("csv", {}, b'a,b\n"1\n\n2"\n', "A row has 1 field, where the first row has 2 (line 2)."),
        ("csv", {"delimiter": ";"}, b"a;b\n1,2\n", "A row has 1 field, where the first row has 2 (line 2)."),
        ("tsv", {}, b"a\tb\n1 2\n", "A row has 1 field, where the first row has 2 (line 2)."),
        ("csv", {}, b"a,b\n", "The table has too few rows: 0, where 1 are needed, not counting the header."),
        ("csv", {"header": False}, b"", "The table has too few rows: 0, where 1 are needed."),
        ("csv", {"max_rows": 1}, b"a\n1\n2\n3\n", "The table has more than 1 rows (line 3)."),
        ("csv", {"columns": ["b", "x"]}, b"a,b\n1,2\n", "The column 'x' is missing (line 1)."),
        ("csv", {"columns": ["b"]}, b"\nb,b\n1,2\n", "The column 'b' is there more than once (line 2)."),
        ("tsv", {"columns": ["a"]}, b'"a"\tb\n1\t2\n', "The column 'a' is missing (line 1)."),
        (
            "csv",
            {},
            b"a,b\n1,\xff\n",
            "The file is not UTF-8 text: it holds the byte 0xFF (line 2, column 3).",
        ),
        (
            "csv",
            {},
            "a,b\n".encode("utf-16"),
            "The file is not UTF-8 text: it holds the byte 0xFF (line 1, column 1).",
        ),
        (
            "csv",
            {},
            "a,b\n".encode("utf-16-le"),
            "The table holds a NUL: is it another kind of file, or UTF-16? (line 1).",
        ),
        ("csv", {}, b'a,b\n1,"2\n3,4\n', "A quoted field that begins here is never closed (line 2)."),
        ("csv", {}, b'a,b\n"1\n","2\n3,4', "A quoted field that begins here is never closed (line 3)."),
        (
            "csv",
            {},
            b'a,b\n5" pipe,2\n',
            "A quote stands inside a field that does not begin with one: put the field in quotes, "
            "and write the quote twice (line 2, column 2).",
        ),
        (
            "csv",
            {},
            'ä,b\n1,"é" x\n'.encode(),
            "' ' stands behind a closing quote, where a field must end: a quote inside a quoted field is "
            "written twice (line 2, column 6).",
        ),
    ],
)
@pytest.mark.parametrize("at_once", [1, 3, 1000])
def test_what_is_wrong_and_where_is_said(verdict, name, options, data, refusal, at_once):
    assert verdict(name, options, data, at_once=at_once) == refusal


def test_a_long_table_is_not_held(verdict, endless, peak_below):
    rows = {
        "csv": b",".join([b'0.5,"1,5",text'] * 200) + b"\n",
        "tsv": b"\t".join([b"0.5\t1.5\ttext"] * 200) + b"\n",
    }
    with peak_below(4):
        for name, row in rows.items():
            assert verdict(name, {}, endless(row, row * 20, 100)) is None


def test_a_line_without_end_is_refused_while_it_is_read(verdict, endless, peak_below):
    with peak_below(40):
        refusal = verdict("csv", {}, endless(b"", b"1," * 32_768, 1024))
    assert refusal == "A line is longer than 16777216 characters (line 1)."


def test_a_quote_that_is_never_closed_holds_nothing(verdict, endless, peak_below):
    with peak_below(4):
        refusal = verdict("csv", {}, endless(b'a,b\n1,"', (b"x" * 65_534 + b",\n"), 1024))
    assert refusal == "A quoted field that begins here is never closed (line 2)."


def test_a_row_of_endlessly_many_quoted_lines_holds_nothing(verdict, endless, peak_below):
    with peak_below(4):
        refusal = verdict("csv", {"header": False}, endless(b'"', (b"x" * 1000 + b'\n","') * 60, 300, b'"'))
    assert refusal is None


def test_a_header_row_of_endlessly_many_lines_is_refused(verdict, endless, peak_below):
    with peak_below(40):
        refusal = verdict("csv", {}, endless(b'"', b"x" * 65_535 + b"\n", 1024, b'"'))
    assert refusal == "The header row is longer than 16777216 characters (line 256)."


def test_blank_lines_without_end_are_not_held(verdict, endless, peak_below):
    with peak_below(4):
        refusal = verdict("csv", {}, endless(b"", b"\n" * 65_536, 10))
    assert refusal == "The table is empty: a row with the names of the columns is expected."


def test_a_line_of_nothing_but_quotes_takes_little_memory(verdict, endless, peak_below):
    with peak_below(6):
        assert verdict("csv", {"header": False}, endless(b"", b'"' * 65_536, 8)) is None


def test_a_column_name_beyond_reading_is_refused(verdict):
    refusal = verdict("csv", {"columns": ["a"]}, b'"' + b"x" * 200_000 + b'",b\n1,2\n')
    assert refusal == "The fields of a row cannot be read: field larger than field limit (131072) (line 1)."


TYPES = {
    "age": "integer",
    "score": {"type": "number", "minimum": -1, "maximum": 1.5, "missing": ["", "NA"]},
    "group": {"type": "choice", "choices": ["a", "b", 1]},
    "ok": "boolean",
    "note": {"type": "string", "max_length": 5},
    "free": {"optional": True, "type": "integer"},
}
HEAD = b"age,score,group,ok,note,more\n"


@pytest.mark.parametrize(
    ("name", "options", "data"),
    [
        ("csv", {"columns": TYPES}, HEAD + b'1,0.5,a,true,hello,x\n-7,-1e-2,1,FALSE,,\n0,NA,b,True,"a,\nb",y\n'),
        ("csv", {"columns": TYPES}, b"free,note,ok,group,score,age\n1,,true,a,,0\n"),
        ("csv", {"columns": {"a": "string"}}, b'\n"a"\n"x ""y"" z"\n\n""\n'),
        ("csv", {"columns": {"a": "integer"}, "delimiter": ";"}, b"a;b\n1;2,5\n"),
        ("tsv", {"columns": {"a": "number"}}, b'a\tb\n1\t"\n2.5e10\t\n'),
        ("csv", {"columns": {"a": "integer"}, "min_rows": 0}, b"a\n"),
        ("csv", {"columns": {"a": "integer"}}, b"a\n" + b"9" * 400 + b"\n"),
    ],
)
@pytest.mark.parametrize("at_once", [1, 3, 1000])
def test_fields_of_the_right_types_are_good(verdict, name, options, data, at_once):
    assert verdict(name, options, data, at_once=at_once) is None


@pytest.mark.parametrize(
    ("name", "options", "data", "refusal"),
    [
        *(
            (
                "csv",
                {"columns": {"n": kind}},
                b"m,n\n\n2,%b\n" % text,
                f"The column 'n' holds '{text.decode()}', where {expected} is expected (line 3).",
            )
            for kind, expected, texts in [
                ("integer", "a whole number", [b"1.0", b"", b"+1", b" 1", b"01", b"1e3", b"x", b"1_0", b"-"]),
                ("number", "a number", [b"nan", b"inf", b".5", b"1.", b"0x1", b"NA", b"1;5", "\u0661".encode()]),
                ("boolean", "true or false", [b"yes", b"1", b"", b"truth"]),
                ({"type": "choice", "choices": ["a", "b"]}, "one of 'a, b'", [b"c", b"", b"A"]),
                ({"type": "integer", "minimum": 3}, "a whole number of at least 3", [b"2", b"-4"]),
                ({"type": "number", "maximum": 0.5}, "a number of at most 0.5", [b"0.6", b"1e999"]),
                ({"max_length": 2}, "a text of at most 2 characters", [b"abc"]),
            ]
            for text in texts
        ),
        ("csv", {"columns": TYPES}, b"age,score\n1,1\n", "The column 'group' is missing (line 1)."),
        (
            "csv",
            {"columns": {"a": {"optional": True}}},
            b"a,a\n1,2\n",
            "The column 'a' is there more than once (line 1).",
        ),
        (
            "csv",
            {"columns": {"a": "integer"}},
            b'a,b\n1,"x\ny"\n2,z\nthree,w\n',
            "The column 'a' holds 'three', where a whole number is expected (line 5).",
        ),
        (
            "csv",
            {"columns": {"a": "integer"}},
            b'b,a\n"x\ny",no\n',
            "The column 'a' holds 'no', where a whole number is expected (line 2).",
        ),
        ("csv", {"columns": {"a": "integer"}}, b"a,b\n1\n", "A row has 1 field, where the first row has 2 (line 2)."),
        (
            "csv",
            {"columns": {"a": "integer"}},
            b"a\n" + b"x" * 100 + b"\n",
            f"The column 'a' holds '{'x' * 37}...', where a whole number is expected (line 2).",
        ),
        (
            "csv",
            {"columns": {"a": "integer"}},
            b"a\n" + b"9" * 401 + b"\n",
            f"The column 'a' holds '{'9' * 37}...', where a whole number is expected (line 2).",
        ),
        (
            "tsv",
            {"columns": {"a": "integer"}},
            b'a\tb\n"1"\t2\n',
            "The column 'a' holds '\"1\"', where a whole number is expected (line 2).",
        ),
    ],
)
@pytest.mark.parametrize("at_once", [1, 1000])
def test_fields_of_another_type_are_shown_with_line_and_column(verdict, name, options, data, refusal, at_once):
    assert verdict(name, options, data, at_once=at_once) == refusal


def test_a_long_table_with_types_is_not_held(verdict, endless, peak_below):
    with peak_below(4):
        assert verdict("csv", {"columns": {"a": "integer"}}, endless(b"a,b\n", b'1,"x\ny"\n2,z\n' * 2000, 20)) is None


def test_a_row_with_types_over_endlessly_many_lines_is_refused(verdict, endless, peak_below):
    with peak_below(40):
        refusal = verdict("csv", {"columns": {"a": "integer"}}, endless(b'a\n"', b"x" * 65_535 + b"\n", 1024, b'"'))
    assert refusal == "The row is longer than 16777216 characters (line 257)."


def test_endlessly_many_columns_of_which_some_are_named_are_refused(verdict, endless, peak_below):
    with peak_below(8):
        refusal = verdict("csv", {"columns": ["a"]}, endless(b"a", b",a" * 1000, 200, b"\n"))
    assert refusal == "The table has more than 100000 columns (line 1)."


class Asked(CheckedStream):
    """A stream that counts how often its time is asked for."""

    times = 0

    def seconds_left(self) -> float:
        self.times += 1
        return super().seconds_left()


@pytest.mark.parametrize("fields", [b'"a",', b'""'])
def test_the_time_is_asked_for_within_one_hostile_line(fields):
    data = fields * (8_000_000 // len(fields))
    stream = Asked(io.BytesIO(data), size=len(data), seconds=120)
    with contextlib.suppress(Invalid):
        build_validator("csv", {"header": False}).check(stream)
    assert stream.times > 2 * 8_000_000 // 65_536  # once for each chunk, and once more for as much of the line


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("csv", {"columns": {"a": "whole"}}),
        ("csv", {"columns": {"a": None}}),
        ("csv", {"columns": {"a": {"kind": "integer"}}}),
        ("csv", {"columns": {"a": {"type": "choice"}}}),
        ("csv", {"columns": {"a": {"type": "integer", "choices": ["a"]}}}),
        ("csv", {"columns": {"a": {"type": "string", "minimum": 1}}}),
        ("csv", {"columns": {"a": {"type": "integer", "minimum": 2, "maximum": 1}}}),
        ("csv", {"columns": {"a": {"type": "choice", "choices": [1.5]}}}),
        ("csv", {"columns": {"a": {"type": "integer", "max_length": 3}}}),
        ("csv", {"columns": {"a": "integer"}, "header": False}),
        ("csv", {"delimiter": '"'}),
        ("csv", {"delimiter": ""}),
        ("csv", {"delimiter": ",,"}),
        ("csv", {"delimiter": "\n"}),
        ("csv", {"delimiter": "é"}),
        ("tsv", {"delimiter": ","}),
        ("csv", {"header": False, "columns": ["a"]}),
        ("csv", {"min_rows": 2, "max_rows": 1}),
        ("csv", {"columns": "a"}),
        ("csv", {"columns": [1]}),
    ],
)
def test_options_that_make_no_sense_are_refused(name, options):
    with pytest.raises(ValidationError):
        build_validator(name, options)


FIELDS = st.text(st.sampled_from('ab ,;"\n\t-é'), max_size=5)


@given(
    st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(FIELDS, min_size=width, max_size=width), min_size=1)),
    st.sampled_from(",;\t"),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from([1, 5, 1000]),
)
def test_what_the_csv_module_writes_is_good(verdict, rows, delimiter, quoting, at_once):
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=delimiter, quoting=quoting).writerows(rows)
    options = {
        "delimiter": delimiter,
        "min_rows": len(rows) - 1,
        "max_rows": len(rows) - 1,
        "columns": [name for name in rows[0] if rows[0].count(name) == 1],
    }
    assert verdict("csv", options, written.getvalue().encode(), at_once=at_once) is None


@given(st.text(st.sampled_from('a,"\n'), max_size=30), st.integers(1, 5))
def test_what_is_good_reads_alike_with_the_csv_module(verdict, text, at_once):
    whole = verdict("csv", {"header": False, "min_rows": 0}, text.encode())
    assert verdict("csv", {"header": False, "min_rows": 0}, text.encode(), at_once=at_once) == whole
    if whole is None:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
        assert len({len(row) for row in rows}) <= 1
        assert verdict("csv", {"header": False, "min_rows": len(rows), "max_rows": len(rows)}, text.encode()) is None
