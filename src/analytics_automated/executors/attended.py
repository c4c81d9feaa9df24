"""One command that runs on this machine, attended by whichever thread waits for it or polls it."""

import contextlib
import math
import os
import resource
import selectors
import signal
import threading
import time
from dataclasses import replace
from functools import partial

from analytics_automated.executors.base import BackendUnavailable, Cause, CommandSpec, Log, Outcome
from analytics_automated.executors.conclusions import End, how_it_ended, how_it_ended_inside
from analytics_automated.executors.confinement.warden import Told
from analytics_automated.executors.endings import Ending
from analytics_automated.executors.launching import launch
from analytics_automated.executors.limits import LocalOptions
from analytics_automated.executors.memory import kills, kills_until_lately
from analytics_automated.executors.processes import Process
from analytics_automated.executors.programs import StartError
from analytics_automated.executors.streams import LogPipe, Streams
from analytics_automated.executors.usage import cpu_seconds, own_peak, peak_memory
from analytics_automated.executors.watching import Watch

_KILLED_CHILD = 128 + signal.SIGKILL  # what a shell exits with whose command was killed
_LONGEST_PAUSE = 86_400.0  # poll(2) counts milliseconds in an int, which ends at 24 days.


class AttendedCommand:
    """A command from its start to its outcome.

    One thread at a time attends it, holding `attendance`: it reads the logs, keeps the time limit, ends what
    is to be ended and reaps the process. Only `cancel` may be called without.
    """

    def __init__(self, spec: CommandSpec, grace: float, options: LocalOptions) -> None:
        """Start it; `grace` is the seconds between SIGTERM and SIGKILL. Raises `BackendUnavailable`."""
        self.attendance = threading.Lock()
        self.outcome: Outcome | None = None
        """Set when all is over, and everything that was held open is closed."""
        self._grace = grace
        self._cancelled = False
        self._wake_lock = threading.Lock()
        self._cause: Cause | None = None  # of an end that we brought about
        self._details: list[str] = []
        self._ending: Ending | None = None
        self._leader_alive = True
        self._status: os.waitid_result | None = None
        self._memory_kills = kills_until_lately()
        self._began = time.monotonic()
        self._deadline = math.inf if spec.timeout is None else self._began + spec.timeout
        self._watch = Watch(spec, options, self._began)
        self._spec = spec
        try:
            self._start(spec, options)
        except StartError as refusal:
            self.outcome = Outcome(Cause.EXIT, exit_code=refusal.exit_code, detail=refusal.detail)
        except OSError as error:
            raise BackendUnavailable(f"cannot start a process: {error}") from error

    def attend(self, seconds: float) -> Outcome | None:
        """Wait at most `seconds` for something to happen, and deal with it; the outcome, once it is over."""
        if self.outcome is None:
            due = self._ending.due if self._ending else min(self._deadline, self._watch.due)
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

    def _start(self, spec: CommandSpec, options: LocalOptions) -> None:
        self._wake = -1
        with contextlib.ExitStack() as resources:
            self._streams = Streams(spec)
            resources.callback(self._streams.close)
            self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
            resources.callback(self._close_wake)
            self._launched = launch(spec, self._streams, options)
            self._pid, self._tree, self._cell = self._launched.pid, self._launched.tree, self._launched.cell
            if self._cell is not None:
                resources.callback(self._cell.close)
            self._starter_peak = own_peak()
            self._pidfd = _open_child(self._pid)
            resources.callback(os.close, self._pidfd)
            self._streams.close_given()
            self._selector = selectors.PollSelector()  # takes no descriptor itself, and any number of them
            resources.callback(self._selector.close)
            self._selector.register(self._pidfd, selectors.EVENT_READ)  # looked at in any case
            self._selector.register(self._wake, selectors.EVENT_READ, self._woken)
            for pipe in (*self._streams.pipes, *self._told_pipes()):
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
            elif now >= self._watch.due and (breach := self._watch.look(self._tree.root(), now)):
                self._details.append(breach.detail)
                self._end(breach.cause, now, gently=breach.gently)
        elif self._ending.advance(now, leader_alive=self._leader_alive):
            self._finish(self._ending.survivors)

    def _end(self, cause: Cause, now: float, *, gently: bool = True) -> None:
        self._cause = cause
        self._ending = Ending(self._tree, self._selector, now=now, grace=self._grace if gently else None)

    def _clear_up(self, now: float) -> None:
        """The command ended by itself: end what it left behind.

        Its process group is killed, which costs one system call. Whatever left the group is looked for only
        if it gives itself away by holding a log's pipe open, for the look through /proc would cost every
        command more than it takes to start one.
        """
        self._ending = Ending(self._tree, self._selector, now=now, grace=None)
        if self._read_all() and self._tree.is_over():
            self._finish([])

    def _told_pipes(self) -> list[LogPipe]:
        return [self._cell.pipe] if self._cell is not None else []

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
        for pipe in (*self._streams.pipes, *self._told_pipes()):
            self._read(pipe)
        return all(pipe.ended for pipe in self._streams.pipes)

    def _finish(self, survivors: list[Process]) -> None:
        self._read_all()
        usage = self._reap()
        stderr = self._streams.stderr.log() if self._streams.stderr else Log()
        told = None if self._cell is None else self._cell.ended()
        if told is None:
            end = how_it_ended(self._status, self._cause)
        else:
            end = how_it_ended_inside(self._spec, self._launched.program, told, self._status, self._cause, stderr)
        end = self._starved(end)
        details = [*self._details, *end.details]
        if left := [process.pid for process in survivors] + [self._pid] * self._leader_alive:
            details.append(f"could not be ended: process {', '.join(map(str, left))}")
        self._resources.close()
        self.outcome = Outcome(
            end.cause,
            exit_code=end.exit_code,
            signal=end.signal,
            seconds=time.monotonic() - self._began,
            cpu_seconds=self._cpu(usage, told),
            peak_memory=self._peak(usage),
            stdout=self._streams.stdout.log() if self._streams.stdout else Log(),
            stderr=stderr,
            detail="; ".join(details),
        )

    def _starved(self, end: End) -> End:
        """The same end; the kernel's want of memory where that is why the command, or its last child, was killed."""
        was_killed = end.signal == signal.SIGKILL and end.cause is Cause.SIGNAL
        is_told_so = end.cause is Cause.EXIT and end.exit_code == _KILLED_CHILD
        is_short = (was_killed or is_told_so) and self._memory_was_short()
        return replace(end, cause=Cause.MEMORY) if is_short else end

    def _memory_was_short(self) -> bool:
        """Whether the kernel has killed something for want of memory since the start: this command's, most likely, as
        it was killed."""
        before, now = self._memory_kills, kills()
        return before is not None and now is not None and now > before

    def _cpu(self, usage: resource.struct_rusage | None, told: Told | None) -> float | None:
        """What was counted at the end, or seen before, whichever is more: who was killed is waited for by nobody."""
        counted = [None if usage is None else cpu_seconds(usage), None if told is None else told.cpu_seconds]
        known = [seconds for seconds in counted if seconds is not None]
        return max(self._watch.cpu_seconds, *known) if known else None

    def _peak(self, usage: resource.struct_rusage | None) -> int | None:
        counted = None if usage is None or self._cell else peak_memory(usage, self._starter_peak)
        return max(counted or 0, self._watch.peak_memory or 0) or None

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
