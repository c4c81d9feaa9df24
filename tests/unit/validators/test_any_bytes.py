"""Whatever bytes come, a validator accepts or refuses them, and says the same however they are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

USES = [
    ("csv", {}),
    ("csv", {"header": False, "delimiter": ";", "max_rows": 3}),
    ("csv", {"columns": ["a", "b"]}),
    ("fasta", {}),
    ("fasta", {"alphabet": "nucleotide", "max_sequences": 2, "min_length": 2, "max_length": 5}),
    ("fasta", {"alphabet": "protein", "aligned": True}),
    ("csv", {"columns": {"a": "integer", "b": {"type": "number", "missing": ["", "a"], "optional": True}}}),
    ("fastq", {}),
    ("fastq", {"encoding": "phred64", "max_records": 2, "min_length": 0, "max_length": 4}),
    ("image", {"formats": ["png", "jpeg", "gif", "webp", "tiff"]}),
    ("json", {}),
    ("json", {"schema": {"type": ["object", "array"], "items": {"type": "integer"}, "additionalProperties": False}}),
    ("mmcif", {}),
    ("mmcif", {"atoms": False, "names": ["_a"]}),
    ("pdb", {}),
    ("pdb", {"min_atoms": 0, "max_models": 1, "max_chains": 1}),
    ("json", {"type": "object", "max_depth": 2}),
    ("regex", {"pattern": "[a-z]*"}),
    ("regex", {"pattern": "(?s)[a-z].*", "every_line": False}),
    ("size", {"min": 3, "max": "1KB"}),
    ("text", {}),
    ("text", {"encoding": "ascii", "max_line_length": 4, "min_lines": 1, "max_lines": 3}),
    ("tsv", {"columns": ["a"], "min_rows": 0}),
    ("tsv", {"columns": {"a": "boolean"}}),
    ("xml", {}),
    ("xml", {"root": "a", "max_depth": 2, "external_dtd": True}),
    ("zip", {}),
    ("zip", {"min_files": 0, "names": ["*.a"]}),
]

TELLING = st.lists(
    st.sampled_from(
        [
            *(
                bytes([byte])
                for byte in b"\n\n\r\t ,;\"'>-.*[]{}:\\0123456789abcdefACGTMK_\x00\x01\x7f\x80\xc2\xe2\xff"
            ),
            *(
                b"\r\n",
                b">x\n",
                b"\n>y z\nACGT\n",
                b'""',
                b'","',
                b'{"a":1}',
                b"[1,",
                b"null",
                b"\\u00e9",
                b"a,b\n",
            ),
            *(
                "é€😀".encode(),
                b"\xef\xbb\xbf",
                b"GIF89a",
                b"\x89PNG\r\n\x1a\n",
                b"\xff\xd8\xff\xda",
                b"RIFFxxxxWEBPVP8X",
                b"II*\x00\x08\x00\x00\x00",
                b"MM\x00+",
            ),
            *(
                b"@r\nAC\n+\n!!\n",
                b"ATOM      1  N   ALA A   1      11.104   6.134  -6.504",
                b"MODEL        1\n",
                b"ENDMDL\n",
                b"data_x\n",
                b"loop_\n",
                b"\n;",
                b"_atom_site.id ",
                b"<a>",
                b"</a>",
                b"<!DOCTYPE a [",
                b'<!ENTITY x "y">',
                b"]>",
                b"&x;",
                b"PK\x03\x04",
                b"PK\x01\x02",
                b"PK\x05\x06" + bytes(18),
                b"PK\x06\x07",
            ),
        ]
    ),
    max_size=30,
).map(b"".join)


@pytest.mark.parametrize(("name", "options"), USES)
@given(data=st.one_of(st.binary(max_size=200), TELLING), at_once=st.integers(1, 20))
def test_the_verdict_is_the_same_however_the_file_is_cut(verdict, name, options, data, at_once):
    assert verdict(name, options, data, at_once=at_once) == verdict(name, options, data)
