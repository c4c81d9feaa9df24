"""The benchmark, interrupted: nothing of it stays."""

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.live import MORTAL, ROOT, processes_of, until, variables


@pytest.fixture
def folder() -> Iterator[Path]:
    """For temporary files; a database server's own user can enter it."""
    made = Path(tempfile.mkdtemp(prefix="aa-bench-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.mark.parametrize(
    "part",
    [
        pytest.param("idle", marks=pytest.mark.stack("embedded")),
        pytest.param("polls", marks=pytest.mark.stack("services")),
    ],
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_benchmark_that_is_interrupted_leaves_nothing(folder: Path, part: str, number: signal.Signals) -> None:
    environment = {**variables(folder / "unused"), "TMPDIR": str(folder)}
    with subprocess.Popen([*MORTAL, sys.executable, "-m", "bench", part], env=environment, cwd=ROOT) as bench:
        try:
            until(lambda: any(folder.glob("*/database.sqlite3*")) or any(folder.glob("*/beat")), "an installation")
            bench.send_signal(number)
            bench.send_signal(number)
            assert bench.wait(60) == 1
        finally:
            bench.kill()
    until(lambda: processes_of(folder) == [], "all processes to end")
    assert list(folder.iterdir()) == []
