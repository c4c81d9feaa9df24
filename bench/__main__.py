"""`python -m bench`: measure, print the table, write `RESULTS.md`."""

import datetime as dt
import signal
import sys
from pathlib import Path
from types import FrameType

from bench import raw_celery
from bench.installation import installation
from bench.machine import describe_machine, describe_source
from bench.polls import measure_polls
from bench.processes import BenchmarkError
from bench.report import Run, Settings, as_document, as_table, rows_of, verdict_of
from bench.service import POLL_SECONDS, complete_one, measure_backlog, measure_job

SETTINGS = Settings(warm_up=10, raw_backlog=500, backlog=200, connections=4, poll_seconds=POLL_SECONDS)
TRIES = 60
POLLS_SECONDS = 5
LONGEST_RUN = 170
"""Seconds after which the run is given up."""
RESULTS = Path(__file__).with_name("RESULTS.md")


def measure() -> Run:
    """Raw Celery first, then the service: never both at once."""
    _say("raw Celery ...")
    raw = raw_celery.measure(tries=TRIES, warm_up=SETTINGS.warm_up, backlog=SETTINGS.raw_backlog)
    _say("aa up ...")
    with installation() as address:
        _say("noop ...")
        noop = measure_job(address, "noop", tries=TRIES, warm_up=SETTINGS.warm_up)
        _say("three ...")
        three = measure_job(address, "three", tries=TRIES, warm_up=SETTINGS.warm_up)
        _say("polls ...")
        polls = measure_polls(address, complete_one(address, "noop"), seconds=POLLS_SECONDS)
        _say("backlog ...")
        backlog = measure_backlog(address, "noop", count=SETTINGS.backlog, connections=SETTINGS.connections)
    return Run(raw, noop, three, backlog, polls)


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
