"""Starting a failed Submission again."""

import uuid

from django.db import transaction
from django.utils import timezone

from analytics_automated.runs.dispatch import wake_all
from analytics_automated.runs.engine.history import step_event, submission_event, write_history
from analytics_automated.runs.engine.limits import check_caller, hold_caller
from analytics_automated.runs.models import StepRun, Submission
from analytics_automated.runs.states import StepStatus, SubmissionStatus, step_origins, submission_origins

_DONE = (StepStatus.COMPLETE, StepStatus.SKIPPED)


class NotResumable(Exception):
    """A Submission that cannot be started again. The argument says why, for the caller."""


def retry(submission_id: uuid.UUID) -> Submission:
    """Start a Submission again that has failed or was cancelled, from the steps that are not complete; what these had
    made stays. All its attempts count anew.

    Raises `NotResumable`, `TooMany`, and `Submission.DoesNotExist`.
    """
    now = timezone.now()
    with transaction.atomic():
        unlocked = Submission.objects.select_related("job").get(pk=submission_id)
        if unlocked.job is not None:
            hold_caller(unlocked.caller, unlocked.job)
        submission = Submission.objects.select_for_update(no_key=True).get(pk=submission_id)
        if submission.deleted is not None:
            raise NotResumable("It was deleted.")
        if submission.status not in submission_origins(SubmissionStatus.SUBMITTED):
            raise NotResumable(f"It is {submission.status}: only what has failed or was cancelled is started again.")
        if submission.job is not None:
            check_caller(submission.caller, submission.job)
        plan = submission.snapshot.plan
        step_runs = list(submission.step_runs.select_for_update(no_key=True))
        again = [each for each in step_runs if each.status not in _DONE]
        undone = {each.step for each in again}
        for each in again:
            each.waiting = len(undone & set(plan.step(each.step).needs))
            to = StepStatus.PENDING if each.waiting else StepStatus.QUEUED
            assert each.status in step_origins(to)  # noqa: S101 -- nothing else is left of a Submission that ended
            each.status, each.queued = to, None if each.waiting else now
            each.worker, each.leased_until, each.cancelling = "", None, False
            each.not_before, each.tries, each.started, each.finished = None, 0, None, None
            each.exit_code, each.cause, each.message = None, "", ""
        StepRun.objects.bulk_update(
            again,
            [
                *("waiting", "status", "queued", "worker", "leased_until", "cancelling"),
                *("not_before", "tries", "started", "finished", "exit_code", "cause", "message"),
            ],
        )
        submission.status, submission.unfinished = SubmissionStatus.SUBMITTED, len(again)
        submission.verdict = submission.message = submission.cause = ""
        submission.started = submission.finished = None
        submission.save(
            update_fields=["status", "unfinished", "verdict", "message", "cause", "started", "finished"],
        )
        submission.step_runs.exclude(status__in=_DONE).update(opens=submission.job_name)
        ready = [each for each in again if each.status == StepStatus.QUEUED]
        message = "It is started again."
        events = [submission_event(submission, now, message)]
        write_history([*events, *(step_event(each, StepStatus.QUEUED, now) for each in ready)])
        wake_all(ready)
    return submission
