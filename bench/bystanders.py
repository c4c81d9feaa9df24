"""What the rest of the machine did while something was measured: on a busy one the figures say little."""

import contextlib
import os

import psutil


class Bystanders:
    """Counts from its making on."""

    def __init__(self) -> None:
        self._all, self._idle, self._own = _machine_seconds(), _idle_seconds(), _own_seconds()

    def share(self) -> float:
        """The part, 0 to 1, of all processor time that others took, other machines on the same metal included."""
        whole = _machine_seconds() - self._all
        others = whole - (_idle_seconds() - self._idle) - (_own_seconds() - self._own)
        return max(0.0, others / whole) if whole else 0.0


def _machine_seconds() -> float:
    """All processors' time, whatever it went to. A guest's is part of the user's."""
    times = psutil.cpu_times()._asdict()
    return sum(float(seconds) for kind, seconds in times.items() if not kind.startswith("guest"))


def _idle_seconds() -> float:
    times = psutil.cpu_times()
    return float(times.idle + getattr(times, "iowait", 0.0))


def _own_seconds() -> float:
    """This process, what came from it and lives, and what came from these and has ended."""
    total = 0.0
    me = psutil.Process(os.getpid())
    for process in [me, *me.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total
