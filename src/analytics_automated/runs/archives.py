"""Archives that callers send: what they are, by their content, and the files in them, one after the other.

Nothing that an archive claims of itself is believed. Its names, links and sizes are judged as they come, what is read
at once is bounded whatever its headers say, and no more than is asked for is ever unpacked.
"""

import bz2
import gzip
import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, Protocol, cast

from analytics_automated.pipelines.quantities import format_size

ZIP, TAR = "zip", "tar"
CHUNK = 262_144
MOST_ENTRIES = 20_000
"""Entries of one archive, folders and all that is passed over included."""
_LARGEST_READ = 4_194_304
"""Bytes that a zip may have read at once: its directory, of `MOST_ENTRIES` with long names."""
_LARGEST_HEADERS = 1_048_576
"""Bytes between two files of a tar: headers, of which tarfile holds whatever size they claim, and padding."""
_XZ_MEMORY = 134_217_728
"""Bytes that unpacking xz may take: enough for `xz -9`."""
_BLOCK = 512
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
_GZIP, _BZIP2, _XZ = b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\x00"
_PASSED_OVER = re.compile(r"(.*/)?(__MACOSX(/.*)?|\.DS_Store|\._[^/]*)", re.DOTALL)
"""What macOS puts into archives beside the files."""


class UnfitArchive(Exception):
    """An archive that is not taken. `what` continues a sentence that names the archive."""

    def __init__(self, code: str, what: str, limit: int | None = None) -> None:
        super().__init__(what)
        self.code = code
        self.what = what
        self.limit = limit


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of an archive."""

    path: str
    """As the archive names it, `/` between its parts."""
    chunks: Iterator[bytes]
    """Its bytes, to be read before the next entry."""

    @property
    def file(self) -> str:
        """The last part of its name."""
        return self.path.rpartition("/")[2]


def may_be_archive(start: bytes, kinds: Collection[str]) -> bool:
    """False where what begins so, with 512 bytes or all that there are, is surely no archive of those kinds."""
    if start.startswith(_ZIP_STARTS):
        return ZIP in kinds
    return TAR in kinds and (start.startswith((_GZIP, _BZIP2, _XZ)) or _is_tar(start[:_BLOCK]))


def recognize(archive: IO[bytes], kinds: Collection[str]) -> str | None:
    """Which of those kinds the file is, by its content; none where it is an ordinary file."""
    archive.seek(0)
    start = archive.read(_BLOCK)
    if not may_be_archive(start, kinds):
        return None
    if start.startswith(_ZIP_STARTS):
        return ZIP
    try:
        with _reading():
            return TAR if _is_tar(_decompressed(archive).read(_BLOCK)) else None
    except UnfitArchive:
        return None  # compressed, but what is in it cannot be told


def entries(archive: IO[bytes], kind: str, most_bytes: int) -> Iterator[Entry]:
    """The files of the archive, in its order. Folders, and what macOS adds, are passed over.

    Raises `UnfitArchive` for what is damaged or encrypted, for links, devices and names that lead out, and above
    `MOST_ENTRIES`; from the entries' bytes, too. No more than about `most_bytes` are read of what is passed over, but
    bounds on files are the caller's to hold.
    """
    archive.seek(0)
    return _zip_entries(archive) if kind == ZIP else _tar_entries(archive, most_bytes)


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


def _zip_entries(archive: IO[bytes]) -> Iterator[Entry]:
    with _reading():
        opened = zipfile.ZipFile(cast("IO[bytes]", _CarefulFile(archive)))
        found = opened.infolist()
    if len(found) > MOST_ENTRIES:
        raise _too_many_entries()
    for info in found:
        path = _path(info.orig_filename)
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
            raise _no_file(path, is_link=kind == stat.S_IFLNK)
        if info.is_dir() or kind == stat.S_IFDIR or _PASSED_OVER.fullmatch(path):
            continue
        if info.flag_bits & 0x2041:  # bits 0, 6 and 13: APPNOTE.TXT 4.4.4
            raise UnfitArchive("encrypted", f"in which {_shown(path)} is encrypted")
        if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            # zipfile bounds what comes out at once for these two alone.
            raise UnfitArchive("damaged", f"in which {_shown(path)} is compressed in a way that is not taken")
        yield Entry(path, _zip_chunks(opened, info))


def _zip_chunks(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    with _reading():
        source = opened.open(info)
    with source:
        yield from _chunks(source)


def _tar_entries(archive: IO[bytes], most_bytes: int) -> Iterator[Entry]:
    with _reading():
        source = _CountedStream(_decompressed(archive), most_bytes)
        file = cast("IO[bytes]", source)
        opened = tarfile.TarFile.open(fileobj=file, mode="r|", tarinfo=_Header, errors="surrogateescape")
    for _ in range(MOST_ENTRIES + 1):
        with _reading():
            member = opened.next()
            opened.members = []  # type: ignore[attr-defined] # it keeps them for random access only
        if member is None:
            return
        path = _path(member.name)
        if not member.isreg() and not member.isdir():
            raise _no_file(path, is_link=member.issym() or member.islnk())
        if member.issparse():
            raise UnfitArchive("damaged", f"in which {_shown(path)} is a sparse file, which is not taken")
        if member.isdir():
            continue
        chunks = _tar_chunks(opened, member, source)
        if not _PASSED_OVER.fullmatch(path):
            yield Entry(path, chunks)
        for _ in chunks:  # what nobody has read
            pass
    raise _too_many_entries()


def _tar_chunks(opened: tarfile.TarFile, member: tarfile.TarInfo, source: "_CountedStream") -> Iterator[bytes]:
    with _reading():
        data = opened.extractfile(member)
    if data is not None:
        for chunk in _chunks(data):
            source.restart()
            yield chunk
    source.restart()


def _chunks(source: _Stream) -> Iterator[bytes]:
    while True:
        with _reading():
            chunk = source.read(CHUNK)
        if not chunk:
            return
        yield chunk


class _Header(tarfile.TarInfo):
    """A header of a tar, which ends by its mark and not otherwise: tarfile takes what is cut off, or damaged behind
    its first file, for the end."""

    @classmethod
    def fromtarfile(cls, tarfile: tarfile.TarFile) -> "_Header":
        """The next header. Raises `UnfitArchive`, and at the mark of the end what tarfile expects."""
        try:
            return super().fromtarfile(tarfile)
        except _HEADER_ERROR as error:
            if isinstance(error, _END_MARK):
                raise
            raise UnfitArchive("damaged", "that is damaged or cut off") from error


_HEADER_ERROR = tarfile.HeaderError
_END_MARK: type[tarfile.HeaderError] = tarfile.EOFHeaderError  # type: ignore[attr-defined] # unknown to typeshed


class _CountedStream:
    """What tarfile reads, up to a bound: it takes headers of any size, and all of what is passed over."""

    def __init__(self, stream: _Stream, most_bytes: int) -> None:
        self._stream = stream
        self._most = most_bytes
        self._left = most_bytes + MOST_ENTRIES * 2 * _BLOCK  # headers and padding
        self._count = 0

    def restart(self) -> None:
        """Count anew: data of a file were read."""
        self._count = 0

    def read(self, size: int, /) -> bytes:
        """At most so many bytes. Raises `UnfitArchive`."""
        data = self._stream.read(size)
        self._count += len(data)
        self._left -= len(data)
        if self._left < 0:
            raise UnfitArchive("too_large", f"that unpacks to more than {format_size(self._most)}", self._most)
        if self._count > _LARGEST_HEADERS:
            raise UnfitArchive("damaged", "that has headers of no sensible size")
        return data


class _CarefulFile:
    """What zipfile reads: it reads a directory of whatever size the archive claims at once."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int = -1, /) -> bytes:
        """At most so many bytes. Raises `UnfitArchive`."""
        data = self._file.read(min(size, _LARGEST_READ) if size >= 0 else _LARGEST_READ)
        if (size < 0 or size > _LARGEST_READ) and len(data) == _LARGEST_READ:
            raise _too_many_entries()
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class _Unxz:
    """The bytes of an xz file, in bounded memory, which `lzma.LZMAFile` cannot promise."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._rest = b""
        self._decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)

    def read(self, size: int, /) -> bytes:
        """At most so many bytes, none at the end."""
        while True:
            if self._decompressor.eof:
                self._rest = (self._decompressor.unused_data or self._file.read(CHUNK)).lstrip(b"\0")
                if not self._rest:
                    return b""
                self._decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
            elif self._decompressor.needs_input and not self._rest:
                self._rest = self._file.read(CHUNK)
                if not self._rest:
                    raise EOFError("the compressed data end too early")
            given, self._rest = self._rest, b""
            if data := self._decompressor.decompress(given, size):
                return data


def _decompressed(archive: IO[bytes]) -> _Stream:
    archive.seek(0)
    start = archive.read(len(_XZ))
    archive.seek(0)
    if start.startswith(_GZIP):
        return gzip.GzipFile(fileobj=archive)
    if start.startswith(_BZIP2):
        return bz2.BZ2File(archive)
    return _Unxz(archive) if start == _XZ else archive


def _is_tar(block: bytes) -> bool:
    """True for a header whose checksum is right."""
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError):
        return False
    return True


@contextmanager
def _reading() -> Iterator[None]:
    """What the standard library raises for a damaged archive becomes `UnfitArchive`; faults of this machine do not."""
    try:
        yield
    except OSError as error:
        if error.errno is not None:
            raise
        raise UnfitArchive("damaged", "that is damaged or cut off") from error
    except (
        *(tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError),
        *(ValueError, ArithmeticError, LookupError, RuntimeError),  # hostile headers bring about all of these
    ) as error:
        raise UnfitArchive("damaged", "that is damaged or cut off") from error


def _path(name: str) -> str:
    """The entry's name. Raises `UnfitArchive` for one that leads out."""
    path = name.replace("\\", "/")
    if "\0" in path or path.startswith("/") or re.match("[A-Za-z]:", path) or ".." in path.split("/"):
        raise UnfitArchive("escaping_name", f"in which the name {_shown(name)} leads out of it")
    return path


def _no_file(path: str, *, is_link: bool) -> UnfitArchive:
    kind = "a link" if is_link else "neither a file nor a folder"
    return UnfitArchive("no_plain_file", f"in which {_shown(path)} is {kind}: only files are taken")


def _too_many_entries() -> UnfitArchive:
    return UnfitArchive("too_many", f"that holds more than {MOST_ENTRIES} entries", MOST_ENTRIES)


def _shown(name: str) -> str:
    return repr(name if len(name) <= 100 else f"…{name[-99:]}")
