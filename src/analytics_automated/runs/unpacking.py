"""Archives taken apart: every file of one into the storage, within bounds on what comes out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from analytics_automated.pipelines.quantities import format_size
from analytics_automated.runs.archives import UnfitArchive, entries
from analytics_automated.storage.streams import StoredFile, remove, store


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may come out of an archive. What goes in says nothing of it."""

    most_files: int
    largest_file: int
    """Bytes of one file."""
    total: int
    """Bytes of all of them."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A file of an archive that is stored, but in no row yet."""

    file: str
    """The last part of its name in the archive."""
    stored: StoredFile


def unpack(archive: IO[bytes], kind: str, bounds: Bounds, owner: str) -> list[Unpacked]:
    """Stream the files of the archive into the storage, one after the other.

    Raises `UnfitArchive`; then, and whatever else is raised, none of them stays.
    """
    unpacked: list[Unpacked] = []
    left = bounds.total
    try:
        for entry in entries(archive, kind, bounds.total):
            if len(unpacked) == bounds.most_files:
                what = f"that holds more files than may be sent here, {bounds.most_files} in all"
                raise UnfitArchive("too_many", what, bounds.most_files)
            stored = store(_bounded(entry.chunks, entry.file, bounds, left), owner)
            left -= stored.size
            unpacked.append(Unpacked(entry.file, stored))
        if not unpacked:
            raise UnfitArchive("empty", "that holds no file")
    except BaseException:
        remove(each.stored.key for each in unpacked)
        raise
    return unpacked


def _bounded(chunks: Iterator[bytes], file: str, bounds: Bounds, left: int) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > bounds.largest_file:
            what = f"in which {file[-100:]!r} is larger than {format_size(bounds.largest_file)}"
            raise UnfitArchive("too_large", what, bounds.largest_file)
        if size > left:
            what = f"with which the unpacked files are larger than {format_size(bounds.total)} together"
            raise UnfitArchive("too_large", what, bounds.total)
        yield chunk
