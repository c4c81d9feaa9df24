"""Finding all processes of a command, as proc(5) shows them."""

import contextlib
import os
import signal
from dataclasses import dataclass
from typing import Self

from analytics_automated.executors.base import ATTEMPT_VARIABLE


@dataclass(frozen=True, slots=True)
class Process:
    """What /proc/PID/stat says of a process."""

    pid: int
    parent: int
    group: int
    session: int
    started: int
    """Clock ticks since the machine's start. With the pid it names one process for good."""
    alive: bool
    """False where only its exit status is left."""

    @classmethod
    def read(cls, pid: int) -> Self | None:
        """The process of that id, or none."""
        try:
            text = _read(f"/proc/{pid}/stat")
        except OSError:
            return None
        # The second field is the program's name in parentheses, and may hold spaces and parentheses itself.
        fields = text.rpartition(b")")[2].split()
        # A process whose first thread ended before the others shows as a zombie, and lives.
        alive = fields[0] not in (b"Z", b"X") or int(fields[17]) > 1
        return cls(pid, int(fields[1]), int(fields[2]), int(fields[3]), int(fields[19]), alive)

    def carries(self, variable: bytes) -> bool:
        """Whether its environment, as it was when its program started, has this `NAME=value`."""
        try:
            return variable in _read(f"/proc/{self.pid}/environ").split(b"\0")
        except OSError:  # it has ended, or belongs to another user
            return False


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - Path costs more, and there are many of them
        return file.read()


class ProcessTree:
    """A command's first process, its leader, and all that came from it, found again wherever they went.

    Members are the leader's process group and session, every process that carries the attempt's `AA_ATTEMPT`,
    and the descendants of all these. So a daemon that left the session and whose parents are gone is found,
    unless it has also cleared its environment or belongs to another user.

    As long as the leader is not reaped, no other process and no other group can get its id, and a signal
    cannot reach a stranger. Where somebody else has reaped it (`orphan`), only the environment is trusted.
    """

    def __init__(self, attempt: str, leader: int) -> None:
        self._leader = leader
        self._variable = f"{ATTEMPT_VARIABLE}={attempt}".encode()
        self._orphaned = False
        self._since: int | None = None

    def orphan(self) -> None:
        """Take note that the leader's id may already be another's."""
        self._orphaned = True

    def signal_group(self, signum: signal.Signals) -> None:
        """Send the signal to the whole process group at once, the leader included."""
        if not self._orphaned:
            # Nobody there, or nobody whom we may signal: a program that changed its user.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._leader, signum)

    def in_group(self, process: Process) -> bool:
        """Whether `signal_group` reaches the process."""
        return not self._orphaned and process.group == self._leader

    def members(self) -> list[Process]:
        """All that live, but for the leader itself."""
        # Only what started after the leader can have come from it. This spares reading the environment of
        # nearly everything else that runs on the machine.
        since = self._leader_started()
        others = [
            process
            for name in os.listdir("/proc")  # noqa: PTH208 - only names are needed
            if name.isdigit()
            and (process := Process.read(int(name)))
            and process.alive
            and process.started >= since
        ]
        pids = {process.pid for process in others if self._is_member(process)}
        known = -1
        while known != len(pids):
            known = len(pids)
            pids.update(process.pid for process in others if process.parent in pids)
        pids -= {self._leader, os.getpid()}
        return [process for process in others if process.pid in pids]

    def _is_member(self, process: Process) -> bool:
        if not self._orphaned and self._leader in (process.pid, process.group, process.session):
            return True
        return process.carries(self._variable)

    def _leader_started(self) -> int:
        if self._since is None:
            leader = None if self._orphaned else Process.read(self._leader)
            self._since = leader.started if leader else 0
        return self._since
