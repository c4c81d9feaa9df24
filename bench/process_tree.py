"""A process and all that came from it: memory and processor time, as Linux counts them."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.processes import BenchmarkError

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Member:
    """One process of the tree."""

    name: str
    """Its part of the installation: `web`, or `web 2` where it is the second one."""
    process: psutil.Process


def members(pid: int) -> list[Member]:
    """The process and all its descendants, the oldest first."""
    root = psutil.Process(pid)
    found: list[Member] = []
    seen: dict[str, int] = {}
    for process in [root, *sorted(root.children(recursive=True), key=lambda each: (each.create_time(), each.pid))]:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            word = _word(process.cmdline())
            seen[word] = seen.get(word, 0) + 1
            found.append(Member(word if seen[word] == 1 else f"{word} {seen[word]}", process))
    return found


def _word(command: list[str]) -> str:
    """The `aa` command that it is, else the program."""
    module = "analytics_automated.cli"
    if module in command[:-1]:
        return command[command.index(module) + 1]
    return Path(command[0]).name if command else "?"


def proportional_memory(tree: list[Member]) -> dict[str, int]:
    """Bytes by member, PSS: of a page that several processes share, each has its part. Raises `BenchmarkError` where
    the system does not tell."""
    try:
        return {each.name: int(each.process.memory_full_info().pss) for each in tree}
    except AttributeError:
        raise BenchmarkError("PSS is known on Linux alone") from None


def processor_seconds(tree: list[Member]) -> float:
    """What these processes have used themselves, without those that they started."""
    total = 0.0
    for each in tree:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = each.process.cpu_times()
            total += times.user + times.system
    return total


class Peaks:
    """The most memory (RSS) that processes hold at once, as the kernel counts it: nothing escapes between two looks.

    Processes that come later are not looked at: they are the commands that steps run.
    """

    def __init__(self, tree: list[Member]) -> None:
        self._tree = tree
        self._before = {each.name: each.process.memory_info().rss for each in tree}
        self.reset()

    def reset(self) -> None:
        """Forget the peaks, not what was there at first (proc(5), clear_refs). Raises `BenchmarkError` where the
        system has no such thing."""
        try:
            for each in self._tree:
                Path(f"/proc/{each.process.pid}/clear_refs").write_text("5")
        except OSError as error:
            raise BenchmarkError(f"peaks of memory are known on Linux alone: {error}") from None

    def growth(self) -> dict[str, int]:
        """By member, the bytes that its peak since the last reset was above what it held at first."""
        return {each.name: _peak(each.process.pid) - self._before[each.name] for each in self._tree}


def _peak(pid: int) -> int:
    """VmHWM of proc(5)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
