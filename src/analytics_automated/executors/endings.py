"""Ending all processes of a command: asked first, then killed, then looked for until none is left."""

import contextlib
import os
import selectors
import signal

from analytics_automated.executors.processes import Process, ProcessTree

KILL_SECONDS = 5.0
"""How long SIGKILL may take. It takes longer where a process hangs in the kernel, on a dead file server
say."""
_WATCHED_AT_ONCE = 64  # Descriptors held for one ending, however many processes there are.
_LOOKS = 2  # One look through /proc can miss a process that is just being born; two in a row hardly.
_LOOKS_AT_ONCE = 8


class Ending:
    """Ends the processes of a tree without ever waiting: `advance` does what can be done now.

    What to wait for between two advances: events of the selector, in which the processes being ended are
    registered, the leader's end, and `deadline`.
    """

    def __init__(
        self, tree: ProcessTree, selector: selectors.BaseSelector, *, now: float, grace: float | None
    ) -> None:
        """Begin now: with SIGTERM and `grace` seconds for it, or, where that is none, with SIGKILL."""
        self._tree = tree
        self._selector = selector
        self._signal = signal.SIGKILL if grace is None else signal.SIGTERM
        self.deadline = now + (KILL_SECONDS if grace is None else grace)
        """When SIGTERM, and then SIGKILL, has had time enough; by the monotonic clock."""
        self.survivors: list[Process] = []
        """Those that were alive when we gave up."""
        self._watched: dict[int, Process] = {}
        self._asked: set[Process] = set()
        tree.signal_group(self._signal)

    def advance(self, now: float, *, leader_alive: bool) -> bool:
        """Go as far as is possible at once; true when it is over."""
        late = now >= self.deadline
        if (leader_alive or self._watched) and not late:
            return False
        if late and self._signal == signal.SIGKILL:
            self.survivors = self._tree.members()
            return True
        if late:
            self._signal = signal.SIGKILL
            self.deadline = now + KILL_SECONDS
            self._tree.signal_group(self._signal)
        self.close()
        looks_without = 0
        for _ in range(_LOOKS_AT_ONCE):
            members = self._tree.members()
            looks_without = 0 if members else looks_without + 1
            if looks_without == _LOOKS:
                return not leader_alive
            self._signal_each(members)
            if self._watched:
                return False
        return False

    def close(self) -> None:
        """Watch no process any longer."""
        for pidfd in list(self._watched):
            self._forget(pidfd)

    def _signal_each(self, members: list[Process]) -> None:
        for process in members:
            with contextlib.suppress(OSError):  # gone already, or not ours to signal: the next look will tell
                pidfd = os.pidfd_open(process.pid)
                try:
                    self._signal_one(process, pidfd)
                finally:
                    if pidfd not in self._watched:
                        os.close(pidfd)

    def _signal_one(self, process: Process, pidfd: int) -> None:
        current = Process.read(process.pid)
        if current is None or current.started != process.started:
            return
        if len(self._watched) < _WATCHED_AT_ONCE:
            self._watched[pidfd] = process
            self._selector.register(pidfd, selectors.EVENT_READ, lambda: self._forget(pidfd))
        if self._signal == signal.SIGKILL or not (self._tree.in_group(process) or process in self._asked):
            signal.pidfd_send_signal(pidfd, self._signal)
            self._asked.add(process)

    def _forget(self, pidfd: int) -> None:
        self._selector.unregister(pidfd)
        del self._watched[pidfd]
        os.close(pidfd)
