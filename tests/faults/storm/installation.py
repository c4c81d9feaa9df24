"""What the storm falls upon: an installation, its servers, more workers than `aa up` has, and a small disk."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

import stacks
from faults.storm.jobs import pipeline
from integration.live import AA, MORTAL, LiveSystem, variables
from services.postgresql import PostgreSQL
from services.redis import Redis

LEASE = 3.0
DISK = 24_000_000
"""Bytes of the small disk."""
LEAST_FREE = 8_000_000
"""With less than that free, steps wait."""
MORE_WORKERS = 2


class SmallDisk:
    """A file system in memory, as small as `DISK`. Only root can have one; others get a plain folder."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.is_small = os.geteuid() == 0
        place.mkdir(parents=True)
        if self.is_small:
            options = f"size={DISK},mode=700"
            subprocess.run(["mount", "-t", "tmpfs", "-o", options, "storm", place], check=True)

    def fill(self) -> Path:
        """Write until nothing is free; the file to be removed."""
        filler = self.place / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(65_536))
        return filler

    def remove(self) -> None:
        """Give it back."""
        if self.is_small:
            subprocess.run(["umount", "--lazy", self.place], check=True)


class Installation:
    """One A_A with all that it needs, on the stack of this run."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.data = folder / "data"
        self.postgresql, self.redis = (PostgreSQL(), Redis(keep=True)) if stacks.has_services() else (None, None)
        self.disk = SmallDisk(folder / "disk")
        self.system = LiveSystem(
            self.data,
            AA_LEASE_SECONDS=str(LEASE),
            AA_RECONCILE_INTERVAL="0.5s",
            AA_WORKER_CONCURRENCY="2",
            AA_LOG_LEVEL="WARNING",
            AA_MIN_FREE_WORK=str(LEAST_FREE),
        )
        self.more: list[subprocess.Popen[str]] = []

    @property
    def broker_url(self) -> str | None:
        """Of its Redis; none where it has the embedded broker."""
        return self.redis.url if self.redis is not None else None

    def start(self) -> None:
        """Start servers, configure, serve."""
        if self.postgresql is not None and self.redis is not None:
            self.postgresql.prepare()
            self.postgresql.start()
            self.redis.start()
            stacks.put_on(self.data, self.postgresql.create_database("storm"), self.redis.url)
        file = self.data.with_name("storm.yaml")
        file.write_text(pipeline(self.disk.place))
        for words in (["manage", "migrate", "--verbosity", "0"], ["apply", str(file)]):
            environment = variables(self.data, **self.system.settings)
            subprocess.run([str(AA), *words], env=environment, stdout=subprocess.PIPE, check=True, timeout=300)
        self.system.start()
        self.keep_workers()

    def keep_workers(self) -> None:
        """Start workers in the place of those that were killed; `aa up` does so with its own."""
        self.more = [each for each in self.more if each.poll() is None]
        while len(self.more) < MORE_WORKERS:
            with self.system.log.open("a") as log:
                command = [*MORTAL, str(AA), "worker", "--data", str(self.data), "--concurrency", "2"]
                environment = variables(self.data, **self.system.settings)
                self.more.append(
                    subprocess.Popen(command, env=environment, stderr=log, text=True, start_new_session=True)
                )

    def workers(self) -> list[psutil.Process]:
        """The workers that live, `aa up`'s own among them."""
        own = self.system.children().get("worker")
        more = [psutil.Process(each.pid) for each in self.more if each.poll() is None]
        return [*([own] if own else []), *more]

    def stop(self) -> int | None:
        """Stop all in order; the exit code of `aa up`, if it stopped."""
        for each in self.more:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each.pid, signal.SIGCONT)
                os.kill(each.pid, signal.SIGTERM)
        for each in self.more:
            with contextlib.suppress(subprocess.TimeoutExpired):
                each.wait(timeout=30)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.system.stop()
        return None

    def remove(self) -> None:
        """End whatever is left, and give back servers and disk."""
        if self.system.process is not None:
            self.system.kill()
        for each in self.more:
            each.wait()
        for server in (self.postgresql, self.redis):
            if server is not None:
                server.remove()
        with contextlib.suppress(subprocess.CalledProcessError):
            self.disk.remove()

    def rows(self, statement: str, **values: object) -> list[dict[str, object]]:
        """Ask its database."""
        return stacks.rows(self.data, statement, **values)

    def is_at_rest(self) -> bool:
        """Whether nothing is in progress, no command runs and no work folder is there."""
        live = "SELECT id FROM runs_submission WHERE status IN ('SUBMITTED', 'RUNNING') LIMIT 1"
        return not self.rows(live) and not self.work_folders() and not self.commands()

    def rest(self, patience: float) -> bool:
        """Wait until nothing is under way; the bound only ends a run that hangs."""
        deadline = time.monotonic() + patience
        while not self.is_at_rest():
            if time.monotonic() > deadline:
                return False
            self.keep_workers()
            time.sleep(0.5)
        return True

    def unrest(self) -> Iterator[str]:
        """What is still under way, and what may keep it from its end: for whoever looks for a fault."""
        live = "SELECT * FROM runs_steprun WHERE status IN ('PENDING', 'QUEUED', 'RUNNING') ORDER BY id LIMIT 20"
        yield from (f"step under way: {row}" for row in self.rows(live))
        yield from (f"said of a backend: {row}" for row in self.rows("SELECT * FROM runs_outlook WHERE obstacle <> ''"))
        yield from (f"worker {process.pid} is {process.status()}" for process in self.workers())
        if self.postgresql is not None:
            sessions = "SELECT * FROM pg_stat_activity WHERE datname = 'storm' AND state <> 'idle'"
            yield from (f"session: {row}" for row in self.rows(sessions))

    def work_folders(self) -> list[Path]:
        """Folders of attempts."""
        return [*(self.data / "work").iterdir(), *self.disk.place.iterdir()]

    def commands(self) -> list[psutil.Process]:
        """Processes of tasks."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(OSError, psutil.Error):
                if (attempt := attempt_of(process)) and self._is_ours(process, attempt):
                    found.append(process)
        return found

    def _is_ours(self, process: psutil.Process, attempt: str) -> bool:
        environment = Path(f"/proc/{process.pid}/environ").read_bytes()
        return any(
            os.fsencode(place / f"aa-{attempt}") in environment for place in (self.data / "work", self.disk.place)
        )


def attempt_of(process: psutil.Process) -> str:
    """The attempt that a process carries; nothing where it is no command's, or has gone."""
    with contextlib.suppress(OSError):
        for variable in Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0"):
            name, _, value = variable.partition(b"=")
            if name == b"AA_ATTEMPT":
                return value.decode()
    return ""
