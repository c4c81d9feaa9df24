"""Steps that are cancelled, tried again, given away and started again, by real workers over real HTTP."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from integration.live import AA, MORTAL, PATIENCE, LiveSystem, Service, alive, apply, until, variables
from stacks import rows

PIPELINE = """\
format: 1
pipeline: lives
backends: {local: {sandbox: "off"}}  # commands meet the tests outside
tasks:
  tree:
    inputs: {text: text.txt}
    outputs: {done: done.txt}
    parameters: {place: {type: string}}
    script: |
      trap '' TERM
      sleep 300 & setsid sleep 300 & bash -c 'sleep 300 & wait' &
      (setsid bash -c "trap '' TERM; sleep 300 & sleep 300" < /dev/null > /dev/null 2>&1 &)
      echo "$$" > "$param_place/$submission_id.pid"
      until [ -e "$param_place/go" ]; do sleep 0.02; done
      cp "$input_text" "$output_done"
  gate:
    inputs: {text: text.txt}
    outputs: {done: done.txt}
    parameters: {place: {type: string}}
    script: |
      echo "$$" >> "$param_place/$submission_id.pid"
      until [ -e "$param_place/go" ]; do sleep 0.02; done
      cp "$input_text" "$output_done"
  fails:
    inputs: {text: text.txt}
    outputs: {done: done.txt}
    parameters: {place: {type: string}}
    script: |
      until [ -e "$param_place/fail" ]; do sleep 0.02; done
      exit 3
  leaves_a_daemon:
    inputs: {text: text.txt}
    outputs: {done: done.txt}
    parameters: {place: {type: string}}
    script: |
      (setsid sleep 300 < /dev/null > /dev/null 2>&1 &)
      cp "$input_text" "$output_done"
  lost_once: {inputs: {text: text.txt}, outputs: {done: done.txt}, parameters: {place: {type: string}},
              retries: {max: 0}, script: 'echo "$$" > "$param_place/$submission_id.pid"; sleep 300'}
  after: {inputs: {done: in.txt}, outputs: {copied: out.txt}, command: "cp {input.done} {output.copied}"}
  third_time:
    inputs: {text: text.txt}
    outputs: {done: done.txt}
    parameters: {place: {type: string}}
    retries: {on: ["exit:9"], max: 2, delay: 0.1s}
    script: |
      echo x >> "$param_place/$submission_id.tries"
      [ "$(wc -l < "$param_place/$submission_id.tries")" -ge 3 ] || exit 9
      cp "$input_text" "$output_done"
  needs_file:
    inputs: {done: in.txt}
    outputs: {copied: out.txt}
    parameters: {place: {type: string}}
    script: |
      [ -e "$param_place/mended" ] || exit 1
      cp "$input_done" "$output_copied"
jobs:
  leaves_a_daemon: {runnable: true, steps: [leaves_a_daemon]}
  lost_once: {runnable: true, steps: [lost_once]}
  beside: {runnable: true, steps: [{task: tree, ordering: 1}, {task: fails, ordering: 1}, {task: after, inputs: {done: tree.done}, ordering: 2}]}
  tree: {runnable: true, steps: [tree, after]}
  gate: {runnable: true, steps: [gate, after]}
  third_time: {runnable: true, steps: [third_time]}
  mended: {runnable: true, steps: [gate, needs_file, {task: after, inputs: {done: needs_file.copied}}]}
"""
LEASE = 2.0


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSystem]:
    folder = tmp_path_factory.mktemp("lives")
    (folder / "lives.yaml").write_text(PIPELINE)
    apply(folder / "data", folder / "lives.yaml")
    system = LiveSystem(
        folder / "data", AA_LEASE_SECONDS=str(LEASE), AA_RECONCILE_INTERVAL="0.5s", AA_WORKER_CONCURRENCY="4"
    )
    system.start()
    try:
        yield system
        assert system.stop() == 0
    finally:
        system.kill()


@pytest.fixture
def service(system: LiveSystem) -> Service:
    return system.service


def submitted(service: Service, job: str, place: Path, *parameters: str) -> dict[str, Any]:
    data = {name: str(place) for name in parameters or (f"{job}_place",)}
    return service.submit(job, data=data, files={"text": b"text"})


def pid_of(place: Path, submission: dict[str, Any]) -> int:
    file = place / f"{submission['id']}.pid"
    return until(
        lambda: int(file.read_text().split()[-1]) if file.exists() and file.read_text().strip() else None, "a command"
    )


def carrying(submission: dict[str, Any]) -> list[psutil.Process]:
    """The living processes whose environment names an attempt of this submission."""
    name = f"AA_ATTEMPT={submission['id'].replace('-', '')}".encode()
    found = []
    for process in psutil.process_iter():
        try:
            if name in Path(f"/proc/{process.pid}/environ").read_bytes() and alive(process):
                found.append(process)
        except (OSError, psutil.NoSuchProcess):
            continue
    return found


def test_cancelling_ends_a_whole_tree_that_does_not_want_to(service: Service, tmp_path: Path) -> None:
    submission = submitted(service, "tree", tmp_path)
    pid_of(tmp_path, submission)
    until(lambda: len(carrying(submission)) >= 7, "the whole tree to have started")
    began = time.monotonic()
    answer = service.http.post(submission["links"]["cancel"])
    assert answer.status_code == 202
    assert service.step(answer.json(), "after")["status"] == "CANCELLED", "what waits is cancelled at once"
    ended = service.finished(submission)
    took = time.monotonic() - began
    assert (ended["status"], ended["cause"], ended["message"]) == ("CANCELLED", "cancelled", "It was cancelled.")
    assert ended["links"]["cancel"] is None
    assert carrying(submission) == []
    print(f"cancelled in {took:.2f} s")
    assert service.http.post(submission["links"]["cancel"]).json()["status"] == "CANCELLED"


def test_a_failure_ends_the_siblings_that_run_with_their_whole_trees(service: Service, tmp_path: Path) -> None:
    submission = submitted(service, "beside", tmp_path, "tree_place", "fails_place")
    pid_of(tmp_path, submission)
    until(lambda: len(carrying(submission)) >= 8, "both steps to run")
    began = time.monotonic()
    (tmp_path / "fail").touch()
    ended = service.finished(submission)
    print(f"ended {time.monotonic() - began:.2f} s after its sibling had failed")
    assert (ended["status"], ended["cause"]) == ("ERROR", "exit")
    assert {step["name"]: step["status"] for step in ended["steps"]} == {
        "tree": "CANCELLED",
        "fails": "ERROR",
        "after": "CANCELLED",
    }
    assert carrying(submission) == []


def test_a_step_whose_worker_was_killed_and_that_is_not_tried_again_says_that_it_was_lost(
    service: Service, system: LiveSystem, tmp_path: Path
) -> None:
    submission = submitted(service, "lost_once", tmp_path)
    pid_of(tmp_path, submission)
    system.children()["worker"].kill()
    ended = service.finished(submission)
    assert (ended["status"], ended["cause"]) == ("CRASH", "lost")
    assert ended["message"] == "Step 'lost_once' was lost by this service."
    (run,) = service.get(ended["steps"][0]["runs"]["url"]).json()["runs"]
    assert (run["cause"], run["message"]) == (ended["cause"], ended["message"])


def test_a_failure_that_retries_name_is_tried_again_until_it_succeeds(service: Service, tmp_path: Path) -> None:
    ended = service.finished(submitted(service, "third_time", tmp_path))
    assert ended["status"] == "COMPLETE"
    assert service.step(ended, "third_time")["attempt"] == 3
    events = service.get(ended["links"]["events"]).json()["events"]
    said = [event["message"] for event in events if event["step"] == "third_time" and event["status"] == "QUEUED"]
    assert said[1:] == ["Step 'third_time' failed with exit code 9. It is tried again in 0 s."] * 2


def test_a_failed_submission_goes_on_where_it_failed(service: Service, tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    failed = service.finished(submitted(service, "mended", tmp_path, "gate_place", "needs_file_place"))
    assert (failed["status"], service.step(failed, "after")["status"]) == ("ERROR", "CANCELLED")
    (tmp_path / "mended").touch()
    answer = service.http.post(f"{failed['links']['self']}/retry")
    assert answer.status_code == 202, answer.text
    ended = service.finished(failed)
    assert ended["status"] == "COMPLETE"
    assert {step["name"]: step["attempt"] for step in ended["steps"]} == {"gate": 1, "needs_file": 2, "after": 1}
    assert service.results(ended)["after_copied"] == b"text"
    refused = service.http.post(f"{failed['links']['self']}/retry")
    assert (refused.status_code, refused.json()["type"]) == (409, "/api/problems/not-resumable")


def test_the_same_data_is_submitted_again_as_another_submission(service: Service, tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    first = service.finished(submitted(service, "gate", tmp_path))
    answer = service.http.post(f"{first['links']['self']}/resubmit")
    assert answer.status_code == 201
    again = service.finished(answer.json())
    assert again["id"] != first["id"]
    assert answer.headers["Location"] == again["links"]["self"]
    assert again["status"] == "COMPLETE"
    assert again["inputs"][0]["sha256"] == first["inputs"][0]["sha256"]
    assert again["parameters"] == first["parameters"]
    assert service.http.delete(first["links"]["self"]).status_code == 204
    assert service.get(again["inputs"][0]["url"]).content == b"text", "what others still name stays"
    assert service.results(again)["after_copied"] == b"text"
    assert service.http.post(f"{first['links']['self']}/resubmit").status_code == 410
    assert service.http.post(f"{first['links']['self']}/retry").status_code == 410


def test_a_deleted_submission_is_gone_with_its_files(service: Service, system: LiveSystem, tmp_path: Path) -> None:
    submission = service.submit("gate", data={"gate_place": str(tmp_path)}, files={"text": b"only here"})
    pid_of(tmp_path, submission)
    assert service.http.delete(submission["links"]["self"]).status_code == 204
    gone = service.http.get(submission["links"]["self"])
    assert (gone.status_code, gone.json()["type"]) == (410, "/api/problems/gone")
    assert service.http.get(f"{submission['links']['results']}").status_code == 410
    assert service.http.delete(submission["links"]["self"]).status_code == 410
    until(lambda: not carrying(submission), "the command to be ended")
    stored = "SELECT key FROM storage_blob WHERE sha256 = :sha256"
    sha256 = submission["inputs"][0]["sha256"]
    until(lambda: not rows(system.data, stored, sha256=sha256), "its bytes to be removed, long before any sweep")


def test_a_frozen_worker_loses_its_step_and_can_write_nothing_when_it_wakes(
    service: Service, system: LiveSystem, tmp_path: Path
) -> None:
    submission = submitted(service, "gate", tmp_path)
    first = pid_of(tmp_path, submission)
    frozen = system.children()["worker"]
    frozen.send_signal(signal.SIGSTOP)
    # `aa up` has one worker: another host's takes its place.
    other = LiveWorker(system)
    try:
        second = until(
            lambda: pid if (pid := pid_of(tmp_path, submission)) != first else None, "the step to be given away"
        )
        frozen.send_signal(signal.SIGCONT)
        until(lambda: not alive(first), "what the late worker runs to be ended")
        assert alive(second)
        (tmp_path / "go").touch()
        ended = service.finished(submission)
        assert ended["status"] == "COMPLETE"
        assert service.step(ended, "gate")["attempt"] == 2
        events = service.get(ended["links"]["events"]).json()["events"]
        assert sum(event["status"] == "COMPLETE" and event["step"] == "gate" for event in events) == 1
        assert service.results(ended)["after_copied"] == b"text"
    finally:
        frozen.send_signal(signal.SIGCONT)
        other.end()


def test_what_a_killed_worker_leaves_is_ended_and_cleared_away(
    service: Service, system: LiveSystem, tmp_path: Path
) -> None:
    submission = submitted(service, "tree", tmp_path)
    pid_of(tmp_path, submission)
    left = carrying(submission)
    system.children()["worker"].kill()
    service.http.post(submission["links"]["cancel"])
    until(lambda: not any(alive(process) for process in left), "the orphans to be ended")
    assert service.finished(submission)["status"] == "CANCELLED"
    until(lambda: not any((system.data / "work").iterdir()), "its work folder to be removed")


def test_a_daemon_that_a_command_left_behind_is_ended_though_all_is_well(service: Service, tmp_path: Path) -> None:
    ended = service.finished(submitted(service, "leaves_a_daemon", tmp_path))
    assert ended["status"] == "COMPLETE"
    until(lambda: not carrying(ended), "the daemon to be ended")


class LiveWorker:
    """Another worker of the same installation."""

    def __init__(self, system: LiveSystem) -> None:
        self.log = system.log.open("a")
        self.process = subprocess.Popen(
            [*MORTAL, str(AA), "worker", "--data", str(system.data), "--concurrency", "2"],
            env=variables(system.data, **system.settings),
            stderr=self.log,
            start_new_session=True,
        )

    def end(self) -> None:
        """Stop it."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGTERM)
            self.process.wait(timeout=PATIENCE)
        self.log.close()
