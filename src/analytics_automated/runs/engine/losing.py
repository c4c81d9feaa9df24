"""The end of an attempt whose worker is gone."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from analytics_automated.executors.base import Cause
from analytics_automated.pipelines.plans import FORMAT
from analytics_automated.runs.dispatch import wake_all
from analytics_automated.runs.engine.finishing import try_again
from analytics_automated.runs.engine.following import follow
from analytics_automated.runs.engine.history import step_event, write_history
from analytics_automated.runs.engine.locking import locked
from analytics_automated.runs.models import Attempt, StepRun
from analytics_automated.runs.states import StepStatus, step_origins
from analytics_automated.runs.verdicts import Verdict


def running_steps() -> QuerySet[StepRun]:
    """All steps that some worker runs, but for those of formats that this version does not know."""
    return StepRun.objects.filter(status=StepStatus.RUNNING, format=FORMAT)


def lose(step_run: StepRun, *, only_expired: bool = False) -> bool:
    """End an attempt with the cause `lost`: the step is QUEUED again where its task's `retries` say so, CANCELLED
    where it was to be ended anyway, and else CRASH.

    To be called only where its worker can write nothing more. False where it wrote just before, and with
    `only_expired` also where it has extended its lease meanwhile.
    """
    now = timezone.now()
    message = f"Step '{step_run.step}' was lost by this service."
    with transaction.atomic():
        submission = locked(step_run.submission_id)
        rows = StepRun.objects.expired() if only_expired else running_steps()
        lost = rows.select_for_update(no_key=True).filter(pk=step_run.pk, attempt=step_run.attempt).first()
        if lost is None:
            return False
        step_run = lost  # as it is now: it may have been cancelled meanwhile
        plan = submission.snapshot.plan
        verdict = Verdict(StepStatus.CRASH, message, Cause.LOST.value)
        if step_run.cancelling:
            message = f"Step '{step_run.step}' was cancelled."
            verdict = Verdict(StepStatus.CANCELLED, message, Cause.CANCELLED.value)
        if not try_again(submission, step_run, plan, verdict, None, now):
            mine = StepRun.objects.filter(
                pk=step_run.pk,
                attempt=step_run.attempt,
                status__in=step_origins(verdict.status, [StepStatus.RUNNING]),
            ).update(
                status=verdict.status, worker="", leased_until=None, finished=now, message=message, cause=verdict.cause
            )
            if not mine:
                return False
            events = [step_event(step_run, verdict.status, now, message)]
            ready = follow(submission, step_run, plan, verdict, now, events)
            write_history(events)
            wake_all(ready)
        Attempt.objects.filter(step_run=step_run, number=step_run.attempt).update(finished=now, cause=Cause.LOST.value)
    return True


def lose_expired() -> list[StepRun]:
    """End the attempts whose lease has expired; those steps."""
    expired = list(StepRun.objects.expired().order_by("pk")[:1000])
    return [step_run for step_run in expired if lose(step_run, only_expired=True)]
