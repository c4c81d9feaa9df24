"""Celery workers and publishers on one broker folder, while workers are killed.

AA_STRESS_MESSAGES says how many messages; every thousand brings one killed worker, and four are the least.
"""

# kombu says that it is typed, but most of its functions carry no annotations:
# mypy: disallow-untyped-calls=False

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu.connection import Connection

from analytics_automated.config.filesystem_broker import broker_settings

pytestmark = pytest.mark.stack("embedded")
HERE = Path(__file__).parent
MESSAGES = int(os.environ.get("AA_STRESS_MESSAGES", "2000"))
KILLS = max(4, MESSAGES // 1000)
WORKERS = 4
QUEUES = ("stress-a", "stress-b")
CONCURRENCY = 2
PREFETCH = 4
HELD = CONCURRENCY * PREFETCH + CONCURRENCY + 1
"""What one worker can lose: fetched ahead, begun but not yet logged, and just taken."""
PATIENCE = 60 + MESSAGES / 50
"""Seconds. Decides nothing, but ends a run that hangs."""


class Stress:
    """A folder with a broker, and the processes that use it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        (folder / "deliveries").mkdir()
        (folder / "logs").mkdir()
        settings = broker_settings(folder / "broker")
        self.connection = Connection(
            settings["broker_url"],
            transport=settings["broker_transport"],
            transport_options=settings["broker_transport_options"],
        )

    def worker(self) -> subprocess.Popen[bytes]:
        command = ["-m", "celery", "--app", "broker_processes", "worker", "--loglevel", "WARNING"]
        command += ["--pool", "threads", "--concurrency", str(CONCURRENCY), "--queues", ",".join(QUEUES)]
        command += ["--prefetch-multiplier", str(PREFETCH)]
        command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        return self._start(*command, "--hostname", f"worker-{len(self.processes)}")

    def publisher(self, name: str, count: int) -> subprocess.Popen[bytes]:
        return self._start(str(HERE / "broker_processes.py"), name, str(count), *QUEUES)

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        inherited = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        environment = {**inherited, "AA_STRESS_FOLDER": str(self.folder), "PYTHONPATH": str(HERE)}
        with (self.folder / "logs" / f"{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=environment,
            )
        self.processes.append(process)
        return process

    def delivered(self) -> Counter[str]:
        logs = (self.folder / "deliveries").iterdir()
        return Counter(line for log in logs for line in log.read_text().splitlines())

    def waiting(self) -> list[str]:
        """Take what is left in the queues, and say what it is."""
        channel = self.connection.default_channel
        messages = []
        for queue in QUEUES:
            while message := channel.basic_get(queue, no_ack=True):
                messages.append(message.decode()[0][0])
        return messages

    def is_empty(self) -> bool:
        return not any(self.connection.default_channel._size(queue) for queue in QUEUES)

    def logs(self) -> str:
        return "\n".join(path.read_text() for path in sorted((self.folder / "logs").iterdir()))

    def close(self) -> None:
        self.connection.release()
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def stress(tmp_path: Path) -> Iterator[Stress]:
    stress = Stress(tmp_path)
    yield stress
    stress.close()


@pytest.mark.slow
def test_workers_that_are_killed_lose_what_they_held_and_nothing_is_delivered_twice(stress: Stress) -> None:
    began = time.monotonic()
    publishers = [stress.publisher(name, MESSAGES // 2) for name in ("one", "two")]
    workers = [stress.worker() for _ in range(WORKERS)]
    killed = 0

    while not (killed == KILLS and stress.is_empty() and all(p.poll() == 0 for p in publishers)):
        assert time.monotonic() - began < PATIENCE, stress.logs()
        assert all(publisher.poll() in (None, 0) for publisher in publishers), stress.logs()
        assert all(worker.poll() is None for worker in workers), stress.logs()
        if killed < KILLS and stress.delivered().total() > MESSAGES * (killed + 1) / (KILLS + 2):
            time.sleep(random.random() / 10)
            victim = random.randrange(WORKERS)
            workers[victim].kill()
            workers[victim].wait()
            workers[victim] = stress.worker()
            killed += 1
        time.sleep(0.02)

    for worker in workers:
        worker.terminate()
    assert [worker.wait(timeout=60) for worker in workers] == [0] * WORKERS, stress.logs()

    delivered = stress.delivered()
    waiting = stress.waiting()
    published = {f"{name}-{number}" for name in ("one", "two") for number in range(MESSAGES // 2)}
    lost = published - set(delivered) - set(waiting)
    print(
        f"{len(published)} published, {len(delivered)} delivered, {len(waiting)} given back at the end, "
        f"{len(lost)} lost by {killed} kills, {time.monotonic() - began:.1f} s"
    )
    assert [message for message, times in delivered.items() if times > 1] == []
    assert not set(waiting) & set(delivered)
    assert published >= set(delivered) | set(waiting)
    assert len(lost) <= killed * HELD
    assert list((stress.folder / "broker" / "set-aside").iterdir()) == []
    assert "Traceback" not in stress.logs()


def test_a_worker_that_is_stopped_gives_back_what_it_has_not_begun(stress: Stress) -> None:
    began = time.monotonic()
    assert stress.publisher("one", 200).wait(timeout=PATIENCE) == 0, stress.logs()
    worker = stress.worker()
    while not stress.delivered():
        assert worker.poll() is None, stress.logs()
        assert time.monotonic() - began < PATIENCE, stress.logs()
        time.sleep(0.01)

    worker.terminate()
    assert worker.wait(timeout=60) == 0, stress.logs()

    delivered, waiting = stress.delivered(), Counter(stress.waiting())
    assert delivered + waiting == Counter(f"one-{number}" for number in range(200))
    assert "Traceback" not in stress.logs()
