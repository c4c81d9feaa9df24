"""What a scheduler says of one of its jobs, in words that all schedulers share."""

import enum
from dataclasses import dataclass

from analytics_automated.executors.base import Cause


class Stage(enum.Enum):
    """How far a job is."""

    WAITING = "waiting"
    """Not started."""
    RUNNING = "running"
    """On a node, or on its way to one."""
    ENDING = "ending"
    """Its command is over, but the scheduler still ends what is left of it."""
    ENDED = "ended"
    """All is over."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What the scheduler's list, or its accounting, says of one job. None: it does not say."""

    stage: Stage
    reason: str = ""
    """The scheduler's own words, for the operator: why it waits, or what became of it."""
    cause: Cause | None = None
    """Of an ended one: why, where the scheduler knows better than an exit code says. `CANCELLED` means that somebody
    ended it, which need not have been us."""
    exit_code: int | None = None
    signal: int | None = None
    seconds: float | None = None
    """Wall time of running."""
    cpu_seconds: float | None = None
    peak_memory: int | None = None
    """Largest resident set, in bytes."""
