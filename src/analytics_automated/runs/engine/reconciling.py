"""What keeps the promise when a message was lost, or a backend has gone."""

import datetime as dt
from collections.abc import Collection

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from analytics_automated.executors.base import Cause
from analytics_automated.pipelines.models import Backend
from analytics_automated.runs.dispatch import wake_all
from analytics_automated.runs.engine.choosing import ALL_PRIORITIES, Priorities, choose
from analytics_automated.runs.engine.following import follow
from analytics_automated.runs.engine.history import step_event, write_history
from analytics_automated.runs.engine.locking import locked
from analytics_automated.runs.engine.serving import served
from analytics_automated.runs.models import Outlook, StepRun
from analytics_automated.runs.obstacles import Obstacle
from analytics_automated.runs.states import StepStatus, step_origins
from analytics_automated.runs.verdicts import Verdict

FRESH = dt.timedelta(seconds=1)
"""A step that was queued this recently has its message still under way."""


def reconcile(
    queues: Collection[str],
    free_slots: int,
    *,
    priorities: Priorities = ALL_PRIORITIES,
    without: Collection[str] = (),
    since: dt.timedelta = FRESH,
) -> int:
    """Send wake-ups for ready steps of these queues and priorities, but for Backends `without`, as many as there are
    slots to take them; returns how many. Those that were queued more lately than `since` are left to their messages.

    A worker calls it for what it serves and its free slots, so that lost messages cost time but never a step, and
    messages do not pile up while all are busy.
    """
    if free_slots <= 0:
        return 0
    with transaction.atomic():
        best = [step_run_id for _, step_run_id in choose(served(queues, without), free_slots, priorities)]
        forgotten = list(StepRun.objects.filter(pk__in=best, queued__lte=timezone.now() - since))
        wake_all(forgotten)
    return len(forgotten)


def crash_homeless() -> int:
    """End the queued steps with CRASH whose Backend has been gone for too long; returns how many there were."""
    waiting = StepRun.objects.filter(status=StepStatus.QUEUED).order_by().values_list("backend", flat=True).distinct()
    gone = set(waiting) - set(Backend.objects.values_list("name", flat=True))
    noted = Outlook.objects.filter(worker="", obstacle=Obstacle.GONE)
    noted.exclude(backend__in=gone).delete()
    for name in gone:
        seen = {"obstacle": Obstacle.GONE, "since": Now(), "told": Now()}
        Outlook.objects.get_or_create(backend=name, worker="", defaults=seen)
    patience = dt.timedelta(seconds=settings.AA.backend_patience)
    too_long = noted.filter(since__lte=Now() - patience).values("backend")
    homeless = StepRun.objects.ready().filter(backend__in=too_long).select_related("submission__snapshot")
    return sum(_crash(step_run) for step_run in homeless.order_by("pk")[:1000])


def _crash(step_run: StepRun) -> bool:
    message = f"Step '{step_run.step}' could not be run: the backend that it needs is no longer there."
    verdict = Verdict(StepStatus.CRASH, message, Cause.BACKEND_UNAVAILABLE.value)
    now = timezone.now()
    with transaction.atomic():
        submission = locked(step_run.submission_id)
        mine = StepRun.objects.filter(
            pk=step_run.pk, status__in=step_origins(StepStatus.CRASH, [StepStatus.QUEUED]), attempt=step_run.attempt
        ).update(status=verdict.status, finished=now, cause=verdict.cause, message=message)
        if mine:
            events = [step_event(step_run, verdict.status, now, message)]
            ready = follow(submission, step_run, step_run.submission.snapshot.plan, verdict, now, events)
            write_history(events)
            wake_all(ready)
    return bool(mine)
