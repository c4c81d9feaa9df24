"""What A_A itself costs for each of a thousand steps that one step scatters into."""

import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure, Findings
from bench.http_connection import Connection
from bench.installation import Installation, installation
from bench.process_tree import members, processor_seconds
from bench.service import await_end, moment
from bench.stacks import SLOTS, Stack, Stacks

RUNS = 3
ITEMS = 1000
WARM_UP = 50
COMMANDS = 200
"""Bare commands of one run."""

METHOD = f"""\
One step deals {ITEMS} small files, and the task of `noop` runs once for each: it takes a file, `cp` copies it, the
copy is a result. Wall time is from the end of the dealing step to the end of the submission, by the service's clock.
**Own cost per step** = wall time x {SLOTS} slots / {ITEMS}, less what `cp` takes by `subprocess.run` in one process
(median of {COMMANDS} in turn with each scatter). So it holds everything that keeps a slot from running commands:
waiting, the worker, the database, the broker. Beside it: processor time per step of A_A's own processes, and of the
database and the broker. Medians of {RUNS} scatters, after one of {WARM_UP} files that does not count."""


@dataclass(frozen=True, slots=True)
class Scatter:
    """One scatter: seconds, all but the first per step."""

    wall: float
    """Of the whole."""
    bare: float
    """Of the command alone."""
    own_processor: float
    servers_processor: float

    @property
    def own(self) -> float:
        """The system's own cost, by the time that slots were taken."""
        return self.wall * SLOTS / ITEMS - self.bare


def measure(stacks: Stacks) -> Findings:
    """On PostgreSQL and Redis."""
    stack = stacks.services()
    with installation(stack) as up:
        _scatter(up, WARM_UP)
        runs = [_run(up, stack) for _ in range(RUNS)]
    return Findings(
        [Figure("system's own cost per step of a 1,000-wide scatter", _median([each.own for each in runs]), "ms", 1,
                "", 15, 8)],
        [
            Figure("whole scatter", statistics.median(each.wall for each in runs), "s", 1),
            Figure("slot's time per step", _median([each.wall * SLOTS / ITEMS for each in runs]), "ms", 1),
            Figure("the command alone", _median([each.bare for each in runs]), "ms", 1),
            Figure("processor time per step, A_A", _median([each.own_processor for each in runs]), "ms", 1),
            Figure(
                "processor time per step, PostgreSQL and Redis",
                _median([each.servers_processor for each in runs]),
                "ms",
                1,
            ),
        ],
    )  # fmt: skip


def _run(up: Installation, stack: Stack) -> Scatter:
    bare = _bare()
    assert stack.servers is not None
    before = _processor(up.pid), _processor(stack.servers)
    wall = _scatter(up, ITEMS)
    used = _processor(up.pid) - before[0], _processor(stack.servers) - before[1]
    return Scatter(wall, bare, used[0] / ITEMS, used[1] / ITEMS)


def _processor(pid: int) -> float:
    """Of the processes that are there now: connections that are opened meanwhile have processes of their own."""
    return processor_seconds(members(pid))


def _scatter(up: Installation, items: int) -> float:
    """Seconds that the scattered step took."""
    with Connection(up.address) as connection:
        submission_id = connection.submit_values("scatter", {"count": items})["id"]
        shown = await_end(connection, submission_id)
    dealt = next(step for step in shown["steps"] if step["name"] == "deal")
    return moment(shown["finished"]) - moment(dealt["finished"])


def _bare() -> float:
    """Seconds that the command takes by itself."""
    with tempfile.TemporaryDirectory(prefix="aa-bench-") as folder:
        source = Path(folder, "in.txt")
        source.write_text("1\n")
        taken = []
        for number in range(COMMANDS):
            began = time.perf_counter()
            subprocess.run(["cp", source, Path(folder, f"out-{number}.txt")], check=True)
            taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def _median(seconds: list[float]) -> float:
    """In ms."""
    return statistics.median(seconds) * 1000
