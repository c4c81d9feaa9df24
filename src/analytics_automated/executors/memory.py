"""Processes that the kernel killed for want of memory.

It kills by SIGKILL, as anybody may, and tells nobody why. But it counts what it killed so, on the whole machine and in
every memory cgroup alike (mm/oom_kill.c, `oom_kill` in /proc/vmstat).
"""

import time
from pathlib import Path

COUNTER = Path("/proc/vmstat")
_AGE = 1.0
"""Seconds that a count is used for. The kernel makes the whole file up whenever it is read, which takes a while."""

_counted: tuple[float, int | None] = (float("-inf"), None)


def kills() -> int | None:
    """How many there were since the machine's start; none where the kernel does not count."""
    global _counted
    _counted = time.monotonic(), _read()
    return _counted[1]


def kills_until_lately() -> int | None:
    """The same, as it was a second ago or later."""
    return _counted[1] if time.monotonic() - _counted[0] < _AGE else kills()


def _read() -> int | None:
    try:
        lines = COUNTER.read_bytes().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith(b"oom_kill ")), None)
