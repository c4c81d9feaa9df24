"""Measured times and rates, and their summaries."""

import math
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST_PAUSE = 0.03
"""Seconds."""


def pause() -> None:
    """Wait for a random moment. Tries back to back would fall in step with a consumer that polls, and each message
    would wait for the whole of its interval, or for nothing of it."""
    time.sleep(random.uniform(0, LONGEST_PAUSE))


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds that the same thing took, once per try."""

    seconds: Sequence[float]

    @property
    def count(self) -> int:
        """How many tries there were."""
        return len(self.seconds)

    @property
    def median(self) -> float:
        """Half of the tries took no longer."""
        return statistics.median(self.seconds)

    @property
    def p10(self) -> float:
        """10 in 100 tries took no longer: what it takes when little else runs on the machine."""
        return self._at(0.10)

    @property
    def p95(self) -> float:
        """95 in 100 tries took no longer."""
        return self._at(0.95)

    def _at(self, part: float) -> float:
        """By nearest rank, so one of the tries."""
        return sorted(self.seconds)[math.ceil(part * self.count) - 1]


@dataclass(frozen=True, slots=True)
class Rate:
    """How many things were done in how many seconds."""

    count: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Things in a second."""
        return self.count / self.seconds
