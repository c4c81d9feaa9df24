"""What the configuration was: from line to line of its history, and from plan to plan of a Job."""

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import models

from analytics_automated.pipelines.configuration.changes import Difference, Version
from analytics_automated.pipelines.files.shorthands import shortened
from analytics_automated.pipelines.files.writer import value_text
from analytics_automated.pipelines.models import Job, Snapshot
from analytics_automated.pipelines.models.change import Change


@dataclass(frozen=True)
class HistoryLine:
    """A change, with the one before it of the same thing."""

    change: Change
    before: Change | None

    @property
    def difference(self) -> list[str]:
        """What differs from the line before, as lines of a unified difference. Where a Job itself is the same but
        its Tasks are not, that of the plans."""
        change, before = self.change, self.before
        former = before.name if before is not None else None
        versions = (version_at(before), version_at(change))
        lines = list(Difference(change.section, change.name, *versions, name_before=former).lines())
        if not lines and before is not None and before.snapshot and change.snapshot:
            lines = plan_difference(before.snapshot, change.snapshot)
        return lines


def changes_of(section: str, name: str, until: int | None = None) -> models.QuerySet[Change]:
    """All lines of what has that name, under its former names too, the latest first; none after the line `until`."""
    return Change.objects.of(section, name, until).select_related("snapshot").order_by("-pk")


def history_line(change: Change) -> HistoryLine:
    """The change with the one before it."""
    earlier = changes_of(change.section, change.name, change.pk).filter(pk__lt=change.pk)
    return HistoryLine(change, earlier.first())


def history_lines(changes: Sequence[Change]) -> list[HistoryLine]:
    """The same for some of `changes_of`, in their order and without a gap."""
    befores = [*changes[1:], history_line(changes[-1]).before] if changes else []
    return [HistoryLine(change, before) for change, before in zip(changes, befores, strict=True)]


def version_at(change: Change | None) -> Version:
    """The thing as it was from that change on."""
    return Version() if change is None else Version(change.definition, change.files, change.pipeline)


@dataclass(frozen=True)
class JobVersion:
    """A plan that a Job had, from one or several moments on."""

    snapshot: Snapshot
    latest: Change
    """When it became so the last time."""
    version: str
    """What its author called it then."""
    submissions: int
    """Calls that run, or ran, by this plan. Calls of another Job with an equal plan cannot be: its name is in it."""
    current: bool


def job_versions(name: str) -> list[JobVersion]:
    """The plans that a Job of that name has had, under its former names too, the latest first. While it could
    not run it had none."""
    changes = changes_of("jobs", name).filter(snapshot__isnull=False)
    latest: dict[int, Change] = {}
    for change in changes:
        latest.setdefault(change.snapshot_id or 0, change)
    counted = Snapshot.objects.filter(pk__in=latest).annotate(calls=models.Count("submissions"))
    calls = dict(counted.values_list("pk", "calls"))
    current = Job.objects.filter(name=name).values_list("snapshot", flat=True).first()
    return [
        JobVersion(
            change.snapshot, change, (change.definition or {}).get("version", ""), calls.get(pk, 0), pk == current
        )
        for pk, change in latest.items()
        if change.snapshot is not None
    ]


def plan_text(snapshot: Snapshot) -> str:
    """The plan as YAML, its Tasks as a pipeline file has them."""
    data = json.loads(snapshot.content)
    if snapshot.is_readable and "tasks" in data:
        data["tasks"] = {name: shortened("tasks", task) for name, task in data["tasks"].items()}
    return value_text(data)


def plan_difference(before: Snapshot, after: Snapshot) -> list[str]:
    """What differs between two plans, as lines of a unified difference of their YAML, without line ends."""
    one, other = (plan_text(each).splitlines() for each in (before, after))
    return list(difflib.unified_diff(one, other, str(before), str(after), lineterm=""))
