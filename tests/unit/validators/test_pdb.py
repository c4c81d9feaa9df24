"""PDB files have atoms in the format's columns, and models that begin and end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from analytics_automated.pipelines.validators.registry import build_validator

ATOM = b"ATOM      1  N   ALA A   1      11.104   6.134  -6.504  1.00  0.00           N  \n"
WATER = b"HETATM 1234  O   HOH A 101       0.000   0.100  -0.500  0.50 99.99           O  \n"
B_ATOM = ATOM.replace(b" A ", b" B ")
MODEL = b"MODEL        1\n" + ATOM + b"TER\nENDMDL\n"
# The first records of an entry, as the archive has them.
ENTRY = (
    b"HEADER    PLANT PROTEIN                           30-APR-81   1CRN              \n"
    b"TITLE     WATER STRUCTURE OF A HYDROPHOBIC PROTEIN AT ATOMIC RESOLUTION.        \n"
    b"CRYST1   40.960   18.650   22.520  90.00  90.77  90.00 P 1 21 1      2          \n"
    b"ATOM      1  N   THR A   1      17.047  14.099   3.625  1.00 13.79           N  \n"
    b"ATOM      2  CA  THR A   1      16.967  12.784   4.338  1.00 10.80           C  \n"
    b"ANISOU    2  CA  THR A   1      100    100    100      0      0      0       C  \n"
    b"TER       3      THR A   1                                                      \n"
    b"MASTER        0    0    0    2    2    1    0    6  327    1    6    4          \n"
    b"END                                                                             \n"
)


def wrong(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    assert len(old) == len(new)
    return data.replace(old, new)


@pytest.mark.parametrize(
    ("options", "data"),
    [
        ({}, ENTRY),
        ({}, ENTRY.replace(b"\n", b"\r\n")),
        ({}, ATOM[:54]),
        ({}, MODEL),
        ({}, MODEL + MODEL + b"END\n"),
        ({}, ATOM + WATER),
        ({}, ATOM + b"END\n\n# an energy table, as some programs write it\n"),
        ({}, wrong(ATOM, b"    1  N", b"A000G  N")),
        ({}, wrong(ATOM, b"A   1 ", b"AA000 ")),
        ({}, wrong(ATOM, b"A   1 ", b"  -12 ")),
        ({}, wrong(ATOM, b"ALA A   1 ", b" DA A   1A")),
        ({"min_atoms": 2, "max_atoms": 2, "max_models": 2, "max_chains": 1}, MODEL * 2),
        ({"max_models": 1}, ATOM),
        ({"hetero": False, "max_atoms": 1}, ATOM + WATER),
        ({"min_atoms": 0}, b"REMARK nothing\n"),
        ({"max_chains": 2}, ATOM + B_ATOM),
    ],
)
@pytest.mark.parametrize("at_once", [1, 7, 100_000])
def test_what_is_good(verdict, options, data, at_once):
    assert verdict("pdb", options, data, at_once=at_once) is None


@pytest.mark.parametrize(
    ("options", "data", "refusal"),
    [
        ({}, b"", "The file has no atom."),
        ({}, b"HEADER\nEND\n", "The file has no atom."),
        ({"hetero": False}, WATER, "The file has no atom."),
        ({"min_atoms": 2}, ATOM, "The file has too few atoms: 1, where 2 are needed."),
        ({"max_atoms": 1}, ATOM * 2, "The file has more than 1 atom (line 2)."),
        ({"max_models": 1}, MODEL * 2, "The file has more than 1 model (line 5)."),
        ({"max_chains": 1}, ATOM + B_ATOM, "The file has more than 1 chain (line 2)."),
        ({}, ATOM[:53], "Z in columns 47 to 54, '  -6.50', is cut off (line 1)."),
        ({}, ATOM[:46], "Z in columns 47 to 54 is missing (line 1)."),
        (
            {},
            wrong(ATOM, b" 11.104", b"    nan"),
            "X in columns 31 to 38, '     nan', is no number with a decimal point (line 1).",
        ),
        (
            {},
            wrong(ATOM, b"  6.134", b"   6134"),
            "Y in columns 39 to 46, '    6134', is no number with a decimal point (line 1).",
        ),
        (
            {},
            wrong(ATOM, b"  6.134", b"  1.0e3"),
            "Y in columns 39 to 46, '   1.0e3', is no number with a decimal point (line 1).",
        ),
        (
            {},
            wrong(ATOM, b"  1.00", b"  full"),
            "The occupancy in columns 55 to 60, '  full', is no number with a decimal point (line 1).",
        ),
        (
            {},
            wrong(ATOM, b"    1  N", b"*****  N"),
            "The atom's serial number in columns 7 to 11, '*****', is no whole number (line 1).",
        ),
        ({}, wrong(ATOM, b" N   ALA", b"     ALA"), "The atom's name in columns 13 to 16 is missing (line 1)."),
        ({}, wrong(ATOM, b"ALA", b"   "), "The residue's name in columns 18 to 20 is missing (line 1)."),
        ({}, wrong(ATOM, b"A   1 ", b"A     "), "The residue's number in columns 23 to 26 is missing (line 1)."),
        (
            {},
            ATOM[:10] + b"\t" + ATOM[11:],
            "The atom's serial number in columns 7 to 11, '    \N{REPLACEMENT CHARACTER}', is no whole number (line 1).",
        ),
        ({}, b"MODEL        1\n" + ATOM, "A model that begins here is not ended by ENDMDL (line 1)."),
        (
            {},
            b"MODEL        1\nMODEL        2\n",
            "A model begins before the one before it was ended by ENDMDL (line 2).",
        ),
        ({}, b"MODEL     one \n", "The model's number in columns 7 to 14, '    one ', is no whole number (line 1)."),
        ({}, ATOM + MODEL, "A model begins behind atoms that belong to no model (line 2)."),
        ({}, MODEL + ATOM, "An atom stands outside the models (line 5)."),
        ({}, ATOM + b"ENDMDL\n", "ENDMDL ends a model that never began (line 2)."),
        ({}, ATOM + b"END\n" + ATOM, "Atoms or models stand behind END: is this more than one structure? (line 3)."),
        ({}, b"REMARK \x00\n", "The file holds the control character U+0000 (line 1, column 8)."),
        ({}, b"REMARK \xff\n", "The file is not UTF-8 text: it holds the byte 0xFF (line 1, column 8)."),
        ({}, b"REMARK" + b"x" * 1000, "A line is longer than 1000 characters (line 1)."),
    ],
)
@pytest.mark.parametrize("at_once", [1, 7, 100_000])
def test_what_is_wrong_and_where_is_said(verdict, options, data, refusal, at_once):
    assert verdict("pdb", options, data, at_once=at_once) == refusal


@given(st.integers(0, 79), st.sampled_from(" 0189-+.,AaZ#\t"), st.integers(0, 79), st.sampled_from(" 0189-+.AaZ"))
def test_atoms_that_are_read_fast_are_read_alike(verdict, first, one, second, other):
    """A character in the last columns, which mean nothing, has an atom looked at column by column."""
    line = bytearray(ATOM.removesuffix(b"\n"))
    line[first], line[second] = ord(one), ord(other)
    assert verdict("pdb", {}, bytes(line)) == verdict("pdb", {}, bytes(line) + "é".encode())


def test_many_atoms_are_not_held(verdict, endless, peak_below):
    with peak_below(2):
        assert verdict("pdb", {}, endless(b"", ATOM * 1000, 20)) is None


@pytest.mark.parametrize(
    "options", [{"min_atoms": 2, "max_atoms": 1}, {"max_atoms": 0}, {"max_models": 0}, {"hetero": "no"}]
)
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(ValidationError):
        build_validator("pdb", options)
