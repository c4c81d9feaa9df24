"""The inside of one sandbox, as it is seen from outside: its first process, and what its warden tells."""

import contextlib
import json
import os
import signal
from collections.abc import Iterator

from analytics_automated.executors.confinement import warden
from analytics_automated.executors.logs import BoundedLog
from analytics_automated.executors.processes import Process, ProcessTree, descendants
from analytics_automated.executors.streams import LogPipe

_MOST_TOLD = 8192  # What a command that has taken hold of the warden could write more is dropped.
_SOONEST = -20
_BUBBLEWRAP = "bwrap"
_WARDEN = 2
"""The warden's process id inside: bubblewrap's own is 1 there."""


class Cell:
    """The pipe on which bubblewrap and the warden tell, in this order, what happens in a sandbox."""

    def __init__(self) -> None:
        ours, self.told = os.pipe2(os.O_CLOEXEC)
        self.status = os.dup(self.told)  # bubblewrap closes its own inside
        self.pipe = LogPipe(ours, BoundedLog(_MOST_TOLD))

    def close_given(self) -> None:
        """Close the sandbox's ends here."""
        for name in ("told", "status"):
            if (descriptor := getattr(self, name)) >= 0:
                os.close(descriptor)
                setattr(self, name, -1)

    def close(self) -> None:
        """Close everything."""
        self.close_given()
        self.pipe.close()

    def first(self) -> int | None:
        """The id of the sandbox's first process, as it is outside; none as long as bubblewrap has not told it.

        It is in the first line, which was written before any command ran, so no command has a hand in it.
        """
        lines = self._lines()
        with contextlib.suppress(ValueError, KeyError, TypeError, IndexError):
            return int(json.loads(lines[0])["child-pid"])
        return None

    def ended(self) -> warden.Told:
        """What the warden has told so far."""
        return warden.read(self._lines()[1:])

    def _lines(self) -> list[str]:
        return self.pipe.log().head.decode("utf-8", "replace").split("\n")


class CellTree(ProcessTree):
    """The processes of a sandboxed command: bubblewrap outside, which is the leader, and all within.

    Within, nobody can hide: whatever loses its parent becomes a child of the first process there, and whoever
    ends that one, or bubblewrap itself, ends all at once (pid_namespaces(7)).
    """

    def __init__(self, attempt: str, leader: int, cell: Cell) -> None:
        super().__init__(attempt, leader)
        self._cell = cell
        self._first: Process | None = None

    def first(self) -> Process | None:
        """The sandbox's first process; none before it is known, and after its end."""
        if self._first is None and (pid := self._cell.first()) is not None:
            found = Process.read(pid)
            if found is not None and self._is_first(found):
                self._first = found
        if self._first is None:
            return None
        now = Process.read(self._first.pid)
        return now if now is not None and now.started == self._first.started else None

    def _is_first(self, process: Process) -> bool:
        """Whether it is what bubblewrap said. Where that is gone already, its child has another parent, but leads the
        session that it made itself. (That its id is another's by then is as good as impossible: ids are given out in
        their order.)"""
        is_child = process.parent == self._leader or process.session == process.pid
        return is_child and process.name == _BUBBLEWRAP and process.started >= self._leader_started()

    def root(self) -> int:
        """The process that all others came from: bubblewrap, until the sandbox's first process is known."""
        first = self.first()
        return self._leader if first is None else first.pid

    def is_over(self) -> bool:
        """Whether nothing is left, once the leader has ended."""
        return self.first() is None

    def signal_group(self, signum: signal.Signals) -> None:
        """Send the signal to the command and all that came from it. SIGKILL ends bubblewrap, and with it everything."""
        first = self.first()
        if first is None:
            super().signal_group(signum)
            return
        if signum == signal.SIGKILL:
            # Among thousands that fork they would have to wait for their turn to die. Only root can help them.
            for pid in (self._leader, first.pid):
                with contextlib.suppress(OSError):
                    os.setpriority(os.PRIO_PROCESS, pid, _SOONEST)
            _send(first, signum)
            super().signal_group(signum)
            return
        for process in descendants(first.pid):
            # Outside of bubblewrap's own two and the warden, which wait for the command.
            if process.pid != first.pid and process.id_inside() != _WARDEN:
                _send(process, signum)

    def in_group(self, process: Process) -> bool:
        """Whether `signal_group` reaches the process."""
        del process
        return True

    def members(self) -> Iterator[Process]:
        """The sandbox's first process, in whose end is that of all others; or, before it is known, what there is."""
        first = self.first()
        if first is not None:
            yield first
        elif self._first is None:
            yield from super().members()


def _send(process: Process, signum: signal.Signals) -> None:
    # It is gone, or not ours to signal any more.
    with contextlib.suppress(OSError):
        descriptor = os.pidfd_open(process.pid)
        try:
            if (current := Process.read(process.pid)) and current.started == process.started:
                signal.pidfd_send_signal(descriptor, signum)
        finally:
            os.close(descriptor)
