"""The table of a run, as people read it: printed, and kept in `RESULTS.md`."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.figures import Rate, Times
from bench.polls import Polls
from bench.raw_celery import RawCelery
from bench.service import Backlog, JobTimes

TARGET_SECONDS = 0.060
"""Median of `noop` that the embedded installation is to stay below."""
COLUMNS = ("measured", "median or rate", "p95", "tries", "over raw Celery")
Row = tuple[str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class Run:
    """All that one run measured."""

    raw: RawCelery
    noop: JobTimes
    three: JobTimes
    backlog: Backlog
    polls: Polls


def rows_of(run: Run) -> list[Row]:
    """The lines of the table. A ratio says how many times raw Celery's time it took, or what part of raw
    Celery's rate was reached."""
    raw = run.raw.latency
    return [
        _time_row("raw Celery: send to done", raw),
        _time_row("`noop`: POST to COMPLETE", run.noop.whole, raw.median),
        _time_row("`noop`, of which POST to its answer", run.noop.post),
        _time_row("`noop`, of which created to taken up", run.noop.taken_up),
        _time_row("`noop`, of which taken up to finished", run.noop.ran),
        _time_row("`three`: POST to COMPLETE", run.three.whole, raw.median),
        _rate_row("raw Celery: messages sent/s", run.raw.sent),
        _rate_row("submissions accepted/s", run.backlog.accepted, run.raw.sent),
        _rate_row("raw Celery: tasks/s", run.raw.done),
        _rate_row("`noop` jobs/s", run.backlog.done, run.raw.done),
        _rate_row("polls/s", run.polls.rate),
    ]


def verdict_of(run: Run) -> str:
    """Whether the target was met."""
    median = run.noop.whole.median
    word = "met" if median < TARGET_SECONDS else "MISSED"
    return f"Target, `noop` median under {TARGET_SECONDS * 1000:.0f} ms: {word} ({median * 1000:.1f} ms)."


def _time_row(name: str, times: Times, raw: float | None = None) -> Row:
    ratio = f"{times.median / raw:.1f} times" if raw else ""
    return name, f"{times.median * 1000:.1f} ms", f"{times.p95 * 1000:.1f} ms", str(times.count), ratio


def _rate_row(name: str, rate: Rate, raw: Rate | None = None) -> Row:
    ratio = f"{rate.per_second / raw.per_second:.2f} times" if raw else ""
    return name, f"{rate.per_second:.0f} /s", "", str(rate.count), ratio


def as_table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table whose columns line up."""
    widths = [max(len(row[place]) for row in [COLUMNS, *rows]) for place in range(len(COLUMNS))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [_line(COLUMNS, widths), _line(rule, widths), *(_line(row, widths) for row in rows)]
    return "\n".join(lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        cell.ljust(width) if place == 0 else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return f"| {' | '.join([first, *others])} |"


METHOD = """\
# What A_A costs beside raw Celery

Written by `make bench`, which measures everything in one run, on one machine, and stops all that it started.

## Method
- **Raw Celery**: one worker process with the embedded file system broker, thread pool, number of threads and worker
  options that `aa worker` has; the task is `subprocess.run(["true"])`. A task tells its end through a FIFO, so the
  sender sees it at once. Latency: one task at a time, from before it is sent. Tasks/s: a backlog of {raw_backlog},
  from the first message sent to the last task's end.
- **A_A**: `aa up` with nothing configured (SQLite, embedded broker, files) in a fresh data folder, with the jobs of
  `examples/noop.yaml`: `noop` copies a file, `three` copies it three times, a step each. One client on one kept
  connection submits a small file by a form, then polls, and waits {poll} ms between an answer and the next
  poll, until a poll shows COMPLETE. The next submission follows when the one before has ended. "Created", "taken up"
  and "finished" are the service's own times.
- **Backlog**: {backlog} submissions of `noop` from {connections} connections at once; accepted/s while workers already
  work at them; jobs/s from the first POST to the end of the last submission.
- **Polls**: GET of one completed submission on kept connections, back to back ({client}).
- {warm_up} tries before the first that counts. Client, service and workers share the machine. p95 by nearest rank.

The ratio of a time is how many times raw Celery's it is; of a rate, what part of raw Celery's is reached.
"""


@dataclass(frozen=True, slots=True)
class Settings:
    """How much was measured."""

    warm_up: int
    raw_backlog: int
    backlog: int
    connections: int
    poll_seconds: float


def as_document(
    run: Run, settings: Settings, machine: Sequence[tuple[str, str]], *, date: str, source: str
) -> str:
    """The whole of `RESULTS.md`."""
    method = METHOD.format(
        raw_backlog=settings.raw_backlog,
        poll=f"{settings.poll_seconds * 1000:g}",
        backlog=settings.backlog,
        connections=settings.connections,
        client=run.polls.client,
        warm_up=settings.warm_up,
    )
    where = "\n".join(f"- {word}: {what}" for word, what in machine)
    return (
        f"{method}\n## Last figures\n{date}, source {source}.\n\n{as_table(rows_of(run))}\n\n"
        f"{verdict_of(run)}\n\n## Machine\n{where}\n"
    )
