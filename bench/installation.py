"""A real installation, in a data folder of its own, with the jobs of `examples/noop.yaml` and the benchmark's own."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from bench.http_connection import Connection
from bench.processes import REPOSITORY, BenchmarkError, Started, python
from bench.stacks import Stack

AA = ["-m", "analytics_automated.cli"]
PIPELINES = (REPOSITORY / "examples" / "noop.yaml", Path(__file__).with_name("pipeline.yaml"))
READY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Installation:
    """One that answers."""

    address: SplitResult
    pid: int
    """The process that all others of it come from."""


@contextmanager
def installation(stack: Stack, command: str = "up") -> Iterator[Installation]:
    """`aa up` on that stack, or another command that serves; nothing of it is left afterwards.

    Settings of the caller's environment (`AA_*`) count, but for those of the stack. Raises `BenchmarkError`.
    """
    with tempfile.TemporaryDirectory(prefix="aa-bench-", ignore_cleanup_errors=True) as data:
        environment = {**stack.variables, "AA_DATA_DIR": data}
        _run(environment, "manage", "migrate", "--verbosity", "0")
        _run(environment, "apply", *map(str, PIPELINES))
        with python([*AA, command, "--port", "0"], environment) as served:
            address = _address(served.read_line())
            _await_ready(address, served)
            yield Installation(address, served.process.pid)


def _run(environment: Mapping[str, str], *arguments: str) -> None:
    """Run an `aa` command to its end."""
    command = [sys.executable, *AA, *arguments]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"`aa {arguments[0]}` failed\n{done.stderr}")


def _address(line: str) -> SplitResult:
    """From what a command says when it listens: an address, or a port."""
    found = re.search(r"(?:127\.0\.0\.1:|port )(\d+)", line)
    if found is None:
        raise BenchmarkError(f"where it listens is not to be seen in: {line}")
    return urlsplit(f"http://127.0.0.1:{found[1]}")


def _await_ready(address: SplitResult, served: Started) -> None:
    # On connections of its own: the first ones stand in the queue of a server that is still starting.
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        with Connection(address) as connection:
            if connection.get("/api/v1/jobs/noop").status == HTTPStatus.OK:
                return
        time.sleep(0.05)
    raise served.failure(f"did not answer within {READY_SECONDS:g} s")
