"""The end of an attempt whose worker is gone."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from analytics_automated.executors.base import Cause
from analytics_automated.runs.dispatch import wake_all
from analytics_automated.runs.engine.finishing import follow
from analytics_automated.runs.engine.history import step_event, write_history
from analytics_automated.runs.models import Attempt, StepRun, Submission
from analytics_automated.runs.states import StepStatus, step_origins
from analytics_automated.runs.verdicts import Verdict

MOST_RETRIES = 3
"""Further attempts of a step whose worker was lost."""


def running_steps() -> QuerySet[StepRun]:
    """All steps that some worker runs."""
    return StepRun.objects.filter(status=StepStatus.RUNNING)


def lose(step_run: StepRun) -> bool:
    """End an attempt with the cause `lost`: the step is QUEUED again, or CRASH where that has happened too often.

    To be called only where its worker can write nothing more. False where it wrote just before.
    """
    now = timezone.now()
    again = Attempt.objects.filter(step_run=step_run, cause=Cause.LOST.value).count() < MOST_RETRIES
    to = StepStatus.QUEUED if again else StepStatus.CRASH
    message = "" if again else f"Step '{step_run.step}' was lost again and again by this service."
    changed: dict[str, Any] = {
        "status": to,
        "worker": "",
        "message": message,
        "cause": "" if again else Cause.LOST.value,
    }
    changed |= {"queued": now, "started": None} if again else {"finished": now}
    with transaction.atomic():
        submission = Submission.objects.select_for_update(no_key=True).get(pk=step_run.submission_id)
        mine = StepRun.objects.filter(
            pk=step_run.pk,
            attempt=step_run.attempt,
            status__in=step_origins(to, [StepStatus.RUNNING]),
        ).update(**changed)
        if not mine:
            return False
        Attempt.objects.filter(step_run=step_run, number=step_run.attempt).update(finished=now, cause=Cause.LOST.value)
        events = [step_event(step_run, to, now, message or "Its worker was lost; it is tried again.")]
        if to is StepStatus.CRASH:
            verdict = Verdict(to, message, Cause.LOST.value)
            follow(submission, step_run, submission.snapshot.plan, verdict, now, events)
        write_history(events)
        if again:
            wake_all([step_run])
    return True
