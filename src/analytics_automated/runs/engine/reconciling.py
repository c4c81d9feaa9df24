"""What keeps the promise when a message was lost, or a backend has gone."""

import datetime as dt
from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from analytics_automated.executors.base import Cause
from analytics_automated.pipelines.models import Backend
from analytics_automated.runs.dispatch import wake_all
from analytics_automated.runs.engine.following import follow
from analytics_automated.runs.engine.history import step_event, write_history
from analytics_automated.runs.models import StepRun, Submission
from analytics_automated.runs.states import StepStatus, step_origins
from analytics_automated.runs.verdicts import Verdict

FRESH = dt.timedelta(seconds=1)
"""A step that was queued this recently has its message still under way."""


def reconcile(queues: Collection[str], free_slots: int) -> int:
    """Send wake-ups for ready steps of these queues, as many as there are slots to take them; returns how many.

    A worker calls it for its own queues and free slots, so that lost messages cost time but never a step, and
    messages do not pile up while all are busy.
    """
    if free_slots <= 0:
        return 0
    with transaction.atomic():
        ready = StepRun.objects.ready().of_queues(queues).filter(queued__lt=timezone.now() - FRESH)
        forgotten = list(ready[:free_slots])
        wake_all(forgotten)
    return len(forgotten)


def crash_homeless() -> int:
    """End the queued steps whose Backend is gone with CRASH; returns how many there were."""
    homeless = StepRun.objects.ready().exclude(backend__in=Backend.objects.values("name"))
    return sum(_crash(step_run) for step_run in homeless.select_related("submission__snapshot")[:1000])


def _crash(step_run: StepRun) -> bool:
    message = f"Step '{step_run.step}' could not be run: the backend that it needs is no longer there."
    verdict = Verdict(StepStatus.CRASH, message, Cause.BACKEND_UNAVAILABLE.value)
    now = timezone.now()
    with transaction.atomic():
        submission = Submission.objects.select_for_update(no_key=True).get(pk=step_run.submission_id)
        mine = StepRun.objects.filter(
            pk=step_run.pk, status__in=step_origins(StepStatus.CRASH, [StepStatus.QUEUED]), attempt=step_run.attempt
        ).update(status=verdict.status, finished=now, cause=verdict.cause, message=message)
        if mine:
            events = [step_event(step_run, verdict.status, now, message)]
            ready = follow(submission, step_run, step_run.submission.snapshot.plan, verdict, now, events)
            write_history(events)
            wake_all(ready)
    return bool(mine)
