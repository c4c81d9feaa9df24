"""Ending a Submission on demand."""

import uuid

from django.db import transaction
from django.utils import timezone

from analytics_automated.executors.base import Cause
from analytics_automated.runs.engine.ending import end_running, end_waiting, settle
from analytics_automated.runs.engine.history import write_history
from analytics_automated.runs.models import Event, Submission
from analytics_automated.runs.states import StepStatus, SubmissionStatus


def cancel(submission_id: uuid.UUID) -> Submission:
    """End a Submission: what waits is CANCELLED at once, what runs as soon as its worker has ended it.

    Idempotent: what has ended stays as it is. Raises `Submission.DoesNotExist`.
    """
    with transaction.atomic():
        submission = Submission.objects.select_for_update(no_key=True).get(pk=submission_id)
        cancel_locked(submission)
    return submission


def cancel_locked(submission: Submission) -> None:
    """The same, for a Submission that the caller has locked."""
    if submission.is_terminal:
        return
    now = timezone.now()
    events: list[Event] = []
    if not submission.verdict:
        submission.verdict = SubmissionStatus.CANCELLED
        submission.message, submission.cause = "It was cancelled.", Cause.CANCELLED.value
    submission.unfinished -= end_waiting(submission, StepStatus.CANCELLED, now, events)
    end_running(submission)
    settle(submission, now, events)
    write_history(events)
