"""The configuration in the database as pipeline files, with shipped files beside them.

What belongs to no pipeline (backends) is in `backends.yaml`. A pipeline without shipped files is `NAME.yaml`; one with
them is `NAME/NAME.yaml`, and its files lie beside that under the paths that it knows them by. Where two of its tasks
know different files by one path, the second is in `NAME/2/NAME.yaml`, and so on; where a shipped file itself is called
NAME.yaml, the pipeline file is `NAME-2.yaml`. Applying them all changes nothing.
"""

import errno
import secrets
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path, PurePosixPath

from analytics_automated.pipelines.checks.configuration import LOCAL_BACKEND
from analytics_automated.pipelines.configuration.stored import Key, Stored, as_data
from analytics_automated.pipelines.definitions import BackendDefinition
from analytics_automated.pipelines.files.writer import pipeline_text
from analytics_automated.pipelines.plans import PlannedFile
from analytics_automated.storage.models import Blob
from analytics_automated.storage.streams import copy_out

BACKENDS = "backends"


@dataclass
class _Group:
    """What goes into one pipeline file."""

    folder: PurePosixPath
    pipeline: str
    keys: list[Key] = field(default_factory=list)
    files: dict[str, PlannedFile] = field(default_factory=dict)

    @property
    def path(self) -> PurePosixPath:
        """Where the pipeline file lies: under a name that none of its shipped files has."""
        names = (f"{self.pipeline}{number}.yaml" for number in chain([""], (f"-{place}" for place in count(2))))
        return self.folder / next(name for name in names if not any(_covers(path, name) for path in self.files))

    def has_room_for(self, files: Mapping[str, PlannedFile]) -> bool:
        """True where no path of these would be another file's, or a folder where that has a file."""
        return not any(_clash(path, content, self.files) for path, content in files.items())


def _clash(path: str, content: PlannedFile, files: Mapping[str, PlannedFile]) -> bool:
    if path in files:
        return files[path] != content
    return any(_covers(path, other) for other in files)


def _covers(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


@dataclass(frozen=True)
class Export:
    """Files to be written, by their paths from the folder."""

    pipelines: Mapping[PurePosixPath, str]
    """Texts of pipeline files."""
    files: Mapping[PurePosixPath, PlannedFile]
    """Contents of shipped files."""

    def write(self, folder: Path) -> list[Path]:
        """Write everything below the folder, in the place of what has the same names; the pipeline files.

        Each file is written beside its place first, and pipeline files come last. Never follows a link. Raises
        `OSError`, whose `filename` is the file that could not be written.
        """
        for path, content in self.files.items():
            with _placed(folder, path) as target:
                copy_out(Blob.objects.get(sha256=content.sha256, size=content.size).key, target)
        for path, text in self.pipelines.items():
            with _placed(folder, path) as target:
                target.write_text(text, encoding="utf-8")
        return [folder / path for path in self.pipelines]


@contextmanager
def _placed(folder: Path, path: PurePosixPath) -> Iterator[Path]:
    """A new file to write, which then takes its place."""
    target = folder / path
    for part in (target, *target.parents[: len(path.parts) - 1]):
        if part.is_symlink():
            raise OSError(errno.ELOOP, "it is a link, which an export does not follow", str(part))
    target.parent.mkdir(parents=True, exist_ok=True)
    written = target.with_name(f".{target.name}.{secrets.token_hex(6)}")
    try:
        yield written
        written.replace(target)
    except FileNotFoundError:
        gone = "the bytes of this shipped file are not in the storage any more"
        raise OSError(errno.ENOENT, gone, str(target)) from None
    finally:
        written.unlink(missing_ok=True)


def exported(stored: Stored, keys: Collection[Key] | None = None) -> Export:
    """Everything that is stored, or just these keys, as pipeline files. What cannot be read is left out."""
    wanted = [key for key in stored.all_keys() if keys is None or key in keys]
    pipelines: dict[PurePosixPath, str] = {}
    files: dict[PurePosixPath, PlannedFile] = {}
    backends = {name: stored.backends[name] for section, name in wanted if section == "backends"}
    if backends.get(LOCAL_BACKEND) == BackendDefinition():
        del backends[LOCAL_BACKEND]  # which is so in every installation
    if backends:
        data = {name: as_data(backend) for name, backend in backends.items()}
        pipelines[PurePosixPath(f"{BACKENDS}.yaml")] = pipeline_text({"backends": data})
    for group in _groups(stored, [key for key in wanted if key[0] != "backends"]):
        sections = {
            section: {name: as_data(getattr(stored, section)[name]) for where, name in group.keys if where == section}
            for section in ("tasks", "jobs")
        }
        pipelines[group.path] = pipeline_text(sections, group.pipeline)
        files |= {group.folder / path: content for path, content in group.files.items()}
    return Export(pipelines, files)


def _groups(stored: Stored, keys: Collection[Key]) -> Iterator[_Group]:
    for pipeline in sorted({stored.pipelines[key] for key in keys}):
        own = [key for key in keys if stored.pipelines[key] == pipeline]
        shipping = any(stored.files.get(key) for key in own)
        top = PurePosixPath(pipeline if shipping or pipeline == BACKENDS else ".")
        groups = [_Group(top, pipeline)]
        for key in own:
            shipped = dict(stored.files.get(key, {}))
            group = next((each for each in groups if each.has_room_for(shipped)), None)
            if group is None:
                group = _Group(_free_folder(top, groups), pipeline)
                groups.append(group)
            group.keys.append(key)
            group.files |= shipped
        yield from (group for group in groups if group.keys)


def _free_folder(top: PurePosixPath, groups: Collection[_Group]) -> PurePosixPath:
    """A numbered folder that no shipped file of the first group lies in."""
    taken = {path.split("/", 1)[0] for group in groups for path in group.files}
    taken |= {group.folder.name for group in groups}
    number = next(number for number in range(2, len(taken) + 3) if str(number) not in taken)
    return top / str(number)


def needed_by(stored: Stored, jobs: Collection[str]) -> set[Key]:
    """These jobs, with the tasks that they use and the backends that these run on."""
    tasks = {step.task for name in jobs for step in stored.jobs[name].steps if step.task in stored.tasks}
    backends = {stored.tasks[name].backend for name in tasks} & set(stored.backends)
    return (
        {("jobs", name) for name in jobs}
        | {("tasks", name) for name in tasks}
        | {("backends", name) for name in backends}
    )
