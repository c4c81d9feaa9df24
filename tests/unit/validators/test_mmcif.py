"""mmCIF files have whole loops, data names with values, and atoms with coordinates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from analytics_automated.pipelines.validators.registry import build_validator

COLUMNS = [
    "group_PDB",
    "id",
    "type_symbol",
    "label_atom_id",
    "label_alt_id",
    "label_comp_id",
    "label_asym_id",
    "label_entity_id",
    "label_seq_id",
    "pdbx_PDB_ins_code",
    "Cartn_x",
    "Cartn_y",
    "Cartn_z",
    "occupancy",
    "B_iso_or_equiv",
    "pdbx_PDB_model_num",
]
LOOP = b"loop_\n" + b"".join(b"_atom_site.%s\n" % name.encode() for name in COLUMNS)
ROW = b"ATOM 1 N N . MET A 1 1 ? 24.454 -8.346 2.06e1 1.00 20.00 1\n"
SECOND_MODEL = ROW.replace(b"20.00 1\n", b"20.00 2\n")
ENTRY = (
    b"data_1ABC\n#\n_entry.id   1ABC\n"
    b"_struct.title\n;A protein; with 'quotes' and _names\nand loop_ in its title\n;\n"
    b"_cell.length_a 40.96(3) _cell.length_b 'it''s long' # a remark\n"
) + LOOP


@pytest.mark.parametrize(
    ("options", "data"),
    [
        ({}, ENTRY + ROW),
        ({}, (ENTRY + ROW * 3).replace(b"\n", b"\r\n")),
        ({}, b"# a remark\n\nDATA_x LOOP_ " + LOOP[6:].upper() + ROW + b"#\n"),
        ({}, ENTRY + ROW.replace(b" N . ", b' "O5\'" . ').replace(b"24.454", b"24.454(12)") + ROW),
        ({}, ENTRY + ROW.replace(b" ", b"\n")),
        ({}, ENTRY + ROW.replace(b"MET A", b"\n;MET\n; A")),
        ({}, ENTRY + ROW.replace(b"\n", b" ") * 40),
        (
            {},
            b"data_x\n"
            + b"".join(
                b"_atom_site.%s %s\n" % each for each in zip((c.encode() for c in COLUMNS), ROW.split(), strict=True)
            ),
        ),
        ({}, ENTRY + ROW + b"loop_ _a _b 1 2 '' \"\" 'a'b' \"it's\" ;x y;\n_c [x]".replace(b"[x]", b"x[]")),
        ({"atoms": False}, b"data_x _a 1"),
        ({"atoms": False}, b"data_x"),
        ({"atoms": False, "max_blocks": None}, b"data_x _a 1 data_y _a 1 data_z"),
        ({"max_atoms": 2, "max_models": 2, "names": ["_CELL.length_a", "_atom_site.id"]}, ENTRY + ROW + SECOND_MODEL),
    ],
)
@pytest.mark.parametrize("at_once", [1, 7, 100_000])
def test_what_is_good(verdict, options, data, at_once):
    assert verdict("mmcif", options, data, at_once=at_once) is None


BARE = {"atoms": False}


@pytest.mark.parametrize(
    ("options", "data", "refusal"),
    [
        ({}, b"", "The file has no data block: it begins with 'data_' and a name."),
        (
            {},
            b"ATOM 1",
            "'ATOM' stands where 'data_' and the name of a block is expected (line 1, column 1).",
        ),
        ({}, b"data_x\n", "The file has no atom: the category _atom_site is missing."),
        ({}, ENTRY, "A loop has no values (line 9)."),
        (
            {},
            ENTRY + ROW[:-2] + b"\n",
            "A loop that begins here has 15 values for 16 data names: its last row is not whole (line 9).",
        ),
        ({}, ENTRY + ROW.replace(b"24.454", b"?"), "'?' is no number, as _atom_site.Cartn_x must be (line 26)."),
        ({}, ENTRY + ROW.replace(b"-8.346", b"nan"), "'nan' is no number, as _atom_site.Cartn_y must be (line 26)."),
        (
            {},
            ENTRY + ROW.replace(b"2.06e1", b"1e999"),
            "'1e999' is no number, as _atom_site.Cartn_z must be (line 26).",
        ),
        ({}, ENTRY + ROW.replace(b"2.06e1", b"'2'"), "''2'' is no number, as _atom_site.Cartn_z must be (line 26)."),
        (
            {},
            (ENTRY + ROW).replace(b"Cartn_y", b"Cartn_q"),
            "The category _atom_site has no _atom_site.Cartn_y (line 26).",
        ),
        ({}, b"data_x _atom_site.id 1", "The category _atom_site has no _atom_site.type_symbol (line 1)."),
        ({"max_atoms": 1}, ENTRY + ROW * 2, "The file has more than 1 atom (line 27)."),
        ({"max_models": 1}, ENTRY + ROW + SECOND_MODEL, "The file has more than 1 model (line 27)."),
        ({"names": ["_cell.length_c"]}, ENTRY + ROW, "The data name '_cell.length_c' is missing."),
        ({}, b"data_x data_y", "The file has more than 1 data block (line 1, column 8)."),
        (BARE, b"data_\n", "Behind 'data_' a name of at most 255 characters is expected (line 1, column 1)."),
        (BARE, b"data_x _a", "The data name '_a' has no value (line 1)."),
        (BARE, b"data_x\n_a\n_b 1", "The data name '_a' has no value (line 2)."),
        (BARE, b"data_x _a 1 _A 2", "The data name '_A' is there more than once in its block (line 1, column 13)."),
        (BARE, b"data_x _a 1 2", "'2' stands where a data name, 'loop_' or 'data_' is expected (line 1, column 13)."),
        (BARE, b"data_x _ 1", "A data name has 1 to 254 characters behind its '_' (line 1, column 8)."),
        (BARE, b"data_x\nloop_\n1", "'1' stands where the first data name of a loop is expected (line 3, column 1)."),
        (BARE, b"data_x\nloop_\nloop_", "A loop has no data names (line 2)."),
        (
            BARE,
            b"data_x\nloop_ _a _b\n_c 1",
            "A loop that begins here has 1 values for 3 data names: its last row is not whole (line 2).",
        ),
        (BARE, b"data_x _a 'b", "A quote that begins here is not closed in its line (line 1, column 11)."),
        (BARE, b"data_x\nloop_ _a b 'c\n'", "A quote that begins here is not closed in its line (line 2, column 12)."),
        (BARE, b"data_x _a\n;b\n c", "A text that begins here with ';' is not ended by a ';' of its own (line 2)."),
        (BARE, b"data_x _a\n;b\n;c", "Behind the ';' that ends a text a blank is expected (line 3, column 2)."),
        (BARE, b"data_x\n;b\n;", "A text stands where a data name, 'loop_' or 'data_' is expected (line 2, column 1)."),
        (BARE, b"data_x save_y", "'save_y' is a reserved word, which mmCIF files do not use (line 1, column 8)."),
        (
            BARE,
            b"data_x loop_ _a 1\nstop_",
            "'stop_' is a reserved word, which mmCIF files do not use (line 2, column 1).",
        ),
        (BARE, b"data_x _a [1]", "A value that begins with '[' must be in quotes (line 1, column 11)."),
        (BARE, b"data_x _a $b", "A value that begins with '$' must be in quotes (line 1, column 11)."),
        (BARE, b"data_x _a \x01", "The file holds the control character U+0001 (line 1, column 11)."),
        (BARE, b"data_x _a \xff", "The file is not UTF-8 text: it holds the byte 0xFF (line 1, column 11)."),
    ],
)
@pytest.mark.parametrize("at_once", [1, 7, 100_000])
def test_what_is_wrong_and_where_is_said(verdict, options, data, refusal, at_once):
    assert verdict("mmcif", options, data, at_once=at_once) == refusal


def test_many_atoms_are_not_held(verdict, endless, peak_below):
    with peak_below(2):
        assert verdict("mmcif", {}, endless(ENTRY, ROW * 1000, 20)) is None


def test_a_row_over_many_lines_of_long_values_is_not_held(verdict, endless, peak_below):
    with peak_below(12):
        refusal = verdict("mmcif", {}, endless(LOOP.join([b"data_x\n", b""]), b"x" * 1_000_000 + b"\n", 33))
    assert "is no number" in refusal


def test_a_text_without_end_is_not_held(verdict, endless, peak_below):
    with peak_below(2):
        refusal = verdict("mmcif", {}, endless(b"data_x _a\n;", b"x" * 999 + b"\n", 20_000))
    assert refusal.startswith("A text that begins here")


def test_data_names_without_end_are_refused(verdict):
    data = b"data_x\n" + b"".join(b"_a%d 1\n" % number for number in range(10_001))
    assert verdict("mmcif", {}, data) == "A block has more than 10000 data names (line 10002, column 1)."


@pytest.mark.parametrize(
    "options",
    [{"max_atoms": 0}, {"names": ["cell"]}, {"names": ["_a b"]}, {"names": "_a"}, {"atoms": False, "max_atoms": 5}],
)
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(ValidationError):
        build_validator("mmcif", options)


VALUES = st.text("ab'\" #;_[$?.", max_size=5)


@given(st.lists(VALUES, min_size=1, max_size=8), st.booleans(), st.integers(1, 10))
def test_whatever_is_written_as_the_format_says_is_good(verdict, values, in_lines, at_once):
    data = "data_x loop_ _a\n" + ("\n" if in_lines else " ").join(map(written, values)) + "\n"
    assert verdict("mmcif", BARE, data.encode(), at_once=at_once) is None


def written(value: str) -> str:
    """A value in quotes where one kind of quote may hold it, else as a text of several lines."""
    for quote in "'\"":
        if f"{quote} " not in value:
            return f"{quote}{value}{quote}"
    return f"\n;{value}\n;"


@given(st.text("ab'\" #;_$\n", max_size=30), st.integers(1, 10))
def test_lines_that_are_read_fast_are_read_alike(verdict, text, at_once):
    data = f"data_x loop_ _a\n1\n{text}".encode()
    assert verdict("mmcif", BARE, data, at_once=at_once) == verdict("mmcif", BARE, data.replace(b"\n", b"\n#\n ", 0))
