"""Sequences in FASTA format are told from what only looks like them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from analytics_automated.pipelines.validators.registry import build_validator

HAEMOGLOBIN = b""">sp|P69905|HBA_HUMAN Hemoglobin subunit alpha
MVLSPADKTNVKAAWGKVGAHAGEYGAEALERMFLSFPTTKTYFPHFDLSHGSAQVKGHG
KKVADALTNAVAHVDDMPNALSALSDLHAHKLRVDPVNFKLLSHCLLVTLAAHLPAEFTP
AVHASLDKFLASVSTVLTSKYR
>sp|P68871|HBB_HUMAN Hemoglobin subunit beta
MVHLTPEEKSAVTALWGKVNVDEVGGEALGRLLVVYPWTQRFFESFGDLSTPDAVMGNPK
VKAHGKKVLGAFSDGLAHLDNLKGTFATLSELHCDKLHVDPENFRLLGNVLVCVLAHHFG
KEFTPPVQAAYQKVVAGVANALAHKYH
"""


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_proteins_are_good_whatever_the_line_ending(verdict, ending, at_once):
    data = HAEMOGLOBIN.replace(b"\n", ending)
    options = {
        "alphabet": "protein",
        "min_sequences": 2,
        "max_sequences": 2,
        "min_length": 142,
        "max_length": 147,
    }
    assert verdict("fasta", options, data, at_once=at_once) is None
    assert verdict("fasta", options, data.rstrip(), at_once=at_once) is None


@pytest.mark.parametrize(
    ("options", "data"),
    [
        ({"alphabet": "protein"}, b">x\nacdefghiklmnpqrstvwybzjxuoACDEFGHIKLMNPQRSTVWYBZJXUO*\n"),
        ({"alphabet": "nucleotide"}, b">x\nACGTURYSWKMBDHVNacgturyswkmbdhvn\n"),
        ({}, b">x\nACGT\n>y\nMKV*\n"),
        ({}, b"\n\n  \n>x\n\nAC\n\n\nGT \t\n\n"),
        ({}, b"> x\nA"),
        ({}, b">x\t1\x012 more\nA\n"),
        ({}, ">Ångström µ\nA\n".encode()),
        ({"aligned": True}, b">x\nAC-GT\n>y\nA\n.CGT\n>z\nACCGT"),
        ({"gaps": True}, b">x\nAC-GT\n>y\nA.\n"),
        ({"min_sequences": 0}, b""),
        ({"min_sequences": 0, "max_sequences": 0}, b" \n"),
    ],
)
@pytest.mark.parametrize("at_once", [1, 1000])
def test_what_is_good(verdict, options, data, at_once):
    assert verdict("fasta", options, data, at_once=at_once) is None


@pytest.mark.parametrize(
    ("options", "data", "refusal"),
    [
        ({}, b"", "The file has no sequence."),
        ({}, b"\n \n", "The file has no sequence."),
        (
            {},
            b"\nACGT\n",
            "The file does not begin with a header line: '>' and a name are expected, not 'A' (line 2, column 1).",
        ),
        ({}, b"  >x\nA\n", "A blank stands before the '>' of the first header (line 1, column 3)."),
        (
            {},
            b"\xef\xbb\xbf>x\nA\n",
            "The file begins with a byte order mark: save it as UTF-8 without one (line 1, column 1).",
        ),
        (
            {},
            b"; a comment\n>x\nA\n",
            "The file does not begin with a header line: '>' and a name are expected, not ';' (line 1, column 1).",
        ),
        ({}, b">x\n>y\nA\n", "A header is followed by no sequence (line 1, record 'x')."),
        ({}, b">x\nA\n>y some\n\n", "A header is followed by no sequence (line 3, record 'y')."),
        ({}, b">x", "A header is followed by no sequence (line 1, record 'x')."),
        ({}, b">x\nA\n>\nA\n>z\nA\n", "A header has no name after its '>' (line 3)."),
        ({}, b">x\nA\n> \t\nA\n", "A header has no name after its '>' (line 3)."),
        ({}, b">x\x00\nA\n", "A header holds the control character U+0000 (line 1, column 3)."),
        ({}, b">x\xff\nA\n", "A header is not UTF-8 text: it holds the byte 0xFF (line 1, column 3)."),
        (
            {"alphabet": "nucleotide"},
            b">x\nACGT\n>y two\nACGT\nACLT\n>z\nA\n",
            "'L' is not a nucleotide code (line 5, column 3, record 'y').",
        ),
        (
            {"alphabet": "protein"},
            b">x\r\nMKV\r\nMK1\r\n",
            "'1' is not an amino acid code (line 3, column 3, record 'x').",
        ),
        (
            {},
            b">x\nAC\x00GT\n",
            "the byte 0x00 is not an amino acid or nucleotide code (line 2, column 3, record 'x').",
        ),
        (
            {},
            b">x\nAC>y\nGT\n",
            "'>' is not an amino acid or nucleotide code (line 2, column 3, record 'x').",
        ),
        ({}, b">x\nAC-GT\n", "'-' is a gap; gaps are not allowed here (line 2, column 3, record 'x')."),
        (
            {},
            b">x\nACGT\nhuman haemoglobin\nACGT\n",
            "A blank stands before a symbol of a sequence line (line 3, column 7, record 'x').",
        ),
        (
            {},
            b">x\n ACGT\n",
            "A blank stands before a symbol of a sequence line (line 2, column 2, record 'x').",
        ),
        ({"min_sequences": 3}, b">x\nA\n>y\nA\n", "The file has too few sequences: 2, where 3 are needed."),
        (
            {"max_sequences": 1},
            b">x\nA\n>y\nA\n>z\nA\n",
            "The file has more than 1 sequences (line 3, record 'y').",
        ),
        (
            {"min_length": 3},
            b">x\nACG\n>y\nA\nC\n>z\nACG\n",
            "A sequence has the length 2, less than 3 (line 3, record 'y').",
        ),
        ({"max_length": 3}, b">x\nACG\n>y\nAC\nGT\n", "A sequence is longer than 3 (line 3, record 'y')."),
        (
            {"aligned": True},
            b">x\nAC-\n>y\nACG\n>z\nAC\n>a\nACG\n",
            "The sequences are not aligned: this one has the length 2, those before it 3 (line 5, record 'z').",
        ),
    ],
)
@pytest.mark.parametrize("at_once", [1, 3, 1000])
def test_what_is_wrong_and_where_is_said(verdict, options, data, refusal, at_once):
    assert verdict("fasta", options, data, at_once=at_once) == refusal


def test_a_chromosome_on_one_line_is_not_held(verdict, endless, peak_below):
    chromosome = endless(b">chr1\n", b"ACGTN" * 13_107, 1024, b"\n")
    with peak_below(4):
        assert verdict("fasta", {"alphabet": "nucleotide"}, chromosome) is None


def test_the_bad_symbol_at_the_end_of_a_chromosome_is_found(verdict, endless):
    chromosome = endless(b">chr1\n", b"ACGTN" * 13_107, 1024, b"!\n")
    expected = f"'!' is not a nucleotide code (line 2, column {65_535 * 1024 + 1}, record 'chr1')."
    assert verdict("fasta", {"alphabet": "nucleotide"}, chromosome) == expected


def test_a_header_without_end_is_refused_while_it_is_read(verdict, endless, peak_below):
    with peak_below(8):
        assert verdict("fasta", {}, endless(b">", b"x" * 65_536, 1024)) == (
            "A header is longer than 1048576 bytes (line 1)."
        )


def test_blanks_without_end_take_no_longer_than_symbols(verdict, endless):
    data = endless(b">x\nA", b" \t" * 32_768, 256, b"A")
    assert verdict("fasta", {}, data) == (
        "A blank stands before a symbol of a sequence line (line 2, column 16777218, record 'x')."
    )


def test_many_records_are_not_held(verdict, endless, peak_below):
    record = b">x\n" + b"ACGT-ACGT-ACGT-\n" * 20
    with peak_below(4):
        assert verdict("fasta", {"aligned": True}, endless(b"", record * 200, 400)) is None


@pytest.mark.parametrize(
    "options",
    [
        {"alphabet": "dna"},
        {"min_sequences": 2, "max_sequences": 1},
        {"min_length": 2, "max_length": 1},
        {"min_length": "2"},
        {"aligned": "yes"},
        {"alphabets": "protein"},
    ],
)
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(ValidationError):
        build_validator("fasta", options)


def _is_fasta(data: bytes) -> bool:
    """The format in the plainest words, for short data."""
    text = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    records = re.split(r"(?m)^>", text)
    if records.pop(0).strip(" \t\n") or not records:
        return False
    for record in records:
        header, _, lines = record.partition("\n")
        symbols = [line.rstrip(" \t") for line in lines.split("\n")]
        if not header.split() or "\N{REPLACEMENT CHARACTER}" in header:
            return False
        if not re.fullmatch(r"[A-Za-z*]+", "".join(symbols)):
            return False
    return True


@given(
    st.lists(st.sampled_from([b">", b"x", b"AC", b"g", b"\n", b"\n", b"\n>y\nA", b"\r", b" ", b"\t", b"-", b"\xff"])),
    st.integers(1, 9),
)
def test_only_fasta_is_good_however_it_is_cut(verdict, pieces, at_once):
    data = b">x\nA\n" + b"".join(pieces)
    whole = verdict("fasta", {}, data)
    assert (whole is None) == _is_fasta(data)
    assert verdict("fasta", {}, data, at_once=at_once) == whole
