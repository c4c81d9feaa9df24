"""The folder of the embedded broker: queues, messages and bindings as files.

    <folder>/queues/<queue>/<time>-<random>.json   messages that wait, oldest name first
             bindings/<exchange>/<digest>.json     one file per binding of a queue to an exchange
             writing/                              files that are not whole yet
             taken/                                messages between take and delivery
             set-aside/                            files that could not be read, kept for a person

All of it lies on one file system of one machine: every step is a rename, which is atomic there.
"""

import contextlib
import hashlib
import heapq
import json
import logging
import os
import secrets
import time
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

logger = logging.getLogger(__name__)

SUFFIX = ".json"
LISTING = 1000
"""How many names of waiting messages one listing returns."""
STALE_AFTER = 600.0
"""Seconds after which a file in `writing` or `taken`, where files stay for a moment, was left by the dead."""


class Binding(NamedTuple):
    """One row of an exchange's table, in the order in which kombu unpacks it."""

    routing_key: str
    pattern: str
    queue: str

    @classmethod
    def parse(cls, content: bytes) -> "Binding":
        """The binding in a file's content. Raises `ValueError` if that holds none."""
        row = json.loads(content)
        if not (isinstance(row, list) and len(row) == 3 and all(isinstance(value, str) for value in row)):
            raise ValueError(f"a binding should be a list of three texts, not {row!r:.80}")
        return cls(*row)


class BrokerFolder:
    """The files of the broker. Any number of processes and threads may use the same folder at once.

    A file is written whole before its name appears, and a message is taken by renaming it, which succeeds
    for one taker only. Folders that somebody removed are made again. Raises `OSError` where the disk fails.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._queues = root / "queues"
        self._bindings = root / "bindings"
        self._writing = root / "writing"
        self._taken = root / "taken"
        self._set_aside = root / "set-aside"
        self._known_bindings: dict[Path, Binding] = {}

    def prepare(self) -> None:
        """Make the folders, close them to everybody but their owner, remove what dead processes left."""
        self._make_folders()
        for folder in (self._writing, self._taken):
            for path in folder.iterdir():
                written, _, _ = path.name.partition("-")
                if written.isdecimal() and time.time() - int(written) / 1e9 > STALE_AFTER:
                    path.unlink(missing_ok=True)

    def declare(self, queue: str) -> None:
        """Make the queue's folder."""
        self._make_folders(self._queue(queue))

    def has(self, queue: str) -> bool:
        """Whether the queue was declared or ever written to."""
        return self._queue(queue).is_dir()

    def put(self, queue: str, content: bytes) -> None:
        """Append a message to the queue."""
        self._write(self._queue(queue), _unique_name() + SUFFIX, content)

    def size(self, queue: str) -> int:
        """How many messages wait."""
        return len(_names(self._queue(queue)))

    def oldest(self, queue: str) -> list[str]:
        """The names of at most `LISTING` waiting messages, oldest first."""
        return heapq.nsmallest(LISTING, _names(self._queue(queue)))

    def take(self, queue: str, name: str) -> Path | None:
        """Make a waiting message the caller's own, and say where it is now; `None` if it is gone."""
        taken = self._taken / (_unique_name() + SUFFIX)
        try:
            # As text: this runs once per message and waiting consumer, and making a Path costs more.
            os.rename(f"{self._queue(queue)}/{name}", taken)  # noqa: PTH104
        except FileNotFoundError:
            if not self._taken.is_dir():
                self._make_folders()
            return None
        return taken

    def set_aside(self, path: Path, reason: Exception) -> None:
        """Put away a file that could not be read, and log it."""
        kept = self._set_aside / path.name
        try:
            self._make_folders()
            path.rename(kept)
        except OSError:
            logger.exception("a broker file cannot be read, nor set aside: %s: %r", path, reason)
        else:
            logger.error("a broker file cannot be read and was set aside: %s: %r", kept, reason)

    def purge(self, queue: str) -> int:
        """Remove the waiting messages, and say how many they were."""
        folder = self._queue(queue)
        removed = 0
        for name in _names(folder):
            with contextlib.suppress(FileNotFoundError):
                (folder / name).unlink()
                removed += 1
        return removed

    def remove(self, queue: str) -> None:
        """Remove the queue, its messages and its bindings. A message that arrives meanwhile makes it anew."""
        if self._bindings.is_dir():
            for folder in self._bindings.iterdir():
                for path, binding in self._read_bindings(folder):
                    if binding.queue == queue:
                        path.unlink(missing_ok=True)
        self.purge(queue)
        with contextlib.suppress(OSError):
            self._queue(queue).rmdir()

    def bind(self, exchange: str, binding: Binding) -> None:
        """Add a binding, if it is not there yet."""
        path = self._binding(exchange, binding)
        if not path.exists():
            self._write(path.parent, path.name, json.dumps(binding).encode())

    def unbind(self, exchange: str, binding: Binding) -> None:
        """Take a binding away, if it is there."""
        self._binding(exchange, binding).unlink(missing_ok=True)

    def bindings(self, exchange: str) -> list[Binding]:
        """The table of an exchange; empty for one that nobody knows."""
        return [binding for _, binding in self._read_bindings(self._bindings / folder_name(exchange))]

    def _read_bindings(self, folder: Path) -> list[tuple[Path, Binding]]:
        found = []
        for name in sorted(_names(folder)):
            path = folder / name
            try:
                if path not in self._known_bindings:  # a file's name is the digest of its content
                    self._known_bindings[path] = Binding.parse(path.read_bytes())
                found.append((path, self._known_bindings[path]))
            except FileNotFoundError:
                continue
            except (PermissionError, IsADirectoryError, ValueError, RecursionError) as error:
                self.set_aside(path, error)
        return found

    def _binding(self, exchange: str, binding: Binding) -> Path:
        digest = hashlib.sha256(json.dumps(binding).encode()).hexdigest()
        return self._bindings / folder_name(exchange) / f"{digest}{SUFFIX}"

    def _queue(self, queue: str) -> Path:
        return self._queues / folder_name(queue)

    def _make_folders(self, *more: Path) -> None:
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self._queues, self._bindings, self._writing, self._taken, self._set_aside, *more):
            folder.mkdir(mode=0o700, exist_ok=True)
        if self.root.stat().st_mode & 0o077:
            self.root.chmod(0o700)

    def _write(self, folder: Path, name: str, content: bytes) -> None:
        try:
            self._write_then_rename(folder, name, content)
        except FileNotFoundError:  # a new queue, or somebody removed folders
            self._make_folders(folder)
            self._write_then_rename(folder, name, content)

    def _write_then_rename(self, folder: Path, name: str, content: bytes) -> None:
        unfinished = self._writing / _unique_name()
        try:
            with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
            unfinished.rename(folder / name)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise


@lru_cache(maxsize=1024)
def folder_name(name: str) -> str:
    """The folder of a queue or exchange: readable, injective, and never a path, hidden, or too long."""
    if not name:
        raise ValueError("a queue or exchange of the embedded broker needs a name")
    quoted = quote(name, safe="@", errors="surrogatepass")
    if quoted.startswith("."):
        quoted = "%2E" + quoted[1:]
    if len(quoted) > 200:
        # No quoted name holds a plus, so this is no other queue's name.
        quoted = f"{quoted[:100]}+{hashlib.sha256(quoted.encode()).hexdigest()}"
    return quoted


def _unique_name() -> str:
    return f"{time.time_ns():020d}-{secrets.token_hex(8)}"


def _names(folder: Path) -> list[str]:
    try:
        # As text: idle workers do this a hundred times a second for each of their queues.
        return [name for name in os.listdir(folder) if name.endswith(SUFFIX)]  # noqa: PTH208
    except FileNotFoundError:
        return []
