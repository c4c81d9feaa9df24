"""The name of a worker, which tells for good whether its process still lives."""

import os
import socket
from pathlib import Path

from analytics_automated.executors.processes import Process


def _machine() -> str:
    """This start of this machine, and the process table that this process sees of it."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
        table = str(Path("/proc/self/ns/pid").readlink()).strip("pid:[]")
    except OSError:
        return "-"
    return f"{boot}-{table}"


def worker_name() -> str:
    """`host:machine:pid:start`, of this process."""
    process = Process.read(os.getpid())
    return f"{socket.gethostname()}:{_machine()}:{os.getpid()}:{process.started if process else 0}"


def is_gone(name: str, *, one_machine: bool = False) -> bool:
    """True where the worker of that name surely lives no more: it was one of this machine, and its process is not
    there.

    Of a worker of another machine, or of this one before it was started anew, nothing can be said, unless all
    workers are on `one_machine`: then both are gone.
    """
    _, machine, pid, started = ["", "", "", "", *name.split(":")][-4:]
    if machine == "-" or not pid.isdigit():
        return False
    if machine != _machine():
        boot, other = _machine().partition("-")[0], machine.partition("-")[0]
        return one_machine and boot != other
    process = Process.read(int(pid))
    return process is None or str(process.started) != started
