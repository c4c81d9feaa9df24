"""Outputs on their way out of the work folder: only regular files that lie inside it."""

import mimetypes
import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from analytics_automated.pipelines.definitions import TaskDefinition, TaskOutputDefinition
from analytics_automated.runs.engine.finishing import Gathered
from analytics_automated.runs.staging import free_name
from analytics_automated.storage.streams import read_chunks, remove, store

mimetypes.add_type("text/tab-separated-values", ".tsv")
for _ending in (".fasta", ".fa", ".faa", ".fna", ".pdb", ".cif", ".hmm", ".nwk", ".log", ".yaml"):
    mimetypes.add_type("text/plain", _ending)


class Unfit(Exception):
    """An output that must not be gathered. The message is for the caller; it holds no path of the server."""


@dataclass
class Found:
    """The files of the task's outputs, relative to the work folder, and the required outputs that are missing."""

    files: list[tuple[str, str]] = field(default_factory=list)
    """Output and path."""
    missing: list[str] = field(default_factory=list)


def find_outputs(task: TaskDefinition, work: Path, staged: Collection[str]) -> Found:
    """Look for the outputs. Staged inputs are none, whatever they are called.

    Raises `Unfit` for a link that leads out, a FIFO or device, or several files where one is meant.
    """
    found = Found()
    for name, output in task.outputs.items():
        paths = sorted(_matching(output, work, set(staged)))
        if len(paths) > 1 and not output.many:
            raise Unfit(f"The output '{name}' is one file, but {len(paths)} match.")
        if not paths and not output.optional:
            found.missing.append(name)
        for path in paths:
            _check(work, path, name)
            found.files.append((name, path))
    return found


def _matching(output: TaskOutputDefinition, work: Path, staged: set[str]) -> Iterator[str]:
    if not output.is_glob:
        if output.file not in staged and os.path.lexists(work / output.file):
            yield output.file
        return
    for path in work.glob(output.file):
        relative = path.relative_to(work).as_posix()
        if relative not in staged and not (path.is_dir() and not path.is_symlink()):
            yield relative


def _check(work: Path, path: str, name: str) -> None:
    inside = os.path.realpath(work)
    real = os.path.realpath(work / path)
    if os.path.commonpath([inside, real]) != inside:
        raise Unfit(f"The output '{name}' is a link that leads out of the work folder.")
    try:
        mode = Path(real).stat().st_mode
    except OSError:
        raise Unfit(f"The output '{name}' is a link to nothing.") from None
    if not stat.S_ISREG(mode):
        raise Unfit(f"The output '{name}' is no regular file.")


def gather(task: TaskDefinition, work: Path, found: Found, owner: str) -> list[Gathered]:
    """Store the files that were found. Where one cannot be stored, those before it are removed again."""
    gathered: list[Gathered] = []
    taken: set[str] = set()
    try:
        for index, (name, path) in enumerate(found.files, 1):
            with _open_inside(work, path) as source:
                stored = store(read_chunks(source), owner)
            output = task.outputs[name]
            file = free_name(f"{name}/", Path(path).name, index, taken).partition("/")[2]
            media_type = output.media_type or mimetypes.guess_type(file)[0] or "application/octet-stream"
            gathered.append(Gathered(name, file, media_type, output.many, stored))
    except BaseException:
        remove(each.stored.key for each in gathered)
        raise
    return gathered


def _open_inside(work: Path, path: str) -> IO[bytes]:
    """Open for reading, never waiting for a FIFO, and look again at what was opened."""
    descriptor = os.open(os.path.realpath(work / path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Unfit("An output is no regular file.")
    return os.fdopen(descriptor, "rb")
