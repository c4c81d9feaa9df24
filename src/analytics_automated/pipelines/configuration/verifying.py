"""The whole configuration, looked at after a change by pages."""

from collections.abc import Iterable

from django.db import transaction

from analytics_automated.pipelines.checks.configuration import LOCAL_BACKEND, check_configuration
from analytics_automated.pipelines.configuration.history import Author, record, recorded
from analytics_automated.pipelines.configuration.ownership import pipeline_name_problems
from analytics_automated.pipelines.configuration.stored import Stored, read_stored, with_files
from analytics_automated.pipelines.definitions import BackendDefinition
from analytics_automated.pipelines.models import Backend, Job, Snapshot
from analytics_automated.pipelines.models.change import Door
from analytics_automated.pipelines.problems import ConfigurationError, Problem


def lock_configuration() -> None:
    """Make others who change the configuration wait for the end of this transaction: each then checks what the one
    before has made. (SQLite makes them wait by itself.)"""
    list(Backend.objects.select_for_update(of=("self",)).filter(name=LOCAL_BACKEND).values_list("pk"))


def verify_stored(who: str = "") -> None:
    """Check the whole configuration as it stands in the database, renew the snapshots of all jobs, and write its
    history.

    For changes by pages: call it in the transaction of the change, and let `ConfigurationError` undo that. What a file
    may not say, a page may not either, so whatever is stored can be exported and applied. Problems that were there
    before (a plug-in that is gone) are no reason to refuse a change: one thing after the other can be mended.
    """
    stored = read_stored()
    unreadable = {(str(problem.path[0]), str(problem.path[1])) for problem in stored.problems}
    checked = check_configuration(stored.backends, stored.tasks, stored.jobs, unreadable=unreadable)
    errors = [problem for problem in [*stored.problems, *checked.problems] if not problem.warning]
    errors += pipeline_name_problems(stored.pipelines)
    if errors and (added := new_problems(errors, recorded())):
        raise ConfigurationError(added)
    for name, plan in checked.plans.items():
        snapshot = Snapshot.of(with_files(plan, stored.files))
        Job.objects.filter(name=name).exclude(snapshot=snapshot).update(snapshot=snapshot)
    record(Author(who, Door.PAGES))


def new_problems(problems: Iterable[Problem], before: Stored) -> list[Problem]:
    """Those of the errors that the configuration did not have before."""
    checked = check_configuration(before.backends, before.tasks, before.jobs)
    known = {(problem.path, problem.message) for problem in checked.problems}
    return [problem for problem in problems if not problem.warning and (problem.path, problem.message) not in known]


def ensure_local_backend() -> None:
    """Make the Backend that always exists. Called after every migration."""
    with transaction.atomic():
        if not Backend.objects.filter(name=LOCAL_BACKEND).exists():
            Backend(name=LOCAL_BACKEND).take_definition(BackendDefinition())
            record(Author("A_A", Door.START))
