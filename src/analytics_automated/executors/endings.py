"""Ending all processes of a command: asked first, then killed, then looked for until none is left."""

import contextlib
import os
import selectors
import signal

from analytics_automated.executors.processes import Process, ProcessTree

KILL_SECONDS = 5.0
"""How long SIGKILL may take. It takes longer if a process hangs in the kernel, on a dead file server say."""
_WATCHED_AT_ONCE = 64  # Descriptors held for one ending, however many processes there are.
_LOOKS_AT_ONCE = 4
_LOOKS_IN_VAIN = 2  # One can miss a process that is just changing its program, when it has no environment.


class Ending:
    """Ends the processes of a tree without ever waiting: `advance` does what can be done now.

    It is to be called again when the selector has an event, for the processes being ended are registered
    there; when the leader has ended; and when the monotonic clock has reached `due`.
    """

    def __init__(self, tree: ProcessTree, selector: selectors.BaseSelector, *, now: float, grace: float | None) -> None:
        """Begin now: with SIGTERM and `grace` seconds for it, or, where that is none, with SIGKILL."""
        self.survivors: list[Process] = []
        """Those that were alive when we gave up."""
        self._tree = tree
        self._selector = selector
        self._signal = signal.SIGKILL if grace is None else signal.SIGTERM
        self._deadline = now + (KILL_SECONDS if grace is None else grace)
        self._watched: set[int] = set()
        self._looks_in_vain = 0
        self.due = now if grace is None else self._deadline
        tree.signal_group(self._signal)

    def advance(self, now: float, *, leader_alive: bool) -> bool:
        """Go as far as is possible at once; true when it is over."""
        late = now >= self._deadline
        if late and self._signal == signal.SIGKILL:
            self.survivors = list(self._tree.members())
            self._forget_all()
            return True
        if late:
            self._signal = signal.SIGKILL
            self._deadline = now + KILL_SECONDS
            self._tree.signal_group(self._signal)
        elif leader_alive or self._watched:
            return False
        self._forget_all()
        self._look()
        over = self._looks_in_vain >= _LOOKS_IN_VAIN and not leader_alive
        # With nobody to watch there will be no event: those that we saw were gone before we could touch them.
        self.due = self._deadline if self._watched or leader_alive else now
        return over

    def _look(self) -> None:
        """Signal every member that can be found; twice in vain means that there is none."""
        self._looks_in_vain = 0
        for _ in range(_LOOKS_AT_ONCE):
            found = False
            for process in self._tree.members():
                found = True
                # It is gone already, or not ours to signal: the next look will tell.
                with contextlib.suppress(OSError):
                    self._end(process)
            self._looks_in_vain = 0 if found else self._looks_in_vain + 1
            if self._watched or self._looks_in_vain == _LOOKS_IN_VAIN:
                return

    def _end(self, process: Process) -> None:
        pidfd = os.pidfd_open(process.pid)
        try:
            current = Process.read(process.pid)
            if current is None or current.started != process.started:
                return
            if len(self._watched) < _WATCHED_AT_ONCE:
                self._watched.add(pidfd)
                self._selector.register(pidfd, selectors.EVENT_READ, lambda: self._forget(pidfd))
            if self._signal == signal.SIGKILL or not self._tree.in_group(process):
                signal.pidfd_send_signal(pidfd, self._signal)
        finally:
            if pidfd not in self._watched:
                os.close(pidfd)

    def _forget(self, pidfd: int) -> None:
        self._selector.unregister(pidfd)
        self._watched.remove(pidfd)
        os.close(pidfd)

    def _forget_all(self) -> None:
        for pidfd in list(self._watched):
            self._forget(pidfd)
