"""What the benchmark consists of: `make bench ONLY=polls,scatter` measures some of it."""

from collections.abc import Callable
from dataclasses import dataclass

from bench import idle, large_files, latency, polls, scatter, submissions, throughput
from bench.figures import Findings
from bench.stacks import Stacks


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that is measured, with an installation of its own."""

    name: str
    method: str
    """For `RESULTS.md`."""
    measure: Callable[[Stacks], Findings]


PARTS = (
    Part("latency", latency.METHOD, latency.measure),
    Part("throughput", throughput.METHOD, throughput.measure),
    Part("submissions", submissions.METHOD, submissions.measure),
    Part("polls", polls.METHOD, polls.measure),
    Part("scatter", scatter.METHOD, scatter.measure),
    Part("large_files", large_files.METHOD, large_files.measure),
    Part("idle", idle.METHOD, idle.measure),
    Part("embedded", latency.EMBEDDED_METHOD, latency.measure_embedded),
)
"""In the order in which they are measured and shown."""


def chosen(names: str) -> list[Part]:
    """The parts with these names, by commas; all where none is named. Raises `ValueError` that lists what there is."""
    wanted = {name.strip() for name in names.split(",") if name.strip()}
    unknown = wanted - {part.name for part in PARTS}
    if unknown:
        raise ValueError(f"no part {', '.join(sorted(unknown))}; there are {', '.join(part.name for part in PARTS)}")
    return [part for part in PARTS if not wanted or part.name in wanted]
