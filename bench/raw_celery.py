"""Raw Celery: the same broker, pool and worker options as A_A's own worker, and a task that runs `true`.

As a program (`python -m bench.raw_celery FOLDER`) it is the worker.
"""

import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from celery import Celery

from analytics_automated.config.filesystem_broker import broker_settings
from bench.figures import Rate, Times
from bench.processes import python

POOL = "threads"
QUEUE = "bench"
TASK = "bench.run_true"
ENDS = "ends"
NUMBER_BYTES = 8
"""What a task writes: its number. A FIFO takes so little in one piece (POSIX.1-2017, write, PIPE_BUF), and holds
thousands of them, so that no task waits for the reader."""
ANSWER_SECONDS = 20.0
"""How long a task may take to answer."""


@dataclass(frozen=True, slots=True)
class RawCelery:
    """What raw Celery does on this machine."""

    latency: Times
    """From before the message is sent until the task's end was told."""
    sent: Rate
    """Messages sent one after the other."""
    done: Rate
    """Tasks of a backlog, from the first message sent to the last task's end."""


def slots() -> int:
    """Tasks at once: what A_A's worker takes unless told."""
    return os.cpu_count() or 1


def make_app(folder: Path) -> Celery:
    """The application of sender and worker; the settings are A_A's own."""
    made = Celery("bench", set_as_current=False)
    made.config_from_object(
        {
            **broker_settings(folder / "broker"),
            "accept_content": ["json"],
            "task_serializer": "json",
            "task_ignore_result": True,
            "task_default_queue": QUEUE,
            "worker_prefetch_multiplier": 1,
            "worker_send_task_events": False,
            "worker_hijack_root_logger": False,
            "broker_connection_retry_on_startup": True,
        }
    )
    return made


def run_worker(folder: Path) -> None:
    """Serve the queue until SIGTERM. Each task tells its end by some bytes in a FIFO, which costs microseconds and
    no polling: the sender sees the end when it happens."""
    app = make_app(folder)
    ends = os.open(folder / ENDS, os.O_WRONLY | os.O_CLOEXEC)

    @app.task(name=TASK)  # type: ignore[untyped-decorator]  # Celery has no types
    def run_true(number: int) -> None:
        subprocess.run(["true"], check=True)
        os.write(ends, number.to_bytes(NUMBER_BYTES, "big"))

    app.finalize()
    app.Worker(
        pool=POOL,
        concurrency=slots(),
        queues=[QUEUE],
        hostname=f"bench@{os.getpid()}",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
        loglevel="WARNING",
    ).start()


def measure(*, tries: int, warm_up: int, backlog: int) -> RawCelery:
    """Start a worker, measure, and stop it."""
    with tempfile.TemporaryDirectory(prefix="aa-bench-") as name, _opened_ends(Path(name)) as ends:
        app = make_app(Path(name))
        with python(["-m", "bench.raw_celery", name], {}) as worker:
            try:
                latency = Times([_one(app, ends, number) for number in range(warm_up + tries)][warm_up:])
                sent, done = _backlog(app, ends, backlog)
            except TimeoutError as error:
                raise worker.failure(str(error)) from error
        app.close()
    return RawCelery(latency, sent, done)


def _one(app: Celery, ends: int, number: int) -> float:
    began = time.monotonic()
    app.send_task(TASK, args=[number])
    while _next_end(ends) != number:
        pass
    return time.monotonic() - began


def _backlog(app: Celery, ends: int, count: int) -> tuple[Rate, Rate]:
    began = time.monotonic()
    for number in range(count):
        app.send_task(TASK, args=[number])
    sent = time.monotonic()
    waiting = set(range(count))
    while waiting:
        waiting.discard(_next_end(ends))
    return Rate(count, sent - began), Rate(count, time.monotonic() - began)


def _next_end(ends: int) -> int:
    """The number of the next task that ended. Raises `TimeoutError`."""
    if not select.select([ends], [], [], ANSWER_SECONDS)[0]:
        raise TimeoutError(f"ran no task within {ANSWER_SECONDS:g} s")
    return int.from_bytes(os.read(ends, NUMBER_BYTES), "big")


@contextmanager
def _opened_ends(folder: Path) -> Iterator[int]:
    os.mkfifo(folder / ENDS, mode=0o600)
    ends = os.open(folder / ENDS, os.O_RDWR | os.O_CLOEXEC)  # of both sides, so that it never ends
    try:
        yield ends
    finally:
        os.close(ends)


if __name__ == "__main__":
    run_worker(Path(sys.argv[1]))
