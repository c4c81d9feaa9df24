"""Processes whose worker is gone: they still carry their attempt in their environment."""

import contextlib
import os
import signal

from analytics_automated.executors.base import ATTEMPT_VARIABLE
from analytics_automated.executors.processes import Process

_MOST_ROUNDS = 20
"""Looks for what was born during the look before."""


def end_orphans(attempt: str) -> int:
    """Kill every process of this user that carries the attempt; returns how many were found.

    To be called only where no worker attends the attempt any more.
    """
    variable = f"{ATTEMPT_VARIABLE}={attempt}".encode()
    ended = 0
    for _ in range(_MOST_ROUNDS):
        found = [pid for pid in _pids() if (process := Process.read(pid)) and process.carries(variable)]
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        ended += len(found)
        if not found:
            break
    return ended


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]  # noqa: PTH208
