"""Recording how an attempt ended, as soon as that can be written."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.conf import settings

from analytics_automated.runs.models import StepRun
from analytics_automated.runs.outages import persist

_Given = ParamSpec("_Given")
_T = TypeVar("_T")


def record(write: Callable[_Given, _T], *args: _Given.args, **keys: _Given.kwargs) -> _T:
    """Record how an attempt ended, as soon as the database can be reached, within the time in which the step is still
    this worker's."""
    return persist(lambda: write(*args, **keys), settings.AA.lease_seconds)


def ids(step_run: StepRun) -> dict[str, str | int]:
    """By what the operator finds the attempt, in a line of the log."""
    return {"submission": str(step_run.submission_id), "step": step_run.step, "attempt": step_run.attempt}
