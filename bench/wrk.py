"""wrk: many requests at once, by a client that takes next to nothing of the machine."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import SplitResult

from bench.figures import Rate
from bench.processes import BenchmarkError

CONNECTIONS = 8
SCRIPT = Path(__file__).with_name("requests.lua")
"""What it asks, and that it counts the answers by status."""


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw."""

    rate: Rate
    statuses: Mapping[str, int]
    """How many answers had which status."""


def load(address: SplitResult, path: str, *, seconds: int, kind: str, expected: HTTPStatus) -> Rate:
    """Ask for so long on kept connections, each again when it was answered: `get`, or `submit` a small file. Raises
    `BenchmarkError` where an answer had another status than the expected one."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise BenchmarkError("wrk is not installed: apt-get install wrk (or see https://github.com/wg/wrk)")
    url = address.geturl().rstrip("/") + path
    options = ["--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds}s"]
    done = subprocess.run(
        [wrk, *options, "--script", str(SCRIPT), url, "--", kind],
        capture_output=True,
        text=True,
        timeout=seconds + 30,
        check=False,
    )
    seen = read(done.stdout)
    if set(seen.statuses) != {str(expected.value)}:
        raise BenchmarkError(f"{path} was not always answered by {expected.value}: {dict(seen.statuses)}")
    return seen.rate


def read(text: str) -> Load:
    """What wrk 4 and the script print. Raises `BenchmarkError` where connections failed, or nothing was measured."""
    found = re.search(r"(\d+) requests in ([\d.]+)(ms|s|m)", text)
    statuses = re.search(r"^statuses (\{.*\})$", text, re.MULTILINE)
    if found is None or statuses is None or "Socket errors" in text:
        raise BenchmarkError(f"wrk measured nothing good:\n{text}")
    unit = {"ms": 0.001, "s": 1.0, "m": 60.0}[found[3]]
    return Load(Rate(int(found[1]), float(found[2]) * unit), json.loads(statuses[1]))
