"""`python -m bench [PARTS]`: measure, print the tables, and write `RESULTS.md` where all parts were measured."""

import datetime as dt
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import FrameType

from bench.bystanders import Bystanders
from bench.figures import Findings
from bench.machine import describe_machine, describe_source
from bench.parts import PARTS, Part, chosen
from bench.processes import BenchmarkError
from bench.report import as_document, bounds_table, others_table
from bench.stacks import Stacks

LONGEST_RUN = 420
"""Seconds after which the run is given up."""
RESULTS = Path(__file__).with_name("RESULTS.md")
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def measure(parts: list[Part]) -> tuple[dict[str, Findings], list[tuple[str, str]]]:
    """Measure the parts, one after the other; what was found, and the servers' versions. Raises `BenchmarkError`."""
    run: dict[str, Findings] = {}
    with Stacks() as stacks:
        for part in parts:
            began, bystanders = time.monotonic(), Bystanders()
            found = part.measure(stacks)
            run[part.name] = replace(found, bystanders=bystanders.share())
            print(f"bench: {part.name}, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
            print(f"\n{others_table(run[part.name])}\n", flush=True)
        return run, stacks.versions()


def main(names: str) -> int:
    """The exit code: 0 where all was measured, whether or not it holds its bounds."""
    for number in ENDS:
        signal.signal(number, _stop)
    signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(LONGEST_RUN)
    machine = describe_machine()
    date = dt.datetime.now(dt.UTC).date().isoformat()
    began = time.monotonic()
    try:
        parts = chosen(names)
        run, servers = measure(parts)
    except (BenchmarkError, ValueError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    finally:
        signal.alarm(0)
    machine += servers
    print(f"{bounds_table(run)}\n")
    print("; ".join(f"{word}: {what}" for word, what in machine))
    if len(parts) == len(PARTS):
        seconds = time.monotonic() - began
        RESULTS.write_text(as_document(run, parts, machine, date=date, source=describe_source(), seconds=seconds))
    return 0


def _stop(_number: int, _frame: FrameType | None) -> None:
    for number in ENDS:
        signal.signal(number, lambda *_: None)  # what was started is stopped, whoever is impatient
    raise SystemExit(1)


def _give_up(_number: int, _frame: FrameType | None) -> None:
    raise BenchmarkError(f"the run is given up after {LONGEST_RUN} s")


if __name__ == "__main__":
    sys.exit(main(",".join(sys.argv[1:])))
