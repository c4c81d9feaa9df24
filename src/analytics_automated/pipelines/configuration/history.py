"""The history of the configuration: who changed what, by which door."""

import contextlib
import json
from collections.abc import Collection
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError

from analytics_automated.pipelines.configuration.changes import Version
from analytics_automated.pipelines.configuration.stored import Key, Stored, as_data, read_stored
from analytics_automated.pipelines.definitions import BackendDefinition, JobDefinition, TaskDefinition
from analytics_automated.pipelines.models.change import Change, ChangeKind, Door


@dataclass(frozen=True)
class Author:
    """Who changes something, and by which door."""

    who: str
    door: Door


def version_of(stored: Stored, key: Key) -> Version:
    """That thing as it is now."""
    definition = stored.definition(key)
    files = {path: content.sha256 for path, content in stored.files.get(key, {}).items()}
    return Version(as_data(definition) if definition is not None else None, files, stored.pipelines.get(key, ""))


def record(author: Author, *, applied: Collection[Key] = ()) -> None:
    """Write a line for everything that is not what its latest line says, in the caller's transaction.

    `applied` are things that a file names; where the latest line of one came by the pages, there is one more that
    says that the file agrees.
    """
    stored, latest = read_stored(), Change.objects.latest_of_each()
    unreadable = {(str(problem.path[0]), str(problem.path[1])) for problem in stored.problems}
    lines = []
    for key in stored.all_keys():
        now, last = version_of(stored, key), latest.get(key)
        snapshot = stored.snapshots.get(key[1]) if key[0] == "jobs" else None
        pipeline = stored.pipelines.get(key, "")
        if last is None or last.kind == ChangeKind.DELETED:
            kind = ChangeKind.CREATED
        elif not _is(last, now) or last.pipeline != pipeline:
            kind = ChangeKind.CHANGED
        elif last.snapshot_id != snapshot:
            kind = ChangeKind.RENEWED
        elif key in applied and last.door == Door.PAGES:
            kind = ChangeKind.ADOPTED
        else:
            continue
        lines.append(_line(author, key, kind, pipeline, now, snapshot))
    for key, last in latest.items():
        if stored.definition(key) is None and key not in unreadable and last.kind != ChangeKind.DELETED:
            lines.append(_line(author, key, ChangeKind.DELETED, last.pipeline, Version(), None))
    Change.objects.bulk_create(lines)


def recorded() -> Stored:
    """The configuration as its history says that it is: within a change that is not recorded yet, as it was before."""
    stored = Stored()
    models: dict[str, type[BaseModel]] = {"backends": BackendDefinition, "tasks": TaskDefinition, "jobs": JobDefinition}
    for (section, name), change in Change.objects.latest_of_each().items():
        if change.definition is not None:
            with contextlib.suppress(ValidationError):
                getattr(stored, section)[name] = models[section].model_validate(change.definition)
    return stored


def _line(author: Author, key: Key, kind: ChangeKind, pipeline: str, version: Version, snapshot: int | None) -> Change:
    section, name = key
    return Change(
        who=author.who,
        door=author.door,
        section=section,
        name=name,
        kind=kind,
        pipeline=pipeline,
        definition=version.data,
        files=dict(version.files),
        snapshot_id=snapshot,
    )


def _is(change: Change, version: Version) -> bool:
    return json.dumps([change.definition, change.files]) == json.dumps([version.data, dict(version.files)])


def changed_on_pages(stored: Stored, keys: Collection[Key]) -> dict[Key, Change]:
    """Of these, what is not as a file last left it, with the latest line that the pages wrote of it."""
    ours = Change.objects.exclude(door=Door.PAGES).latest_of_each()
    theirs = Change.objects.filter(door=Door.PAGES).latest_of_each()
    return {
        key: theirs[key]
        for key in keys
        if key in theirs
        and (key not in ours or ours[key].pk < theirs[key].pk)
        and not (key in ours and _is(ours[key], version_of(stored, key)))
    }
