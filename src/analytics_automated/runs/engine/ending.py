"""The end of a Submission, and of what has not started or still runs in it. Its lock is the caller's."""

import datetime as dt
from collections import Counter

from analytics_automated.pipelines.plans import Plan
from analytics_automated.runs.engine.history import step_event, submission_event
from analytics_automated.runs.models import Event, Scatter, StepRun, Submission
from analytics_automated.runs.states import (
    IllegalTransition,
    StepStatus,
    SubmissionStatus,
    step_origins,
    submission_origins,
)
from analytics_automated.runs.verdicts import Verdict
from analytics_automated.storage.statements import Statement

_DECIDED = (
    *("unfinished", "verdict", "message", "cause", "stopped_step", "stopped_message"),
    *("status", "finished"),
)
_SAVE = Statement(f"""
UPDATE runs_submission SET {", ".join(f"{name} = %({name})s" for name in _DECIDED)} WHERE id = %(submission)s
""")  # noqa: S608 -- names of ours
FAILURES = {StepStatus.ERROR: SubmissionStatus.ERROR, StepStatus.CRASH: SubmissionStatus.CRASH}


def fail(
    submission: Submission, step_run: StepRun, plan: Plan, verdict: Verdict, now: dt.datetime, events: list[Event]
) -> None:
    """A step has failed: what has not started is CANCELLED; what runs is ended, too, where the job says so. Other
    items of the step are ended in any case."""
    submission.unfinished -= end_waiting(submission, StepStatus.CANCELLED, now, events)
    if not submission.verdict:
        submission.verdict = FAILURES[verdict.status]
        submission.message, submission.cause = verdict.message, verdict.cause
    if plan.on_failure == "cancel":
        end_running(submission)
    elif step_run.item:
        end_running(submission, step_run.step)


def settle(submission: Submission, now: dt.datetime, events: list[Event]) -> None:
    """Save what was decided of a locked Submission, and end it where all its steps have ended."""
    if submission.unfinished == 0:
        _end(submission, now, events)
    _SAVE.change(submission=submission.pk, **{name: getattr(submission, name) for name in _DECIDED})


def end_running(submission: Submission, step: str | None = None) -> None:
    """Ask the workers of the steps that run, or of the runs of that step, to end them. They learn of it when they next
    ask, which is soon."""
    running = StepRun.objects.filter(submission=submission, status=StepStatus.RUNNING)
    (running if step is None else running.filter(step=step)).update(cancelling=True)


def end_waiting(
    submission: Submission, status: StepStatus, now: dt.datetime, events: list[Event], *, untried: bool = False
) -> int:
    """End the steps that have not started, or only those that never had an attempt; returns how many there were.

    The items of a scattered step, of which there may be thousands, have one line of history together."""
    origins = step_origins(status, [StepStatus.PENDING, StepStatus.QUEUED])
    waiting = StepRun.objects.filter(submission=submission, status__in=origins)
    if untried:
        waiting = waiting.filter(attempt=0)
    locked = list(waiting.select_for_update(no_key=True).order_by("pk").values_list("step", "item", "attempt"))
    waiting.update(status=status, finished=now)  # the same ones: they cannot have changed, and none was added
    items = Counter(step for step, item, _ in locked if item)
    for step, count in items.items():
        message = f"{count:,} {'item was' if count == 1 else 'items were'} still waiting."
        events.append(step_event(StepRun(submission=submission, step=step), status, now, message))
    for step, item, attempt in locked:
        if not item:
            events.append(step_event(StepRun(submission=submission, step=step, attempt=attempt), status, now))
    for scatter in Scatter.objects.filter(submission=submission, step__in=items):
        scatter.count(status, items[scatter.step])
        scatter.close(now)
        scatter.save()
    return len(locked)


def _end(submission: Submission, now: dt.datetime, events: list[Event]) -> None:
    """Give a Submission, all of whose steps ended, its last status."""
    to = SubmissionStatus(submission.verdict or SubmissionStatus.COMPLETE)
    if submission.status not in submission_origins(to):
        raise IllegalTransition(f"submission {submission.pk}: {submission.status} -> {to}")
    submission.status, submission.finished = to, now
    submission.message = submission.message or submission.stopped_message
    events.append(submission_event(submission, now, submission.message))
