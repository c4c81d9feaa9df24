"""Polls of one completed submission: as many as the service answers."""

import multiprocessing
import re
import shutil
import subprocess
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import SplitResult

from bench.figures import Rate
from bench.http_connection import Connection
from bench.processes import BenchmarkError

CONNECTIONS = 8
BUILT_IN_CONNECTIONS = 4
"""Each is a process of its own: more would only take the processor from the service."""


@dataclass(frozen=True, slots=True)
class Polls:
    """The rate, and by what client it was measured."""

    rate: Rate
    client: str


def measure_polls(address: SplitResult, submission_id: str, *, seconds: int) -> Polls:
    """Poll for so long, on kept connections, each poll when the one before was answered: by wrk where it is
    installed, else by processes of ours, which take more of the machine themselves."""
    path = f"/api/v1/submissions/{submission_id}"
    if wrk := shutil.which("wrk"):
        return Polls(_by_wrk(wrk, address.geturl().rstrip("/") + path, seconds), f"wrk, {CONNECTIONS} connections")
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(BUILT_IN_CONNECTIONS, mp_context=spawn) as processes:
        list(processes.map(_poll, *_shares(address, path, 0.2)))  # the processes start, before time is taken
        answered = list(processes.map(_poll, *_shares(address, path, seconds)))
    rate = Rate(sum(answered), seconds)
    return Polls(rate, f"built-in client, {BUILT_IN_CONNECTIONS} connections")


def _shares(address: SplitResult, path: str, seconds: float) -> tuple[list[SplitResult], list[str], list[float]]:
    return [address] * BUILT_IN_CONNECTIONS, [path] * BUILT_IN_CONNECTIONS, [seconds] * BUILT_IN_CONNECTIONS


def _poll(address: SplitResult, path: str, seconds: float) -> int:
    answered = 0
    until = time.monotonic() + seconds
    with Connection(address) as connection:
        while time.monotonic() < until:
            if (status := connection.get(path).status) != HTTPStatus.OK:
                raise BenchmarkError(f"a poll was answered by {status}")
            answered += 1
    return answered


def _by_wrk(wrk: str, url: str, seconds: int) -> Rate:
    done = subprocess.run(
        [wrk, "--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds}s", url],
        capture_output=True,
        text=True,
        timeout=seconds + 30,
        check=False,
    )
    return read_wrk(done.stdout)


def read_wrk(text: str) -> Rate:
    """The rate from what wrk 4 prints. Raises `BenchmarkError` where it saw errors, or printed none."""
    found = re.search(r"(\d+) requests in ([\d.]+)(ms|s|m)", text)
    if found is None or "Non-2xx" in text or "Socket errors" in text:
        raise BenchmarkError(f"wrk measured no good polls:\n{text}")
    unit = {"ms": 0.001, "s": 1.0, "m": 60.0}[found[3]]
    return Rate(int(found[1]), float(found[2]) * unit)
