"""ZIP archives are whole, can be unpacked without harm, and are what their headers say."""

import io
import random
import struct
import warnings
import zipfile
import zlib

import pytest
import zipstream
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from analytics_automated.pipelines.validators.registry import build_validator

NOISE = random.Random(1).randbytes(300_000)


def archive(*files: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(data, "w", method) as made:
        warnings.simplefilter("ignore")  # of names that are there twice
        for name, content in files:
            made.writestr(name, content)
    return data.getvalue()


class OneWay(io.RawIOBase):
    """A file that cannot be moved in, so that sizes are written behind the data."""

    def __init__(self) -> None:
        super().__init__()
        self.data = b""

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        self.data += bytes(data)
        return len(bytes(data))


def streamed() -> bytes:
    target = OneWay()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("small", b"text")
        with made.open("large", "w", force_zip64=True) as file:
            file.write(NOISE)
    return target.data


def zip64() -> bytes:
    made = zipstream.ZipStream(compress_type=zipfile.ZIP_STORED)
    made.add(NOISE, "noise")
    made.add(b"text", "folder/text")
    return b"".join(made)


def special(mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("special")
    info.external_attr = mode << 16
    return info


def renamed(name: bytes) -> bytes:
    return archive(("x" * len(name), b"text")).replace(b"x" * len(name), name)


PLAIN = archive(("a.txt", b"some text " * 100), ("folder/", b""), ("folder/b.bin", NOISE))


@pytest.mark.parametrize(
    ("options", "data"),
    [
        ({}, PLAIN),
        ({}, archive(("a", b"text"), method=zipfile.ZIP_STORED)),
        ({}, archive(("größe/é.txt", b""))),
        ({}, archive(("only-a-folder/file", b"x"))),
        ({}, streamed()),
        ({}, zip64()),
        ({}, archive(("Readme", b"1"), ("README", b"2"))),
        ({}, archive((special(0o100644), b"x"))),
        ({}, archive(("zeros", bytes(1_000_000)))),
        ({"max_ratio": 1100}, archive(("zeros", bytes(3_000_000)))),
        ({"names": ["*.TXT", "folder/*"]}, PLAIN),
        ({"names": ["*.txt", "*.bin"]}, PLAIN),
        ({"min_files": 2, "max_files": 3, "max_depth": 1, "max_file_size": 300_000, "max_total_size": 301_000}, PLAIN),
        ({"min_files": 0}, archive()),
    ],
)
def test_what_is_good(verdict, options, data):
    assert verdict("zip", options, data) is None


@pytest.mark.parametrize(
    ("options", "data", "refusal"),
    [
        ({}, b"", "The file is no ZIP archive, or its end is missing."),
        ({}, b"PK\x03\x04 and no more", "The file is no ZIP archive, or its end is missing."),
        ({}, archive(), "The archive has no file."),
        ({"min_files": 3}, PLAIN, "The archive has too few files: 2, where 3 are needed."),
        ({"max_files": 2}, PLAIN, "The archive has 3 files and folders; at most 2 are allowed."),
        (
            {"max_file_size": "1KB"},
            PLAIN,
            "A file has 300000 bytes when decompressed; at most 1KB are allowed: 'folder/b.bin'.",
        ),
        ({"max_total_size": "300KB"}, PLAIN, "The files have more than 300KB when decompressed."),
        ({"max_depth": 0}, PLAIN, "Folders are more than 0 deep inside one another: 'folder/'."),
        ({"names": ["*.txt"]}, PLAIN, "A file's name is none of those that are expected: *.txt: 'folder/b.bin'."),
        ({}, archive(("bomb", bytes(50_000_000))), "A file is compressed to less than 1/200 of its size: 'bomb'."),
        ({}, archive(("a", b"1"), ("a", b"2")), "Two entries have one name: 'a'."),
        ({}, archive(("a/", b""), ("a", b"2")), "Two entries have one name: 'a'."),
        ({}, archive(("a", b"1"), ("a/b", b"2")), "A file has the name of a folder: 'a/b'."),
        (
            {},
            archive((special(0o120777), b"/etc/passwd")),
            "An entry is a link; only files and folders are allowed: 'special'.",
        ),
        ({}, archive((special(0o010644), b"")), "An entry is neither a file nor a folder: 'special'."),
        (
            {},
            archive(("a", b"x" * 99), method=zipfile.ZIP_LZMA),
            "A file is compressed by a method other than deflate: 'a'.",
        ),
        (
            {},
            archive(("a", b"x" * 99), method=zipfile.ZIP_BZIP2),
            "A file is compressed by a method other than deflate: 'a'.",
        ),
        ({}, b"before" + PLAIN, "The archive is broken: its directory does not lie where it should."),
        ({}, PLAIN + b"behind", "The archive is broken: something follows its end."),
        ({}, PLAIN[100:], "The archive is broken: its directory does not lie where it should."),
    ],
)
def test_what_is_wrong_is_said(verdict, options, data, refusal):
    assert verdict("zip", options, data) == refusal


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        (b"/etc/passwd", "The name of an entry is an absolute path"),
        (b"c:/windows", "The name of an entry is an absolute path"),
        (b"C:x", "The name of an entry is an absolute path"),
        (b"../x", "The name of an entry leads out of the archive"),
        (b"a/../../x", "The name of an entry leads out of the archive"),
        (b"..", "The name of an entry leads out of the archive"),
        (b"..\\x", "The name of an entry holds a '\\'"),
        (b"\\\\server\\x", "The name of an entry holds a '\\'"),
        (b"a//b", "The name of an entry is no plain path"),
        (b"./a", "The name of an entry is no plain path"),
        (b"a/.", "The name of an entry is no plain path"),
        (b"a\x00.txt", "The name of an entry holds a control character"),
        (b"a\nb", "The name of an entry holds a control character"),
        (b"n" * 256, "The name of a file or folder is longer than 255 bytes"),
        (b"n" * 1025, "The name of an entry is longer than 1024 bytes"),
        (b"/".join([b"d"] * 12), "Folders are more than 10 deep inside one another"),
    ],
)
def test_a_name_that_could_do_harm_is_refused(verdict, name, refusal):
    assert verdict("zip", {}, renamed(name)).startswith(refusal)


CENTRAL = PLAIN.index(b"PK\x01\x02")


def changed(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (changed(PLAIN, CENTRAL + 8, b"\x01"), "A file is encrypted: 'a.txt'."),
        (changed(PLAIN, CENTRAL + 24, b"\x00"), "The archive is broken: directory and entry disagree on 'a.txt'."),
        (changed(PLAIN, 6, b"\x01"), "The archive is broken: directory and entry disagree on 'a.txt'."),
        (changed(PLAIN, 8, b"\x00"), "The archive is broken: directory and entry disagree on 'a.txt'."),
        (changed(PLAIN, 30, b"b"), "The archive is broken: directory and entry disagree on 'a.txt'."),
        (changed(PLAIN, 0, b"P"), None),
        (changed(PLAIN, 3, b"\x05"), "The archive is broken: nothing is where the entry 'a.txt' should be."),
        (changed(PLAIN, CENTRAL, b"x"), "The archive is broken: its directory holds something that is no entry."),
        (changed(PLAIN, len(PLAIN) - 18, b"\x01"), "The archive is one part of several."),
        (
            changed(PLAIN, len(PLAIN) - 14, struct.pack("<HH", 2, 2)),
            "The archive is broken: its directory has more entries than it says.",
        ),
        (
            changed(PLAIN, len(PLAIN) - 14, struct.pack("<HH", 4, 4)),
            "The archive is broken: its directory has fewer entries than it says.",
        ),
    ],
)
def test_an_archive_that_contradicts_itself_is_refused(verdict, data, refusal):
    assert verdict("zip", {}, data) == refusal


@pytest.mark.parametrize("make", [streamed, zip64])
def test_a_descriptor_that_contradicts_the_directory_is_refused(verdict, make):
    data = make()
    at = data.index(b"PK\x07\x08")
    assert "belongs to no entry" in verdict("zip", {}, changed(data, at + 4, b"\x00\x01\x02\x03"))


def test_a_damaged_file_is_found_by_its_checksum(verdict):
    stored = archive(("a", NOISE), method=zipfile.ZIP_STORED)
    assert (
        verdict("zip", {}, changed(stored, 1000, b"\x00\x01\x02\x03"))
        == "A file is damaged: its checksum is another: 'a'."
    )
    assert (
        verdict("zip", {}, changed(PLAIN, 40, b"\xff\xff\xff"))
        == "A file is damaged: it cannot be decompressed: 'a.txt'."
    )


def lying(size: int, content: bytes) -> bytes:
    """An archive whose headers state this size, for a content of another."""
    data = archive(("lie", content))
    return data.replace(struct.pack("<L", len(content)), struct.pack("<L", size))


def test_what_comes_out_is_compared_with_what_was_stated(verdict, peak_below):
    bomb, short = lying(1_000, bytes(20_000_000)), lying(20_000, NOISE[:10_000])
    with peak_below(3):
        assert verdict("zip", {}, bomb) == (
            "A file has another size, when decompressed, than the archive states: 'lie'."
        )
        assert verdict("zip", {}, short) == (
            "A file has another size, when decompressed, than the archive states: 'lie'."
        )


def raw_archive(entries: list[tuple[bytes, int, bytes, int]], body: bytes) -> bytes:
    """A body with a directory of deflated entries: name, start, compressed data, size, whatever the body holds."""
    directory = b"".join(
        struct.pack(
            "<4s6H3L5H2L",
            b"PK\x01\x02",
            20,
            20,
            0,
            8,
            0,
            0,
            zlib.crc32(bytes(size)),
            len(packed),
            size,
            len(name),
            0,
            0,
            0,
            0,
            0,
            start,
        )
        + name
        for name, start, packed, size in entries
    )
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, len(entries), len(entries), len(directory), len(body), 0)
    return body + directory + end


def local(name: bytes, packed: bytes, size: int) -> bytes:
    return (
        struct.pack(
            "<4s5H3L2H", b"PK\x03\x04", 20, 0, 8, 0, 0, zlib.crc32(bytes(size)), len(packed), size, len(name), 0
        )
        + name
        + packed
    )


PACKED = zlib.compress(bytes(1000), wbits=-15)


def test_overlapping_entries_are_refused(verdict):
    body = local(b"a", PACKED, 1000)
    assert verdict("zip", {}, raw_archive([(b"a", 0, PACKED, 1000)], body)) is None
    twice = raw_archive([(b"a", 0, PACKED, 1000), (b"b", 0, PACKED, 1000)], body)
    assert verdict("zip", {}, twice) == "The archive is broken: the entry 'a' overlaps another or the directory."
    inside = raw_archive([(b"a", 0, PACKED + body, 1000), (b"a/", len(body), PACKED, 1000)], body + body)
    assert verdict("zip", {}, inside) is not None


def test_bytes_that_belong_to_no_entry_are_refused(verdict):
    body, hidden = local(b"a", PACKED, 1000), local(b"hidden", PACKED, 1000)
    behind = raw_archive([(b"a", 0, PACKED, 1000)], body + hidden)
    assert verdict("zip", {}, behind) == "The archive is broken: something that belongs to no entry stands behind 'a'."
    before = raw_archive([(b"a", len(hidden), PACKED, 1000)], hidden + body)
    assert verdict("zip", {}, before) == "The archive is broken: something stands in front of its first entry."
    trailing = PACKED + b"more"
    inside = raw_archive([(b"a", 0, trailing, 1000)], local(b"a", trailing, 1000))
    assert verdict("zip", {}, inside) == "A file is damaged: its compressed data end too early: 'a'."
    cut = PACKED[:-2]
    assert verdict("zip", {}, raw_archive([(b"a", 0, cut, 1000)], local(b"a", cut, 1000))) == (
        "A file is damaged: its compressed data do not end: 'a'."
    )


def test_a_second_name_is_refused(verdict):
    info = zipfile.ZipInfo("good")
    info.extra = struct.pack("<HHBL", 0x7075, 5 + 4, 1, zlib.crc32(b"good")) + b"evil"
    assert verdict("zip", {}, archive((info, b"x"))) == "The archive is broken: the entry 'good' has a second name."


@pytest.mark.parametrize("size", [262_143, 262_144, 262_145, 524_288, 1_000_000])
def test_contents_of_any_length_are_read_to_their_end(verdict, size):
    for content in (bytes(size), (NOISE * 4)[:size]):
        assert verdict("zip", {}, archive(("a", content))) is None


def test_large_files_are_not_held(verdict, peak_below):
    with peak_below(16):  # the archive itself has 12 MB
        assert verdict("zip", {}, archive(*((str(number), NOISE) for number in range(20)))) is None


@pytest.mark.parametrize(
    "options",
    [{"max_files": 0}, {"min_files": 5, "max_files": 4}, {"max_ratio": 0}, {"names": "*.txt"}, {"max_total_size": -1}],
)
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(ValidationError):
        build_validator("zip", options)


DAMAGED = [archive(("a.txt", b"text" * 10), ("b/", b""), ("b/c", NOISE[:50])), streamed()[:200], zip64()[-400:]]


@given(
    st.sampled_from(DAMAGED),
    st.lists(st.tuples(st.integers(0, 5000), st.binary(max_size=4)), min_size=1, max_size=4),
)
def test_a_damaged_archive_is_either_good_or_refused(verdict, data, damages):
    damaged = bytearray(data)
    for place, other in damages:
        start = place % len(data)
        damaged[start : start + len(other)] = other
    verdict("zip", {}, bytes(damaged))


@given(
    st.dictionaries(
        st.text("abcé ._-", min_size=1, max_size=10).filter(lambda name: name.strip(".")),
        st.binary(max_size=300),
        min_size=1,
        max_size=5,
    )
)
def test_whatever_zipfile_writes_under_plain_names_is_good(verdict, files):
    assert verdict("zip", {}, archive(*files.items())) is None
