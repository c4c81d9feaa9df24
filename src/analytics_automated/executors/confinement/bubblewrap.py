"""The sandbox: bubblewrap's argument list for a command, made from what the command is and what the machine has.

Inside there are the system's programs, what was declared, the work folder, and nothing else: no other process, no
socket of the machine, no network unless it was asked for. Nothing here runs anything.
"""

import resource
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from analytics_automated.executors.base import CommandSpec
from analytics_automated.executors.confinement.machine import Machine
from analytics_automated.executors.confinement.warden import PROGRAM

NOBODY = "65534"
"""User and group inside: `nobody` on every Linux. Outside it is the worker's user, whose right to its own files stays,
so that it writes where something writable is shown to it, and only there."""
SCRATCH_MEMORY = 1_000_000_000
"""Bytes that a command whose memory has no limit may keep in /dev/shm, and in /tmp where it has no TMPDIR."""


@dataclass(frozen=True, slots=True)
class Mount:
    """One thing that is shown at a place, or hidden there."""

    target: Path
    kind: Literal["read", "write", "hide", "memory"]
    source: Path
    size: int = 65_536
    """Bytes, of what lies in memory."""

    def arguments(self) -> tuple[str, ...]:
        """As bubblewrap wants it. What is only read may be missing: whoever reads it will say so."""
        match self.kind:
            case "read":
                return ("--ro-bind-try", str(self.source), str(self.target))
            case "write":
                return ("--bind", str(self.source), str(self.target))
            case "hide":
                return ("--perms", "0555", "--size", str(self.size), "--tmpfs", str(self.target))
            case "memory":
                return ("--perms", "1777", "--size", str(self.size), "--tmpfs", str(self.target))


def sandboxed(
    spec: CommandSpec,
    machine: Machine,
    *,
    told: int,
    status: int,
    rlimits: Mapping[int, int],
    copied: Mapping[Path, int],
    readable: Iterable[Path] = (),
    real: Callable[[Path], Path] = Path.resolve,
) -> tuple[str, ...]:
    """The argument list that runs the command in a sandbox.

    Its program is looked for in the sandbox, on the PATH of its environment. Descriptor `status` is bubblewrap's own:
    there it writes its first process's id as JSON. The warden writes to `told`. `copied` are descriptors of the
    machine's small files, to be read there. All these must be inherited. `rlimits` are limits by the numbers of
    setrlimit(2), `readable` is what commands may read besides. The environment has to be `warden.marked`; no value of
    it is in the list.
    """
    plan = mounts(spec, machine, readable, real)
    limits = ",".join(f"{kind}={most}" for kind, most in {resource.RLIMIT_CORE: 0, **rlimits}.items())
    hidden = [each.target for each in plan if each.kind == "hide"]
    return (
        machine.bwrap,
        *("--die-with-parent", "--new-session", "--unshare-user", "--disable-userns", "--uid", NOBODY, "--gid", NOBODY),
        *("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--cap-drop", "ALL"),
        *(() if spec.confinement.network else ("--unshare-net",)),
        *("--json-status-fd", str(status)),
        *(word for target, value in machine.links for word in ("--symlink", value, str(target))),
        *("--proc", "/proc", "--dev", "/dev", "--symlink", "../tmp", "/var/tmp"),  # noqa: S108 - private
        *(word for path in machine.orders for word in Mount(path, "read", path).arguments()),
        *(word for path, fd in copied.items() for word in ("--perms", "0444", "--file", str(fd), str(path))),
        *(word for mount in plan for word in mount.arguments()),
        *(word for target in (*hidden, Path("/dev"), Path("/")) for word in ("--remount-ro", str(target))),
        *("--chdir", str(spec.workdir), "--"),
        *(machine.perl, "-e", PROGRAM, str(told), str(machine.setrlimit), limits, *spec.argv),
    )


def mounts(
    spec: CommandSpec,
    machine: Machine,
    readable: Iterable[Path] = (),
    real: Callable[[Path], Path] = Path.resolve,
) -> list[Mount]:
    """What is shown and hidden, in the order in which it is to be mounted: what holds another before it."""
    confinement = spec.confinement
    network = machine.network if confinement.network else ()
    plan = {path: Mount(path, "read", path) for path in machine.system}
    for path in (*readable, *confinement.readable):
        _add(plan, path, "read", real)
    for path in network:
        plan[path] = Mount(path, "read", real(path))
    for path in confinement.hidden:
        if any(path.is_relative_to(shown) for shown in plan) and path not in plan:
            plan[path] = Mount(path, "hide", path)
    for path in (*confinement.writable, spec.workdir):
        _add(plan, path, "write", real)
    for path in confinement.fixed:
        plan[path] = Mount(path, "read", path)
    plan |= {each.target: each for each in _temporary(spec)}
    return sorted(plan.values(), key=lambda mount: len(mount.target.parts))


def _add(plan: dict[Path, Mount], path: Path, kind: Literal["read", "write"], real: Callable[[Path], Path]) -> None:
    """Show it under its own name and under its real one, where that is another.

    A link on the way to it that lies within what is shown is there too, and leads to the real one.
    """
    target = real(path)
    plan[target] = Mount(target, kind, target)
    if path != target and not any(path.is_relative_to(shown) for shown in plan if shown != target):
        plan[path] = Mount(path, kind, target)


def _temporary(spec: CommandSpec) -> Iterator[Mount]:
    """What programs that know no other folder use for a while: the command's own TMPDIR, or memory."""
    size = spec.resources.memory or SCRATCH_MEMORY
    given = Path(spec.environment.get("TMPDIR") or "/nowhere")
    has_folder = given in spec.confinement.writable
    path = Path("/tmp")  # noqa: S108 - it is private
    if path != given:
        yield Mount(path, "write", given) if has_folder else Mount(path, "memory", path, size)
    yield Mount(Path("/dev/shm"), "memory", Path("/dev/shm"), size)  # noqa: S108 - as above
