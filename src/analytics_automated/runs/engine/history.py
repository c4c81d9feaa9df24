"""Events and log lines: one of each per change of state."""

import datetime as dt
import logging
from collections.abc import Iterable

from django.db import transaction

from analytics_automated.runs.models import Event, StepRun, Submission
from analytics_automated.storage.statements import Insertion

logger = logging.getLogger("analytics_automated.runs")
_NEW = Insertion(Event)


def submission_event(submission: Submission, now: dt.datetime, message: str = "") -> Event:
    """The line of a Submission that took on its present status."""
    return Event(submission=submission, time=now, status=submission.status, message=message)


def step_event(step_run: StepRun, status: str, now: dt.datetime, message: str = "") -> Event:
    """The line of a StepRun that took on that status."""
    return Event(
        submission_id=step_run.submission_id,
        time=now,
        step=step_run.step,
        item=step_run.item,
        attempt=step_run.attempt or None,
        status=status,
        message=message,
    )


def write_history(events: Iterable[Event]) -> None:
    """Append the events, in the caller's transaction, and log each once that is committed."""
    written = list(events)
    _NEW.write(written)
    transaction.on_commit(lambda: _log(written), robust=True)


def _log(events: list[Event]) -> None:
    for event in events:
        fields: dict[str, object] = {"submission": str(event.submission_id)}
        if event.step:
            fields |= {"step": event.step, "item": event.item, "attempt": event.attempt}
        logger.info("%s %s", "step" if event.step else "submission", event.status, extra=fields)
