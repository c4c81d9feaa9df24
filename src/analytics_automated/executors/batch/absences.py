"""Jobs that their scheduler does not know: whether that is sure by now."""

import threading
import time
from dataclasses import dataclass

_FORGOTTEN_AFTER = 3600.0
"""Seconds after which a job that nobody asks about any more is no longer remembered."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to doubt. Tests shorten it."""

    absent: float = 60.0
    """Seconds that a job must be missing, in two polls that were answered at least, until it is lost."""
    exit_file: float = 30.0
    """Seconds that the file with the exit code may come late, over a network's disk, until accounting's word is
    taken."""
    accounting: float = 5.0
    """Seconds that the scheduler's accounting may be late with what was used, until it goes without."""
    ending: float = 60.0
    """Seconds that a scheduler may take to clear up behind a command that has ended."""
    heard: float = 10.0
    """Seconds after which a job that we ended, and that is still there, is ended again."""


class Absences:
    """Since when something is so, for each job. It is kept in memory: after a restart doubts begin anew."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, str], tuple[float, int]] = {}
        self._lock = threading.Lock()

    def lasting(self, handle: str, what: str) -> tuple[float, int]:
        """It is so, once more: for how many seconds, and how often it was said."""
        now = time.monotonic()
        with self._lock:
            since, times = self._since.get((handle, what), (now, 0))
            self._since[handle, what] = (since, times + 1)
            return now - since, times + 1

    def over(self, handle: str) -> None:
        """Nothing of it is so any more. Those of jobs that were given up are forgotten, too."""
        now = time.monotonic()
        with self._lock:
            for key, (since, _) in list(self._since.items()):
                if key[0] == handle or now - since > _FORGOTTEN_AFTER:
                    del self._since[key]
