"""`python -m bench`: measure, print the table, write `RESULTS.md`."""

import datetime as dt
import signal
import sys
from pathlib import Path
from types import FrameType

from bench.figures import Times
from bench.installation import installation
from bench.machine import describe_machine, describe_source
from bench.polls import measure_polls
from bench.processes import BenchmarkError
from bench.raw_celery import raw_celery
from bench.report import Run, Settings, as_document, as_table, rows_of, verdict_of
from bench.service import POLL_SECONDS, Try, complete_one, time_job, work_off

SETTINGS = Settings(warm_up=10, rounds=6, raw_backlog=500, backlog=200, connections=4, poll_seconds=POLL_SECONDS)
TRIES = 10
"""In each round, of each thing."""
POLLS_SECONDS = 5
LONGEST_RUN = 170
"""Seconds after which the run is given up."""
RESULTS = Path(__file__).with_name("RESULTS.md")


def measure() -> Run:
    """Measure everything, one thing at a time. Raises `BenchmarkError`."""
    _say("starting raw Celery and `aa up`")
    with raw_celery() as raw, installation() as address:
        times: list[float] = []
        noop: list[Try] = []
        three: list[Try] = []
        raw.time_tasks(SETTINGS.warm_up)
        time_job(address, "noop", SETTINGS.warm_up)
        time_job(address, "three", SETTINGS.warm_up)
        for number in range(1, SETTINGS.rounds + 1):
            _say(f"round {number} of {SETTINGS.rounds}")
            times += raw.time_tasks(TRIES)
            noop += time_job(address, "noop", TRIES)
            three += time_job(address, "three", TRIES)
        _say("polls")
        polls = measure_polls(address, complete_one(address, "noop"), seconds=POLLS_SECONDS)
        _say("backlogs")
        sent, done = raw.work_off(SETTINGS.raw_backlog)
        backlog = work_off(address, "noop", count=SETTINGS.backlog, connections=SETTINGS.connections)
    return Run(Times(times), sent, done, noop, three, backlog, polls)


def main() -> int:
    """The exit code: 0 where all was measured, whether or not the target was met."""
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(LONGEST_RUN)
    machine = describe_machine()
    date = dt.datetime.now(dt.UTC).date().isoformat()
    try:
        run = measure()
    except BenchmarkError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    finally:
        signal.alarm(0)
    print(f"\n{as_table(rows_of(run))}\n\n{verdict_of(run)}\npolls by: {run.polls.client}")
    print("; ".join(f"{word}: {what}" for word, what in machine))
    RESULTS.write_text(as_document(run, SETTINGS, machine, date=date, source=describe_source()))
    return 0


def _say(what: str) -> None:
    print(f"bench: {what}", file=sys.stderr, flush=True)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(1)


def _give_up(_number: int, _frame: FrameType | None) -> None:
    raise BenchmarkError(f"the run is given up after {LONGEST_RUN} s")


if __name__ == "__main__":
    sys.exit(main())
