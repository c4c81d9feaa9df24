"""How far a Submission is, as the service and the pages both tell it."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Min
from django.utils import timezone

from analytics_automated.runs.models import Scatter, StepRun, Submission
from analytics_automated.runs.outlook import reason_to_wait
from analytics_automated.runs.states import TERMINAL_STEPS, StepStatus
from analytics_automated.runs.voice import Progress

MOMENT = dt.timedelta(seconds=1)
"""A step that was queued this recently is about to be taken up: nobody asks why it waits."""


@dataclass(frozen=True, slots=True)
class StepProgress:
    """One Step, however many runs it has."""

    name: str
    task: str
    backend: str
    status: str
    attempt: int
    """Number of the latest; of a scattered step that of its first item."""
    exit_code: int | None
    """Of a scattered step that of the first item that failed."""
    message: str
    """How it ended; while it is QUEUED for longer than a moment, why it waits."""
    started: dt.datetime | None
    """When the first run started."""
    finished: dt.datetime | None
    """When the last run ended; none while one has not."""
    total: int
    complete: int
    failed: int
    running: int
    ended: int
    told: Progress | None
    """How far the running command says that it is; none where it does not run, or says nothing."""

    @property
    def seconds(self) -> float | None:
        """From the first start to the last end, where both were."""
        return (self.finished - self.started).total_seconds() if self.started and self.finished else None


def step_progress(submission: Submission, heads: Iterable[StepRun] | None = None) -> list[StepProgress]:
    """One entry per Step, in their order. `heads` are the StepRuns of `heads()`, where the caller has them.

    One query, and two more where a step has scattered, however many items it has; a few more where one waits.
    """
    rows = list(submission.step_runs.heads() if heads is None else heads)
    if not any(each.item for each in rows):
        return [_plain(each) for each in rows]
    scatters = {each.step: each for each in submission.scatters.all()}
    at_work = StepRun.objects.filter(
        submission=submission, taken=True, status=StepStatus.RUNNING, item__gt=0
    ).order_by()
    counts = at_work.values_list("step").annotate(Count("pk"), Min("started"))
    running = {step: (count, started) for step, count, started in counts}
    return [
        _scattered(each, scatters[each.step], *running.get(each.step, (0, None))) if each.item else _plain(each)
        for each in rows
    ]


def _plain(run: StepRun) -> StepProgress:
    is_running = run.status == StepStatus.RUNNING
    return StepProgress(
        name=run.step,
        task=run.task,
        backend=run.backend,
        status=run.status,
        attempt=run.attempt,
        exit_code=run.exit_code,
        message=run.message or _why(run),
        started=run.started,
        finished=run.finished,
        total=1,
        complete=int(run.status == StepStatus.COMPLETE),
        failed=int(run.status in {StepStatus.ERROR, StepStatus.CRASH}),
        running=int(is_running),
        ended=int(run.status in TERMINAL_STEPS),
        told=Progress(run.progress, run.progress_text) if is_running and run.progress is not None else None,
    )


def _scattered(head: StepRun, scatter: Scatter, running: int, running_since: dt.datetime | None) -> StepProgress:
    starts = [each for each in (scatter.started, running_since) if each]
    under_way = StepStatus.RUNNING if starts else StepStatus.QUEUED
    return StepProgress(
        name=head.step,
        task=head.task,
        backend=head.backend,
        status=scatter.status if scatter.finished else under_way,
        attempt=head.attempt,
        exit_code=scatter.exit_code,
        message=scatter.message or ("" if starts or scatter.finished else _why(head)),
        started=min(starts, default=None),
        finished=scatter.finished,
        total=scatter.total,
        complete=scatter.complete,
        failed=scatter.failed,
        running=running,
        ended=scatter.ended,
        told=None,
    )


def _why(run: StepRun) -> str:
    """Why it waits; empty where it does not, or not for long."""
    is_waiting = run.status == StepStatus.QUEUED and run.queued is not None and run.queued < timezone.now() - MOMENT
    return reason_to_wait(run) if is_waiting else ""


def poll_after(submission: Submission) -> int | None:
    """Seconds after which to ask again: a tenth of its age, from 1 to 30; none once it has ended."""
    return None if submission.is_terminal else poll_pause(submission.created)


def poll_pause(created: dt.datetime) -> int:
    """The same of a Submission in progress that was made then."""
    age = (timezone.now() - created).total_seconds()
    return int(min(30, max(1, age / 10)))
