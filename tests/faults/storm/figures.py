"""What the storm did, and what came of it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

MOST_LINES = 50


@dataclass
class Figures:
    """Numbers for people, and everything that is wrong, which should be nothing."""

    accepted: int = 0
    unanswered: int = 0
    """Requests that might have made a submission, of which nobody knows, as no answer came."""
    unanswered_taken: int = 0
    """Of these, the submissions that are there."""
    refused: Counter[str] = field(default_factory=Counter)
    """By status and type of problem."""
    asked: Counter[str] = field(default_factory=Counter)
    """What callers did to submissions that were there."""
    faults: Counter[str] = field(default_factory=Counter)
    skipped: list[str] = field(default_factory=list)
    """Faults that this machine does not allow, and why."""
    said_why: int = 0
    """Times that the disk was full and a worker said so."""
    ends: Counter[str] = field(default_factory=Counter)
    steps: int = 0
    attempts: int = 0
    causes: Counter[str] = field(default_factory=Counter)
    """Of attempts' ends."""
    results: int = 0
    compared: int = 0
    """Results that were fetched and compared, byte for byte."""
    swept: int = 0
    """Stored files that killed processes had not written down, and that the sweep removed."""
    tracebacks: int = 0
    """In the log of all processes: lost connections leave some."""
    seconds: float = 0.0
    """Until all was at rest."""
    last_fault: float = 0.0
    """Seconds after which there was no fault any more."""
    wrong: list[str] = field(default_factory=list)

    def note(self, wrongs: Iterable[str]) -> None:
        """Keep what is wrong."""
        self.wrong.extend(wrongs)

    def __str__(self) -> str:
        return "\n".join(
            [
                f"submissions   {self.accepted} accepted, {self.unanswered} without an answer"
                f" ({self.unanswered_taken} of them taken), {sum(self.refused.values())} refused {_told(self.refused)}",
                f"callers       {_told(self.asked)}",
                f"faults        {sum(self.faults.values())}: {_told(self.faults)}",
                *(f"left out      {each}" for each in self.skipped),
                f"disk full     a worker said so {self.said_why} times",
                f"ends          {_told(self.ends)}",
                f"attempts      {self.attempts} of {self.steps} steps; causes {_told(self.causes)}",
                f"results       {self.results}, {self.compared} fetched and compared",
                f"storage       {self.swept} files of killed processes swept",
                f"log           {self.tracebacks} tracebacks",
                f"seconds       {self.seconds:.0f}, the last fault after {self.last_fault:.0f}",
                f"wrong         {len(self.wrong)}",
                *(f"  {each}" for each in self.wrong[:MOST_LINES]),
            ]
        )


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"
