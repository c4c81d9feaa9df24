"""A real installation: `aa up` in a data folder of its own, with the jobs of `examples/noop.yaml`."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from urllib.parse import SplitResult, urlsplit

from bench.http_connection import Connection
from bench.processes import REPOSITORY, BenchmarkError, Started, python

AA = ["-m", "analytics_automated.cli"]
PIPELINE = REPOSITORY / "examples" / "noop.yaml"
READY_SECONDS = 30.0


@contextmanager
def installation() -> Iterator[SplitResult]:
    """The address of an installation that answers; nothing of it is left afterwards.

    Settings of the caller's environment (`AA_*`) count, but for the data folder. Raises `BenchmarkError`.
    """
    with tempfile.TemporaryDirectory(prefix="aa-bench-") as data:
        environment = {"AA_DATA_DIR": data}
        _apply(data)
        with python([*AA, "up", "--port", "0"], environment) as up:
            address = urlsplit(next(word for word in up.read_line().split() if word.startswith("http")))
            _await_ready(address, up)
            yield address


def _apply(data: str) -> None:
    command = [sys.executable, *AA, "apply", str(PIPELINE), "--data", data]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"{PIPELINE.name} cannot be applied\n{done.stderr}")


def _await_ready(address: SplitResult, up: Started) -> None:
    # On connections of its own: the first ones stand in the queue of a server that is still starting.
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        with Connection(address) as connection:
            if connection.get("/api/v1/jobs/noop").status == HTTPStatus.OK:
                return
        time.sleep(0.05)
    raise up.failure(f"did not answer within {READY_SECONDS:g} s")
