"""Workers that are stopped, replaced and upgraded while there is work: web and workers as processes of their own."""

import contextlib
import itertools
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

import stacks
from integration.live import AA, MORTAL, PATIENCE, Service, alive, apply, processes_of, until, variables

PIPELINE = """\
format: 1
pipeline: stopping
backends: {gate_ground: {sandbox: "off"}}  # its commands meet the tests outside
tasks:
  gate:
    backend: gate_ground
    inputs: {text: text.txt}
    outputs: {done: done.txt}
    parameters: {place: {type: string}}
    script: |
      trap '' TERM
      sleep 300 & setsid sleep 300 &
      echo "$$" >> "$param_place/$submission_id.pid"
      until [ -e "$param_place/go" ]; do sleep 0.02; done
      cp "$input_text" "$output_done"
      kill -KILL $(jobs -p)
  copy: {inputs: {text: in.txt}, outputs: {done: out.txt}, command: "cp {input.text} {output.done}"}
  again: {inputs: {done: in.txt}, outputs: {done_again: out.txt}, command: "cp {input.done} {output.done_again}"}
jobs:
  gate: {runnable: true, steps: [gate]}
  copy: {runnable: true, steps: [copy, again]}
"""
NEWS = PIPELINE.replace("pipeline: stopping", "pipeline: news").replace("gate", "fence").replace("copy:", "news:")
NEWS = NEWS.replace("[copy, again]", "[news]").replace("  again: {", "  later: {")
NEWER = """\
from analytics_automated.pipelines import plans

class Plan(plans.Plan):
    novelty: int = 1

    def to_json(self):
        return super().to_json()[:-1] + ',"novelty":1}'

plans.Plan, plans.FORMAT = Plan, 2
from analytics_automated.cli import main
main()
"""
"""An `aa` of the next version, whose plans hold something that this one does not know."""
VERSIONS = {"this": [str(AA)], "next": [sys.executable, "-c", NEWER]}


class Installation:
    """A web server and workers, each a process of its own, on one data folder."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.data, self.log = folder / "data", folder / "log"
        self.settings = {"AA_RECONCILE_INTERVAL": "0.5s", "AA_LEASE_SECONDS": "20", **settings}
        (folder / "stopping.yaml").write_text(PIPELINE)
        apply(self.data, folder / "stopping.yaml")
        self.processes: list[subprocess.Popen[str]] = []
        self.services: list[Service] = []

    def aa(self, *arguments: str, version: str = "this") -> subprocess.Popen[str]:
        """Start an `aa` command."""
        with self.log.open("a") as log:
            made = subprocess.Popen(
                [*MORTAL, *VERSIONS[version], *arguments],
                env=variables(self.data, **self.settings),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        self.processes.append(made)
        return made

    def web(self, version: str = "this") -> Service:
        """Start a web server."""
        web = self.aa("web", "--port", "0", version=version)
        assert web.stdout is not None
        port = re.search(r"port (\d+)", web.stdout.readline())
        assert port, self.log.read_text()
        self.services.append(Service(f"http://127.0.0.1:{port[1]}"))
        return self.services[-1]

    def worker(self, version: str = "this") -> subprocess.Popen[str]:
        """Start a worker; returns when it takes up steps."""
        said = self.log.read_text().count("this worker takes up steps") if self.log.exists() else 0
        worker = self.aa("worker", "--concurrency", "2", version=version)
        until(lambda: self.log.read_text().count("this worker takes up steps") > said, "a worker that is ready")
        return worker

    def told(self, worker: subprocess.Popen[str], number: int) -> None:
        """Send a worker its first signal; returns when it has taken note."""
        said = self.log.read_text().count("this worker stops")
        worker.send_signal(number)
        until(lambda: self.log.read_text().count("this worker stops") > said, "the worker to take note")

    def complaints(self) -> list[str]:
        """Lines of the log that tell of a fault."""
        return re.findall(r"^(?:\S+ (?:ERROR|CRITICAL) |Traceback).*", self.log.read_text(), re.MULTILINE)

    def end(self) -> None:
        """End all that is left."""
        for service in self.services:
            service.close()
        for process in processes_of(self.data):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        for made in self.processes:
            made.wait()
            assert made.stdout is not None
            made.stdout.close()


@contextlib.contextmanager
def installed(folder: Path, **settings: str) -> Iterator[Installation]:
    installation = Installation(folder, **settings)
    try:
        yield installation
        assert installation.complaints() == []
    finally:
        installation.end()


def submitted(service: Service, place: Path, job: str = "gate") -> dict[str, Any]:
    """A submission whose step runs until there is a file `go`."""
    return service.submit(job, data={f"{job}_place": str(place)}, files={"text": b"text"})


def commands(place: Path, submission: dict[str, Any], count: int = 1) -> list[int]:
    """The process ids of a submission's commands so far, once they are that many."""
    file = place / f"{submission['id']}.pid"

    def seen() -> list[int]:
        pids = [int(line) for line in file.read_text().split()] if file.exists() else []
        return pids if len(pids) >= count else []

    return until(seen, f"{count} commands")


def runs(data: Path, submissions: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The StepRuns of these as the database has them."""
    mine = {each["id"].replace("-", "") for each in submissions}
    columns = "id, submission_id, step, status, attempt, tries, worker"
    found = stacks.rows(data, f"SELECT {columns} FROM runs_steprun")
    return [row for row in found if str(row["submission_id"]).replace("-", "") in mine]


def attempts(data: Path) -> dict[int, list[tuple[int, str]]]:
    """Number and cause of the attempts of each StepRun, in the order of their numbers."""
    rows = stacks.rows(data, "SELECT step_run_id, number, cause FROM runs_attempt ORDER BY step_run_id, number")
    grouped = itertools.groupby(rows, key=lambda row: row["step_run_id"])
    return {key: [(row["number"], row["cause"]) for row in group] for key, group in grouped}


def test_workers_are_replaced_one_by_one_under_load_and_nothing_is_lost(tmp_path: Path) -> None:
    with installed(tmp_path, AA_STOP_GRACE="0.3s") as installation:
        service = installation.web()
        workers = [installation.worker(), installation.worker()]
        long = [submitted(service, tmp_path) for _ in range(2)]
        sent: list[dict[str, Any]] = []
        ended = threading.Event()

        def load() -> None:
            with contextlib.closing(Service(service.address)) as caller:
                while not ended.is_set():
                    sent.append(caller.submit("copy", files={"text": str(len(sent)).encode()}))
                    time.sleep(0.1)

        caller = threading.Thread(target=load)
        caller.start()
        try:
            for turn in range(4):
                [row] = runs(installation.data, long[:1])
                commands(tmp_path, long[0], row["attempt"])
                before = len(sent)
                stopped = workers.pop(0)
                stopped.send_signal(signal.SIGTERM)
                assert stopped.wait(timeout=PATIENCE) == 0
                workers.append(installation.worker())
                until(lambda known=before: len(sent) >= known + 5, f"submissions in turn {turn}")
        finally:
            ended.set()
            caller.join()
        (tmp_path / "go").touch()
        for given in [*long, *sent]:
            assert service.finished(given)["status"] == "COMPLETE", given
        for number, given in enumerate(sent):
            content = str(number).encode()
            assert service.results(service.finished(given)) == {"copy_done": content, "again_done_again": content}
        tried = attempts(installation.data)
        rows = runs(installation.data, [*long, *sent])
        assert len(rows) == len(long) + 2 * len(sent)
        for row in rows:
            numbers = [number for number, _ in tried[row["id"]]]
            causes = [cause for _, cause in tried[row["id"]]]
            assert numbers == list(range(1, row["attempt"] + 1)), "every attempt is there"
            assert causes == ["cancelled"] * (row["attempt"] - 1) + ["exit"], "all but the last were given back"
            assert row["tries"] == 0, "what was given back counts for nothing"
        assert max(row["attempt"] for row in runs(installation.data, long)) > 1
        complete = "SELECT submission_id, step FROM runs_event WHERE status = 'COMPLETE' AND step <> ''"
        told = [(row["submission_id"], row["step"]) for row in stacks.rows(installation.data, complete)]
        assert sorted(told) == sorted((row["submission_id"], row["step"]) for row in rows), "each ended once"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_what_a_worker_runs_and_gives_it_back_at_once(number: int, tmp_path: Path) -> None:
    with installed(tmp_path, AA_STOP_GRACE="60s") as installation:
        service = installation.web()
        worker = installation.worker()
        given = [submitted(service, tmp_path) for _ in range(2)]
        first = [pid for each in given for pid in commands(tmp_path, each)]
        waiting = submitted(service, tmp_path)
        installation.told(worker, number)
        assert all(alive(pid) for pid in first), "what runs has its time"
        worker.send_signal(number)
        assert worker.wait(timeout=PATIENCE) == 0
        left = [process.cmdline() for process in processes_of(installation.data) if "web" not in process.cmdline()]
        assert left == []
        states = [
            (row["status"], row["attempt"], row["tries"], row["worker"]) for row in runs(installation.data, given)
        ]
        assert states == [("QUEUED", 1, 0, "")] * 2
        [untouched] = runs(installation.data, [waiting])
        assert (untouched["status"], untouched["attempt"]) == ("QUEUED", 0), "it took nothing new"
        assert list((installation.data / "work").iterdir()) == []

        installation.worker()
        (tmp_path / "go").touch()
        for each in given:
            ended = service.finished(each)
            assert (ended["status"], service.step(ended, "gate")["attempt"]) == ("COMPLETE", 2)
        assert service.step(service.finished(waiting), "gate")["attempt"] == 1


def test_what_a_stopping_worker_makes_ready_is_told_to_others(tmp_path: Path) -> None:
    """Without waiting for the next look for steps that nobody was told of."""
    with installed(tmp_path, AA_STOP_GRACE="60s", AA_RECONCILE_INTERVAL="10m") as installation:
        (tmp_path / "chain.yaml").write_text(
            "format: 1\npipeline: chain\njobs:\n  chain: {runnable: true, steps: [gate, again]}\n"
        )
        apply(installation.data, tmp_path / "chain.yaml")
        service = installation.web()
        worker = installation.worker()
        given = service.submit("chain", data={"gate_place": str(tmp_path)}, files={"text": b"text"})
        commands(tmp_path, given)
        installation.worker()
        installation.told(worker, signal.SIGTERM)
        (tmp_path / "go").touch()
        assert worker.wait(timeout=PATIENCE) == 0
        assert service.finished(given)["status"] == "COMPLETE"


def test_a_worker_leaves_to_the_next_version_what_only_that_understands(tmp_path: Path) -> None:
    with installed(tmp_path, AA_STOP_GRACE="0.2s") as installation:
        (tmp_path / "news.yaml").write_text(NEWS)
        old = installation.worker()
        this = installation.web()
        applied = installation.aa("apply", str(tmp_path / "news.yaml"), version="next")
        assert applied.wait(timeout=PATIENCE) == 0, installation.log.read_text()
        coming = installation.web("next")
        news = coming.submit("news", files={"text": b"news"})
        assert this.run("copy", files={"text": b"text"})["status"] == "COMPLETE", "it goes on with what it knows"
        assert [(row["status"], row["attempt"]) for row in runs(installation.data, [news])] == [("QUEUED", 0)]

        new = installation.worker("next")
        ended = coming.finished(news)
        assert (ended["status"], coming.results(ended)) == ("COMPLETE", {"news_done": b"news"})
        held = submitted(coming, tmp_path, "fence")
        commands(tmp_path, held)
        new.send_signal(signal.SIGTERM)
        assert new.wait(timeout=PATIENCE) == 0
        assert this.run("copy", files={"text": b"text"})["status"] == "COMPLETE"
        assert [(row["status"], row["attempt"]) for row in runs(installation.data, [held])] == [("QUEUED", 1)]
        installation.worker("next")
        (tmp_path / "go").touch()
        ended = coming.finished(held)
        assert (ended["status"], coming.step(ended, "fence")["attempt"]) == ("COMPLETE", 2)
        old.send_signal(signal.SIGTERM)
        assert old.wait(timeout=PATIENCE) == 0
