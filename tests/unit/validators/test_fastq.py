"""FASTQ files have whole reads of four lines, with a quality for each base."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from analytics_automated.pipelines.validators.registry import build_validator

READ = b"@read1 lane 1\nACGTN\n+\n!''*~\n"


@pytest.mark.parametrize(
    ("options", "data"),
    [
        ({}, READ),
        ({}, READ.replace(b"\n", b"\r\n") + READ),
        ({}, READ[:-1]),
        ({}, READ * 3 + b"\n\n\n\n\n\n"),
        ({}, b"@a b\nRYKMacgtu\n+a b\n@+@+@+@+@\n"),
        ({}, "@größe\tx\nA\n+\n!\n".encode()),
        ({"alphabet": "acgtn"}, READ),
        ({"encoding": "phred64"}, b"@a\nAC\n+\n@~\n"),
        ({"encoding": "solexa"}, b"@a\nAC\n+\n;~\n"),
        ({"min_length": 0}, b"@a\n\n+\n\n"),
        ({"min_length": 0}, b"@a\n\n+\n"),
        ({"min_length": 0}, b"@a\n\n+\n\n@b\n\n+\n\n\n\n"),
        ({"min_length": 5, "max_length": 5, "min_records": 2, "max_records": 2}, READ * 2),
        ({"min_records": 0}, b""),
        ({"min_records": 0}, b"\n\n"),
    ],
)
@pytest.mark.parametrize("at_once", [1, 7, 100_000])
def test_what_is_good(verdict, options, data, at_once):
    assert verdict("fastq", options, data, at_once=at_once) is None


@pytest.mark.parametrize(
    ("options", "data", "refusal"),
    [
        ({}, b"", "The file has no read."),
        ({}, b"\n\n\n\n\n", "The file has no read."),
        ({"min_records": 3}, READ, "The file has too few reads: 1, where 3 are needed."),
        ({}, b">a\nACGT\n", "The file begins with '>': is it FASTA, which has no qualities? (line 1)."),
        ({}, b"\xef\xbb\xbf" + READ, "The file begins with a byte order mark: save it as UTF-8 without one (line 1)."),
        ({}, READ + b"x\n", "A read begins with '@' and a title, not with 'x' (line 5)."),
        ({}, b"@\nA\n+\n!\n", "A title has no name after its '@' (line 1)."),
        ({}, b"@a\x00b\nA\n+\n!\n", "A title holds the control character U+0000 (line 1, column 3)."),
        (
            {},
            READ + b"@\xc3\xa4\xff\nA\n+\n!\n",
            "A title is not UTF-8 text: it holds the byte 0xFF (line 5, column 3).",
        ),
        ({}, b"@a\nACGE\n+\n!!!!\n", "'E' is not a nucleotide code (line 2, column 4, record 'a')."),
        ({}, b"@a\nA C\n+\n!!!\n", "The byte 0x20 is not a nucleotide code (line 2, column 2, record 'a')."),
        (
            {"alphabet": "acgtn"},
            b"@a\nACR\n+\n!!!\n",
            "'R' is not one of A, C, G, T and N (line 2, column 3, record 'a').",
        ),
        (
            {},
            b"@a\nAC\nGT\n+\n!!!!\n@b\nA\n+\n!\n",
            "A '+' is expected below the sequence: a read has four lines, and neither its sequence nor its qualities "
            "go on in another line (line 3, record 'a').",
        ),
        (
            {},
            b"@a\nA\n+b\n!\n",
            "Behind the '+' stands nothing, or the title again: what stands here is not the title (line 3, record 'a').",
        ),
        ({}, b"@a\nAC\n+\n!\n", "A read has 2 bases and 1 qualities; there is one for each base (line 4, record 'a')."),
        ({}, b"@a\nAC\n+\n! \n", "The byte 0x20 is no quality of the encoding phred33 (line 4, column 2, record 'a')."),
        (
            {"encoding": "phred64"},
            b"@a\nAC\n+\nA5\n",
            "'5' is no quality of the encoding phred64 (line 4, column 2, record 'a').",
        ),
        ({}, b"@a\n\n+\n\n", "A read has the length 0, less than 1 (line 1, record 'a')."),
        ({"max_length": 4}, READ, "A read is longer than 4 (line 1, record 'read1')."),
        ({"max_records": 1}, READ * 2, "The file has more than 1 reads (line 5, record 'read1')."),
        ({}, READ + b"@b c\nAC\n", "The last read is not whole: it has four lines (line 5, record 'b')."),
        ({}, READ + b"@b c", "The last read is not whole: it has four lines (line 5, record 'b')."),
        (
            {},
            READ + b"\n\n" + READ,
            "A blank line stands where a read is expected; they are allowed at the end of the file only (line 6).",
        ),
        (
            {},
            b"\n" + READ,
            "A blank line stands where a read is expected; they are allowed at the end of the file only (line 1).",
        ),
    ],
)
@pytest.mark.parametrize("at_once", [1, 7, 100_000])
def test_what_is_wrong_and_where_is_said(verdict, options, data, refusal, at_once):
    assert verdict("fastq", options, data, at_once=at_once) == refusal


def test_the_first_fault_is_found_behind_many_good_reads(verdict):
    data = READ * 20_000 + b"@bad\nAC\n+\n!\n" + READ * 10
    assert verdict("fastq", {}, data) == (
        "A read has 2 bases and 1 qualities; there is one for each base (line 80004, record 'bad')."
    )


def test_many_reads_are_not_held(verdict, endless, peak_below):
    with peak_below(8):
        assert verdict("fastq", {}, endless(READ, READ * 3000, 200)) is None


def test_a_line_without_end_is_refused_while_it_is_read(verdict, endless, peak_below):
    with peak_below(40):
        refusal = verdict("fastq", {}, endless(b"@a\n", b"A" * 65_536, 1024))
    assert refusal == "A line is longer than 16777216 bytes (line 2)."


@pytest.mark.parametrize(
    "options",
    [
        {"encoding": "sanger"},
        {"alphabet": "protein"},
        {"min_records": 2, "max_records": 1},
        {"min_length": 2, "max_length": 1},
        {"min_length": -1},
    ],
)
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(ValidationError):
        build_validator("fastq", options)


BASES = st.text("ACGTNacgtn", min_size=1, max_size=8)


@given(st.lists(BASES, min_size=1, max_size=5), st.randoms(), st.integers(1, 20))
def test_whatever_is_written_as_the_format_says_is_good(verdict, sequences, random, at_once):
    data = "".join(
        f"@{number}\n{bases}\n+\n{''.join(chr(random.randint(33, 126)) for _ in bases)}\n"
        for number, bases in enumerate(sequences)
    ).encode()
    options = {"min_records": len(sequences), "max_records": len(sequences)}
    assert verdict("fastq", options, data, at_once=at_once) is None
