"""Shipped files on their way from beside a pipeline file into the storage."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from analytics_automated.pipelines.configuration.stored import Files, Key
from analytics_automated.pipelines.plans import PlannedFile
from analytics_automated.pipelines.problems import ConfigurationError, Problem
from analytics_automated.storage.models import Blob
from analytics_automated.storage.streams import StoredFile, read_chunks, remove, store


class Shipment:
    """The files that Tasks and Jobs ship, each by its path. Measured at once, stored on demand and once by content.

    What is stored is nobody's until `adopt`: see `discard`. Raises `OSError` where a file cannot be read.
    """

    def __init__(self, files: Mapping[Key, Mapping[str, Path]]) -> None:
        self.files: dict[Key, Files] = {}
        """The contents of the files."""
        self._sources: dict[tuple[str, int], Path] = {}
        self._fresh: list[StoredFile] = []
        for key, paths in files.items():
            contents = {path: _measured(source) for path, source in paths.items()}
            self.files[key] = contents
            self._sources |= {(contents[path].sha256, contents[path].size): source for path, source in paths.items()}

    def store(self) -> None:
        """Stream into the storage what is not there yet. Raises `ChangedFileError`."""
        for (sha256, size), source in self._sources.items():
            if Blob.objects.filter(sha256=sha256, size=size).exists():
                continue
            with source.open("rb") as stream:
                stored = store(read_chunks(stream), f"shipped-{sha256[:8]}")
            self._fresh.append(stored)
            if (stored.sha256, stored.size) != (sha256, size):
                raise ChangedFileError(source.name)

    def adopt(self) -> dict[tuple[str, int], Blob]:
        """The blobs of all contents, in the caller's transaction. Raises `ConfigurationError` where one has gone."""
        adopted = Blob.objects.adopt(self._fresh)
        doubled = [file.key for file in self._fresh if adopted[file.key].key != file.key]
        self._fresh = [file for file in self._fresh if file.key in doubled]
        digests = [sha256 for sha256, _ in self._sources]
        rows = Blob.objects.select_for_update(no_key=True).filter(sha256__in=digests)
        blobs = {(blob.sha256, blob.size): blob for blob in rows}
        if not self._sources.keys() <= blobs.keys():
            # It was there when the others were stored, in nobody's name, and was swept since.
            raise ConfigurationError([Problem((), "a shipped file has just gone from the storage: apply again")])
        return blobs

    def discard(self) -> None:
        """Remove what was stored and is nobody's."""
        remove(file.key for file in self._fresh)
        self._fresh.clear()


class ChangedFileError(Exception):
    """A shipped file became another while it was read. The argument is its name."""


def _measured(path: Path) -> PlannedFile:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as stream:
        for chunk in read_chunks(stream):
            digest.update(chunk)
            size += len(chunk)
    return PlannedFile(sha256=digest.hexdigest(), size=size)
