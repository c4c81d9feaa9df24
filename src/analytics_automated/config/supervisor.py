"""`aa up`: the whole system on this machine, as children of one process."""

import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from analytics_automated.config.data_folder import DataFolder

SUPERVISOR_VARIABLE = "AA_SUPERVISOR_PID"
"""Tells a child whose child it is."""
FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0
"""Seconds before a child that died is started again: doubled from death to death."""
HEALTHY_SECONDS = 10.0
"""A child that ran this long starts with the first delay again."""
STOP_SECONDS = 15.0
"""What children have to stop, beyond the grace that running steps have."""
HURRY_SECONDS = 5.0
"""What they have once they were told again: a worker ends what it runs, and gives it back."""
_PR_SET_PDEATHSIG = 1


class AlreadyUp(Exception):
    """Another process serves the data folder. The argument is its id, or nothing where it is unknown."""


@contextlib.contextmanager
def data_folder_lock(folder: DataFolder) -> Iterator[None]:
    """Hold the data folder for one `aa up`; the kernel lets go whatever becomes of this process.

    Raises `AlreadyUp`.
    """
    folder.make()
    descriptor = os.open(folder.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyUp(os.read(descriptor, 32).decode().strip()) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def end_with_supervisor() -> bool:
    """Called in a child: have the kernel send SIGTERM when the supervisor dies, however it dies (Linux). False where
    there is none: this process was started by itself."""
    supervisor = os.environ.pop(SUPERVISOR_VARIABLE, "")
    if not supervisor:
        return False
    end_with_parent(int(supervisor), signal.SIGTERM)
    return True


def end_with_parent(parent: int, number: signal.Signals) -> None:
    """Have the kernel send this process that signal when its parent dies (Linux: prctl(2), PR_SET_PDEATHSIG); where it
    is dead already, end."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:
            raise SystemExit(0)


@dataclass
class _Child:
    name: str
    arguments: list[str]
    descriptors: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    delay: float = FIRST_DELAY
    due: float = field(default_factory=time.monotonic)

    def start(self) -> None:
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "analytics_automated.cli", *self.arguments],
            stdin=subprocess.DEVNULL,
            env={**os.environ, SUPERVISOR_VARIABLE: str(os.getpid())},
            pass_fds=self.descriptors,
            start_new_session=True,  # a Ctrl-C reaches the supervisor alone, which then stops them in order
        )

    def look(self) -> None:
        """Start it when it is due; note its death."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.due:
                self.start()
            return
        code = self.process.poll()
        if code is None:
            return
        self.process = None
        if now - self.started >= HEALTHY_SECONDS:
            self.delay = FIRST_DELAY
        self.due = now + self.delay
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        print(f"aa: {self.name} ended ({how}); started again in {self.delay:g} s", file=sys.stderr, flush=True)
        self.delay = min(self.delay * 2, LONGEST_DELAY)

    def terminate(self) -> None:
        """Ask it to stop."""
        if self.process is not None:
            self.process.terminate()

    def kill(self) -> None:
        """End it at once, with all that came from it: what a worker runs has sessions of its own."""
        if self.process is None or self.process.poll() is not None:
            return
        family = []
        with contextlib.suppress(psutil.NoSuchProcess):
            family = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


def supervise(descriptor: int, data: Path, grace: float) -> None:
    """Run web (on that listening socket), worker and beat until SIGTERM or SIGINT, then stop them all.

    Children stop at SIGTERM within `grace` seconds and some; those that do not are killed. A second signal has
    the worker give back what it runs at once; a third kills all.
    """
    stopped: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda given, _frame: stopped.append(given))
    common = ["--data", str(data)]
    children = [
        _Child("web", ["web", "--descriptor", str(descriptor), *common], (descriptor,)),
        _Child("worker", ["worker", *common]),
        _Child("beat", ["beat", *common]),
    ]
    while not stopped:
        for child in children:
            child.look()
        time.sleep(0.2)
    for child in children:
        child.terminate()
    deadline, told = time.monotonic() + grace + STOP_SECONDS, 1
    while any(child.process and child.process.poll() is None for child in children):
        if told == 1 and len(stopped) > 1:
            deadline, told = min(deadline, time.monotonic() + HURRY_SECONDS), 2
            for child in children:
                child.terminate()
        if time.monotonic() > deadline or len(stopped) > 2:
            for child in children:
                child.kill()
            break
        time.sleep(0.02)
    for child in children:
        if child.process:
            child.process.wait()
