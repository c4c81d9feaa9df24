"""The whole configuration, looked at after a change by pages."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from django.db import transaction

from analytics_automated.pipelines.checks.configuration import LOCAL_BACKEND, Checked, check_configuration
from analytics_automated.pipelines.configuration.history import Author, record, recorded
from analytics_automated.pipelines.configuration.ownership import pipeline_name_problems
from analytics_automated.pipelines.configuration.stored import Key, Stored, read_stored, with_files
from analytics_automated.pipelines.definitions import BackendDefinition, JobDefinition, TaskDefinition
from analytics_automated.pipelines.models import Backend, Job, Snapshot
from analytics_automated.pipelines.models.change import Door
from analytics_automated.pipelines.problems import ConfigurationError, Problem


def lock_configuration() -> None:
    """Make others who change the configuration wait for the end of this transaction: each then checks what the one
    before has made. (SQLite makes them wait by itself.)"""
    list(Backend.objects.select_for_update(of=("self",)).filter(name=LOCAL_BACKEND).values_list("pk"))


def verify_stored(who: str = "", renamed: Mapping[Key, str] | None = None) -> None:
    """Check the whole configuration as it stands in the database, renew the snapshots of all jobs, and write its
    history; `renamed` are things with the names that they had until now.

    For changes by pages: call it in the transaction of the change, and let `ConfigurationError` undo that. What a file
    may not say, a page may not either, so whatever is stored can be exported and applied. Problems that were there
    before (a plug-in that is gone) are no reason to refuse a change: one thing after the other can be mended.
    """
    stored = read_stored()
    checked, errors = _checked(stored)
    if errors and (added := new_problems(errors, recorded())):
        raise ConfigurationError(added)
    for name, plan in checked.plans.items():
        snapshot = Snapshot.of(with_files(plan, stored.files))
        Job.objects.filter(name=name).exclude(snapshot=snapshot).update(snapshot=snapshot)
    record(Author(who, Door.PAGES), renamed=renamed)


def new_problems(problems: Iterable[Problem], before: Stored) -> list[Problem]:
    """Those of the errors that the configuration did not have before."""
    known = {(problem.path, problem.message) for problem in _checked(before)[1]}
    return [problem for problem in problems if not problem.warning and (problem.path, problem.message) not in known]


def problems_with_task(name: str, definition: TaskDefinition, before: str | None = None) -> list[Problem]:
    """What `verify_stored` would find wrong once that Task was saved, in the place of the one that is called `before`.
    Nothing is locked, and nothing written."""
    stored = read_stored()
    present = replace(stored)
    stored.problems = [problem for problem in stored.problems if problem.path[:2] != ("tasks", before)]
    stored.tasks = {name if there == before else there: each for there, each in stored.tasks.items()}
    stored.tasks[name] = definition
    if before not in (None, name):
        stored.jobs = {there: _with_renamed_task(job, str(before), name) for there, job in stored.jobs.items()}
    errors = _checked(stored)[1]
    return new_problems(errors, present) if errors else []


def _with_renamed_task(job: JobDefinition, before: str, name: str) -> JobDefinition:
    steps = [step.model_copy(update={"task": name}) if step.task == before else step for step in job.steps]
    return job.model_copy(update={"steps": steps})


def _checked(stored: Stored) -> tuple[Checked, list[Problem]]:
    """What came of the checks, and all errors."""
    unreadable = {(str(problem.path[0]), str(problem.path[1])) for problem in stored.problems}
    checked = check_configuration(stored.backends, stored.tasks, stored.jobs, unreadable=unreadable)
    problems = [*stored.problems, *checked.problems, *pipeline_name_problems(stored.pipelines)]
    return checked, [problem for problem in problems if not problem.warning]


def ensure_local_backend() -> None:
    """Make the Backend that always exists. Called after every migration."""
    with transaction.atomic():
        if not Backend.objects.filter(name=LOCAL_BACKEND).exists():
            Backend(name=LOCAL_BACKEND).take_definition(BackendDefinition())
            record(Author("A_A", Door.START))
