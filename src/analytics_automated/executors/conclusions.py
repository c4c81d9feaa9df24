"""What the exit status of a command means, and that of the sandbox around it."""

import errno
import os
import signal
from dataclasses import dataclass

from analytics_automated.executors.base import Cause, CommandSpec, Log
from analytics_automated.executors.confinement.warden import Told
from analytics_automated.executors.programs import NOT_FOUND, StartError, refusal

_SHELL_SIGNALS = 128
"""Above it are the exit codes by which bubblewrap, as shells do, says that a signal ended its child."""


@dataclass(frozen=True, slots=True)
class End:
    """How a command ended, as its status tells."""

    cause: Cause
    exit_code: int | None = None
    signal: int | None = None
    details: tuple[str, ...] = ()


def how_it_ended(status: os.waitid_result | None, ours: Cause | None) -> End:
    """The meaning of our child's status, which is none where somebody else took it; `ours` is the cause of an end that
    we brought about."""
    if status is None:
        taken = () if ours else ("somebody else has taken the exit status",)
        return End(ours or Cause.LOST, details=taken)
    if status.si_code != os.CLD_EXITED:
        return _by_signal(status.si_status, ours)
    return End(ours) if ours else End(Cause.EXIT, exit_code=status.si_status)


def how_it_ended_inside(
    spec: CommandSpec, program: str, told: Told, status: os.waitid_result | None, ours: Cause | None, stderr: Log
) -> End:
    """The same of a sandboxed command: what the warden told goes before the status of bubblewrap, our child."""
    if told.not_executed is not None:
        refused = _refused(spec, program, told)
        return End(Cause.EXIT, exit_code=refused.exit_code, details=(refused.detail,))
    if told.not_forked is not None:
        return End(Cause.BACKEND_UNAVAILABLE, details=(f"no process for it: {os.strerror(told.not_forked)}",))
    if told.status is not None and told.signal is not None:
        return _by_signal(told.signal, ours)
    if told.status is not None:
        return End(ours) if ours else End(Cause.EXIT, exit_code=told.exit_code)
    if status is None or status.si_code != os.CLD_EXITED or ours:
        return how_it_ended(status, ours)
    if status.si_status > _SHELL_SIGNALS:
        return _by_signal(status.si_status - _SHELL_SIGNALS, None)  # it has ended the warden
    said = stderr.text().strip().splitlines()
    reason = said[-1] if said else f"exit code {status.si_status}"
    return End(Cause.BACKEND_UNAVAILABLE, details=(f"the sandbox could not be made: {reason}",))


def _by_signal(signum: int, ours: Cause | None) -> End:
    return End(ours or Cause.SIGNAL, signal=signum, details=(f"ended by {_name(signum)}",))


def _refused(spec: CommandSpec, program: str, told: Told) -> StartError:
    number = told.not_executed or errno.ENOENT
    is_there = told.is_there if "/" in spec.argv[0] else number != errno.ENOENT
    if not is_there and (spec.workdir / program).exists():
        shown = "the backend's `path`, `data` and option `readable` are shown there"
        return StartError(NOT_FOUND, f"{program}: is on this machine but not in the sandbox; {shown}")
    return refusal(spec, program, number)


def _name(signum: int) -> str:
    try:
        name = signal.Signals(signum).name
    except ValueError:
        name = f"signal {signum}"
    return f"{name} ({signal.strsignal(signum)})"
