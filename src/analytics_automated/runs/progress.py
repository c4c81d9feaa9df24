"""How far a Submission is, as the service and the pages both tell it."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from django.utils import timezone

from analytics_automated.runs.models import StepRun, Submission
from analytics_automated.runs.states import TERMINAL_STEPS, StepStatus
from analytics_automated.runs.voice import Progress

_URGENCY = (
    StepStatus.RUNNING,
    StepStatus.QUEUED,
    StepStatus.PENDING,
    StepStatus.CRASH,
    StepStatus.ERROR,
    StepStatus.CANCELLED,
    StepStatus.COMPLETE,
    StepStatus.SKIPPED,
)
"""Of several runs of a step, the first of these that any has is the step's."""


@dataclass(frozen=True, slots=True)
class StepProgress:
    """One Step, however many runs it has."""

    shown: StepRun
    """The run that speaks for all: its name, task, status, attempt, exit code and message."""
    started: dt.datetime | None
    """When the first run started."""
    finished: dt.datetime | None
    """When the last run ended; none while one has not."""
    total: int
    complete: int
    failed: int
    running: int
    ended: int

    @property
    def told(self) -> Progress | None:
        """How far the running command says that it is; none where it does not run, or says nothing."""
        run = self.shown
        if run.status != StepStatus.RUNNING or run.progress is None:
            return None
        return Progress(run.progress, run.progress_text)

    @property
    def seconds(self) -> float | None:
        """From the first start to the last end, where both were."""
        return (self.finished - self.started).total_seconds() if self.started and self.finished else None


def step_progress(step_runs: Iterable[StepRun]) -> list[StepProgress]:
    """One entry per Step, in the order of the runs given, which are those of the steps."""
    return [_one(list(runs)) for _, runs in groupby(step_runs, key=lambda each: each.step)]


def _one(runs: list[StepRun]) -> StepProgress:
    statuses = [StepStatus(each.status) for each in runs]
    starts = [each.started for each in runs if each.started]
    ends = [each.finished for each in runs if each.finished]
    return StepProgress(
        shown=min(runs, key=lambda each: _URGENCY.index(StepStatus(each.status))),
        started=min(starts, default=None),
        finished=max(ends) if len(ends) == len(runs) else None,
        total=len(runs),
        complete=statuses.count(StepStatus.COMPLETE),
        failed=statuses.count(StepStatus.ERROR) + statuses.count(StepStatus.CRASH),
        running=statuses.count(StepStatus.RUNNING),
        ended=sum(status in TERMINAL_STEPS for status in statuses),
    )


def poll_after(submission: Submission) -> int | None:
    """Seconds after which to ask again: a tenth of its age, from 1 to 30; none once it has ended."""
    if submission.is_terminal:
        return None
    age = (timezone.now() - submission.created).total_seconds()
    return int(min(30, max(1, age / 10)))
