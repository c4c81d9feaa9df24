"""The faults. Each strikes once, and says whether there was something to strike."""

import contextlib
import random
import signal
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg

from faults.storm.figures import Figures
from faults.storm.installation import LEASE, Installation, attempt_of
from faults.storm.jobs import SMALL
from faults.storm.load import Load
from faults.storm.messages import Messages

FULL_SECONDS = 2.5
"""The disk is full for so long: a worker looks every second."""
AWAY_SECONDS = 2.0
"""A server is away for at most so long."""


class Strikes:
    """What befalls an installation. Some faults last: `settle` waits until all are over."""

    def __init__(self, installation: Installation, load: Load, seed: int, figures: Figures) -> None:
        self.installation, self.load, self.figures = installation, load, figures
        self.chance = random.Random(f"{seed} strikes")
        self.messages = Messages(installation.data, installation.broker_url)
        self.struck: set[str] = set()
        """Attempts of which a process was killed."""
        self.full: list[tuple[float, float]] = []
        """When the small disk was full, in seconds since 1970."""
        self._lasting: list[threading.Thread] = []
        self._is_filling = threading.Lock()
        self._kinds = self._possible()
        self._due = deque[str]()

    def _possible(self) -> dict[str, tuple[Callable[[], bool], int]]:
        """The faults by name, with weights."""
        kinds: dict[str, tuple[Callable[[], bool], int]] = {
            "worker killed": (self._kill_worker, 8),
            "command killed": (self._kill_command, 8),
            "web killed": (self._kill_web, 2),
            "beat killed": (self._kill_beat, 1),
            "worker frozen": (self._freeze_worker, 3),
            "messages lost": (self._lose_messages, 2),
            "messages doubled": (self._double_messages, 2),
            "messages delayed": (self._delay_messages, 2),
        }
        if self.installation.disk.is_small:
            kinds["disk filled"] = (self._fill_disk, 2)
        else:
            self.figures.skipped.append("disk filled: only root can mount a small disk")
        if self.installation.redis is None:
            kinds["broker removed"] = (self._remove_broker, 1)
            self.figures.skipped.append("database and broker restarted: SQLite and files have no servers")
        else:
            kinds |= {
                "database restarted": (self._restart_database, 1),
                "database crashed": (self._crash_database, 1),
                "broker restarted": (self._restart_broker, 1),
                "broker restarted empty": (self._restart_broker_empty, 1),
            }
        return kinds

    def strike(self) -> bool:
        """One fault; False where there was nothing for it to strike. They come in turns that begin with one of each
        kind, so that even a few are of many kinds."""
        if not self._due:
            self._due.extend(self._turn())
        name = self._due.popleft()
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if self._kinds[name][0]():
                self.figures.faults[name] += 1
                return True
        self._due.append(name)
        return False

    def _turn(self) -> list[str]:
        once = list(self._kinds)
        more = [name for name, (_, weight) in self._kinds.items() for _ in range(weight - 1)]
        return [*self.chance.sample(once, len(once)), *self.chance.sample(more, len(more))]

    def lose_the_last(self) -> None:
        """With all workers killed, submissions come, and their messages are lost: nothing but a look at the database
        tells the workers that come next."""
        for each in self.installation.workers():
            each.send_signal(signal.SIGKILL)
        self.load.send_more("one")
        self.messages.lose_all()
        self.figures.faults["last messages lost"] += 1

    def settle(self) -> None:
        """Wait until all that lasts is over."""
        for each in self._lasting:
            each.join()

    def close(self) -> None:
        """Let go of the broker."""
        self.messages.close()

    def _last(self, thread: threading.Thread) -> None:
        thread.start()
        self._lasting.append(thread)

    def _kill_worker(self) -> bool:
        workers = self.installation.workers()
        if workers:
            self.chance.choice(workers).send_signal(signal.SIGKILL)
        return bool(workers)

    def _kill_command(self) -> bool:
        """A process of a command, whichever."""
        found = [
            (child, attempt)
            for worker in self.installation.workers()
            for child in worker.children(recursive=True)
            if (attempt := attempt_of(child))
        ]
        if found:
            child, attempt = self.chance.choice(found)
            self.struck.add(attempt)
            child.send_signal(signal.SIGKILL)
        return bool(found)

    def _kill_web(self) -> bool:
        """Of its processes, one or the other."""
        return self._kill_own("web")

    def _kill_beat(self) -> bool:
        return self._kill_own("beat")

    def _kill_own(self, name: str) -> bool:
        found = self.installation.system.children().get(name)
        if found is not None:
            self.chance.choice([found, *found.children(recursive=True)]).send_signal(signal.SIGKILL)
        return found is not None

    def _freeze_worker(self) -> bool:
        """Past its lease; then it wakes, before or after another worker has ended what was its step."""
        awake = [each for each in self.installation.workers() if each.status() != psutil.STATUS_STOPPED]
        if not awake:
            return False
        frozen = self.chance.choice(awake)
        frozen.send_signal(signal.SIGSTOP)
        self._last(threading.Timer(LEASE * self.chance.uniform(1.0, 2.0), _wake, [frozen]))
        return True

    def _lose_messages(self) -> bool:
        self.messages.lose_all()
        return True

    def _double_messages(self) -> bool:
        rows = self.installation.rows("SELECT id FROM runs_steprun ORDER BY id DESC LIMIT 2000")
        known = [int(str(row["id"])) for row in rows]
        self.messages.double(self.chance.sample(known, min(20, len(known))), self.chance)
        return True

    def _delay_messages(self) -> bool:
        self._last(self.messages.delay())
        return True

    def _remove_broker(self) -> bool:
        self.messages.forget_broker()
        return True

    def _restart_database(self) -> bool:
        """As `pg_ctl restart --mode=fast` does."""
        server = self.installation.postgresql
        assert server is not None
        server.stop()
        time.sleep(self.chance.random() * AWAY_SECONDS)
        server.start()
        return True

    def _crash_database(self) -> bool:
        """As `pg_ctl restart --mode=immediate` does: without a checkpoint, and by recovery."""
        server = self.installation.postgresql
        assert server is not None
        server.crash()
        time.sleep(self.chance.random() * AWAY_SECONDS)
        server.start()
        return True

    def _restart_broker(self) -> bool:
        """Killed; it comes back with what it held."""
        return self._killed_broker(forgets=False)

    def _restart_broker_empty(self) -> bool:
        """Killed; it comes back with nothing."""
        return self._killed_broker(forgets=True)

    def _killed_broker(self, *, forgets: bool) -> bool:
        server = self.installation.redis
        assert server is not None
        server.kill()
        if forgets:
            server.forget()
        time.sleep(self.chance.random() * AWAY_SECONDS)
        server.start()
        return True

    def _fill_disk(self) -> bool:
        if not self._is_filling.acquire(blocking=False):
            return False
        began = time.time()
        filler = self.installation.disk.fill()
        self._last(threading.Thread(target=self._empty_disk, args=(filler, began)))
        self.load.send_more("placed")  # before any worker has looked at the disk again
        return True

    def _empty_disk(self, filler: Path, began: float) -> None:
        deadline = time.monotonic() + FULL_SECONDS
        is_told = False
        statement = "SELECT 1 FROM runs_outlook WHERE backend = :backend AND obstacle = 'work_full'"
        while time.monotonic() < deadline:
            time.sleep(0.25)
            with contextlib.suppress(psycopg.OperationalError, sqlite3.OperationalError):
                is_told = is_told or bool(self.installation.rows(statement, backend=SMALL))
        filler.unlink()
        self.figures.said_why += is_told
        self.full.append((began, time.time()))
        self._is_filling.release()


def _wake(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(signal.SIGCONT)
