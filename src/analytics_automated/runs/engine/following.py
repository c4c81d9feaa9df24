"""What the end of a step means for the others and for the whole."""

import datetime as dt

from django.db import transaction

from analytics_automated.pipelines.plans import Plan
from analytics_automated.runs.engine.deleting import erase
from analytics_automated.runs.engine.ending import FAILURES, end_waiting, fail, settle
from analytics_automated.runs.engine.readiness import release
from analytics_automated.runs.engine.scattering import end_item
from analytics_automated.runs.models import Event, StepRun, Submission
from analytics_automated.runs.states import StepStatus
from analytics_automated.runs.verdicts import Verdict


def follow(
    submission: Submission,
    step_run: StepRun,
    plan: Plan,
    verdict: Verdict,
    now: dt.datetime,
    events: list[Event],
) -> list[StepRun]:
    """Do what follows from the end of a step, or of one item of a scattered step. The caller has locked the Submission
    and written the StepRun; events are added to `events`. Returns the StepRuns that became ready."""
    submission.unfinished -= 1
    on_step: Verdict | None = verdict
    ready: list[StepRun] = []
    if step_run.item:
        on_step, ready = end_item(submission, step_run, plan, verdict, now, events)
    if on_step is None or on_step.status is StepStatus.CANCELLED:
        pass
    elif on_step.status in FAILURES:
        fail(submission, step_run, plan, on_step, now, events)
    elif on_step.stops:
        submission.unfinished -= end_waiting(submission, StepStatus.SKIPPED, now, events)
        if not submission.stopped_step:
            submission.stopped_step, submission.stopped_message = step_run.step, on_step.message
    elif not submission.verdict and not submission.stopped_step:
        ready = release(submission, plan, plan.followers(step_run.step), now, events)
    settle(submission, now, events)
    if submission.deleted is not None and submission.is_terminal:
        transaction.on_commit(lambda: erase(submission.pk), robust=True)  # else `erase_deleted` does it
    return ready
