"""A steady load of mixed jobs under faults at random moments, and what must hold when all is at rest.

`make faults N=2000 KILLS=200 SEED=1` runs it at any size, on both stacks, and prints the figures.
"""

import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

import stacks
from integration.live import AA, MORTAL, LiveSystem, apply, processes_of, variables

PIPELINE = """\
format: 1
pipeline: storm
backends:
  aside: {queue: aside_queue}
tasks:
  copy: {inputs: {data: in.txt}, outputs: {copied: out.txt}, command: "cp {input.data} {output.copied}"}
  upper:
    inputs: {copied: in.txt}
    outputs: {upper: out.txt}
    script: tr a-z A-Z < "$input_copied" > "$output_upper"
  count: {backend: aside, inputs: {copied: in.txt}, outputs: {number: n.txt}, command: "wc -c {input.copied}", stdout: number}
  join: {inputs: {upper: a.txt, number: b.txt}, outputs: {joined: out.txt}, command: "cat {input.upper} {input.number}", stdout: joined}
  tree:
    inputs: {data: in.txt}
    outputs: {done: out.txt}
    script: |
      (sleep 0.1 & sleep 0.2 & wait) &
      setsid sleep 0.3 &
      sleep 0.2
      cp "$input_data" "$output_done"
  fail: {inputs: {data: in.txt}, script: "exit 7"}
  third:
    inputs: {data: in.txt}
    outputs: {done: out.txt}
    retries: {max: 50, on: ["exit:9", signal, lost, backend_unavailable]}
    script: |
      [ $((RANDOM % 3)) = 0 ] || exit 9
      cp "$input_data" "$output_done"
jobs:
  one: {runnable: true, steps: [copy]}
  diamond:
    runnable: true
    steps: [{task: copy, ordering: 1}, {task: upper, ordering: 2}, {task: count, ordering: 2}, {task: join, ordering: 3}]
    results: {joined: join.joined}
  tree: {runnable: true, steps: [tree]}
  fail: {runnable: true, steps: [fail, copy]}
  third: {runnable: true, steps: [third]}
"""
LEASE = 3.0
TERMINAL = frozenset({"COMPLETE", "ERROR", "CRASH", "CANCELLED"})


def expected(job: str, data: bytes) -> dict[str, bytes]:
    """The results that a COMPLETE submission must have, by public name."""
    if job == "diamond":
        return {"joined": data.upper() + f"{len(data)} in.txt\n".encode()}
    names = {"one": "copy_copied", "tree": "tree_done", "third": "third_done"}
    return {names[job]: data} if job in names else {}


@dataclass
class Sent:
    """A submission that was answered with 201."""

    id: str
    job: str
    data: bytes
    cancelled: bool = False
    deleted: bool = False


@dataclass
class Figures:
    """What the storm did, and what came of it."""

    accepted: int = 0
    unanswered: int = 0
    """POSTs of which nobody knows whether they were taken, as their answer did not come."""
    refused: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    attempts: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n".join(
            [
                f"submissions   {self.accepted} accepted, {self.unanswered} without an answer, {self.refused} refused",
                f"faults        {dict(self.faults)}",
                f"ends          {dict(self.ends)}",
                f"attempts      {self.attempts}",
                f"seconds       {self.seconds:.0f}",
                f"wrong         {len(self.wrong)}",
                *(f"  {each}" for each in self.wrong[:50]),
            ]
        )


class Storm:
    """One installation, its callers, and what befalls it."""

    def __init__(self, folder: Path, submissions: int, kills: int, seed: int) -> None:
        self.random = random.Random(seed)
        self.folder, self.submissions, self.kills = folder, submissions, kills
        folder.mkdir(parents=True, exist_ok=True)
        self.system = LiveSystem(
            folder / "data",
            AA_LEASE_SECONDS=str(LEASE),
            AA_RECONCILE_INTERVAL="0.5s",
            AA_WORKER_CONCURRENCY="2",
            AA_LOG_LEVEL="WARNING",
        )
        self.extra: list[subprocess.Popen[str]] = []
        self.sent: list[Sent] = []
        self.figures = Figures()
        self._lock = threading.Lock()

    def run(self) -> Figures:
        """Apply, serve, send and strike; then wait for rest and look."""
        began = time.monotonic()
        (self.folder / "storm.yaml").write_text(PIPELINE)
        apply(self.system.data, self.folder / "storm.yaml")
        self.system.start()
        try:
            self._more_workers(2)
            senders = [threading.Thread(target=self._send, args=(share,)) for share in self._shares(2)]
            for each in senders:
                each.start()
            self._strike(senders)
            for each in senders:
                each.join()
            self._rest()
            self._look()
        finally:
            self._end()
        self.figures.seconds = time.monotonic() - began
        return self.figures

    def _shares(self, callers: int) -> list[list[str]]:
        jobs = self.random.choices(["one", "diamond", "tree", "fail", "third"], [4, 3, 2, 1, 1], k=self.submissions)
        return [jobs[index::callers] for index in range(callers)]

    def _more_workers(self, count: int) -> None:
        while len(self.extra) < count:
            log = self.system.log.open("a")
            command = [*MORTAL, str(AA), "worker", "--data", str(self.system.data), "--concurrency", "2"]
            environment = variables(self.system.data, **self.system.settings)
            self.extra.append(subprocess.Popen(command, env=environment, stderr=log, text=True, start_new_session=True))
            log.close()

    def _send(self, jobs: list[str]) -> None:
        """A caller: POST, and now and then cancel or delete what was sent before."""
        choose = random.Random(len(jobs))
        with httpx.Client(base_url=self.system.service.address, timeout=30, trust_env=False) as http:
            for job in jobs:
                data = f"{job} {uuid.uuid4().hex} ".encode() * choose.choice([1, 10, 500])
                try:
                    answer = http.post(f"/api/v1/jobs/{job}/submissions", files={"data": ("d.txt", data)})
                except httpx.HTTPError:
                    with self._lock:
                        self.figures.unanswered += 1
                    time.sleep(0.2)
                    continue
                if answer.status_code != 201:
                    with self._lock:
                        self.figures.refused += 1
                    time.sleep(0.2)
                    continue
                sent = Sent(answer.json()["id"], job, data)
                with self._lock:
                    self.sent.append(sent)
                if choose.random() < 0.05:
                    sent.cancelled = True  # perhaps: the answer may not come
                    address, delete = f"/api/v1/submissions/{sent.id}", choose.random() < 0.5
                    with contextlib.suppress(httpx.HTTPError):
                        answer = http.delete(address) if delete else http.post(f"{address}/cancel")
                        sent.deleted = delete and answer.status_code == 204

    def _strike(self, senders: list[threading.Thread]) -> None:
        """Faults at random moments, as long as somebody sends, and until all kills are spent."""
        kinds: list[tuple[Callable[[], bool], int]] = [
            (self._kill_worker, 8),
            (self._kill_child, 8),
            (self._kill_web, 2),
            (self._kill_beat, 1),
            (self._freeze_worker, 2),
            (self._empty_broker, 2),
            (self._double_messages, 2),
        ]
        struck = 0
        while struck < self.kills:
            time.sleep(self.random.expovariate(4.0))
            strike = self.random.choices([each for each, _ in kinds], [weight for _, weight in kinds])[0]
            with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                if strike():
                    self.figures.faults[strike.__name__.removeprefix("_")] += 1
                    struck += 1
            self.extra = [each for each in self.extra if each.poll() is None]
            self._more_workers(2)
            if not any(each.is_alive() for each in senders) and struck >= self.kills // 2 and self._at_rest():
                return

    def _workers(self) -> list[psutil.Process]:
        own = self.system.children().get("worker")
        return [*([own] if own else []), *(psutil.Process(each.pid) for each in self.extra if each.poll() is None)]

    def _kill_worker(self) -> bool:
        workers = self._workers()
        if workers:
            self.random.choice(workers).send_signal(signal.SIGKILL)
        return bool(workers)

    def _kill_child(self) -> bool:
        """A process of a command, whichever."""
        children = [child for worker in self._workers() for child in worker.children(recursive=True)]
        if children:
            self.random.choice(children).send_signal(signal.SIGKILL)
        return bool(children)

    def _kill_web(self) -> bool:
        return self._kill_own("web")

    def _kill_beat(self) -> bool:
        return self._kill_own("beat")

    def _kill_own(self, name: str) -> bool:
        found = self.system.children().get(name)
        if found is not None:
            found.send_signal(signal.SIGKILL)
        return found is not None

    def _freeze_worker(self) -> bool:
        """Past its lease; then it wakes."""
        workers = self._workers()
        if not workers:
            return False
        frozen = self.random.choice(workers)
        frozen.send_signal(signal.SIGSTOP)
        threading.Timer(LEASE * 1.7, _wake, [frozen]).start()
        return True

    def _empty_broker(self) -> bool:
        """Every message is lost."""
        settings = variables(self.system.data, **self.system.settings)
        script = "from analytics_automated.config.celery import app; app.control.purge()"
        subprocess.run([sys.executable, "-c", script], env=settings, check=False, capture_output=True, timeout=60)
        return True

    def _double_messages(self) -> bool:
        """Wake-ups for steps that are long done, or that never were, some of them delayed."""
        settings = variables(self.system.data, **self.system.settings)
        script = (
            "import random\nfrom analytics_automated.config.celery import app\n"
            "for n in range(30):\n"
            "    app.send_task('aa.look', args=[random.randint(1, 2000)], queue='LOCALHOST',"
            " countdown=random.choice([None, 2]))\n"
        )
        subprocess.run([sys.executable, "-c", script], env=settings, check=False, capture_output=True, timeout=60)
        return True

    def _at_rest(self) -> bool:
        terminal = ", ".join(f"'{status}'" for status in sorted(TERMINAL))
        return not stacks.rows(
            self.system.data, f"SELECT id FROM runs_submission WHERE status NOT IN ({terminal}) LIMIT 1"
        )

    def _rest(self) -> None:
        """Wait until nothing is under way; the bound only ends a run that hangs."""
        deadline = time.monotonic() + 120 + self.submissions / 5
        while time.monotonic() < deadline:
            self._more_workers(2)
            if self._at_rest() and not any((self.system.data / "work").iterdir()):
                return
            time.sleep(0.5)

    def _look(self) -> None:
        figures, wrong, data = self.figures, self.figures.wrong, self.system.data
        figures.accepted = len(self.sent)
        rows = {str(row["id"]).replace("-", ""): row for row in stacks.rows(data, "SELECT * FROM runs_submission")}
        for sent in self.sent:
            row = rows.get(sent.id.replace("-", ""))
            if row is None:
                wrong.append(f"{sent.id} was accepted and is not there")
            elif row["status"] not in TERMINAL or row["unfinished"]:
                wrong.append(f"{sent.id} ({sent.job}) is {row['status']} with {row['unfinished']} unfinished steps")
            else:
                figures.ends[f"{sent.job} {row['status']}"] += 1
                wrong.extend(self._judge(sent, row["status"]))
        figures.attempts = stacks.rows(data, "SELECT count(*) AS n FROM runs_attempt")[0]["n"]
        wrong.extend(self._rows_disagree())
        carrying = [process.pid for process in _with_attempts(data)]
        if carrying:
            wrong.append(f"processes of tasks live: {carrying}")
        wrong.extend(f"a work folder is left: {path.name}" for path in (data / "work").iterdir())
        self._sweep()
        keys = {row["key"] for row in stacks.rows(data, "SELECT key FROM storage_blob")}
        files = {path.relative_to(data / "blobs").as_posix() for path in (data / "blobs").rglob("*") if path.is_file()}
        wrong.extend(f"a row names bytes that are not there: {key}" for key in keys - files)
        wrong.extend(f"bytes are there that no row names: {name}" for name in files - keys)

    def _sweep(self) -> None:
        """Have what killed processes had stored, but not yet written down, removed now and not after a day."""
        script = (
            "import datetime, django; django.setup()\nfrom analytics_automated.storage import sweeping\n"
            "sweeping.BLOB_AGE = sweeping.FILE_AGE = datetime.timedelta()\nsweeping.sweep_blobs()\n"
        )
        settings = variables(self.system.data, **self.system.settings)
        settings["DJANGO_SETTINGS_MODULE"] = "analytics_automated.config.settings"
        subprocess.run([sys.executable, "-c", script], env=settings, check=True, capture_output=True, timeout=120)

    def _judge(self, sent: Sent, status: str) -> list[str]:
        """Whether the end is one that the job can have, and the results are right, byte for byte."""
        if sent.deleted:
            return (
                []
                if self.system.service.http.get(f"/api/v1/submissions/{sent.id}").status_code == 410
                else ["not gone"]
            )
        if status == "CANCELLED":
            return [] if sent.cancelled else [f"{sent.id} is CANCELLED, and nobody asked for that"]
        if status == "ERROR":
            state = self.system.service.get(f"/api/v1/submissions/{sent.id}").json()
            # A killed child is a signal, or to a shell an exit code, or an output that was not made.
            if sent.job == "fail" or self.figures.faults["kill_child"]:
                return []
            return [f"{sent.id} ({sent.job}) is ERROR: {state['message']}"]
        if status == "CRASH":
            state = self.system.service.get(f"/api/v1/submissions/{sent.id}").json()
            lost_often = any(step["attempt"] > 3 for step in state["steps"])
            return [] if state["cause"] == "lost" and lost_often else [f"{sent.id} is CRASH: {state['message']}"]
        if sent.job == "fail":
            return [f"{sent.id} (fail) is COMPLETE"]
        state = self.system.service.get(f"/api/v1/submissions/{sent.id}").json()
        found = {each["name"]: each["sha256"] for each in state["results"]}
        right = {name: hashlib.sha256(content).hexdigest() for name, content in expected(sent.job, sent.data).items()}
        return [] if found == right else [f"{sent.id} ({sent.job}) has wrong results: {json.dumps(found)}"]

    def _rows_disagree(self) -> list[str]:
        """Invariants of the tables."""
        checks = {
            "a step has ended twice": "SELECT submission_id, step FROM runs_event WHERE step <> '' AND status IN "
            "('COMPLETE', 'SKIPPED') GROUP BY submission_id, step, item HAVING count(*) > 1",
            "a result is counted twice": "SELECT step_run_id FROM runs_result "
            "GROUP BY step_run_id, output, position HAVING count(*) > 1",
            "a step runs in a submission that has ended": "SELECT r.id FROM runs_steprun r JOIN runs_submission s "
            "ON s.id = r.submission_id WHERE s.status IN ('COMPLETE', 'ERROR', 'CRASH', 'CANCELLED') "
            "AND r.status IN ('PENDING', 'QUEUED', 'RUNNING')",
            "an attempt has not ended": "SELECT a.id FROM runs_attempt a WHERE a.finished IS NULL",
            "an event disagrees with its submission": "SELECT s.id FROM runs_submission s WHERE s.deleted IS NULL AND "
            "NOT EXISTS (SELECT 1 FROM runs_event e WHERE e.submission_id = s.id AND e.step = '' "
            "AND e.status = s.status)",
        }
        found = {said: stacks.rows(self.system.data, statement) for said, statement in checks.items()}
        return [f"{said}: {len(rows)}, such as {rows[0]}" for said, rows in found.items() if rows]

    def _end(self) -> None:
        for each in self.extra:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each.pid, signal.SIGCONT)
                os.kill(each.pid, signal.SIGTERM)
        for each in self.extra:
            try:
                each.wait(timeout=30)
            except subprocess.TimeoutExpired:
                each.kill()
                each.wait()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.system.stop()
        self.system.kill()


def _wake(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(signal.SIGCONT)


def _with_attempts(data: Path) -> list[psutil.Process]:
    """Processes of this installation's tasks."""
    found = []
    for process in processes_of(data):
        with contextlib.suppress(OSError, psutil.NoSuchProcess):
            if b"AA_ATTEMPT=" in Path(f"/proc/{process.pid}/environ").read_bytes():
                found.append(process)
    return found
