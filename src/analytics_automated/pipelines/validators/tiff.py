"""The directories of a TIFF file: TIFF 6.0, section 2, and BigTIFF."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from analytics_automated.pipelines.validators.base import CheckedStream, Invalid

MOST_DIRECTORIES: Final = 10_000
"""Directories of a file, at most: one for each picture in it, and those of its metadata."""

MOST_VALUES: Final = 16_777_216
"""Bytes that the values of all directories may take in memory, at most; entries may share their bytes in the file."""

_BYTES_OF: Final = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_NUMBER_IN_MEMORY: Final = 40  # bytes of a Python integer, and of the reference to it
_WIDTH, _HEIGHT, _TILE_WIDTH, _TILE_HEIGHT = 256, 257, 322, 323
_POINTERS: Final = frozenset({34665, 34853, 40965})
"""Entries that lead to another directory, which Pillow reads: EXIF, GPS, interoperability."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the two kinds of TIFF write a directory, in their byte order."""

    order: str
    count: str
    entry: str
    pointer: str

    def unpack(self, layout: str, data: bytes) -> tuple[int, ...]:
        return struct.unpack(self.order + layout, data.ljust(struct.calcsize(self.order + layout), b"\0"))

    def size(self, layout: str) -> int:
        return struct.calcsize(self.order + layout)


_KINDS: Final = {
    b"II*\0": ("<", "H", "HHL4s", "L"),
    b"MM\0*": (">", "H", "HHL4s", "L"),
    b"II+\0": ("<", "Q", "HHQ8s", "Q"),
    b"MM\0+": (">", "Q", "HHQ8s", "Q"),
}

MAGIC: Final = tuple(_KINDS)
"""How TIFF files begin."""


@dataclass(slots=True)
class _Directory:
    numbers: dict[int, int] = field(default_factory=dict)  # single values, by tag
    following: int = 0


def tiff_frames(stream: CheckedStream, max_tile: int) -> Iterator[tuple[int, int]]:
    """Width and height of each picture of a TIFF file, from its directories.

    Raises `Invalid` for a picture without a size, for tiles of more than `max_tile` pixels, and for directories
    that would take much memory or never end.
    """
    stream.seek(0)
    layout = _Layout(*_KINDS[stream.read(4)])
    if layout.pointer == "Q":
        stream.seek(8)
    (start,) = layout.unpack(layout.pointer, stream.read(layout.size(layout.pointer)))
    reading = _Reading(stream, layout)
    while start and start not in reading.seen:
        directory = reading.read(start)
        width, height = directory.numbers.get(_WIDTH, 0), directory.numbers.get(_HEIGHT, 0)
        if not width or not height:
            raise Invalid("The picture is broken: a TIFF directory states no size.")
        if directory.numbers.get(_TILE_WIDTH, 0) * directory.numbers.get(_TILE_HEIGHT, 0) > max_tile:
            raise Invalid(f"The picture has tiles of more than {max_tile} pixels.")
        yield width, height
        start = directory.following


class _Reading:
    """The directories that have been read, and what their values take."""

    def __init__(self, stream: CheckedStream, layout: _Layout) -> None:
        self.seen: set[int] = set()
        self._stream = stream
        self._layout = layout
        self._memory = 0

    def read(self, start: int) -> _Directory:
        """Read the directory, and those that it points to."""
        directory = self._read_one(start)
        for tag in _POINTERS & directory.numbers.keys():
            inner = directory.numbers[tag]
            if inner not in self.seen:
                self.read(inner)
        return directory

    def _read_one(self, start: int) -> _Directory:
        layout, stream = self._layout, self._stream
        self.seen.add(start)
        if len(self.seen) > MOST_DIRECTORIES:
            raise Invalid(f"The picture has more than {MOST_DIRECTORIES} TIFF directories.")
        if start >= stream.size:
            raise Invalid("The picture is broken: a TIFF directory lies behind its end.")
        stream.seek(start)
        (count,) = layout.unpack(layout.count, stream.read(layout.size(layout.count)))
        entry_size = layout.size(layout.entry)
        data = stream.read(min(count, 0xFFFF) * entry_size)
        if len(data) < count * entry_size:
            raise Invalid("The picture is broken: a TIFF directory reaches beyond its end.")
        directory = _Directory()
        for at in range(0, count * entry_size, entry_size):
            self._read_entry(directory, *struct.unpack_from(layout.order + layout.entry, data, at))
        (directory.following,) = layout.unpack(layout.pointer, stream.read(layout.size(layout.pointer)))
        return directory

    def _read_entry(self, directory: _Directory, tag: int, kind: int, values: int, inline: bytes) -> None:
        size = _BYTES_OF.get(kind, 0)
        self._memory += values * (size if size == 1 else _NUMBER_IN_MEMORY)
        if self._memory > MOST_VALUES:
            raise Invalid("The picture is no plain one: the values in its TIFF directories take too much memory.")
        number = {1: "B", 3: "H", 4: "L", 13: "L", 16: "Q", 18: "Q"}.get(kind)
        if values == 1 and number is not None and size <= len(inline):
            directory.numbers[tag] = struct.unpack_from(self._layout.order + number, inline)[0]
