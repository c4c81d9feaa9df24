"""The one state machine: a literal table of what may follow what."""

from collections.abc import Iterable
from enum import StrEnum


class SubmissionStatus(StrEnum):
    """Where a Submission stands."""

    SUBMITTED = "SUBMITTED"
    """Accepted; nothing runs yet."""
    RUNNING = "RUNNING"
    """Its first step was taken up."""
    COMPLETE = "COMPLETE"
    """All that was to be done is done."""
    ERROR = "ERROR"
    """The analysis failed: exit code, signal, memory, missing output, time limit."""
    CRASH = "CRASH"
    """The system failed it: worker lost and no attempt left, backend gone."""
    CANCELLED = "CANCELLED"
    """Ended on demand."""


class StepStatus(StrEnum):
    """Where a StepRun stands."""

    PENDING = "PENDING"
    """Waits for other steps."""
    QUEUED = "QUEUED"
    """Ready, waits for a worker."""
    RUNNING = "RUNNING"
    """A worker is at it."""
    COMPLETE = "COMPLETE"
    """Ended well."""
    SKIPPED = "SKIPPED"
    """Not run, and that is all right."""
    ERROR = "ERROR"
    """Its command failed."""
    CRASH = "CRASH"
    """The system failed it."""
    CANCELLED = "CANCELLED"
    """Ended, or never started, because nobody waits for it any more."""


SUBMISSION_TRANSITIONS: dict[SubmissionStatus, frozenset[SubmissionStatus]] = {
    SubmissionStatus.SUBMITTED: frozenset(SubmissionStatus) - {SubmissionStatus.SUBMITTED},
    SubmissionStatus.RUNNING: frozenset(
        {
            SubmissionStatus.COMPLETE,
            SubmissionStatus.ERROR,
            SubmissionStatus.CRASH,
            SubmissionStatus.CANCELLED,
        }
    ),
    SubmissionStatus.COMPLETE: frozenset(),
    # Started again from its failed steps.
    SubmissionStatus.ERROR: frozenset({SubmissionStatus.SUBMITTED}),
    SubmissionStatus.CRASH: frozenset({SubmissionStatus.SUBMITTED}),
    SubmissionStatus.CANCELLED: frozenset({SubmissionStatus.SUBMITTED}),
}

STEP_TRANSITIONS: dict[StepStatus, frozenset[StepStatus]] = {
    StepStatus.PENDING: frozenset(
        {
            StepStatus.QUEUED,
            StepStatus.SKIPPED,
            StepStatus.CANCELLED,
            StepStatus.ERROR,  # it would scatter into more than it may
        }
    ),
    StepStatus.QUEUED: frozenset({StepStatus.RUNNING, StepStatus.SKIPPED, StepStatus.CRASH, StepStatus.CANCELLED}),
    StepStatus.RUNNING: frozenset(
        {
            StepStatus.COMPLETE,
            StepStatus.SKIPPED,
            StepStatus.ERROR,
            StepStatus.CRASH,
            StepStatus.CANCELLED,
            StepStatus.QUEUED,  # given back by a worker that stops, or tried again
        }
    ),
    StepStatus.COMPLETE: frozenset(),
    StepStatus.SKIPPED: frozenset(),
    # Started again with their Submission.
    StepStatus.ERROR: frozenset({StepStatus.PENDING, StepStatus.QUEUED}),
    StepStatus.CRASH: frozenset({StepStatus.PENDING, StepStatus.QUEUED}),
    StepStatus.CANCELLED: frozenset({StepStatus.PENDING, StepStatus.QUEUED}),
}

TERMINAL_STEPS = frozenset(
    {StepStatus.COMPLETE, StepStatus.SKIPPED, StepStatus.ERROR, StepStatus.CRASH, StepStatus.CANCELLED}
)
"""Statuses in which nothing more happens by itself."""
TERMINAL_SUBMISSIONS = frozenset(
    {SubmissionStatus.COMPLETE, SubmissionStatus.ERROR, SubmissionStatus.CRASH, SubmissionStatus.CANCELLED}
)

LIVE_SUBMISSIONS = (SubmissionStatus.SUBMITTED, SubmissionStatus.RUNNING)
"""Statuses of a Submission that is in progress."""


class IllegalTransition(Exception):
    """A change of state that the table does not have."""


def step_origins(to: StepStatus, among: Iterable[StepStatus] | None = None) -> list[StepStatus]:
    """The statuses that a StepRun may come from to that one; with `among`, just these, which must be allowed."""
    allowed = [status for status, following in STEP_TRANSITIONS.items() if to in following]
    if among is None:
        return allowed
    wanted = list(among)
    if not set(wanted) <= set(allowed):
        raise IllegalTransition(f"{sorted(set(wanted) - set(allowed))} -> {to}")
    return wanted


def submission_origins(to: SubmissionStatus) -> list[SubmissionStatus]:
    """The statuses that a Submission may come from to that one."""
    return [status for status, following in SUBMISSION_TRANSITIONS.items() if to in following]
