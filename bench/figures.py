"""Measured times and rates, their summaries, and what some of them are to reach."""

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


def median_of(rates: Sequence[Rate]) -> float:
    """The median of several runs, in things per second."""
    return statistics.median(each.per_second for each in rates)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value, as people read it. A figure with bounds is to reach them."""

    name: str
    value: float
    unit: str
    """What stands behind the value: `ms`, `/s`, `times`."""
    digits: int = 0
    detail: str = ""
    """Percentiles, number of tries, or what it consists of."""
    at_least: float | None = None
    aim: float | None = None

    @property
    def verdict(self) -> str:
        """Whether the bounds are held; nothing where there are none. What has a lower aim than bound is to be
        small."""
        if self.at_least is None or self.aim is None:
            return ""
        sign = -1 if self.aim < self.at_least else 1
        if sign * self.value >= sign * self.aim:
            return "held, and the aim too"
        return "held" if sign * self.value >= sign * self.at_least else "NOT HELD"

    def show(self, value: float | None) -> str:
        """A value with this figure's digits and unit."""
        return "" if value is None else f"{value:,.{self.digits}f} {self.unit}"


@dataclass(frozen=True, slots=True)
class Findings:
    """What a part of the benchmark found."""

    bounded: Sequence[Figure] = ()
    """Figures that are to reach something."""
    others: Sequence[Figure] = ()
    """What they were made of, and what else is worth knowing."""
    bystanders: float = 0.0
    """The part of the machine's processors that others took meanwhile."""


def time_figure(name: str, times: Times) -> Figure:
    """Of the median, in ms."""
    shown = f"p10 {times.p10 * 1000:.1f}, p95 {times.p95 * 1000:.1f}, of {times.count}"
    return Figure(name, times.median * 1000, "ms", 1, shown)


def rate_figure(name: str, rates: Sequence[Rate]) -> Figure:
    """Of the median, per second."""
    each = ", ".join(f"{rate.per_second:,.0f}" for rate in rates)
    return Figure(name, median_of(rates), "/s", 0, f"runs: {each}" if len(rates) > 1 else "")
