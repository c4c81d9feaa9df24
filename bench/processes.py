"""Processes that a benchmark starts, and always stops."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
STOP_SECONDS = 30.0
"""What a process has to end after SIGTERM, before it is killed with its process group."""
LOG_TAIL = 2_000
"""Characters of its log that are shown where a process failed."""


class BenchmarkError(Exception):
    """The benchmark could not be made. The message says why, and holds the end of the log."""


class Started:
    """A running process: what it prints comes by `stdout`, what it logs goes to a file."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self._log = log

    def read_line(self) -> str:
        """Its next line. Raises `BenchmarkError` where it ended instead."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise self.failure("ended before it was ready")
        return line

    def failure(self, what: str) -> BenchmarkError:
        """An error about this process, with the end of its log."""
        name = " ".join(self.process.args) if isinstance(self.process.args, list) else self.process.args
        return BenchmarkError(f"{name!s} {what}\n{self._log.read_text()[-LOG_TAIL:]}")


@contextmanager
def python(arguments: Sequence[str], environment: Mapping[str, str], *, folder: Path = REPOSITORY) -> Iterator[Started]:
    """Run this Python with the arguments, in that folder; end it when the block ends."""
    with tempfile.NamedTemporaryFile("w", prefix="aa-bench-", suffix=".log") as log:
        process = subprocess.Popen(
            [*_mortal(), sys.executable, *arguments],
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
        with process:
            try:
                yield Started(process, Path(log.name))
            finally:
                _stop(process)


def _mortal() -> list[str]:
    """In front of a command: the kernel sends it SIGTERM when the benchmark dies, however it dies (util-linux)."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
