"""A_A as its callers meet it: over HTTP, from POST to COMPLETE."""

import datetime as dt
import secrets
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult

from bench.figures import Rate, pause
from bench.http_connection import Connection
from bench.processes import BenchmarkError

POLL_SECONDS = 0.005
"""Pause between the answer to a poll and the next poll."""
BACKLOG_POLL_SECONDS = 0.1
"""The same while a backlog is worked off: rare, as the client shares the machine."""
JOB_SECONDS = 30.0
"""A submission that takes longer ends the benchmark."""

BACKLOG_SECONDS = 90.0
"""The same for all of a backlog."""


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
class Backlog:
    """Submissions that came faster than they could be worked off."""

    accepted: Rate
    """Submissions answered with 201, while workers worked at those before."""
    done: Rate
    """Submissions completed, from the first POST to the end of the last one, by the service's clock."""


def time_job(address: SplitResult, job: str, tries: int) -> list[Try]:
    """Submit again and again, each time when the one before has ended. Raises `BenchmarkError`, as all
    measurements do."""
    with Connection(address) as connection:
        return [_time_one(connection, job) for _ in range(tries)]


def _time_one(connection: Connection, job: str) -> Try:
    data = _data()
    pause()
    began = time.monotonic()
    submission = connection.submit(job, data)
    posted = time.monotonic()
    while (shown := connection.look(submission["id"]))["status"] != "COMPLETE":
        if time.monotonic() - began > JOB_SECONDS:
            raise BenchmarkError(f"submission {submission['id']} is {shown['status']} after {JOB_SECONDS:g} s")
        time.sleep(POLL_SECONDS)
    seen = time.monotonic()
    created, started, finished = (_moment(shown[key]) for key in ("created", "started", "finished"))
    return Try(seen - began, posted - began, started - created, finished - started)


def complete_one(address: SplitResult, job: str) -> str:
    """The id of a submission that has just become complete."""
    with Connection(address) as connection:
        submission_id = str(connection.submit(job, _data())["id"])
        _await_end(connection, submission_id, time.monotonic())
    return submission_id


def work_off(address: SplitResult, job: str, *, count: int, connections: int) -> Backlog:
    """Submit `count` at once from so many connections, and wait until all are complete."""
    shares = [range(place, count, connections) for place in range(connections)]
    with ThreadPoolExecutor(connections) as threads:
        began_at, began = time.time(), time.monotonic()
        posted = threads.map(lambda share: _submit_all(address, job, len(share)), shares)
        ids = [submission_id for share in posted for submission_id in share]
        accepted = Rate(count, time.monotonic() - began)
    with Connection(address) as connection:
        ends = [_await_end(connection, submission_id, began) for submission_id in ids]
    return Backlog(accepted, Rate(count, max(ends) - began_at))


def _submit_all(address: SplitResult, job: str, count: int) -> Sequence[str]:
    with Connection(address) as connection:
        return [str(connection.submit(job, _data())["id"]) for _ in range(count)]


def _await_end(connection: Connection, submission_id: str, began: float) -> float:
    """When the submission ended, in seconds since 1970, by the service's clock, which is this machine's."""
    while (shown := connection.look(submission_id))["status"] != "COMPLETE":
        if time.monotonic() - began > BACKLOG_SECONDS:
            raise BenchmarkError(f"submission {submission_id} is {shown['status']} after {BACKLOG_SECONDS:g} s")
        time.sleep(BACKLOG_POLL_SECONDS)
    return _moment(shown["finished"])


def _data() -> bytes:
    """A file that was never sent before, so that equal bytes are not stored once for all."""
    return f"{secrets.token_hex(16)}\n".encode()


def _moment(shown: Any) -> float:
    return dt.datetime.fromisoformat(str(shown)).timestamp()
