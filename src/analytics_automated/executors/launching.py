"""Starting a command as its spec wants it: in a sandbox or not, with the limits that the kernel keeps."""

import functools
import resource
import shutil
from dataclasses import dataclass

from analytics_automated.executors.base import ATTEMPT_VARIABLE, BackendUnavailable, CommandSpec
from analytics_automated.executors.confinement.bubblewrap import sandboxed
from analytics_automated.executors.confinement.cell import Cell, CellTree
from analytics_automated.executors.confinement.machine import Machine
from analytics_automated.executors.confinement.sandbox import open_copies, sandbox_here
from analytics_automated.executors.confinement.warden import marked
from analytics_automated.executors.limits import LocalOptions
from analytics_automated.executors.nursery import in_lasting_thread
from analytics_automated.executors.processes import ProcessTree
from analytics_automated.executors.programs import Wrapped, check_encodable, find, start
from analytics_automated.executors.search_path import FALLBACK_PATH
from analytics_automated.executors.streams import Streams

_PRLIMIT = {resource.RLIMIT_NOFILE: "nofile", resource.RLIMIT_FSIZE: "fsize"}
"""The options of prlimit(1)."""


@dataclass(frozen=True, slots=True)
class Launched:
    """A command that runs."""

    pid: int
    """Of the process that is our child: the command itself, or bubblewrap."""
    tree: ProcessTree
    program: str = ""
    """Where it is outside of its sandbox."""
    cell: Cell | None = None
    """The inside of its sandbox, where it has one."""


def launch(spec: CommandSpec, streams: Streams, options: LocalOptions) -> Launched:
    """Start it. Raises `StartError` and `BackendUnavailable`."""
    machine = _sandbox_for(spec)
    if machine is None:
        pid = start(spec, streams, _limited(spec, options))
        return Launched(pid, ProcessTree(spec.attempt, pid))
    check_encodable(spec)
    program = find(spec)
    cell = Cell()
    try:
        with open_copies(machine) as copied:
            argv = sandboxed(
                spec,
                machine,
                told=cell.told,
                status=cell.status,
                rlimits=options.rlimits(own_namespace=True),
                copied=copied,
                readable=options.readable,
            )
            descriptors = (cell.told, cell.status, *copied.values())
            wrapped = Wrapped(argv, marked(spec.environment, spec.attempt), descriptors)
            pid = in_lasting_thread(lambda: start(spec, streams, wrapped))
        cell.close_given()
    except BaseException:
        cell.close()
        raise
    return Launched(pid, CellTree(spec.attempt, pid, cell), program, cell)


def _sandbox_for(spec: CommandSpec) -> Machine | None:
    wanted = spec.confinement.sandbox
    if wanted == "off":
        return None
    found = sandbox_here()
    if found.machine is None and wanted == "required":
        raise BackendUnavailable(f"the backend's `sandbox` is `required`, and there is none: {found.said}")
    return found.machine


def _limited(spec: CommandSpec, options: LocalOptions) -> Wrapped | None:
    """The command behind prlimit(1), where the kernel is to keep a limit. With preexec_fn CPython would not vfork."""
    limits = options.rlimits(own_namespace=False)
    rlimits = [f"--{_PRLIMIT[kind]}={most}" for kind, most in limits.items()]
    if not rlimits:
        return None
    prlimit = _prlimit()
    if prlimit is None:
        raise BackendUnavailable("`open_files` and `file_size` need the program `prlimit`: install util-linux")
    check_encodable(spec)
    argv = (prlimit, *rlimits, "--", find(spec), *spec.argv[1:])
    return Wrapped(argv, {**spec.environment, ATTEMPT_VARIABLE: spec.attempt})


@functools.cache
def _prlimit() -> str | None:
    return shutil.which("prlimit", path=FALLBACK_PATH)
