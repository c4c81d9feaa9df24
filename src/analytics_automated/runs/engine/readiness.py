"""What becomes of a step that waits for nothing more: it is queued, or scattered, or skipped."""

import datetime as dt
from collections import deque
from collections.abc import Iterable, Sequence
from functools import lru_cache

from django.db.models import Count, Sum

from analytics_automated.pipelines.condition_grammar import parse_condition
from analytics_automated.pipelines.conditions import Condition, ExitCode, Facts, Input, Output, evaluate, names_in
from analytics_automated.pipelines.plans import Plan
from analytics_automated.runs.engine.ending import FAILURES, fail
from analytics_automated.runs.engine.history import step_event
from analytics_automated.runs.engine.scattering import scatter
from analytics_automated.runs.models import Event, Result, StepRun, Submission, SubmissionInput
from analytics_automated.runs.states import StepStatus, step_origins
from analytics_automated.runs.verdicts import Verdict
from analytics_automated.storage.statements import Columns, Statement

_STEP_RUN = Columns(StepRun, "runs_steprun")
_COUNT_OFF = Statement(f"""
UPDATE runs_steprun SET waiting = waiting - 1
WHERE submission_id = %(submission)s AND step {{among[steps]}} AND item = 0 AND status {{among[origins]}}
RETURNING {_STEP_RUN}
""")  # noqa: S608 -- names of ours
_QUEUE = Statement(f"""
UPDATE runs_steprun SET status = '{StepStatus.QUEUED}', queued = %(now)s
WHERE id {{among[step_runs]}} AND status = '{StepStatus.PENDING}'
""")  # noqa: S608 -- names of ours
_parsed = lru_cache(maxsize=1024)(parse_condition)


def release(
    submission: Submission, plan: Plan, followers: Sequence[str], now: dt.datetime, events: list[Event]
) -> list[StepRun]:
    """Count a step that has ended off for those that wait for it; returns the StepRuns that became ready.

    The caller has locked the Submission, and saves it.
    """
    return arrive(submission, plan, _count_off(submission, followers), now, events)


def _count_off(submission: Submission, followers: Sequence[str]) -> list[StepRun]:
    if not followers:
        return []
    origins = [each.value for each in step_origins(StepStatus.QUEUED, [StepStatus.PENDING])]
    rows = _COUNT_OFF.rows(submission=submission.pk, steps=list(followers), origins=origins)
    waiting = [_STEP_RUN.read(row) for row in rows]
    return sorted((each for each in waiting if not each.waiting), key=lambda each: each.position)


def arrive(
    submission: Submission, plan: Plan, step_runs: Iterable[StepRun], now: dt.datetime, events: list[Event]
) -> list[StepRun]:
    """Decide about steps that are PENDING and wait for nothing more; returns the StepRuns that are ready.

    A step whose condition does not hold is SKIPPED, and those that waited for it are decided about in turn. Where one
    fails, nothing is ready any more.
    """
    arrived, plain, ready = deque(step_runs), list[StepRun](), list[StepRun]()
    while arrived:
        step_run = arrived.popleft()
        outcome = _decide(submission, plan, step_run, now, events)
        if outcome is None:
            plain.append(step_run)
            continue
        if not isinstance(outcome, Verdict):
            ready += outcome
            continue
        _end_unrun(submission, step_run, outcome, now, events)
        if outcome.status in FAILURES:
            fail(submission, step_run, plan, outcome, now, events)
            return []
        arrived += _count_off(submission, plan.followers(step_run.step))
    return [*_queue(plain, now, events), *ready]


def _decide(
    submission: Submission, plan: Plan, step_run: StepRun, now: dt.datetime, events: list[Event]
) -> list[StepRun] | Verdict | None:
    """How the step ends without a run, or the items that it became; none where it is simply ready."""
    planned = plan.step(step_run.step)
    if planned.when is not None:
        condition = _parsed(planned.when)
        if not evaluate(condition, _facts(submission, condition)):
            message = f"Step '{step_run.step}' was skipped: its condition does not hold."
            return Verdict(StepStatus.SKIPPED, message)
    if planned.scatter is not None:
        return scatter(submission, step_run, plan, now, events)
    return None


def _facts(submission: Submission, condition: Condition) -> Facts:
    """What the condition asks for, and no more: at most one query each for inputs, outputs and exit codes."""
    names = list(names_in(condition))
    inputs = {name.name for name in names if isinstance(name, Input)}
    makers = {name.step for name in names if isinstance(name, Output)}
    runners = {name.step for name in names if isinstance(name, ExitCode)}
    sent, outputs, codes = set[str](), dict[tuple[str, str], tuple[int, int]](), dict[str, int | None]()
    if inputs:
        rows = SubmissionInput.objects.filter(submission=submission, name__in=inputs)
        sent = set(rows.values_list("name", flat=True))
    if makers:
        made = Result.objects.filter(submission=submission, step__in=makers).order_by()
        sums = made.values_list("step", "output").annotate(Count("pk"), Sum("blob__size"))
        outputs = {(step, output): (count, size) for step, output, count, size in sums}
    if runners:
        runs = StepRun.objects.filter(submission=submission, step__in=runners, item=0)
        codes = dict(runs.values_list("step", "exit_code"))
    return Facts(submission.parameters, sent, outputs, codes)


def _end_unrun(
    submission: Submission, step_run: StepRun, verdict: Verdict, now: dt.datetime, events: list[Event]
) -> None:
    submission.unfinished -= 1
    origins = step_origins(verdict.status, [StepStatus.PENDING])
    StepRun.objects.filter(pk=step_run.pk, status__in=origins).update(
        status=verdict.status, finished=now, message=verdict.message
    )
    step_run.status, step_run.finished, step_run.message = verdict.status, now, verdict.message
    events.append(step_event(step_run, verdict.status, now, verdict.message))


def _queue(step_runs: list[StepRun], now: dt.datetime, events: list[Event]) -> list[StepRun]:
    if step_runs:
        _QUEUE.change(step_runs=[each.pk for each in step_runs], now=now)
    for each in step_runs:
        each.status, each.queued = StepStatus.QUEUED, now
    events += (step_event(each, StepStatus.QUEUED, now) for each in step_runs)
    return step_runs
