"""One command that runs on this machine, attended by whichever thread waits for it or polls it."""

import contextlib
import math
import os
import resource
import selectors
import signal
import threading
import time
from functools import partial

from analytics_automated.executors.base import BackendUnavailable, Cause, CommandSpec, Log, Outcome
from analytics_automated.executors.endings import Ending
from analytics_automated.executors.memory import kills, kills_until_lately
from analytics_automated.executors.processes import Process, ProcessTree
from analytics_automated.executors.programs import StartError, start
from analytics_automated.executors.streams import LogPipe, Streams
from analytics_automated.executors.usage import cpu_seconds, own_peak, peak_memory

_KILLED_CHILD = 128 + signal.SIGKILL  # what a shell exits with whose command was killed
_LONGEST_PAUSE = 86_400.0  # poll(2) counts milliseconds in an int, which ends at 24 days.


class AttendedCommand:
    """A command from its start to its outcome.

    One thread at a time attends it, holding `attendance`: it reads the logs, keeps the time limit, ends what
    is to be ended and reaps the process. Only `cancel` may be called without.
    """

    def __init__(self, spec: CommandSpec, grace: float) -> None:
        """Start it; `grace` is the seconds between SIGTERM and SIGKILL. Raises `BackendUnavailable`."""
        self.attendance = threading.Lock()
        self.outcome: Outcome | None = None
        """Set when all is over, and everything that was held open is closed."""
        self._grace = grace
        self._cancelled = False
        self._wake_lock = threading.Lock()
        self._cause: Cause | None = None  # of an end that we brought about
        self._ending: Ending | None = None
        self._leader_alive = True
        self._status: os.waitid_result | None = None
        self._memory_kills = kills_until_lately()
        self._began = time.monotonic()
        self._deadline = math.inf if spec.timeout is None else self._began + spec.timeout
        try:
            self._start(spec)
        except StartError as refusal:
            self.outcome = Outcome(Cause.EXIT, exit_code=refusal.exit_code, detail=refusal.detail)
        except OSError as error:
            raise BackendUnavailable(f"cannot start a process: {error}") from error

    def attend(self, seconds: float) -> Outcome | None:
        """Wait at most `seconds` for something to happen, and deal with it; the outcome, once it is over."""
        if self.outcome is None:
            due = self._ending.due if self._ending else self._deadline
            pause = min(seconds, due - time.monotonic(), _LONGEST_PAUSE)
            for key, _ in self._selector.select(max(0.0, pause)):
                if key.data:
                    key.data()
            self._advance(time.monotonic())
        return self.outcome

    def cancel(self) -> None:
        """End it. Whoever attends it is woken; where nobody does just now, SIGTERM is sent from here."""
        with self._wake_lock:
            self._cancelled = True
            if self._wake >= 0:
                os.eventfd_write(self._wake, 1)
        if self.attendance.acquire(blocking=False):
            try:
                self.attend(0)
            finally:
                self.attendance.release()

    def _start(self, spec: CommandSpec) -> None:
        self._wake = -1
        with contextlib.ExitStack() as resources:
            self._streams = Streams(spec)
            resources.callback(self._streams.close)
            self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
            resources.callback(self._close_wake)
            self._pid = start(spec, self._streams)
            self._starter_peak = own_peak()
            self._pidfd = _open_child(self._pid)
            resources.callback(os.close, self._pidfd)
            self._streams.close_given()
            self._tree = ProcessTree(spec.attempt, self._pid)
            self._selector = selectors.PollSelector()  # takes no descriptor itself, and any number of them
            resources.callback(self._selector.close)
            self._selector.register(self._pidfd, selectors.EVENT_READ)  # looked at in any case
            self._selector.register(self._wake, selectors.EVENT_READ, self._woken)
            for pipe in self._streams.pipes:
                self._selector.register(pipe, selectors.EVENT_READ, partial(self._read, pipe))
            self._resources = resources.pop_all()

    def _advance(self, now: float) -> None:
        # First, so that a command that ended by itself is never said to have been ended by us.
        self._look()
        if self._ending is None:
            if not self._leader_alive:
                self._clear_up(now)
            elif self._cancelled:
                self._end(Cause.CANCELLED, now)
            elif now >= self._deadline:
                self._end(Cause.TIMEOUT, now)
        elif self._ending.advance(now, leader_alive=self._leader_alive):
            self._finish(self._ending.survivors)

    def _end(self, cause: Cause, now: float) -> None:
        self._cause = cause
        self._ending = Ending(self._tree, self._selector, now=now, grace=self._grace)

    def _clear_up(self, now: float) -> None:
        """The command ended by itself: end what it left behind.

        Its process group is killed, which costs one system call. Whatever left the group is looked for only
        if it gives itself away by holding a log's pipe open, for the look through /proc would cost every
        command more than it takes to start one.
        """
        self._ending = Ending(self._tree, self._selector, now=now, grace=None)
        if self._read_all():
            self._finish([])

    def _look(self) -> None:
        """See whether the command's first process has ended. It stays unreaped, so that its id is kept."""
        if not self._leader_alive:
            return
        try:
            self._status = os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            # Somebody else in this process waits for any child, or SIGCHLD is ignored.
            self._tree.orphan()
        else:
            if self._status is None:
                return
        self._leader_alive = False
        self._selector.unregister(self._pidfd)

    def _woken(self) -> None:
        self._selector.unregister(self._wake)

    def _read(self, pipe: LogPipe) -> None:
        if not pipe.ended:
            pipe.read()
            if pipe.ended:
                self._selector.unregister(pipe)

    def _read_all(self) -> bool:
        """Read what is there; true where nobody can write any more."""
        for pipe in self._streams.pipes:
            self._read(pipe)
        return all(pipe.ended for pipe in self._streams.pipes)

    def _finish(self, survivors: list[Process]) -> None:
        self._read_all()
        usage = self._reap()
        cause, signum, exit_code = self._how()
        details = []
        if cause is Cause.LOST:
            details.append("somebody else has taken the exit status")
        if signum is not None:
            details.append(f"ended by {_name(signum)}")
        if left := [process.pid for process in survivors] + [self._pid] * self._leader_alive:
            details.append(f"could not be ended: process {', '.join(map(str, left))}")
        self._resources.close()
        self.outcome = Outcome(
            cause,
            exit_code=exit_code,
            signal=signum,
            seconds=time.monotonic() - self._began,
            cpu_seconds=None if usage is None else cpu_seconds(usage),
            peak_memory=None if usage is None else peak_memory(usage, self._starter_peak),
            stdout=self._streams.stdout.log() if self._streams.stdout else Log(),
            stderr=self._streams.stderr.log() if self._streams.stderr else Log(),
            detail="; ".join(details),
        )

    def _how(self) -> tuple[Cause, int | None, int | None]:
        """The cause, the signal and the exit code."""
        if self._status is None:
            return self._cause or Cause.LOST, None, None
        number = self._status.si_status
        if self._status.si_code != os.CLD_EXITED:
            is_short = number == signal.SIGKILL and not self._cause and self._memory_was_short()
            return self._cause or (Cause.MEMORY if is_short else Cause.SIGNAL), number, None
        if self._cause:
            return self._cause, None, None
        is_short = number == _KILLED_CHILD and self._memory_was_short()
        return Cause.MEMORY if is_short else Cause.EXIT, None, number

    def _memory_was_short(self) -> bool:
        """Whether the kernel has killed something for want of memory since the start: this command's, most likely, as
        it was killed."""
        before, now = self._memory_kills, kills()
        return before is not None and now is not None and now > before

    def _reap(self) -> resource.struct_rusage | None:
        if self._leader_alive:
            # It hangs in the kernel and cannot be killed yet. Somebody must be there when it can.
            threading.Thread(target=_reap_late, args=(self._pid,), daemon=True).start()
            return None
        try:
            return os.wait4(self._pid, 0)[2]
        except ChildProcessError:
            return None

    def _close_wake(self) -> None:
        with self._wake_lock:
            os.close(self._wake)
            self._wake = -1


def _open_child(pid: int) -> int:
    try:
        return os.pidfd_open(pid)
    except OSError:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        raise


def _reap_late(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _name(signum: int) -> str:
    try:
        name = signal.Signals(signum).name
    except ValueError:
        name = f"signal {signum}"
    return f"{name} ({signal.strsignal(signum)})"
