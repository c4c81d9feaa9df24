"""ZIP archives."""

import fnmatch
import stat
import zlib
from collections.abc import Iterable, Iterator
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from analytics_automated.pipelines.quantities import Size, format_size
from analytics_automated.pipelines.validators.base import CheckedStream, Invalid, Options, Validator, excerpt
from analytics_automated.pipelines.validators.zip_directory import (
    DEFLATED,
    ENCRYPTED,
    STORED,
    Entry,
    broken,
    check_descriptor,
    find_data,
    find_directory,
    read_entries,
)

PIECE: Final = 262_144
"""Bytes that are read, and made of what was read, at once."""

SMALL: Final = 1_000_000
"""Bytes up to which a file may be compressed as well as it can be: no bomb."""

LONGEST_NAMES: Final = 10_000_000
"""Characters of all names together, at most: they are held."""

LONGEST_PART: Final = 255
"""Bytes of a folder's or file's name, at most: as in most file systems."""


class ZipOptions(Options):
    """What is asked of the archive; bounds are inclusive."""

    min_files: int = Field(1, ge=0, description="Fewest files. Folders do not count.")
    max_files: int = Field(1_000, ge=1, le=100_000, description="Most entries: files, and folders that have an entry.")
    max_file_size: Size | None = Field(None, description="Most bytes of one file, decompressed.")
    max_total_size: Size = Field(1_000_000_000, description="Most bytes of all files together, decompressed.")
    max_ratio: int = Field(
        200, ge=1, description="How many times smaller a file may be compressed, if it has more than 1 MB decompressed."
    )
    max_depth: int = Field(10, ge=0, le=100, description="Most folders inside one another; `0` allows none.")
    names: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        (),
        description=(
            "Patterns such as `*.png`, of which each file's name must match one, in upper or lower case: the whole "
            "path where the pattern has a `/`, else what stands behind the last one."
        ),
    )

    @model_validator(mode="after")
    def _bounds_make_sense(self) -> Self:
        if self.min_files > self.max_files:
            raise ValueError(f"min_files ({self.min_files}) is more than max_files ({self.max_files})")
        return self


class ZipValidator(Validator[ZipOptions]):
    """An archive that can be unpacked without harm, and is whole: each file is decompressed and its CRC-32 checked.

    Refused are: names that are absolute, lead out (`..`), hold a backslash, a control character or an empty part, or
    begin with a drive letter; names that are there twice, and files that are also folders; links and other special
    files; encryption; methods of compression other than deflate; archives of several parts; entries that overlap;
    headers that contradict one another; and bytes that belong to no entry, so that every program sees the same
    files. Bounds are compared with what the archive states before anything is decompressed, and what is stated
    with what comes out. An archive within the archive is a file like any other.
    """

    name = "zip"
    Options = ZipOptions

    def check(self, stream: CheckedStream) -> None:
        """Read the directory, then every entry from the archive's beginning."""
        directory = find_directory(stream)
        if directory.entries > self.options.max_files:
            raise Invalid(
                f"The archive has {directory.entries} files and folders; at most {self.options.max_files} are allowed."
            )
        entries = []
        total = names = 0
        for entry in read_entries(stream, directory):
            total += entry.size
            names += len(entry.name)
            if names > LONGEST_NAMES:
                raise Invalid(f"The names in the archive have more than {LONGEST_NAMES} characters together.")
            self._check_entry(entry, total)
            entries.append(entry)
        _check_names(entries)
        files = sum(not entry.is_folder for entry in entries)
        if files < self.options.min_files:
            few = f"too few files: {files}, where {self.options.min_files} are needed" if files else "no file"
            raise Invalid(f"The archive has {few}.")
        _check_data(stream, sorted(entries, key=lambda entry: entry.start), directory.start)

    def _check_entry(self, entry: Entry, total: int) -> None:
        options = self.options
        _check_kind(entry)
        _check_path(entry, options.max_depth)
        if options.max_file_size is not None and entry.size > options.max_file_size:
            most = format_size(options.max_file_size)
            raise entry.refusal(f"A file has {entry.size} bytes when decompressed; at most {most} are allowed.")
        if total > options.max_total_size:
            most = format_size(options.max_total_size)
            raise Invalid(f"The files have more than {most} when decompressed.")
        if entry.size > SMALL and entry.size > options.max_ratio * entry.compressed:
            raise entry.refusal(f"A file is compressed to less than 1/{options.max_ratio} of its size.")
        if options.names and not entry.is_folder and not _matches(entry.name, options.names):
            allowed = ", ".join(options.names[:10])
            raise entry.refusal(f"A file's name is none of those that are expected: {allowed}.")


def _check_kind(entry: Entry) -> None:
    kind = stat.S_IFMT(entry.unix_mode)
    if entry.flags & ENCRYPTED:
        raise entry.refusal("A file is encrypted.")
    if entry.method not in (STORED, DEFLATED):
        raise entry.refusal("A file is compressed by a method other than deflate.")
    if kind == stat.S_IFLNK:
        raise entry.refusal("An entry is a link; only files and folders are allowed.")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR) or (kind == stat.S_IFDIR) > entry.is_folder:
        raise entry.refusal("An entry is neither a file nor a folder.")
    if entry.is_folder and (entry.size or entry.compressed > 2):  # an empty deflated stream has two bytes
        raise entry.refusal("A folder has data.")


def _check_path(entry: Entry, max_depth: int) -> None:
    name = entry.name
    parts = name.removesuffix("/").split("/")
    if name.startswith("/") or (name[1:2] == ":" and name[0].isalpha()):
        raise entry.refusal("The name of an entry is an absolute path.")
    if "\\" in name:
        raise entry.refusal("The name of an entry holds a '\\': folders are separated by '/'.")
    if ".." in parts:
        raise entry.refusal("The name of an entry leads out of the archive.")
    if "" in parts or "." in parts:
        raise entry.refusal("The name of an entry is no plain path.")
    if not name.isprintable():
        raise entry.refusal("The name of an entry holds a control character or another that cannot be printed.")
    if max(len(part.encode()) for part in parts) > LONGEST_PART:
        raise entry.refusal(f"The name of a file or folder is longer than {LONGEST_PART} bytes.")
    if len(parts) - 1 + entry.is_folder > max_depth:
        raise entry.refusal(f"Folders are more than {max_depth} deep inside one another.")


def _check_names(entries: Iterable[Entry]) -> None:
    seen: set[str] = set()
    for entry in entries:
        path = entry.name.removesuffix("/")
        if path in seen:
            raise entry.refusal("Two entries have one name.")
        seen.add(path)
    files = {entry.name for entry in entries if not entry.is_folder}
    for entry in entries:
        at = entry.name.find("/")
        while at >= 0:
            if entry.name[:at] in files:
                raise entry.refusal("A file has the name of a folder.")
            at = entry.name.find("/", at + 1)


def _check_data(stream: CheckedStream, entries: list[Entry], end: int) -> None:
    """Check that the entries lie one behind the other up to `end`, and that their data are what they should be."""
    starts = [*(entry.start for entry in entries), end]
    if starts[0] != 0:
        raise broken("something stands in front of its first entry")
    for entry, following in zip(entries, starts[1:], strict=True):
        data_start = find_data(stream, entry)
        data_end = data_start + entry.compressed
        if data_end > following:
            raise broken(f"the entry {excerpt(entry.name)} overlaps another or the directory")
        _check_content(stream, entry, data_start)
        check_descriptor(stream, entry, data_end, following)


def _check_content(stream: CheckedStream, entry: Entry, start: int) -> None:
    size = checksum = 0
    stream.seek(start)
    for piece in _content(stream, entry):
        stream.seconds_left()
        size += len(piece)
        checksum = zlib.crc32(piece, checksum)
        if size > entry.size:
            break
    if size != entry.size:
        raise entry.refusal("A file has another size, when decompressed, than the archive states.")
    if checksum != entry.checksum:
        raise entry.refusal("A file is damaged: its checksum is another.")


def _content(stream: CheckedStream, entry: Entry) -> Iterator[bytes]:
    """The entry's content in pieces of at most `PIECE` bytes. The stream stands at its data."""
    left = entry.compressed
    decompressor = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        while left:
            data = stream.read(min(left, PIECE))
            if not data:
                raise broken("it ends too early")
            left -= len(data)
            if entry.method == STORED:
                yield data
                continue
            more = True
            while more:
                piece = decompressor.decompress(data, PIECE)
                yield piece
                data = decompressor.unconsumed_tail
                # A full piece may leave some that needs no further data.
                more = not decompressor.eof and (bool(data) or len(piece) == PIECE)
            if decompressor.eof:
                if left or decompressor.unused_data:
                    raise entry.refusal("A file is damaged: its compressed data end too early.")
                return
    except zlib.error:
        raise entry.refusal("A file is damaged: it cannot be decompressed.") from None
    if entry.method == DEFLATED:
        raise entry.refusal("A file is damaged: its compressed data do not end.")


def _matches(name: str, patterns: Iterable[str]) -> bool:
    whole = name.lower()
    last = whole.rpartition("/")[2]
    return any(fnmatch.fnmatchcase(whole if "/" in pattern else last, pattern.lower()) for pattern in patterns)
