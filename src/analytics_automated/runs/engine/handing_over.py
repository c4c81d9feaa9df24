"""Steps that a scheduler looks after: handed over to it, and known by a handle until it has ended them.

Such a step is QUEUED until the scheduler starts it and RUNNING from then on. No worker stays with it, so it has no
lease; whoever looks after its Backend asks the scheduler.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from analytics_automated.pipelines.models import Backend
from analytics_automated.runs.engine.claiming import Claim
from analytics_automated.runs.engine.history import step_event, write_history
from analytics_automated.runs.models import Attempt, StepRun
from analytics_automated.runs.states import StepStatus, step_origins


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A step that a scheduler has."""

    step_run: int
    attempt: int
    handle: str
    is_running: bool
    is_to_end: bool

    @property
    def key(self) -> tuple[int, int]:
        """The attempt, by the primary key of its step run and its number."""
        return self.step_run, self.attempt


def hand_over(claim: Claim, handle: str) -> bool:
    """A scheduler has taken the step; False, and nothing is written, where it is this worker's no more. True also where
    that is known already: the answer to its commit was lost, or the step was adopted meanwhile."""
    return _hand_over(claim.step_run, claim.attempt.number, handle)


def adopt(step_run: StepRun, handle: str) -> bool:
    """The same for a step that was found with the scheduler, and whose worker is gone."""
    return _hand_over(step_run, step_run.attempt, handle)


def _hand_over(step_run: StepRun, attempt: int, handle: str) -> bool:
    now = timezone.now()
    with transaction.atomic():
        mine = StepRun.objects.filter(
            pk=step_run.pk,
            attempt=attempt,
            worker=step_run.worker,
            taken=True,
            status__in=step_origins(StepStatus.QUEUED, [StepStatus.RUNNING]),
        ).update(status=StepStatus.QUEUED, worker="", leased_until=None, started=None)
        if mine:
            Attempt.objects.filter(step_run=step_run, number=attempt).update(handle=handle)
            write_history([step_event(step_run, StepStatus.QUEUED, now, "It waits in the queue of its backend.")])
            return True
    same = Attempt.objects.filter(step_run=step_run, number=attempt, handle=handle)
    return StepRun.objects.handed_over().filter(pk=step_run.pk, attempt=attempt).exists() and same.exists()


def begin(step_run_id: int, attempt: int, now: dt.datetime | None = None) -> bool:
    """The scheduler has started the step; False where that is known already, or the attempt is over."""
    moment = now or timezone.now()
    rows = StepRun.objects.handed_over().filter(
        pk=step_run_id, attempt=attempt, status__in=step_origins(StepStatus.RUNNING, [StepStatus.QUEUED])
    )
    with transaction.atomic():
        begun = rows.update(status=StepStatus.RUNNING, started=moment)
        if begun:
            step_run = StepRun.objects.only("submission_id", "step", "item", "attempt").get(pk=step_run_id)
            write_history([step_event(step_run, StepStatus.RUNNING, moment)])
    return bool(begun)


def handed_over(backend: str) -> list[HandedOver]:
    """The steps of the Backend that its scheduler has, the oldest first."""
    handle = Attempt.objects.filter(step_run=OuterRef("pk"), number=OuterRef("attempt")).values("handle")
    rows = StepRun.objects.handed_over().filter(backend=backend).annotate(handle=Subquery(handle)).order_by("pk")
    return [
        HandedOver(pk, attempt, handle or "", status == StepStatus.RUNNING, cancelling)
        for pk, attempt, handle, status, cancelling in rows.values_list(
            "pk", "attempt", "handle", "status", "cancelling"
        )
    ]


def unsaved(backends: Collection[str]) -> QuerySet[StepRun]:
    """The steps of these Backends whose worker is gone, and which it may have handed over before."""
    return StepRun.objects.expired().filter(backend__in=backends).select_related("submission__snapshot")


def take_back(step_run_id: int, attempt: int, backend: Backend) -> Claim | None:
    """What is needed to record the end of a step that the scheduler has ended; none where the attempt is over."""
    rows = StepRun.objects.handed_over().select_related("submission__snapshot", "item_blob")
    step_run = rows.filter(pk=step_run_id, attempt=attempt).first()
    if step_run is None:
        return None
    number = Attempt.objects.get(step_run=step_run, number=attempt)
    return Claim(step_run, number, backend, step_run.submission.snapshot.plan)
