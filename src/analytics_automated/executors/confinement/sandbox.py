"""Whether a sandbox works on this machine, and which: found out once per process, by making one."""

import functools
import os
import resource
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from analytics_automated.executors.base import CommandSpec
from analytics_automated.executors.confinement.bubblewrap import sandboxed
from analytics_automated.executors.confinement.cell import Cell
from analytics_automated.executors.confinement.machine import Machine, NoTool
from analytics_automated.executors.confinement.warden import marked

_PROBE_SECONDS = 20
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Sandbox:
    """What was found out."""

    machine: Machine | None
    """What it is made from; none where none works."""
    said: str
    """For the operator: which it is, or why there is none."""


def sandbox_here() -> Sandbox:
    """The sandbox of this machine."""
    with _lock:
        return _found()


@contextmanager
def open_copies(machine: Machine) -> Iterator[dict[Path, int]]:
    """Descriptors of the machine's small files, for one sandbox, by path; those that cannot be read are left out."""
    with ExitStack() as opened:
        copied = {}
        for path in machine.files:
            try:
                copied[path] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except (FileNotFoundError, PermissionError):
                continue
            opened.callback(os.close, copied[path])
        yield copied


@functools.cache
def _found() -> Sandbox:
    try:
        machine = Machine.here()
        fault = _try_out(machine)
        version = subprocess.run([machine.bwrap, "--version"], capture_output=True, text=True, check=False)
    except (NoTool, OSError) as error:
        return Sandbox(None, str(error))
    if fault:
        return Sandbox(None, f"bubblewrap does not work on this machine: {fault}")
    return Sandbox(machine, version.stdout.strip())


def _try_out(machine: Machine) -> str:
    """Run a command in a sandbox with all that later ones have. Returns what went wrong; nothing where all is well."""
    with tempfile.TemporaryDirectory(prefix="aa-") as folder:
        spec = CommandSpec("probe", ("true",), Path(folder), {"PATH": "/usr/bin:/bin"})
        cell = Cell()
        try:
            with open_copies(machine) as copied:
                argv = sandboxed(
                    spec,
                    machine,
                    told=cell.told,
                    status=cell.status,
                    rlimits={resource.RLIMIT_CORE: 0},
                    copied=copied,
                )
                done = subprocess.run(
                    argv,
                    env=marked(spec.environment, spec.attempt),
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    pass_fds=(cell.told, cell.status, *copied.values()),
                    timeout=_PROBE_SECONDS,
                    check=False,
                )
            cell.close_given()
            cell.pipe.read()
            if cell.ended().exit_code == 0:
                return ""
        except subprocess.TimeoutExpired:
            return "it did not end"
        finally:
            cell.close()
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return said[-1] if said else f"exit code {done.returncode}"
