"""Raw Celery: the same broker, pool and number of threads as A_A's own worker, and a task that runs `true`.

As a program (`python -m bench.raw_celery FOLDER [BROKER]`) it is the worker.
"""

import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from celery import Celery

from analytics_automated.config.filesystem_broker import broker_settings
from bench.figures import Rate, pause
from bench.processes import Started, python
from bench.stacks import SLOTS, Stack

POOL = "threads"
PREFETCH = 4
"""Celery's default. With 1, as in A_A's worker, raw Celery does a third of the tasks/s: whenever all its messages are
under way it sleeps for the broker's polling interval, while A_A's worker takes the next step from the database."""
QUEUE = "bench"
TASK = "bench.run_true"
ENDS = "ends"
NUMBER_BYTES = 8
"""What a task writes: its number. A FIFO takes so little in one piece (POSIX.1-2017, write, PIPE_BUF), and holds
thousands of them, so that no task waits for the reader."""
ANSWER_SECONDS = 20.0
"""How long a task may take to answer."""


def make_app(folder: Path, broker: str | None) -> Celery:
    """The application of sender and worker, on the broker at that address, or on files in the folder; but for
    `PREFETCH` the settings are those of A_A's worker."""
    made = Celery("bench", set_as_current=False)
    made.config_from_object(
        {
            **({"broker_url": broker} if broker else broker_settings(folder / "broker")),
            "accept_content": ["json"],
            "task_serializer": "json",
            "task_ignore_result": True,
            "task_default_queue": QUEUE,
            "worker_prefetch_multiplier": PREFETCH,
            "worker_send_task_events": False,
            "worker_hijack_root_logger": False,
            "broker_connection_retry_on_startup": True,
        }
    )
    return made


def run_worker(folder: Path, broker: str | None) -> None:
    """Serve the queue until SIGTERM. Each task tells its end by some bytes in a FIFO, which costs microseconds and
    no polling: the sender sees the end when it happens."""
    app = make_app(folder, broker)
    ends = os.open(folder / ENDS, os.O_WRONLY | os.O_CLOEXEC)

    @app.task(name=TASK)  # type: ignore[untyped-decorator]  # Celery has no types
    def run_true(number: int) -> None:
        subprocess.run(["true"], check=True)
        os.write(ends, number.to_bytes(NUMBER_BYTES, "big"))

    app.finalize()
    app.Worker(
        pool=POOL,
        concurrency=SLOTS,
        queues=[QUEUE],
        hostname=f"bench@{os.getpid()}",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
        loglevel="WARNING",
    ).start()


class RawCelery:
    """A worker of raw Celery that runs, and what it does."""

    def __init__(self, app: Celery, worker: Started, ends: int) -> None:
        self._app = app
        self._worker = worker
        self._ends = ends

    def time_tasks(self, tries: int) -> list[float]:
        """Seconds from before the message is sent until the task's end was told, one task after the other.

        Raises `BenchmarkError`, as all measurements do.
        """
        return [self._time_task(number) for number in range(tries)]

    def _time_task(self, number: int) -> float:
        pause()
        began = time.monotonic()
        self._app.send_task(TASK, args=[number])
        while self._next_end() != number:
            pass
        return time.monotonic() - began

    def work_off(self, backlog: int) -> tuple[Rate, Rate]:
        """Messages sent one after the other; tasks done from the first message sent to the last task's end."""
        began = time.monotonic()
        for number in range(backlog):
            self._app.send_task(TASK, args=[number])
        sent = time.monotonic()
        waiting = set(range(backlog))
        while waiting:
            waiting.discard(self._next_end())
        return Rate(backlog, sent - began), Rate(backlog, time.monotonic() - began)

    def _next_end(self) -> int:
        """The number of the next task that ended."""
        if not select.select([self._ends], [], [], ANSWER_SECONDS)[0]:
            raise self._worker.failure(f"ended no task for {ANSWER_SECONDS:g} s")
        return int.from_bytes(os.read(self._ends, NUMBER_BYTES), "big")


@contextmanager
def raw_celery(stack: Stack) -> Iterator[RawCelery]:
    """Start a worker on that stack's broker; nothing of it is left afterwards."""
    broker = [stack.broker] if stack.broker else []
    with tempfile.TemporaryDirectory(prefix="aa-bench-") as name, _opened_ends(Path(name)) as ends:
        app = make_app(Path(name), stack.broker)
        with python(["-m", "bench.raw_celery", name, *broker], {}) as worker:
            yield RawCelery(app, worker, ends)
        app.close()


@contextmanager
def _opened_ends(folder: Path) -> Iterator[int]:
    os.mkfifo(folder / ENDS, mode=0o600)
    ends = os.open(folder / ENDS, os.O_RDWR | os.O_CLOEXEC)  # of both sides, so that it never ends
    try:
        yield ends
    finally:
        os.close(ends)


if __name__ == "__main__":
    run_worker(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
