"""Judging how a job ended from what the wrapper wrote, what we did to it, and what the scheduler says."""

import signal

from analytics_automated.executors.base import Cause, Outcome
from analytics_automated.executors.batch.facts import Fact
from analytics_automated.executors.batch.state_folder import Ending, StateFolder
from analytics_automated.executors.batch.wrapper import CLAIMED

_OURS = frozenset((signal.SIGTERM, signal.SIGKILL, signal.SIGINT, signal.SIGXCPU, signal.SIGUSR1, signal.SIGUSR2))
"""By which schedulers end a job."""
_SIGNALLED = 128
"""A shell adds the number of the signal that ended its command."""
_STRONGER = frozenset((Cause.MEMORY, Cause.TIMEOUT, Cause.LOST, Cause.BACKEND_UNAVAILABLE))
"""Causes that a scheduler knows and an exit code cannot tell."""


def by_the_wrapper(folder: StateFolder, ending: Ending, fact: Fact | None) -> Outcome:
    """The outcome of a command whose end was recorded; `fact` adds what was used, and why somebody ended it."""
    if folder.unreachable:
        return _outcome(folder, fact, Cause.BACKEND_UNAVAILABLE, detail=folder.unreachable)
    ended_from_outside = ending.told or ending.signal in _OURS
    marked = folder.marked()
    if marked and ended_from_outside:
        return _outcome(folder, fact, marked, ending)
    cause = _cause(folder, fact, ending.signal)
    failed = ending.exit_code != 0  # a child may have been killed for its memory, and the command have made do
    if cause and ((cause is Cause.MEMORY and failed) or (cause in _STRONGER and ended_from_outside)):
        return _outcome(folder, fact, cause, ending, detail=_said(folder, fact))
    if ending.signal is not None:
        detail = f"ended by {_name(ending.signal)}"
        return _outcome(folder, fact, Cause.SIGNAL, ending, detail=". ".join(filter(None, (detail, folder.said()))))
    return _outcome(folder, fact, Cause.EXIT, ending, detail=folder.refusal)


def by_the_scheduler(folder: StateFolder, fact: Fact) -> Outcome:
    """The outcome of a job that the scheduler says is over, and whose wrapper has said nothing."""
    marked = folder.marked()
    if marked and cut_short(folder, fact):
        return _outcome(folder, fact, marked)
    said = _said(folder, fact)
    cause = _cause(folder, fact, fact.signal)
    if cause and cause in _STRONGER:
        return _outcome(folder, fact, cause, detail=said)
    if not folder.claimed and fact.cause is not Cause.CANCELLED:
        return _outcome(folder, fact, Cause.BACKEND_UNAVAILABLE, detail=f"the node did not begin: {said}")
    if fact.cause is Cause.CANCELLED:
        return _outcome(folder, fact, Cause.SIGNAL, detail=f"not ended by A_A: {said}")
    if fact.signal:
        return _outcome(folder, fact, Cause.SIGNAL, detail=f"ended by {_name(fact.signal)}. {said}")
    if fact.exit_code is None or fact.exit_code == CLAIMED:
        return _outcome(folder, fact, Cause.LOST, detail=said)
    return _outcome(folder, fact, Cause.EXIT, detail=folder.refusal or "the exit code is the scheduler's")


def cut_short(folder: StateFolder, fact: Fact) -> bool:
    """Whether the job was ended from outside, by the scheduler's word, so that no exit code can come any more."""
    by_itself = fact.cause is None and not fact.signal and fact.exit_code is not None
    return fact.cause is not None or bool(folder.marked() and (not by_itself or (fact.exit_code or 0) > _SIGNALLED))


def lost(folder: StateFolder) -> Outcome:
    """The outcome of a job that nobody knows any more."""
    marked = folder.marked()
    if marked:
        return _outcome(folder, None, marked)
    detail = "the scheduler does not know the job any more, and nothing says how it ended"
    return _outcome(folder, None, Cause.LOST, detail=". ".join(filter(None, (detail, folder.said()))))


def _cause(folder: StateFolder, fact: Fact | None, ended_by: int | None) -> Cause | None:
    """Why, by the scheduler's word. What was killed while it had more memory than it may have was killed for that."""
    if fact is None:
        return None
    memory = folder.memory
    if fact.cause is None and ended_by == signal.SIGKILL and memory and (fact.peak_memory or 0) >= memory:
        return Cause.MEMORY
    return fact.cause


def _outcome(
    folder: StateFolder, fact: Fact | None, cause: Cause, ending: Ending | None = None, *, detail: str = ""
) -> Outcome:
    exited = cause is Cause.EXIT
    if ending:
        exit_code, number = ending.exit_code, ending.signal
    else:
        exit_code, number = (fact.exit_code, fact.signal) if fact else (None, None)
    seconds = folder.seconds()
    if seconds is None:
        seconds = (fact and fact.seconds) or 0.0
    cpu = fact.cpu_seconds if fact else None
    return Outcome(
        cause,
        exit_code=exit_code if exited else None,
        signal=None if exited else number or None,
        seconds=seconds,
        cpu_seconds=cpu if cpu is not None else ending.cpu_seconds if ending else None,
        peak_memory=fact.peak_memory if fact else None,
        detail=detail,
    )


def _said(folder: StateFolder, fact: Fact | None) -> str:
    return ". ".join(filter(None, (fact.reason if fact else "", folder.said())))


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
