"""Making the database agree with pipeline files."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from django.db import transaction
from pydantic import BaseModel

from analytics_automated.pipelines.checks.configuration import check_configuration, queue_of
from analytics_automated.pipelines.checks.values import with_typed_values
from analytics_automated.pipelines.configuration.changes import Changes, Difference, Version
from analytics_automated.pipelines.configuration.history import Author, changed_on_pages, record, version_of
from analytics_automated.pipelines.configuration.ownership import ownership_problems
from analytics_automated.pipelines.configuration.shipment import ChangedFileError, Shipment
from analytics_automated.pipelines.configuration.stored import (
    Files,
    Key,
    Stored,
    as_data,
    is_same,
    read_stored,
    with_files,
)
from analytics_automated.pipelines.configuration.verifying import lock_configuration, new_problems
from analytics_automated.pipelines.configuration.writing import write
from analytics_automated.pipelines.definitions import BackendDefinition, JobDefinition, TaskDefinition
from analytics_automated.pipelines.files.beside import files_of
from analytics_automated.pipelines.files.configuration import Configuration
from analytics_automated.pipelines.models import Job, Snapshot
from analytics_automated.pipelines.models.change import Change, ChangeKind, Door
from analytics_automated.pipelines.plans import Plan
from analytics_automated.pipelines.problems import ConfigurationError, Path, Problem


@dataclass(frozen=True)
class Options:
    """How to apply."""

    who: str = ""
    """The system user, for the history."""
    overwrite: bool = False
    """Take the files' word even over what was changed on the pages."""
    prune: bool = False
    """Delete what the files' pipelines no longer name."""
    dry_run: bool = False
    """Change nothing: only say what would change."""
    confirm: Callable[[Changes], None] | None = None
    """Told what will change before it does; what it raises goes on, and nothing has changed."""


@dataclass
class _Target:
    """What the database is to become, as far as the files say."""

    configuration: Configuration
    files: Mapping[Key, Files]
    """Of the Tasks and Jobs of the files."""
    deleted: list[Key] = field(default_factory=list)
    kept: list[Key] = field(default_factory=list)

    def all_keys(self) -> list[Key]:
        """What the files define."""
        sections = ("backends", "tasks", "jobs")
        return [(section, name) for section in sections for name in getattr(self.configuration, section)]

    def definition(self, key: Key) -> BaseModel:
        """What the files say."""
        found: BaseModel = getattr(self.configuration, key[0])[key[1]]
        return found

    def version(self, key: Key) -> Version:
        """The same, to be compared."""
        files = {path: content.sha256 for path, content in self.files.get(key, {}).items()}
        return Version(as_data(self.definition(key)), files, self.configuration.pipelines.get(key, ""))

    def is_same(self, key: Key, stored: Stored) -> bool:
        """True where the database says so already, files included."""
        same = is_same(stored.definition(key), self.definition(key))
        same = same and stored.pipelines.get(key, "") == self.configuration.pipelines.get(key, "")
        return same and dict(stored.files.get(key, {})) == dict(self.files.get(key, {}))


def apply(configuration: Configuration, options: Options | None = None) -> Changes:
    """Make the database agree with the files, in one transaction; a second time changes nothing.

    Raises `ConfigurationError` with everything that is wrong; then nothing has changed.
    """
    options = options or Options()
    try:
        shipment = Shipment(configuration.shipped)
        if not options.dry_run and not any(not problem.warning for problem in configuration.problems):
            shipment.store()
    except (OSError, ChangedFileError) as error:
        raise ConfigurationError([Problem((), f"a file cannot be shipped: {error}")]) from None
    try:
        with transaction.atomic():
            lock_configuration()
            return _apply(configuration, shipment, options)
    finally:
        shipment.discard()


def _apply(configuration: Configuration, shipment: Shipment, options: Options) -> Changes:
    stored = read_stored()
    configuration.backends = {name: _own_queue(name, each) for name, each in configuration.backends.items()}
    target = _Target(configuration, shipment.files)
    _leave_behind(target, stored, options)
    foreign = ownership_problems(configuration, stored, target.deleted)
    for problem in foreign:
        _pass_over(configuration, str(problem.path[0]), str(problem.path[1]))
    # Those of the files come last, so that a queue which another backend has is a problem of theirs.
    backends = {name: each for name, each in stored.backends.items() if name not in configuration.backends}
    backends |= configuration.backends
    tasks = {name: each for name, each in stored.tasks.items() if ("tasks", name) not in target.deleted}
    tasks |= configuration.tasks
    configuration.jobs = {name: with_typed_values(job, tasks) for name, job in configuration.jobs.items()}
    dependent = _dependent_jobs(target, stored)
    # Names and aliases of jobs are one space, so all jobs are looked at; what is told is what the files touch.
    left = {key for key in stored.jobs if ("jobs", key) not in target.deleted and key not in configuration.jobs}
    jobs = {name: each for name, each in stored.jobs.items() if name in left} | configuration.jobs
    checked = check_configuration(backends, tasks, jobs, unreadable=configuration.unreadable)
    told = [*_told(checked.problems, configuration, tasks, dependent | configuration.jobs)]
    told += _broken_elsewhere(checked.problems, told, stored)
    problems = [*configuration.problems, *foreign, *told, *_not_shipped(target)]
    if not options.overwrite:
        problems += _changed_on_pages(target, stored)
    problems = [_about(problem, target) for problem in configuration.in_order(problems)]
    if any(not problem.warning for problem in problems):
        raise ConfigurationError([problem for problem in problems if not problem.warning])
    changes = _changes(target, stored)
    changes.warnings = problems
    plans = {
        name: with_files(plan, {**stored.files, **target.files})
        for name, plan in checked.plans.items()
        if name in dependent or name in configuration.jobs
    }
    digests = dict(Job.objects.filter(snapshot__isnull=False).values_list("name", "snapshot__digest"))
    changes.renewed = [name for name in dependent if name in plans and plans[name].digest != digests.get(name)]
    if not options.dry_run:
        if options.confirm is not None:
            options.confirm(changes)
        _write(target, changes, plans, shipment)
        record(Author(options.who, Door.FILE), applied=target.all_keys())
    return changes


def _write(target: _Target, changes: Changes, plans: Mapping[str, Plan], shipment: Shipment) -> None:
    touched = {*changes.created, *changes.changed}
    blobs = shipment.adopt()
    files = {
        key: {path: blobs[content.sha256, content.size] for path, content in contents.items()}
        for key, contents in target.files.items()
        if key in touched
    }
    write(target.configuration, touched, changes.deleted, files)
    for name, plan in plans.items():
        snapshot = Snapshot.of(plan)
        Job.objects.filter(name=name).exclude(snapshot=snapshot).update(snapshot=snapshot)


def _changes(target: _Target, stored: Stored) -> Changes:
    changes = Changes(deleted=target.deleted, kept=target.kept)
    for key in target.all_keys():
        if target.is_same(key, stored):
            changes.unchanged.append(key)
            continue
        (changes.changed if stored.definition(key) is not None else changes.created).append(key)
        changes.differences.append(Difference(*key, version_of(stored, key), target.version(key)))
    for key in target.deleted:
        changes.differences.append(Difference(*key, version_of(stored, key), Version()))
    return changes


def _leave_behind(target: _Target, stored: Stored, options: Options) -> None:
    """What the pipelines of the files own, but these no longer name."""
    configuration = target.configuration
    if any(section == "files" for section, _ in configuration.unreadable):
        return
    named = {*target.all_keys(), *configuration.unreadable}
    for key, owner in stored.pipelines.items():
        if owner in configuration.owners and key not in named:
            (target.deleted if options.prune else target.kept).append(key)


def _not_shipped(target: _Target) -> Iterator[Problem]:
    """Files that are named, but did not come along: where the text of a pipeline file came without its folder."""
    named: list[tuple[Key, Path, str]] = []
    for name, task in target.configuration.tasks.items():
        named += [(("tasks", name), ("files", place), path) for place, path in enumerate(task.files)]
    for name, job in target.configuration.jobs.items():
        named += [(("jobs", name), place, path) for place, path in files_of(job)]
    for key, place, path in named:
        if key not in target.configuration.incomplete and path not in target.files.get(key, {}):
            yield Problem((*key, *place), f"the file {path!r} did not come with the pipeline file")


def _changed_on_pages(target: _Target, stored: Stored) -> Iterator[Problem]:
    """What the files would undo."""
    keys = [key for key in target.all_keys() if not target.is_same(key, stored)] + target.deleted
    for key, change in changed_on_pages(stored, keys, target.deleted).items():
        wanted = Version() if key in target.deleted else target.version(key)
        difference = Difference(*key, version_of(stored, key), wanted)
        shown = "".join(f"\n    {line}" for line in difference.lines())
        yield Problem(
            key,
            f"was {_became(key, change)} on the pages by {change.who or 'somebody'} since a file was "
            f"last applied: `--overwrite` takes the file's word, `aa export` writes what is there now{shown}",
        )


def _became(key: Key, change: Change) -> str:
    if change.name != key[1]:
        return f"renamed to {change.name!r}"
    return "deleted" if change.kind == ChangeKind.DELETED else "changed"


def _pass_over(configuration: Configuration, section: str, name: str) -> None:
    """Leave out a definition that cannot be taken, so that what is there already is not checked against it."""
    getattr(configuration, section).pop(name, None)
    configuration.unreadable.add((section, name))


def _dependent_jobs(target: _Target, stored: Stored) -> dict[str, JobDefinition]:
    """Jobs that are not in the files, but use a task, or a backend by a task, which the files change."""
    changed = {key for key in target.all_keys() if not target.is_same(key, stored)} | {*target.deleted}
    touched = {name for section, name in changed if section == "tasks"}
    touched |= {name for name, each in stored.tasks.items() if ("backends", each.backend) in changed}
    return {
        name: job
        for name, job in stored.jobs.items()
        if name not in target.configuration.jobs
        and ("jobs", name) not in target.deleted
        and any(step.task in touched for step in job.steps)
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


def _broken_elsewhere(problems: Iterable[Problem], told: Collection[Problem], stored: Stored) -> list[Problem]:
    """What the files would break of that which has nothing else to do with them: a successor that goes, a limit that
    a task of another pipeline passes."""
    others = [problem for problem in problems if not problem.warning and problem not in told]
    return new_problems(others, stored) if others else []


def _about(problem: Problem, target: _Target) -> Problem:
    """A problem of what is in no file says why it comes up."""
    section, name = (str(part) for part in problem.path[:2]) if len(problem.path) > 1 else ("", "")
    if section != "jobs" or name in target.configuration.jobs or problem.file is not None:
        return problem
    gone = next((task for where, task in target.deleted if where == "tasks" and repr(task) in problem.message), None)
    if gone is not None and problem.message.startswith("there is no task"):
        return replace(problem, message=f"uses the task {gone!r}, which would be deleted")
    return replace(problem, message=f"{problem.message} (the job uses a task that would change)")


def _own_queue(name: str, backend: BackendDefinition) -> BackendDefinition:
    """A backend that names the queue which it would have anyway is the same as one that names none."""
    plain = backend.model_copy(update={"queue": None})
    return plain if queue_of(name, plain) == backend.queue else backend
