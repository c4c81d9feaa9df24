"""Raw Celery: the same broker, pool and worker options as A_A's own worker, and a task that runs `true`.

As a program (`python -m bench.raw_celery FOLDER`) it is the worker.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from analytics_automated.config.filesystem_broker import broker_settings
from bench.figures import Rate, Times
from bench.processes import python
from celery import Celery

POOL = "threads"
QUEUE = "bench"
TASK = "bench.run_true"
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
    """Serve the queue until SIGTERM. Each task tells its end in a datagram, which costs some microseconds and no
    polling: the sender sees the end when it happens."""
    app = make_app(folder)
    told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    told.connect(str(_told(folder)))

    @app.task(name=TASK)  # type: ignore[untyped-decorator]  # Celery has no types
    def run_true(number: int) -> None:
        subprocess.run(["true"], check=True)
        told.send(number.to_bytes(8, "big"))

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
    with tempfile.TemporaryDirectory(prefix="aa-bench-") as name, _ends(Path(name)) as ends:
        folder = Path(name)
        app = make_app(folder)
        with python(["-m", "bench.raw_celery", name], {}):
            latency = Times([_one(app, ends, number) for number in range(warm_up + tries)][warm_up:])
            began = time.monotonic()
            for number in range(backlog):
                app.send_task(TASK, args=[number])
            sent = time.monotonic()
            waiting = set(range(backlog))
            while waiting:
                waiting.discard(_next_end(ends))
            ended = time.monotonic()
        app.close()
    return RawCelery(latency, Rate(backlog, sent - began), Rate(backlog, ended - began))


def _one(app: Celery, ends: socket.socket, number: int) -> float:
    began = time.monotonic()
    app.send_task(TASK, args=[number])
    while _next_end(ends) != number:
        pass
    return time.monotonic() - began


def _next_end(ends: socket.socket) -> int:
    return int.from_bytes(ends.recv(8), "big")


def _told(folder: Path) -> Path:
    return folder / "ends"


@contextmanager
def _ends(folder: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ends:
        ends.bind(str(_told(folder)))
        ends.settimeout(ANSWER_SECONDS)
        yield ends


if __name__ == "__main__":
    run_worker(Path(sys.argv[1]))
