"""A whole A_A in processes of its own: started by `aa up`, configured by `aa apply`, asked over HTTP, stopped by
signals."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

import stacks

AA = Path(sys.executable).with_name("aa")
ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
PIPELINES = Path(__file__).with_name("pipelines")
MORTAL = (
    sys.executable,
    "-c",
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 15); os.execv(sys.argv[1], sys.argv[1:])",
)
"""In front of a command: the kernel sends it SIGTERM when the process of the tests dies, however it dies (prctl(2),
PR_SET_PDEATHSIG)."""
PATIENCE = 30.0
"""Seconds after which a test that waits for something gives up. No test takes as long when all is well."""
TERMINAL = frozenset({"COMPLETE", "ERROR", "CRASH", "CANCELLED"})

_T = TypeVar("_T")


def until(look: Callable[[], _T | None], what: str, patience: float = PATIENCE) -> _T:
    """Look again and again until there is something to see, and return that."""
    deadline, pause = time.monotonic() + patience, 0.005
    while not (seen := look()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)  # what is waited for needs the processors more
    return seen


def variables(data: Path, **more: str) -> dict[str, str]:
    """The environment of an `aa` command: of A_A's own variables only these, and those of the stack."""
    own = ("AA_", "DJANGO_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return {**inherited, "AA_DATA_DIR": str(data), **stacks.variables_of(data), **more}


def aa(data: Path, *arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run an `aa` command to its end, with more variables."""
    words = [str(word) for word in (AA, *arguments)]
    env = variables(data, **more)
    return subprocess.run(words, env=env, capture_output=True, text=True, check=False, timeout=PATIENCE)


def apply(data: Path, *files: Path, **more: str) -> str:
    """`aa apply`, with more variables; what it printed."""
    done = aa(data, "apply", *files, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def alive(process: psutil.Process | int) -> bool:
    """Whether the process still runs."""
    try:
        process = psutil.Process(process) if isinstance(process, int) else process
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def processes_of(data: Path) -> list[psutil.Process]:
    """All that runs for this data folder, A_A's own processes and commands: it is in their environment."""
    found = []
    for folder in Path("/proc").glob("[1-9]*"):
        with contextlib.suppress(OSError, psutil.NoSuchProcess):
            if str(data).encode() in (folder / "environ").read_bytes():
                found.append(psutil.Process(int(folder.name)))
    return [process for process in found if alive(process)]


class Service:
    """The HTTP service, as a caller meets it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.http = httpx.Client(base_url=address, timeout=PATIENCE, trust_env=False)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.http.base_url.port or 80

    def post(self, job: str, **request: Any) -> httpx.Response:
        """POST to a job; `data`, `files`, `json`, `content` and `headers` are httpx's."""
        return self.http.post(f"/api/v1/jobs/{job}/submissions", **request)

    def submit(self, job: str, **request: Any) -> dict[str, Any]:
        """POST what is taken; the submission."""
        response = self.post(job, **request)
        assert response.status_code == 201, response.text
        return dict(response.json())

    def finished(self, submission: Mapping[str, Any]) -> dict[str, Any]:
        """Poll until the submission has ended."""

        def ended() -> dict[str, Any] | None:
            state = self.get(f"/api/v1/submissions/{submission['id']}").json()
            return state if state["status"] in TERMINAL else None

        return until(ended, f"the end of a submission to {submission['job']}")

    def run(self, job: str, **request: Any) -> dict[str, Any]:
        """POST what is taken, and wait for its end."""
        return self.finished(self.submit(job, **request))

    def get(self, address: str, **request: Any) -> httpx.Response:
        """GET what is there."""
        response = self.http.get(address, **request)
        assert response.status_code == 200, response.text
        return response

    def results(self, submission: Mapping[str, Any]) -> dict[str, bytes]:
        """The bytes of all results, by public name, or by name and file where there may be several."""
        job = self.get(f"/api/v1/jobs/{submission['job']}").json()
        many = {result["name"] for result in job["results"] if result["many"]}
        return {
            f"{each['name']}/{each['file']}" if each["name"] in many else each["name"]: self.get(each["url"]).content
            for each in submission["results"]
        }

    def step(self, submission: Mapping[str, Any], name: str) -> dict[str, Any]:
        """One step of a submission."""
        return next(dict(step) for step in submission["steps"] if step["name"] == name)

    def close(self) -> None:
        """Close the connections."""
        self.http.close()


class LiveSystem:
    """An `aa up` and what it started."""

    def __init__(self, data: Path, **settings: str) -> None:
        self.data = data
        self.settings = settings
        self.log = data.with_name(f"{data.name}.log")
        self.process: subprocess.Popen[str] | None = None
        self.service: Service

    def start(self) -> Service:
        """`aa up` on a free port; returns when the service answers."""
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [*MORTAL, str(AA), "up", "--port", "0", "--data", str(self.data)],
                env=variables(self.data, **self.settings),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        self.service = Service(self._announced())
        self.service.get("/api/v1/jobs")  # the socket is there before the web process: this waits for it
        return self.service

    def _announced(self) -> str:
        assert self.process is not None
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        address = re.search(r"http://[^/\s]+", said)
        assert address, f"aa up said {said!r}\n{self.log.read_text()}"
        return address[0]

    @property
    def pid(self) -> int:
        """The process id of `aa up`."""
        assert self.process is not None
        return self.process.pid

    def children(self) -> dict[str, psutil.Process]:
        """The running children of `aa up`, by command: web, worker and beat."""
        found: dict[str, psutil.Process] = {}
        for child in psutil.Process(self.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                command = child.cmdline()
                found.update({word: child for word in ("web", "worker", "beat") if word in command})
        return found

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it by that signal; its exit code."""
        assert self.process is not None
        self.service.close()
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(timeout=PATIENCE)
        finally:
            _close(self.process)

    def kill(self) -> None:
        """End whatever is left, so that a test that fails leaves nothing behind either."""
        self.service.close()
        for process in processes_of(self.data):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        if self.process is not None:
            self.process.wait()
            _close(self.process)

    def complaints(self) -> list[str]:
        """Lines of the log that tell of a fault."""
        fault = re.compile(r"\S+ (ERROR|CRITICAL) |Traceback|.*Exception in thread")
        return [line for line in self.log.read_text().splitlines() if fault.match(line)]


def _close(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    process.stdout.close()


def holdings(data: Path) -> dict[str, int]:
    """What an installation holds: rows by table, stored files, and files of work folders."""
    counts = (f"SELECT '{table}' AS name, count(*) AS held FROM \"{table}\"" for table in stacks.tables(data))
    held = {row["name"]: row["held"] for row in stacks.rows(data, " UNION ALL ".join(counts))}
    for folder in ("blobs", "work"):
        held[f"{folder}/"] = sum(path.is_file() for path in (data / folder).rglob("*"))
    return held


def stored_bytes(data: Path) -> int:
    """Bytes of all stored files."""
    total = 0
    for path in (data / "blobs").rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            total += path.stat().st_size if path.is_file() else 0
    return total
