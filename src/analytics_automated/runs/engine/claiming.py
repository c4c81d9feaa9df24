"""Taking up a step."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from analytics_automated.pipelines.models import Backend
from analytics_automated.pipelines.plans import Plan
from analytics_automated.runs.engine.choosing import ALL_PRIORITIES, Priorities, choose
from analytics_automated.runs.engine.history import step_event, submission_event, write_history
from analytics_automated.runs.engine.holding import lease_end
from analytics_automated.runs.engine.limits import may_begin, may_take
from analytics_automated.runs.models import Attempt, StepRun, Submission
from analytics_automated.runs.states import StepStatus, SubmissionStatus, step_origins

MOST_ROUNDS = 10
"""Choices that are made when others are always faster."""
CHOSEN = 4
"""Steps of each choice that are tried for, one after the other."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A step that this worker, and no other, now runs."""

    step_run: StepRun
    """With its Submission; as it was written."""
    attempt: Attempt
    backend: Backend
    """With its Queue Type; as it is at this moment."""
    plan: Plan
    queues: Collection[str]
    """What the worker serves."""


def claim(step_run_id: int, worker: str, queues: Collection[str]) -> Claim | None:
    """Take up that step, whatever its rank, if it is ready, of one of these queues, and within all limits."""
    step_run = _found(step_run_id)
    if step_run is None:
        return None
    backend = _backends(queues).filter(name=step_run.backend).first()
    return _take(step_run, backend, worker, queues, waits=True) if backend else None


def claim_best(
    worker: str,
    queues: Collection[str],
    *,
    priorities: Priorities = ALL_PRIORITIES,
    without: Collection[str] = (),
) -> Claim | None:
    """Take up the best ready step of these queues and priorities, but for Backends `without`; none where there is
    nothing to do."""
    for _ in range(MOST_ROUNDS):
        chosen = choose(_backends(queues).exclude(name__in=without), CHOSEN, priorities)
        if not chosen:
            return None
        for backend, step_run_id in chosen:
            step_run = _found(step_run_id)
            waits = step_run_id == chosen[-1][1]
            if step_run is not None and (taken := _take(step_run, backend, worker, queues, waits=waits)):
                return taken
    return None


def _backends(queues: Collection[str]) -> QuerySet[Backend]:
    return Backend.objects.select_related("queue_type").filter(queue_type__name__in=queues)


def _found(step_run_id: int) -> StepRun | None:
    rows = StepRun.objects.ready().select_related("submission__snapshot", "item_blob")
    return rows.filter(pk=step_run_id).first()


def _take(step_run: StepRun, backend: Backend, worker: str, queues: Collection[str], *, waits: bool) -> Claim | None:
    """Compare-and-set of the step, with what it begins; none, and nothing written, where another was faster or a limit
    is reached. Without `waits` it is also left to whoever is just about to begin its Submission."""
    plan = step_run.submission.snapshot.plan
    with transaction.atomic():
        if not may_take(backend) or not _begin(step_run.submission, waits=waits):
            return None
        now = timezone.now()  # after the Submission's own beginning
        mine = StepRun.objects.filter(
            pk=step_run.pk,
            status__in=step_origins(StepStatus.RUNNING, [StepStatus.QUEUED]),
            attempt=step_run.attempt,
        ).update(
            status=StepStatus.RUNNING,
            attempt=F("attempt") + 1,
            worker=worker,
            started=now,
            opens="",
            leased_until=lease_end(),
            not_before=None,
            progress=None,
            progress_text="",
        )
        if not mine:
            transaction.set_rollback(True)
            return None
        step_run.status, step_run.worker, step_run.started = StepStatus.RUNNING, worker, now
        step_run.attempt += 1
        attempt = Attempt.objects.create(
            step_run=step_run,
            number=step_run.attempt,
            worker=worker,
            backend=backend.name,
            queue=backend.queue_type.name,
            executor=backend.queue_type.executor,
            started=now,
        )
        write_history([step_event(step_run, StepStatus.RUNNING, now)])
    return Claim(step_run, attempt, backend, plan, queues)


def _begin(submission: Submission, *, waits: bool) -> bool:
    """A Submission runs from its first claim on; False where that has to wait, or another worker is about it.

    It is locked before its StepRuns, in the claim's transaction.
    """
    if submission.status != SubmissionStatus.SUBMITTED:
        return True
    if not may_begin(submission.job_name):
        return False
    rows = Submission.objects.filter(pk=submission.pk, status=SubmissionStatus.SUBMITTED)
    skips = not waits and connection.features.has_select_for_update_skip_locked
    if skips and rows.select_for_update(no_key=True, skip_locked=True).first() is None:
        return False  # who holds it takes one of its steps, or ends it
    now = timezone.now()
    if not rows.update(status=SubmissionStatus.RUNNING, started=now):
        return True  # another step of it was taken up just before
    submission.status, submission.started = SubmissionStatus.RUNNING, now
    StepRun.objects.filter(submission=submission).exclude(opens="").update(opens="")
    write_history([submission_event(submission, now)])
    return True
