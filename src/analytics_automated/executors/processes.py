"""Finding all processes of a command, as proc(5) shows them."""

import contextlib
import os
import signal
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Self

from analytics_automated.executors.base import ATTEMPT_VARIABLE

_MOST_BIRTHS = 1000  # Rounds of newborns in one look, on a machine that starts processes without a pause.


@dataclass(frozen=True, slots=True)
class Process:
    """What /proc/PID/stat says of a process that lives, which one that only waits to be reaped does not."""

    pid: int
    parent: int
    group: int
    session: int
    threads: int
    cpu_ticks: int
    """Its own processor time, and that of the children that it waited for, in clock ticks."""
    resident_pages: int
    """Memory that it has, shared or not, about."""
    started: int
    """Clock ticks since the machine's start. With the pid it names one process for good."""
    name: str
    """Its program's name, at most 15 bytes of it."""

    @classmethod
    def read(cls, pid: int) -> Self | None:
        """The process of that id; none where there is none, or none that lives."""
        name, fields = _stat(pid)
        # A process whose first thread ended before the others shows as a zombie, and lives.
        if not fields or (fields[0] in (b"Z", b"X") and int(fields[17]) <= 1):
            return None
        return cls(
            pid,
            parent=int(fields[1]),
            group=int(fields[2]),
            session=int(fields[3]),
            threads=int(fields[17]),
            cpu_ticks=sum(map(int, fields[11:15])),
            resident_pages=int(fields[21]),
            started=int(fields[19]),
            name=name,
        )

    def id_inside(self) -> int:
        """Its id in its own namespace of process ids (proc_pid_status(5), NSpid); 0 where that is not known."""
        with contextlib.suppress(OSError, ValueError):
            for line in _read(f"/proc/{self.pid}/status").splitlines():
                if line.startswith(b"NSpid:"):
                    return int(line.split()[-1])
        return 0

    def proportional_memory(self) -> int | None:
        """Bytes that it has, of what it shares with others its part alone; none where that is not to be known."""
        with contextlib.suppress(OSError, ValueError):
            for line in _read(f"/proc/{self.pid}/smaps_rollup").splitlines():
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * 1024
        return None

    def carried(self) -> list[str]:
        """The attempts that its environment names: one, or none."""
        prefix = f"{ATTEMPT_VARIABLE}=".encode()
        found = (each for environment in self._environments() for each in environment.split(b"\0"))
        return [each[len(prefix) :].decode(errors="replace") for each in found if each.startswith(prefix)]

    def carries(self, variable: bytes) -> bool:
        """Whether its environment, as it was when its program started, has this `NAME=value`."""
        return any(variable in environment.split(b"\0") for environment in self._environments())

    def _environments(self) -> Iterator[bytes]:
        # It has ended, or belongs to another user.
        with contextlib.suppress(FileNotFoundError, PermissionError):
            with contextlib.suppress(ProcessLookupError):
                environment = _read(f"/proc/{self.pid}/environ")
                if environment:
                    yield environment
                    return
            # A process whose first thread has ended has none in that place; its other threads have.
            for task in os.listdir(f"/proc/{self.pid}/task"):  # noqa: PTH208 - only names are needed
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    yield _read(f"/proc/{self.pid}/task/{task}/environ")


def all_processes() -> Iterator[Process]:
    """All processes of this machine that live, but for this one."""
    found = (Process.read(pid) for pid in _all_pids() if pid != os.getpid())
    return (process for process in found if process is not None)


def descendants(pid: int, enough: int | None = None) -> list[Process]:
    """The process of that id, and all that came from it and whose parents live, as far as they live; where there are
    more than `enough`, not all of them.

    The kernel keeps the children of each thread (proc_pid_task_tid_children(5)), so this costs nothing for others.
    """
    found: list[Process] = []
    pids, seen = [pid], {pid}
    while pids and (enough is None or len(found) <= enough):
        each = pids.pop()
        process = Process.read(each)
        if process is not None:
            found.append(process)
        children = set(_children(each)) - seen
        seen |= children
        pids += children
    return found


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

    def root(self) -> int:
        """The process that all others came from."""
        return self._leader

    def is_over(self) -> bool:
        """Whether nothing is left, as far as that can be said at no cost, once the leader has ended and its group was
        killed."""
        return True

    def signal_group(self, signum: signal.Signals) -> None:
        """Send the signal to the whole process group at once, the leader included."""
        if not self._orphaned:
            # Nobody there, or nobody whom we may signal: a program that changed its user.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._leader, signum)

    def in_group(self, process: Process) -> bool:
        """Whether `signal_group` reaches the process."""
        return not self._orphaned and process.group == self._leader

    def members(self) -> Iterator[Process]:
        """All that live, but for the leader itself.

        They come as they are found. When it ends, no process was born since the last one looked at, so that
        what forks all the time, and is gone as soon as it was seen, has been looked at too.
        """
        newest = _newest()
        pids = set[int]()
        yield from self._among(_all_pids(), pids)
        for _ in range(_MOST_BIRTHS):
            before, newest = newest, _newest()
            if newest == before:
                return
            born = (
                range(before + 1, newest + 1)
                if newest > before
                else [pid for pid in _all_pids() if pid > before or pid <= newest]  # ids began anew
            )
            yield from self._among(born, pids)

    def _among(self, candidates: Collection[int], pids: set[int]) -> list[Process]:
        """The members among the candidates. To `pids`, those of the members before, theirs are added."""
        # Only what started after the leader can have come from it. This spares reading the environment of
        # nearly everything else that runs on the machine.
        since = self._leader_started()
        others = [
            process
            for pid in candidates
            if pid != os.getpid() and (process := Process.read(pid)) and process.started >= since
        ]
        pids.update(process.pid for process in others if self._is_member(process))
        known = -1
        while known != len(pids):
            known = len(pids)
            pids.update(process.pid for process in others if process.parent in pids)
        return [process for process in others if process.pid in pids and process.pid != self._leader]

    def _is_member(self, process: Process) -> bool:
        if not self._orphaned and self._leader in (process.pid, process.group, process.session):
            return True
        return process.carries(self._variable)

    def _leader_started(self) -> int:
        if self._since is None:
            fields = [] if self._orphaned else _stat(self._leader)[1]
            self._since = int(fields[19]) if fields else 0
        return self._since


def _stat(pid: int) -> tuple[str, list[bytes]]:
    """The name and the fields of /proc/PID/stat from the third on; nothing where there is no such process."""
    try:
        text = _read(f"/proc/{pid}/stat")
    except OSError:
        return "", []
    # The second field is the program's name in parentheses, and may hold spaces and parentheses itself.
    start, _, rest = text.rpartition(b")")
    return start.partition(b"(")[2].decode(errors="replace"), rest.split()


def _children(pid: int) -> list[int]:
    found: list[int] = []
    # It ended meanwhile, or the kernel was built without this.
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - only names are needed
            with contextlib.suppress(OSError):
                found += map(int, _read(f"/proc/{pid}/task/{task}/children").split())
    return found


def _all_pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - only names are needed


def _newest() -> int:
    """The id given out last, to a process or a thread."""
    return int(_read("/proc/loadavg").split()[4])


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - Path costs more, and there are many of them
        return file.read()
