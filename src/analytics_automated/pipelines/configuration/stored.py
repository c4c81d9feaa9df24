"""The configuration as it stands in the database."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

from analytics_automated.pipelines.definitions import BackendDefinition, JobDefinition, TaskDefinition
from analytics_automated.pipelines.files.sentences import problems_of
from analytics_automated.pipelines.models import Backend, Job, Task
from analytics_automated.pipelines.plans import Plan, PlannedFile
from analytics_automated.pipelines.problems import Problem

Key = tuple[str, str]
"""Section and name."""
Files = Mapping[str, PlannedFile]
"""Contents of shipped files, by path."""


@dataclass
class Stored:
    """All definitions in the database, by name, with what belongs to them."""

    backends: dict[str, BackendDefinition] = field(default_factory=dict)
    tasks: dict[str, TaskDefinition] = field(default_factory=dict)
    jobs: dict[str, JobDefinition] = field(default_factory=dict)
    files: dict[Key, Files] = field(default_factory=dict)
    """Of each Task and Job that has any."""
    pipelines: dict[Key, str] = field(default_factory=dict)
    """The owners of Tasks and Jobs."""
    snapshots: dict[str, int | None] = field(default_factory=dict)
    """Of each Job, by primary key; none while it could not run."""
    problems: list[Problem] = field(default_factory=list)
    """Rows that are no definition, which only pages can make."""

    def definition(self, key: Key) -> BaseModel | None:
        """The definition; none where there is none."""
        found: BaseModel | None = getattr(self, key[0]).get(key[1])
        return found

    def every_key(self) -> list[Key]:
        """Everything that there is, unreadable things too."""
        unreadable = [(str(problem.path[0]), str(problem.path[1])) for problem in self.problems]
        return list(dict.fromkeys([*self.all_keys(), *unreadable]))

    def all_keys(self) -> list[Key]:
        """Everything that can be read."""
        return [(section, name) for section in ("backends", "tasks", "jobs") for name in getattr(self, section)]


def read_stored() -> Stored:
    """Read all definitions."""
    stored = Stored()
    backends = Backend.objects.select_related("queue_type").prefetch_related("data", "environment")
    tasks = Task.objects.select_related("backend").prefetch_related(
        "inputs", "outputs", "parameters", "environment", "software", "files__blob"
    )
    jobs = Job.objects.prefetch_related(
        "inputs", "parameters", "steps__task", "validators", "results", "examples", "files__blob"
    )
    _read_rows("backends", backends, BackendDefinition, stored.backends, stored)
    _read_rows("tasks", tasks, TaskDefinition, stored.tasks, stored)
    _read_rows("jobs", jobs, JobDefinition, stored.jobs, stored)
    return stored


def _read_rows(
    section: str, rows: Iterable[Any], model: type[BaseModel], known: dict[str, Any], stored: Stored
) -> None:
    for row in rows:
        key = (section, row.name)
        if section != "backends":
            stored.pipelines[key] = row.pipeline
            stored.files[key] = {
                shipped.path: PlannedFile(sha256=shipped.blob.sha256, size=shipped.blob.size)
                for shipped in row.files.all()
            }
        if section == "jobs":
            stored.snapshots[row.name] = row.snapshot_id
        try:
            known[row.name] = row.to_definition()
        except ValidationError as error:
            found = problems_of(error.errors(include_url=False), model, row.to_data())
            stored.problems += (problem.below(section, row.name) for problem in found)


def as_data(definition: BaseModel) -> dict[str, Any]:
    """The definition's keys, without what is at its default: as it is kept, compared and written to files."""
    return definition.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def is_same(one: BaseModel | None, other: BaseModel | None) -> bool:
    """Equal, the order of keys and the types of values included: 1, 1.0 and true differ."""
    if one is None or other is None:
        return one is other
    return json.dumps(as_data(one)) == json.dumps(as_data(other))


def with_files(plan: Plan, files: Mapping[Key, Files]) -> Plan:
    """The plan with the contents of its tasks' shipped files."""
    shipped = {task: dict(files[key]) for task in plan.tasks if files.get(key := ("tasks", task))}
    return plan if not shipped else Plan.model_validate({**dict(plan), "files": shipped})
