"""Taking up a step."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from analytics_automated.pipelines.models import Backend
from analytics_automated.pipelines.plans import Plan
from analytics_automated.runs.engine.history import step_event, submission_event, write_history
from analytics_automated.runs.engine.holding import lease_end
from analytics_automated.runs.models import Attempt, StepRun, Submission
from analytics_automated.runs.states import StepStatus, SubmissionStatus, step_origins

MOST_TRIES = 20
"""Steps that are tried for when others are always faster."""


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
    """Take up that step, if it is ready and of one of these queues; none where another was faster."""
    step_run = (
        StepRun.objects.ready()
        .of_queues(queues)
        .select_related("submission__snapshot", "item_blob")
        .filter(pk=step_run_id)
        .first()
    )
    return _take(step_run, worker, queues) if step_run else None


def claim_best(worker: str, queues: Collection[str]) -> Claim | None:
    """Take up the best ready step of these queues; none where there is nothing to do."""
    for _ in range(MOST_TRIES):
        step_run = StepRun.objects.ready().of_queues(queues).select_related("submission__snapshot", "item_blob").first()
        if step_run is None:
            return None
        if taken := _take(step_run, worker, queues):
            return taken
    return None


def _take(step_run: StepRun, worker: str, queues: Collection[str]) -> Claim | None:
    backend = Backend.objects.select_related("queue_type").filter(name=step_run.backend).first()
    if backend is None:
        return None
    _start_submission(step_run.submission)
    now = timezone.now()
    with transaction.atomic():
        mine = StepRun.objects.filter(
            pk=step_run.pk,
            status__in=step_origins(StepStatus.RUNNING, [StepStatus.QUEUED]),
            attempt=step_run.attempt,
        ).update(
            status=StepStatus.RUNNING,
            attempt=F("attempt") + 1,
            worker=worker,
            started=now,
            leased_until=lease_end(),
            not_before=None,
            progress=None,
            progress_text="",
        )
        if not mine:
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
    return Claim(step_run, attempt, backend, step_run.submission.snapshot.plan, queues)


def _start_submission(submission: Submission) -> None:
    """A Submission runs from its first claim on: written before the claim, as a Submission is locked before its
    StepRuns or not at all. If the claim then fails, another worker has the step."""
    if submission.status != SubmissionStatus.SUBMITTED:
        return
    now = timezone.now()
    with transaction.atomic():
        changed = Submission.objects.filter(pk=submission.pk, status=SubmissionStatus.SUBMITTED).update(
            status=SubmissionStatus.RUNNING, started=now
        )
        submission.status = SubmissionStatus.RUNNING
        if changed:
            write_history([submission_event(submission, now)])
