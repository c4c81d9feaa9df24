"""The records of a ZIP archive: PKWARE's APPNOTE.TXT, version 6.3.10. Nothing is believed that is not checked.

The standard library's `zipfile` reads the directory whole before it can be asked for its size, takes the sizes that
the archive states for true, and decompresses LZMA and bzip2 without bound: for archives of one's own that is right.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from analytics_automated.pipelines.validators.base import CheckedStream, Invalid, excerpt

STORED: Final = 0
DEFLATED: Final = 8

ENCRYPTED: Final = 0x0001 | 0x0040 | 0x2000
"""Flags (4.4.4): encrypted, strongly so, and masked values in the headers."""
SIZES_BEHIND: Final = 0x0008
"""Flag: sizes and checksum stand behind the data, in a data descriptor."""
UTF_8: Final = 0x0800
"""Flag: the name is UTF-8; otherwise it is in code page 437."""

LONGEST_NAME: Final = 1_024
"""Bytes of an entry's name, at most."""

_END = struct.Struct("<4s4H2LH")  # 4.3.16
_ZIP64_LOCATOR = struct.Struct("<4sLQL")  # 4.3.15
_ZIP64_END = struct.Struct("<4sQ2H2L4Q")  # 4.3.14
_ENTRY = struct.Struct("<4s6H3L5H2L")  # 4.3.12
_LOCAL = struct.Struct("<4s5H3L2H")  # 4.3.7
_END_SIGNATURE: Final = b"PK\x05\x06"
_LONGEST_END: Final = _END.size + 65_535  # with its comment
_FULL_16, _FULL_32 = 0xFFFF, 0xFFFF_FFFF  # the value stands in a ZIP64 record
_ZIP64_EXTRA, _UNICODE_NAME_EXTRA = 0x0001, 0x7075


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the central directory lies, and how many entries it says to have."""

    start: int
    size: int
    entries: int


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as the central directory states it."""

    raw_name: bytes
    name: str
    flags: int
    method: int
    checksum: int
    compressed: int
    size: int
    start: int
    """Where its local header begins."""
    unix_mode: int
    """File type and permissions, as Unix has them; 0 where unknown."""

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder, which has no data."""
        return self.name.endswith("/")

    def refusal(self, what: str) -> Invalid:
        """A refusal of this entry, by name."""
        return Invalid(f"{what.removesuffix('.')}: {excerpt(self.name, 80)}.")


def broken(what: str) -> Invalid:
    """A refusal of an archive that contradicts itself."""
    return Invalid(f"The archive is broken: {what}.")


def find_directory(stream: CheckedStream) -> Directory:
    """Read the records at the archive's end. Raises `Invalid` where they are missing or do not agree."""
    start = stream.seek(max(0, stream.size - _LONGEST_END))
    tail = stream.read(_LONGEST_END)
    at = tail.rfind(_END_SIGNATURE)
    if at < 0 or len(tail) - at < _END.size:
        raise Invalid("The file is no ZIP archive, or its end is missing.")
    _, disk, directory_disk, here, entries, size, offset, comment = _END.unpack_from(tail, at)
    if at + _END.size + comment != len(tail):
        raise broken("something follows its end")
    end = start + at
    locator_start = end - _ZIP64_LOCATOR.size
    locator = _read_at(stream, locator_start, _ZIP64_LOCATOR.size) if locator_start >= 0 else b""
    if locator.startswith(b"PK\x06\x07"):
        end, (disk, directory_disk, here, entries, size, offset) = _zip64_end(
            stream, locator, locator_start, (disk, directory_disk, here, entries, size, offset)
        )
    if disk or directory_disk or here != entries:
        raise Invalid("The archive is one part of several.")
    if offset + size != end:
        raise broken("its directory does not lie where it should")
    return Directory(offset, size, entries)


def _zip64_end(
    stream: CheckedStream, locator: bytes, locator_start: int, small: tuple[int, ...]
) -> tuple[int, tuple[int, ...]]:
    """Where the ZIP64 record begins, and its values, which must agree with the small ones that are not full."""
    _, _, start, disks = _ZIP64_LOCATOR.unpack(locator)
    if disks > 1 or start + _ZIP64_END.size > locator_start:
        raise broken("its ZIP64 records do not lie where they should")
    signature, length, _, _, *large = _ZIP64_END.unpack(_read_at(stream, start, _ZIP64_END.size))
    if signature != b"PK\x06\x06" or start + 12 + length != locator_start:
        raise broken("its ZIP64 records do not lie where they should")
    full = (_FULL_16, _FULL_16, _FULL_16, _FULL_16, _FULL_32, _FULL_32)
    if any(few not in (limit, many) for few, many, limit in zip(small, large, full, strict=True)):
        raise broken("its records of the end disagree")
    return start, tuple(large)


def read_entries(stream: CheckedStream, directory: Directory) -> Iterator[Entry]:
    """The entries of the central directory, one after another. Raises `Invalid` for what cannot be read."""
    at, end = directory.start, directory.start + directory.size
    for _ in range(directory.entries):
        if at + _ENTRY.size > end:
            raise broken("its directory has fewer entries than it says")
        fields = _ENTRY.unpack(_read_at(stream, at, _ENTRY.size))
        signature, _, _, flags, method, _, _, checksum, compressed, size, *lengths, disk, _, attributes, start = fields
        if signature != b"PK\x01\x02":
            raise broken("its directory holds something that is no entry")
        raw_name, extra = _name_and_extra(stream, *lengths[:2])
        large = _large_values(extra, size, compressed, start)
        if disk not in (0, _FULL_16):
            raise Invalid("The archive is one part of several.")
        name = _decoded(raw_name, flags)
        _check_unicode_name(extra, name)
        yield Entry(raw_name, name, flags, method, checksum, large[1], large[0], large[2], attributes >> 16)
        at += _ENTRY.size + sum(lengths)
    if at != end:
        raise broken("its directory has more entries than it says")


def find_data(stream: CheckedStream, entry: Entry) -> int:
    """Where the entry's data begin. Raises `Invalid` where its local header does not agree with the directory."""
    header = _read_at(stream, entry.start, _LOCAL.size)
    signature, _, flags, method, _, _, checksum, compressed, size, *lengths = _LOCAL.unpack(header)
    if signature != b"PK\x03\x04":
        raise broken(f"nothing is where the entry {excerpt(entry.name)} should be")
    raw_name, extra = _name_and_extra(stream, *lengths)
    size, compressed, _ = _large_values(extra, size, compressed, 0)
    _check_unicode_name(extra, entry.name)
    stated = (checksum, compressed, size)
    known = (entry.checksum, entry.compressed, entry.size)
    agrees = stated == known or (
        flags & SIZES_BEHIND and all(one in (0, two) for one, two in zip(stated, known, strict=True))
    )
    same_flags = not (flags ^ entry.flags) & (ENCRYPTED | SIZES_BEHIND | UTF_8)
    if not agrees or not same_flags or (raw_name, method) != (entry.raw_name, entry.method):
        raise broken(f"directory and entry disagree on {excerpt(entry.name)}")
    return entry.start + _LOCAL.size + len(raw_name) + len(extra)


def check_descriptor(stream: CheckedStream, entry: Entry, start: int, end: int) -> None:
    """Check what stands between the entry's data and what follows: its data descriptor (4.3.9), or nothing."""
    length = end - start
    if length == 0 and not entry.flags & SIZES_BEHIND:
        return
    if entry.flags & SIZES_BEHIND and length in (12, 16, 20, 24):
        found = _read_at(stream, start, length)
        values = struct.pack("<LQQ" if length > 16 else "<LLL", entry.checksum, entry.compressed, entry.size)
        if found == values or found == b"PK\x07\x08" + values:
            return
    raise broken(f"something that belongs to no entry stands behind {excerpt(entry.name)}")


def _read_at(stream: CheckedStream, at: int, length: int) -> bytes:
    if at + length > stream.size:
        raise broken("it ends too early")
    stream.seek(at)
    data = stream.read(length)
    if len(data) < length:
        raise broken("it ends too early")
    return data


def _name_and_extra(stream: CheckedStream, name_length: int, extra_length: int) -> tuple[bytes, bytes]:
    """The name and the extra field, which follow a header that was read."""
    if name_length > LONGEST_NAME:
        raise Invalid(f"The name of an entry is longer than {LONGEST_NAME} bytes.")
    data = stream.read(name_length + extra_length)
    if len(data) < name_length + extra_length:
        raise broken("it ends too early")
    return data[:name_length], data[name_length:]


def _decoded(name: bytes, flags: int) -> str:
    try:
        return name.decode("utf-8" if flags & UTF_8 else "cp437")
    except UnicodeDecodeError:
        raise broken("the name of an entry is no UTF-8") from None


def _extra_fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        yield kind, extra[at + 4 : at + 4 + length]
        at += 4 + length


def _large_values(extra: bytes, size: int, compressed: int, start: int) -> tuple[int, int, int]:
    """Size, compressed size and start, from the ZIP64 field (4.5.3) where they do not fit into 32 bits."""
    field = next((data for kind, data in _extra_fields(extra) if kind == _ZIP64_EXTRA), b"")
    values, at = [], 0
    for value in (size, compressed, start):
        if value == _FULL_32 and at + 8 <= len(field):
            values.append(int.from_bytes(field[at : at + 8], "little"))
            at += 8
        else:
            values.append(value)
    return values[0], values[1], values[2]


def _check_unicode_name(extra: bytes, name: str) -> None:
    """Refuse a second, other name, which Info-ZIP's programs would take (4.6.9)."""
    for kind, data in _extra_fields(extra):
        if kind == _UNICODE_NAME_EXTRA and data[5:] != name.encode():
            raise broken(f"the entry {excerpt(name)} has a second name")
