"""Limits, priorities and full disks, as callers and operators meet them: real workers, real HTTP."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from integration.live import AA, MORTAL, LiveSystem, Service, aa, apply, until, variables

GATE = """
    inputs: {text: text.txt}
    outputs: {done: done.txt}
    parameters: {place: {type: string}}
    script: |
      echo "$submission_id" >> "$param_place/begun"
      until [ -e "$param_place/go" ]; do sleep 0.02; done
      cp "$input_text" "$output_done"
"""
PIPELINE = f"""\
format: 1
pipeline: sharing
backends:
  local: {{sandbox: "off"}}  # commands meet the tests outside
  narrow: {{executor: local, sandbox: "off", max_running: 1}}
  small: {{executor: local, root: SMALL}}
tasks:
  gate: {GATE}
  narrow_gate: {GATE}
    backend: narrow
  small:
    backend: small
    inputs: {{text: text.txt}}
    outputs: {{done: done.txt}}
    command: cp {{input.text}} {{output.done}}
jobs:
  gate: {{runnable: true, steps: [gate]}}
  narrow: {{runnable: true, steps: [{{name: gate, task: narrow_gate}}]}}
  one_by_one: {{runnable: true, steps: [gate], limits: {{max_running: 1}}}}
  few: {{runnable: true, steps: [gate], limits: {{per_caller: 1}}}}
  small: {{runnable: true, steps: [small]}}
"""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSystem]:
    folder = tmp_path_factory.mktemp("sharing")
    (folder / "small").mkdir()
    (folder / "sharing.yaml").write_text(PIPELINE.replace("SMALL", str(folder / "small")))
    apply(folder / "data", folder / "sharing.yaml")
    made = LiveSystem(
        folder / "data",
        AA_RECONCILE_INTERVAL="0.5s",
        AA_WORKER_CONCURRENCY="3",
        AA_CALLER_LIMIT="6",
        AA_TRUSTED_PROXIES="127.0.0.0/8",
        AA_MIN_FREE_WORK="2MB",
        AA_MIN_FREE_STORAGE="1KB",
    )
    made.start()
    try:
        yield made
        assert made.stop() == 0
        assert [line for line in made.complaints() if "Service Unavailable" not in line] == []
    finally:
        made.kill()


@pytest.fixture
def service(system: LiveSystem) -> Service:
    return system.service


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A folder in which commands say that they have begun; they end when the test does."""
    yield tmp_path
    (tmp_path / "go").touch()


def post(service: Service, job: str, place: Path, caller: str = "192.0.2.1") -> httpx.Response:
    headers = {"X-Forwarded-For": caller}
    return service.post(job, data={"gate_place": str(place)}, files={"text": b"text"}, headers=headers)


def sent(service: Service, job: str, place: Path, caller: str = "192.0.2.1") -> dict[str, Any]:
    response = post(service, job, place, caller)
    assert response.status_code == 201, response.text
    return dict(response.json())


def begun(place: Path) -> list[str]:
    file = place / "begun"
    return file.read_text().split() if file.exists() else []


@pytest.mark.parametrize("job", ["narrow", "one_by_one"])
def test_what_a_limit_holds_back_goes_on_when_there_is_room(service: Service, place: Path, job: str) -> None:
    submissions = [sent(service, job, place, f"192.0.2.{number}") for number in range(3)]
    until(lambda: begun(place), "the first to begin")
    # Another job is not held up, and when it has run everybody has looked at what waits.
    other = place / "other"
    other.mkdir()
    (other / "go").touch()
    assert service.finished(sent(service, "gate", other, "192.0.2.9"))["status"] == "COMPLETE"
    assert begun(place) == [submissions[0]["id"]]
    states = [service.get(f"/api/v1/submissions/{each['id']}").json()["status"] for each in submissions]
    assert states == ["RUNNING", "SUBMITTED", "SUBMITTED"]
    why = {"narrow": "its backend runs as many steps", "one_by_one": "its job runs as many submissions"}[job]
    address = f"/api/v1/submissions/{submissions[1]['id']}"
    until(
        lambda: service.step(service.get(address).json(), "gate")["message"] == f"It waits, as {why} as it may.",
        "the reason for which it waits",
    )
    (place / "go").touch()
    assert [service.finished(each)["status"] for each in submissions] == ["COMPLETE"] * 3
    assert begun(place) == [each["id"] for each in submissions], "in the order in which they came"


def test_a_caller_who_has_as_many_as_it_may_is_told_when_to_come_back(service: Service, place: Path) -> None:
    first = sent(service, "few", place)
    refused = post(service, "few", place)
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "10"
    assert refused.headers["Content-Type"] == "application/problem+json"
    problem = refused.json()
    assert problem["type"] == "/api/problems/too-many-submissions"
    assert problem["detail"] == "At most 1 submission of one caller to the job 'few' may be in progress."
    sent(service, "few", place, "192.0.2.2")
    sent(service, "gate", place)
    again = service.http.post(f"/api/v1/submissions/{first['id']}/resubmit", headers={"X-Forwarded-For": "192.0.2.1"})
    assert again.status_code == 429
    (place / "go").touch()
    service.finished(first)
    service.finished(sent(service, "few", place))


def test_the_services_own_limit_counts_all_jobs_of_a_caller(service: Service, place: Path) -> None:
    submissions = [sent(service, job, place, "2001:db8::1") for job in ("gate", "one_by_one", "narrow") * 2]
    refused = post(service, "gate", place, "2001:db8::2")
    assert refused.status_code == 429
    assert refused.json()["detail"] == "At most 6 submissions of one caller to this service may be in progress."
    (place / "go").touch()
    for each in submissions:
        service.finished(each)


def test_a_worker_for_high_priorities_runs_them_while_the_others_are_busy(
    system: LiveSystem, service: Service, place: Path
) -> None:
    busy = [sent(service, "gate", place) for _ in range(3)]
    until(lambda: len(begun(place)) == 3, "all slots to be taken")
    soon = place / "soon"
    soon.mkdir()
    (soon / "go").touch()
    usual, urgent = sent(service, "gate", soon, "192.0.2.2"), sent(service, "gate", soon, "192.0.2.3")
    code = f"from analytics_automated.runs import engine; engine.prioritise([{urgent['id']!r}], 7)"
    assert aa(system.data, "manage", "shell", "-v0", "-c", code).returncode == 0
    own = subprocess.Popen(
        [*MORTAL, str(AA), "worker", "--min-priority", "5", "--concurrency", "1", "--data", str(system.data)],
        env=variables(system.data, **system.settings),
        stderr=subprocess.DEVNULL,
    )
    try:
        assert service.finished(urgent)["status"] == "COMPLETE"
        assert begun(soon) == [urgent["id"]]
    finally:
        own.terminate()
        assert own.wait(timeout=30) == 0
    (place / "go").touch()
    assert [service.finished(each)["status"] for each in [*busy, usual]] == ["COMPLETE"] * 4


def test_a_worker_that_would_serve_no_priority_is_refused(system: LiveSystem) -> None:
    done = aa(system.data, "worker", "--min-priority", "2", "--max-priority", "1")
    assert done.returncode == 2
    assert "no step is served" in done.stderr


@pytest.fixture
def small_disk(system: LiveSystem) -> Iterator[Path]:
    """A file system of 4 MB, where the backend `small` has its work folders."""
    folder = system.data.with_name("small")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode and "CI" not in os.environ:
        pytest.skip(f"only root mounts a small file system: {mounted.stderr.strip()}")
    assert mounted.returncode == 0, mounted.stderr
    try:
        yield folder
    finally:
        # A worker may just be looking into it.
        until(
            lambda: not subprocess.run(["umount", str(folder)], capture_output=True, check=False).returncode, "umount"
        )


def test_while_a_work_disk_is_full_nothing_is_taken_for_it_and_what_waits_goes_on_by_itself(
    service: Service, small_disk: Path
) -> None:
    callers = (f"198.51.100.{number}" for number in range(1, 255))

    def small() -> httpx.Response:
        return service.post("small", files={"text": b"text"}, headers={"X-Forwarded-For": next(callers)})

    assert service.finished(small().json())["status"] == "COMPLETE"
    filler = small_disk / "filler"
    filler.write_bytes(bytes(3_000_000))
    waiting = []

    def refused() -> httpx.Response | None:
        response = small()
        if response.status_code == 201:  # taken before the worker had told of its disk
            waiting.append(response.json())
            return None
        return response

    response = until(refused, "the full disk to be noticed")
    why = "It waits: there is too little room where it would run."

    def told(submission: dict[str, Any]) -> bool:
        shown = service.get(submission["links"]["self"]).json()
        return shown["status"] == "COMPLETE" or service.step(shown, "small")["message"] == why

    until(lambda: all(told(each) for each in waiting), why)
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "60"
    assert response.json()["type"] == "/api/problems/no-room"
    filler.unlink()
    assert all(service.finished(each)["status"] == "COMPLETE" for each in waiting)
    taken = until(lambda: response if (response := small()).status_code == 201 else None, "room to be noticed")
    assert service.finished(taken.json())["status"] == "COMPLETE"
