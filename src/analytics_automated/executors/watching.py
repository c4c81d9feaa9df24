"""Looking at a command's processes and files while it runs: what it uses, and whether that is too much."""

import os
import stat
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from analytics_automated.executors.base import Cause, CommandSpec
from analytics_automated.executors.limits import LocalOptions
from analytics_automated.executors.processes import Process, descendants

FIRST_LOOK, LONGEST_PAUSE = 0.01, 0.25
"""Seconds from the start to the first look, and the longest from one to the next: doubled from look to look."""
DISK_PAUSE = 1.0
"""Seconds from one look at the disk to the next, at least."""
_SHARE = 50
"""A look is followed by a pause of at least so many times what it took."""
_PAGE = os.sysconf("SC_PAGESIZE")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that a command has gone beyond."""

    cause: Cause
    detail: str
    gently: bool = False
    """Whether it may clean up."""


class Watch:
    """One command's use of the machine. `look` is to be called when the monotonic clock has reached `due`."""

    def __init__(self, spec: CommandSpec, options: LocalOptions, began: float) -> None:
        self.peak_memory: int | None = None
        """Most bytes that its processes were seen to have together."""
        self.cpu_seconds = 0.0
        """Processor time that they were seen to have used."""
        self.due = began + FIRST_LOOK
        self._options = options
        self._memory = spec.resources.memory
        self._folders = (spec.workdir, *spec.confinement.writable)
        self._pause = FIRST_LOOK
        self._disk_due = began + DISK_PAUSE

    def look(self, root: int, now: float) -> Breach | None:
        """See what the process of that id, and all that came from it, use by now."""
        processes = descendants(root, self._options.processes)
        resident = sum(process.resident_pages for process in processes) * _PAGE
        if self._memory is not None and resident > self._memory:
            resident = _shared_once(processes)
        self.peak_memory = max(self.peak_memory or 0, resident) or None
        self.cpu_seconds = max(self.cpu_seconds, sum(process.cpu_ticks for process in processes) / _TICKS)
        breach = self._breach(resident, sum(process.threads for process in processes))
        if breach is None and self._options.output is not None and now >= self._disk_due:
            breach = self._look_at_disk(self._options.output)
        after = time.monotonic()
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        self.due = after + max(self._pause, (after - now) * _SHARE)
        return breach

    def _breach(self, resident: int, threads: int) -> Breach | None:
        options = self._options
        if self._memory is not None and resident > self._memory:
            return Breach(Cause.MEMORY, f"it had {resident} bytes of memory, of at most {self._memory}")
        if options.processes is not None and threads > options.processes:
            return Breach(Cause.SIGNAL, f"it had {threads} processes and threads, of at most {options.processes}")
        if options.cpu_time is not None and self.cpu_seconds > options.cpu_time:
            detail = f"it used {self.cpu_seconds:.1f} s of processor time, of at most {options.cpu_time} s"
            return Breach(Cause.TIMEOUT, detail, gently=True)
        return None

    def _look_at_disk(self, most: int) -> Breach | None:
        began = time.monotonic()
        used = disk_use(self._folders)
        after = time.monotonic()
        self._disk_due = after + max(DISK_PAUSE, (after - began) * _SHARE)
        if used <= most:
            return None
        return Breach(Cause.SIGNAL, f"it kept {used} bytes on disk, of at most {int(most)}")


def disk_use(folders: Iterable[Path]) -> int:
    """Bytes of all files in the folders: of each its length, or its room on disk where that is more. No link is
    followed, and what has several names counts once."""
    used = 0
    linked: set[tuple[int, int]] = set()
    waiting = [str(folder) for folder in folders]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                        continue
                    try:
                        found = entry.stat(follow_symlinks=False)
                    except OSError:
                        continue  # removed meanwhile
                    if found.st_nlink > 1:
                        if (found.st_dev, found.st_ino) in linked:
                            continue
                        linked.add((found.st_dev, found.st_ino))
                    if stat.S_ISREG(found.st_mode):
                        used += max(found.st_size, found.st_blocks * 512)
        except OSError:
            continue  # removed meanwhile, or closed to us
    return used


def _shared_once(processes: list[Process]) -> int:
    """Bytes that the processes have together, where what they share counts once."""
    return sum(
        process.resident_pages * _PAGE if (own := process.proportional_memory()) is None else own
        for process in processes
    )
