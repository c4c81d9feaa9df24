"""The configuration in the database: reading it, changing it, and keeping it right.

Every change, from a file or a page, goes through here: the same checks, one transaction, and a new snapshot of
every job that it touches. What was submitted before is not touched.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import transaction
from pydantic import BaseModel, ValidationError

from analytics_automated.pipelines.checks.configuration import LOCAL_BACKEND, check_configuration, queue_of
from analytics_automated.pipelines.checks.values import with_typed_values
from analytics_automated.pipelines.definitions import BackendDefinition, JobDefinition, TaskDefinition
from analytics_automated.pipelines.files.reader import Configuration
from analytics_automated.pipelines.files.sentences import problems_of
from analytics_automated.pipelines.models import Backend, Job, QueueType, Snapshot, Task
from analytics_automated.pipelines.problems import ConfigurationError, Problem


@dataclass
class Stored:
    """All definitions in the database, by name."""

    backends: dict[str, BackendDefinition] = field(default_factory=dict)
    tasks: dict[str, TaskDefinition] = field(default_factory=dict)
    jobs: dict[str, JobDefinition] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    """Rows that are no definition, which only pages can make."""


@dataclass
class Changes:
    """What an apply did, by section and name."""

    created: list[tuple[str, str]] = field(default_factory=list)
    changed: list[tuple[str, str]] = field(default_factory=list)
    unchanged: list[tuple[str, str]] = field(default_factory=list)
    renewed: list[str] = field(default_factory=list)
    """Jobs that are not in the files, but whose tasks changed."""
    warnings: list[Problem] = field(default_factory=list)


def read_stored() -> Stored:
    """Read all definitions."""
    stored = Stored()
    backends = Backend.objects.select_related("queue_type")
    tasks = Task.objects.select_related("backend").prefetch_related("parameters", "environment")
    jobs = Job.objects.prefetch_related("steps__task", "validators")
    _read_rows("backends", backends, BackendDefinition, stored.backends, stored)
    _read_rows("tasks", tasks, TaskDefinition, stored.tasks, stored)
    _read_rows("jobs", jobs, JobDefinition, stored.jobs, stored)
    return stored


def _read_rows(
    section: str, rows: Iterable[Any], model: type[BaseModel], known: dict[str, Any], stored: Stored
) -> None:
    for row in rows:
        try:
            known[row.name] = row.to_definition()
        except ValidationError as error:
            found = problems_of(error.errors(include_url=False), model, row.to_data())
            stored.problems += (problem.below(section, row.name) for problem in found)


def apply(configuration: Configuration) -> Changes:
    """Make the database agree with the files, in one transaction; a second time changes nothing.

    Raises `ConfigurationError` with everything that is wrong; then nothing has changed.
    """
    with transaction.atomic():
        stored = read_stored()
        configuration.backends = {name: _own_queue(name, each) for name, each in configuration.backends.items()}
        foreign = _ownership(configuration)
        for problem in foreign:
            _pass_over(configuration, str(problem.path[0]), str(problem.path[1]))
        # Those of the files come last, so that a queue which another backend has is a problem of theirs.
        backends = {name: each for name, each in stored.backends.items() if name not in configuration.backends}
        backends |= configuration.backends
        tasks = stored.tasks | configuration.tasks
        configuration.jobs = {name: with_typed_values(job, tasks) for name, job in configuration.jobs.items()}
        dependent = _dependent_jobs(configuration, stored)
        jobs = dependent | configuration.jobs
        others = {name: job for name, job in stored.jobs.items() if name not in jobs}
        checked = check_configuration(backends, tasks, jobs, others=others, unreadable=configuration.unreadable)
        told = _told(checked.problems, configuration, tasks, jobs)
        problems = configuration.in_order([*configuration.problems, *foreign, *told])
        problems = [_about(problem, dependent) for problem in problems]
        if any(not problem.warning for problem in problems):
            raise ConfigurationError([problem for problem in problems if not problem.warning])
        changes = _write(configuration, stored)
        changes.warnings = problems
        for name, plan in checked.plans.items():
            snapshot = Snapshot.of(plan)
            renewed = Job.objects.filter(name=name).exclude(snapshot=snapshot).update(snapshot=snapshot)
            if renewed and name in dependent:
                changes.renewed.append(name)
        return changes


def _pass_over(configuration: Configuration, section: str, name: str) -> None:
    """Leave out a definition that cannot be taken, so that what is there already is not checked against it."""
    getattr(configuration, section).pop(name, None)
    configuration.unreadable.add((section, name))


def _dependent_jobs(configuration: Configuration, stored: Stored) -> dict[str, JobDefinition]:
    """Jobs that are not in the files, but use a task, or a backend by a task, which the files change."""
    changed = {name for name, each in configuration.backends.items() if not _is_same(stored.backends.get(name), each)}
    touched = {name for name, each in configuration.tasks.items() if not _is_same(stored.tasks.get(name), each)}
    touched |= {name for name, each in stored.tasks.items() if each.backend in changed}
    return {
        name: job
        for name, job in stored.jobs.items()
        if name not in configuration.jobs and any(step.task in touched for step in job.steps)
    }


def _told(
    problems: Iterable[Problem],
    configuration: Configuration,
    tasks: Mapping[str, TaskDefinition],
    jobs: Mapping[str, JobDefinition],
) -> Iterator[Problem]:
    """The problems but for those of stored tasks and backends that have nothing to do with the files."""
    used = {step.task for job in jobs.values() for step in job.steps}
    relevant = {
        "jobs": set(jobs),
        "tasks": used | set(configuration.tasks),
        "backends": {tasks[name].backend for name in used if name in tasks} | set(configuration.backends),
    }
    for problem in problems:
        section, name = str(problem.path[0]), str(problem.path[1])
        ours = name in getattr(configuration, section)
        if name in relevant[section] and (ours or not problem.warning):
            yield problem


def _about(problem: Problem, dependent: Mapping[str, JobDefinition]) -> Problem:
    """A problem of a job that is in no file says why it comes up."""
    if problem.path[:1] == ("jobs",) and problem.path[1] in dependent:
        return replace(problem, message=f"{problem.message} (the job uses a task that would change)")
    return problem


def _is_same(one: BaseModel | None, other: BaseModel) -> bool:
    """Equal, the order of keys and the types of values included: 1, 1.0 and true differ."""
    return one is not None and one.model_dump_json(by_alias=True, exclude_defaults=True) == other.model_dump_json(
        by_alias=True, exclude_defaults=True
    )


def _own_queue(name: str, backend: BackendDefinition) -> BackendDefinition:
    """A backend that names the queue which it would have anyway is the same as one that names none."""
    plain = backend.model_copy(update={"queue": None})
    return plain if queue_of(name, plain) == backend.queue else backend


def _ownership(configuration: Configuration) -> list[Problem]:
    """Names that another pipeline owns, or that differ from a stored one only by case."""
    problems = []
    owners: list[tuple[str, Mapping[str, object], list[tuple[str, str]]]] = [
        ("tasks", configuration.tasks, list(Task.objects.values_list("name", "pipeline"))),
        ("jobs", configuration.jobs, list(Job.objects.values_list("name", "pipeline"))),
        (
            "backends",
            configuration.backends,
            [(name, "") for name in Backend.objects.values_list("name", flat=True)],
        ),
    ]
    for section, names, rows in owners:
        known = {name.lower(): (name, owner) for name, owner in rows}
        for name in names:
            stored, owner = known.get(name.lower(), (name, ""))
            ours = configuration.pipelines.get((section, name), "")
            if stored != name:
                problems.append(Problem((section, name), f"differs from {stored!r}, which is there, only by its case"))
            elif owner and owner != ours:
                message = f"belongs to the pipeline {owner!r}: choose another name, or change it there"
                problems.append(Problem((section, name), message))
    return problems


def _write(configuration: Configuration, stored: Stored) -> Changes:
    changes = Changes()

    def differs(section: str, name: str, before: BaseModel | None, after: BaseModel) -> bool:
        same = _is_same(before, after)
        kind = changes.created if before is None else changes.unchanged if same else changes.changed
        kind.append((section, name))
        return not same

    _free_queues(configuration.backends)
    for name, backend in configuration.backends.items():
        if differs("backends", name, stored.backends.get(name), backend):
            row = Backend.objects.filter(name=name).first() or Backend(name=name)
            row.take_definition(backend)
    backends = {row.name: row for row in Backend.objects.all()}
    for name, task in configuration.tasks.items():
        if differs("tasks", name, stored.tasks.get(name), task):
            task_row = Task.objects.filter(name=name).first() or Task(name=name)
            task_row.pipeline = configuration.pipelines.get(("tasks", name), "")
            task_row.take_definition(task, backends[task.backend])
    tasks = {row.name: row for row in Task.objects.all()}
    for name, job in configuration.jobs.items():
        if differs("jobs", name, stored.jobs.get(name), job):
            job_row = Job.objects.filter(name=name).first() or Job(name=name)
            job_row.pipeline = configuration.pipelines.get(("jobs", name), "")
            job_row.take_definition(job, tasks)
    for (section, name), pipeline in configuration.pipelines.items():
        rows = Task.objects if section == "tasks" else Job.objects
        rows.filter(name=name, pipeline="").update(pipeline=pipeline)
    return changes


def _free_queues(backends: Mapping[str, BackendDefinition]) -> None:
    """Take their queues' names from backends that get other ones, so that two can change places."""
    for queue in QueueType.objects.filter(backend__name__in=backends).select_related("backend"):
        if queue.name != queue_of(queue.backend.name, backends[queue.backend.name]):
            queue.name = f"~{queue.pk}"  # no queue can be called so
            queue.save(update_fields=["name"])


def verify_stored() -> None:
    """Check the whole configuration as it stands in the database, and renew the snapshots of all jobs.

    For changes by pages: call it in the transaction of the change, and let `ConfigurationError` undo that.
    A job with problems is an error where it is runnable; else it only has no snapshot.
    """
    stored = read_stored()
    unreadable = {(str(problem.path[0]), str(problem.path[1])) for problem in stored.problems}
    checked = check_configuration(stored.backends, stored.tasks, stored.jobs, unreadable=unreadable)
    idle = {name for name, job in stored.jobs.items() if not job.runnable}
    errors = [
        problem
        for problem in [*stored.problems, *checked.problems]
        if not problem.warning and not (problem.path[0] == "jobs" and problem.path[1] in idle)
    ]
    if errors:
        raise ConfigurationError(errors)
    for name in stored.jobs:
        snapshot = Snapshot.of(checked.plans[name]) if name in checked.plans else None
        Job.objects.filter(name=name).update(snapshot=snapshot)


def ensure_local_backend() -> None:
    """Make the Backend that always exists. Called after every migration."""
    if not Backend.objects.filter(name=LOCAL_BACKEND).exists():
        Backend(name=LOCAL_BACKEND).take_definition(BackendDefinition())
