"""The history of the configuration: who changed what, by which door."""

import contextlib
import json
from collections.abc import Collection, Mapping
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


def record(author: Author, *, applied: Collection[Key] = (), renamed: Mapping[Key, str] | None = None) -> None:
    """Write a line for everything that is not what its latest line says, in the caller's transaction.

    `renamed` are things that had another name until now, with that name. `applied` are things that a file names; where
    the latest line of one came by the pages, there is one more that says that the file agrees.
    """
    stored, latest, renamed = read_stored(), _latest(), renamed or {}
    unreadable = {(str(problem.path[0]), str(problem.path[1])) for problem in stored.problems}
    lines = []
    for key in stored.all_keys():
        former = renamed.get(key, "")
        now, last = version_of(stored, key), latest.pop((key[0], former), None) if former else latest.get(key)
        snapshot = stored.snapshots.get(key[1]) if key[0] == "jobs" else None
        pipeline = stored.pipelines.get(key, "")
        if last is None or last.kind == ChangeKind.DELETED:
            kind, former = ChangeKind.CREATED, ""
        elif former:
            kind = ChangeKind.RENAMED
        elif not _is(last, now) or last.pipeline != pipeline:
            kind = ChangeKind.CHANGED
        elif last.snapshot_id != snapshot:
            kind = ChangeKind.RENEWED
        elif key in applied and last.door == Door.PAGES:
            kind = ChangeKind.ADOPTED
        else:
            continue
        line = _line(author, key, kind, pipeline, now, snapshot)
        line.renamed_from = former
        lines.append(line)
    for key, last in latest.items():
        if stored.definition(key) is None and key not in unreadable and last.kind != ChangeKind.DELETED:
            lines.append(_line(author, key, ChangeKind.DELETED, last.pipeline, Version(), None))
    Change.objects.bulk_create(lines)


def _latest() -> dict[Key, Change]:
    """The latest line of everything under the name that it has now."""
    latest, away = Change.objects.latest_of_each(), Change.objects.renamed_away()
    return {key: line for key, line in latest.items() if key not in away or away[key].pk < line.pk}


def recorded() -> Stored:
    """The configuration as its history says that it is: within a change that is not recorded yet, as it was before."""
    stored = Stored()
    models: dict[str, type[BaseModel]] = {"backends": BackendDefinition, "tasks": TaskDefinition, "jobs": JobDefinition}
    for (section, name), change in _latest().items():
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


def changed_on_pages(stored: Stored, keys: Collection[Key], deleted: Collection[Key] = ()) -> dict[Key, Change]:
    """Of these, what is not as a file last left it, with the latest line that the pages wrote of it: by which it may
    have got another name. Those that would be deleted are not as a file left them under another name, either."""
    pages = Change.objects.filter(door=Door.PAGES)
    named, away = pages.latest_of_each(), pages.renamed_away()
    found = {}
    for key in keys:
        lines = [each[key] for each in (named, away) if key in each]
        if not lines:
            continue
        theirs = max(lines, key=lambda line: line.pk)
        ours = Change.objects.of(*key).exclude(door=Door.PAGES).order_by("-pk").first()
        if ours is not None and ours.pk > theirs.pk:
            continue
        same = ours is not None and _is(ours, version_of(stored, key))
        if not same or (key in deleted and ours is not None and ours.name != key[1]):
            found[key] = theirs
    return found
