"""Bytes in and out of the storage, by streams, under opaque names."""

import hashlib
import logging
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from django.core.files.base import File
from django.core.files.storage import Storage, storages

logger = logging.getLogger(__name__)
CHUNK = 262_144


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Bytes that are in the storage, but in no row yet."""

    key: str
    size: int
    sha256: str


if TYPE_CHECKING:
    _File = File[bytes]
else:
    _File = File


class _Chunks(_File):
    """What Django's storages read when they save: here, an iterator that is measured as it passes."""

    def __init__(self, source: Iterable[bytes]) -> None:
        super().__init__(None, name="")
        self.source = source
        self.measured = 0
        self.digest = hashlib.sha256()

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:  # noqa: ARG002
        """The bytes, once."""
        for chunk in self.source:
            self.measured += len(chunk)
            self.digest.update(chunk)
            yield chunk


def blob_storage() -> Storage:
    """The storage that blobs are in."""
    return storages["blobs"]


def store(source: Iterable[bytes], owner: str) -> StoredFile:
    """Stream bytes into the storage. `owner` says in the opaque name for whom: an attempt or a submission.

    Where the source raises, what was stored so far is removed and the exception goes on.
    """
    token = secrets.token_hex(12)
    key = f"{token[:2]}/{owner}-{token}"
    content = _Chunks(source)
    try:
        saved = blob_storage().save(key, content)
    except BaseException:
        remove([key])
        raise
    return StoredFile(saved, content.measured, content.digest.hexdigest())


def open_stored(key: str) -> IO[bytes]:
    """The stored bytes, for reading; seekable."""
    return cast("IO[bytes]", blob_storage().open(key, "rb"))


def remove(keys: Iterable[str]) -> None:
    """Remove stored bytes. What cannot be removed is logged, and left to the sweep."""
    for key in keys:
        try:
            blob_storage().delete(key)
        except OSError:
            logger.exception("stored bytes could not be removed", extra={"key": key})


def copy_out(key: str, target: Path) -> None:
    """Copy stored bytes to a new file: by the file system itself (reflink) where both are on one, else streamed."""
    with open_stored(key) as source, target.open("xb") as made:
        if _copy_by_system(source, made):
            return
        shutil.copyfileobj(source, made, CHUNK)


def _copy_by_system(source: IO[bytes], made: IO[bytes]) -> bool:
    """Try copy_file_range(2), which shares the blocks where it can. False where it stopped before the end: both
    files then stand where it stopped."""
    try:
        while os.copy_file_range(source.fileno(), made.fileno(), 1 << 30):
            pass
    except (OSError, AttributeError):  # another file system, another kernel, or no file at all
        return False
    return True


def read_chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """The rest of a stream in pieces."""
    while chunk := stream.read(CHUNK):
        yield chunk
