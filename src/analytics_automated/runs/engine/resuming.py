"""Starting a failed Submission again."""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from analytics_automated.pipelines.plans import Plan
from analytics_automated.runs.dispatch import wake_all
from analytics_automated.runs.engine.ending import end_waiting, settle
from analytics_automated.runs.engine.history import step_event, submission_event, write_history
from analytics_automated.runs.engine.limits import check_caller, hold_caller
from analytics_automated.runs.engine.readiness import arrive
from analytics_automated.runs.engine.scattering import release_again
from analytics_automated.runs.models import Scatter, StepRun, Submission
from analytics_automated.runs.states import StepStatus, SubmissionStatus, step_origins, submission_origins

_DONE = (StepStatus.COMPLETE, StepStatus.SKIPPED)
_FRESH: Mapping[str, Any] = {
    **dict.fromkeys(("worker", "cause", "message"), ""),
    **dict.fromkeys(("leased_until", "not_before", "started", "finished", "exit_code")),
    "cancelling": False,
    "tries": 0,
}
"""What of an earlier attempt is not to be seen any more."""


class NotResumable(Exception):
    """A Submission that cannot be started again. The argument says why, for the caller."""


def retry(submission_id: uuid.UUID) -> Submission:
    """Start a Submission again that has failed or was cancelled, from the steps that are not complete, and of a
    scattered step from the items that are not; what was made stays. All its attempts count anew.

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
        again = [each for each in _unscattered(submission) if each.status not in _DONE]
        wide = [each for each in submission.scatters.all() if each.status not in _DONE]
        undone = {each.step for each in again} | {each.step for each in wide}
        _set_back(again, plan, undone, now)
        items = {each.step: _set_back_items(each) for each in wide}
        submission.status, submission.unfinished = SubmissionStatus.SUBMITTED, len(again) + sum(items.values())
        submission.verdict = submission.message = submission.cause = ""
        submission.started = submission.finished = None
        submission.save(
            update_fields=["status", "unfinished", "verdict", "message", "cause", "started", "finished"],
        )
        # What had ended did not follow when its Submission's priority was changed.
        undone_runs = submission.step_runs.exclude(status__in=_DONE)
        undone_runs.update(opens=submission.job_name, priority=submission.priority)
        for scatter in wide:
            scatter.begin_again(items[scatter.step])
            scatter.save()
        events = [submission_event(submission, now, "It is started again.")]
        if submission.stopped_step:
            # A step that is complete has ended the job: what had begun is tried again, and nothing else begins.
            submission.unfinished -= end_waiting(submission, StepStatus.SKIPPED, now, events, untried=True)
            again = [each for each in again if each.attempt]
        ready = [each for each in again if each.status == StepStatus.QUEUED]
        for scatter in wide:
            ready += _release_items(scatter, plan, now)
        events += (step_event(each, StepStatus.QUEUED, now) for each in ready)
        gated = [each for each in again if each.status == StepStatus.PENDING and not each.waiting]
        ready += arrive(submission, plan, gated, now, events)
        settle(submission, now, events)
        write_history(events)
        wake_all(ready if not submission.verdict else [])
    return submission


def _unscattered(submission: Submission) -> QuerySet[StepRun]:
    return submission.step_runs.select_for_update(no_key=True).filter(item=0)


def _set_back(again: list[StepRun], plan: Plan, undone: set[str], now: dt.datetime) -> None:
    """Steps as they were before their first attempt. Those with a condition or `scatter` are decided about anew."""
    for each in again:
        planned = plan.step(each.step)
        each.waiting = len(undone & set(planned.needs))
        to = StepStatus.QUEUED if planned.is_plain and not each.waiting else StepStatus.PENDING
        assert each.status in step_origins(to)  # noqa: S101 -- nothing else is left of a Submission that ended
        each.status, each.queued = to, now if to is StepStatus.QUEUED else None
        for name, value in _FRESH.items():
            setattr(each, name, value)
    StepRun.objects.bulk_update(again, ["waiting", "status", "queued", *_FRESH])


def _set_back_items(scatter: Scatter) -> int:
    """The items of a scattered step that are not complete wait for their turn again; how many they are."""
    items = StepRun.objects.filter(
        submission_id=scatter.submission_id,
        step=scatter.step,
        item__gt=0,
        status__in=step_origins(StepStatus.PENDING),
    )
    return items.update(status=StepStatus.PENDING, waiting=1, queued=None, **_FRESH)


def _release_items(scatter: Scatter, plan: Plan, now: dt.datetime) -> list[StepRun]:
    definition = plan.step(scatter.step).scatter
    assert definition is not None  # noqa: S101 -- only a scattered step has items
    scatter.refresh_from_db()
    queued = release_again(scatter, definition, now)
    scatter.save()
    return queued
