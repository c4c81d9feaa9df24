"""Measured times and rates, and their summaries."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


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
    def p95(self) -> float:
        """95 in 100 tries took no longer: by nearest rank, so one of the tries."""
        return sorted(self.seconds)[math.ceil(0.95 * self.count) - 1]


@dataclass(frozen=True, slots=True)
class Rate:
    """How many things were done in how many seconds."""

    count: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Things in a second."""
        return self.count / self.seconds
