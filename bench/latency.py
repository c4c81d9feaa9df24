"""How long one submission takes when nothing else is under way, and how long a task of raw Celery."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult

from bench.figures import Figure, Findings, Times, pause, time_figure
from bench.http_connection import Connection
from bench.installation import installation
from bench.raw_celery import raw_celery
from bench.service import await_end, moment, new_data
from bench.stacks import EMBEDDED, Stack, Stacks

POLL_SECONDS = 0.005
"""Pause between the answer to a poll and the next poll."""
WARM_UP = 10
ROUNDS = 6
TRIES = 10
"""In each round, of each thing."""

METHOD = f"""\
A task of raw Celery, from before it is sent until its end is known, against `noop` and `three` of
`examples/noop.yaml`, which copy a small file once and three times, a step each: from before the POST of a form until
a poll shows COMPLETE, with {POLL_SECONDS * 1000:g} ms between an answer and the next poll, on one kept connection.
{ROUNDS} rounds of {TRIES} tries of each in turn, after {WARM_UP} that do not count. Each try follows when the one
before has ended and a random pause is over; without it tries would fall in step with whatever polls. Created, taken
up and finished are the service's own times."""
EMBEDDED_METHOD = """\
The same with nothing configured: SQLite, files, and raw Celery on the embedded file system broker. For information."""


@dataclass(frozen=True, slots=True)
class Try:
    """How long one submission took, in seconds."""

    whole: float
    """From before the POST until a poll showed COMPLETE."""
    post: float
    """From before the POST until it was answered."""
    taken_up: float
    """By the service's clock: from the submission's creation until a worker took up its first step."""
    ran: float
    """By the service's clock: from then to its end."""


@dataclass(frozen=True, slots=True)
class Latencies:
    """All tries of one stack."""

    raw: Times
    noop: Sequence[Try]
    three: Sequence[Try]

    def figures(self) -> list[Figure]:
        """The times in ms."""
        return [
            time_figure("raw Celery: send to done", self.raw),
            time_figure("`noop`: POST to COMPLETE", _whole(self.noop)),
            time_figure("of it, POST to its answer", Times([each.post for each in self.noop])),
            time_figure("of it, created to taken up", Times([each.taken_up for each in self.noop])),
            time_figure("of it, taken up to finished", Times([each.ran for each in self.noop])),
            time_figure("`three`: POST to COMPLETE", _whole(self.three)),
        ]

    def over_raw(self, tries: Sequence[Try]) -> float:
        """How many times raw Celery's median it is."""
        return _whole(tries).median / self.raw.median


def measure(stacks: Stacks) -> Findings:
    """On PostgreSQL and Redis."""
    found = _measure(stacks.services())
    return Findings(
        [
            Figure("`noop`, POST to COMPLETE, over raw Celery", found.over_raw(found.noop), "times", 1, "", 5, 4),
            Figure("`three`, POST to COMPLETE, over raw Celery", found.over_raw(found.three), "times", 1, "", 8, 6),
        ],
        found.figures(),
    )


def measure_embedded(_: Stacks) -> Findings:
    """With nothing configured."""
    found = _measure(EMBEDDED)
    return Findings(
        others=[
            *found.figures(),
            Figure("`noop` over raw Celery", found.over_raw(found.noop), "times", 1),
            Figure("`three` over raw Celery", found.over_raw(found.three), "times", 1),
        ]
    )


def _measure(stack: Stack) -> Latencies:
    times: list[float] = []
    noop: list[Try] = []
    three: list[Try] = []
    with raw_celery(stack) as raw, installation(stack) as up:
        raw.time_tasks(WARM_UP)
        _time_job(up.address, "noop", WARM_UP)
        _time_job(up.address, "three", WARM_UP)
        for _ in range(ROUNDS):
            times += raw.time_tasks(TRIES)
            noop += _time_job(up.address, "noop", TRIES)
            three += _time_job(up.address, "three", TRIES)
    return Latencies(Times(times), noop, three)


def _whole(tries: Sequence[Try]) -> Times:
    return Times([each.whole for each in tries])


def _time_job(address: SplitResult, job: str, tries: int) -> list[Try]:
    with Connection(address) as connection:
        return [_time_one(connection, job) for _ in range(tries)]


def _time_one(connection: Connection, job: str) -> Try:
    data = new_data()
    pause()
    began = time.monotonic()
    submission_id = connection.submit(job, data)["id"]
    posted = time.monotonic()
    shown = await_end(connection, submission_id, pause=POLL_SECONDS)
    seen = time.monotonic()
    created, started, finished = (moment(shown[key]) for key in ("created", "started", "finished"))
    return Try(seen - began, posted - began, started - created, finished - started)
