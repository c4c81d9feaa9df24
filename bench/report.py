"""The table of a run, as people read it: printed, and kept in `RESULTS.md`."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.figures import Rate, Times
from bench.polls import Polls
from bench.service import Backlog, Try

TARGET_SECONDS = 0.060
"""Median of `noop` that the embedded installation is to stay below."""
COLUMNS = ("measured", "median or rate", "p10", "p95", "tries", "over raw Celery")
Row = Sequence[str]


@dataclass(frozen=True, slots=True)
class Run:
    """All that one run measured."""

    raw: Times
    raw_sent: Rate
    raw_done: Rate
    noop: Sequence[Try]
    three: Sequence[Try]
    backlog: Backlog
    polls: Polls


def rows_of(run: Run) -> list[Row]:
    """The lines of the table. A ratio says how many times raw Celery's time it took, or what part of raw
    Celery's rate was reached."""
    return [
        _time_row("raw Celery: send to done", run.raw),
        _time_row("`noop`: POST to COMPLETE", _whole(run.noop), run.raw),
        _time_row("of it, POST to its answer", Times([each.post for each in run.noop])),
        _time_row("of it, created to taken up", Times([each.taken_up for each in run.noop])),
        _time_row("of it, taken up to finished", Times([each.ran for each in run.noop])),
        _time_row("`three`: POST to COMPLETE", _whole(run.three), run.raw),
        _rate_row("raw Celery: messages sent/s", run.raw_sent),
        _rate_row("submissions accepted/s", run.backlog.accepted, run.raw_sent),
        _rate_row("raw Celery: tasks/s", run.raw_done),
        _rate_row("`noop` jobs/s", run.backlog.done, run.raw_done),
        _rate_row("polls/s", run.polls.rate),
    ]


def _whole(tries: Sequence[Try]) -> Times:
    return Times([each.whole for each in tries])


def verdict_of(run: Run) -> str:
    """Whether the target was met."""
    median = _whole(run.noop).median
    word = "met" if median < TARGET_SECONDS else "MISSED"
    return f"Target, `noop` median under {TARGET_SECONDS * 1000:.0f} ms: {word} ({median * 1000:.1f} ms)."


def _time_row(name: str, times: Times, raw: Times | None = None) -> Row:
    shown = (f"{seconds * 1000:.1f} ms" for seconds in (times.median, times.p10, times.p95))
    return (name, *shown, str(times.count), f"{times.median / raw.median:.1f} times" if raw else "")


def _rate_row(name: str, rate: Rate, raw: Rate | None = None) -> Row:
    ratio = f"{rate.per_second / raw.per_second:.2f} times" if raw else ""
    return name, f"{rate.per_second:.0f} /s", "", "", str(rate.count), ratio


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
- **Raw Celery**: one worker process with the embedded file system broker, the thread pool and the number of threads
  that `aa worker` has, and Celery's default prefetch; the task is `subprocess.run(["true"])`. A task tells its end
  through a FIFO, so the sender sees it at once. Latency: one task at a time, from before it is sent. Tasks/s: a
  backlog of {raw_backlog}, from the first message sent to the last task's end.
- **A_A**: `aa up` with nothing configured (SQLite, embedded broker, files) in a fresh data folder, with the jobs of
  `examples/noop.yaml`: `noop` copies a file, `three` copies it three times, a step each. One client on one kept
  connection submits a small file by a form, then polls, with {poll} ms between an answer and the next poll, until a
  poll shows COMPLETE. Created, taken up and finished are the service's own times.
- **Tries**: {rounds} rounds of raw Celery, `noop` and `three` in turn, so that what else happens on the machine meets
  all of them. Each try follows when the one before has ended and a random pause is over; without the pause tries would
  fall in step with the broker's polling. {warm_up} tries of each come before the first that counts.
- **Backlog**: {backlog} submissions of `noop` from {connections} connections at once; accepted/s while workers already
  work at them; jobs/s from the first POST to the end of the last submission.
- **Polls**: GET of one completed submission on kept connections, back to back ({client}).
- Clients, service and workers share the machine. Percentiles are by nearest rank.

The ratio of a time is how many times raw Celery's it is; of a rate, what part of raw Celery's is reached.
"""


@dataclass(frozen=True, slots=True)
class Settings:
    """How much was measured."""

    warm_up: int
    rounds: int
    raw_backlog: int
    backlog: int
    connections: int
    poll_seconds: float


def as_document(run: Run, settings: Settings, machine: Sequence[tuple[str, str]], *, date: str, source: str) -> str:
    """The whole of `RESULTS.md`."""
    method = METHOD.format(
        raw_backlog=settings.raw_backlog,
        poll=f"{settings.poll_seconds * 1000:g}",
        backlog=settings.backlog,
        connections=settings.connections,
        client=run.polls.client,
        warm_up=settings.warm_up,
        rounds=settings.rounds,
    )
    where = "\n".join(f"- {word}: {what}" for word, what in machine)
    return (
        f"{method}\n## Last figures\n{date}, source {source}.\n\n{as_table(rows_of(run))}\n\n"
        f"{verdict_of(run)}\n\n## Machine\n{where}\n"
    )
