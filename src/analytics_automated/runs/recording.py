"""Recording how an attempt ended, as soon as that can be written, and clearing away what it leaves."""

import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.conf import settings

from analytics_automated.executors.base import Cause, Outcome
from analytics_automated.pipelines.models import Backend
from analytics_automated.runs import engine
from analytics_automated.runs.models import StepRun
from analytics_automated.runs.outages import persist
from analytics_automated.runs.states import StepStatus
from analytics_automated.runs.verdicts import Verdict
from analytics_automated.runs.workdirs import WorkFolder, work_folder

logger = logging.getLogger(__name__)
_Given = ParamSpec("_Given")
_T = TypeVar("_T")


def record(write: Callable[_Given, _T], *args: _Given.args, **keys: _Given.kwargs) -> _T:
    """Record how an attempt ended, as soon as the database can be reached, within the time in which the step is still
    this worker's."""
    return persist(lambda: write(*args, **keys), settings.AA.lease_seconds)


def broke(claim: engine.Claim, error: Exception) -> list[StepRun]:
    """Record an attempt that A_A itself could not bring to its end."""
    message = f"Step '{claim.step_run.step}' could not be run by this service."
    outcome = Outcome(Cause.LOST, detail=f"{type(error).__name__}: {error}")
    return record(engine.finish, claim, Verdict(StepStatus.CRASH, message, Cause.LOST.value), outcome)


def remove_work_folder(step_run: StepRun) -> None:
    """Remove what an attempt left whose worker is gone."""
    backend = Backend.objects.filter(name=step_run.backend).first()
    if backend is not None and not settings.AA.keep_workdirs:
        discard(work_folder(backend, step_run.attempt_name), step_run)


def discard(folder: WorkFolder, step_run: StepRun) -> None:
    """Remove a work folder; where that fails it is logged, and left to the janitor."""
    try:
        folder.remove()
    except OSError:
        logger.exception("a work folder could not be removed", extra=ids(step_run))


def ids(step_run: StepRun) -> dict[str, str | int]:
    """By what the operator finds the attempt, in a line of the log."""
    return {"submission": str(step_run.submission_id), "step": step_run.step, "attempt": step_run.attempt}
