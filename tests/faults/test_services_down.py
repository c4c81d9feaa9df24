"""What happens while the database or the broker is away, and when it is back."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration.live import LiveSystem, Service, aa, alive, apply, until
from services.postgresql import PostgreSQL
from services.redis import Redis

pytestmark = pytest.mark.stack("services")

PIPELINE = """\
format: 1
pipeline: services
backends:
  local: {sandbox: "off"}  # commands meet the tests outside
  other: {executor: local, sandbox: "off", queue: appears_later}
tasks:
  gate:
    inputs: {text: text.txt}
    outputs: {done: done.txt}
    parameters: {place: {type: string}}
    script: |
      echo "$$" >> "$param_place/$submission_id.pid"
      until [ -e "$param_place/go" ]; do sleep 0.02; done
      cp "$input_text" "$output_done"
      echo "$$" >> "$param_place/$submission_id.ended"
  copy: {inputs: {text: in.txt}, outputs: {copied: out.txt}, command: "cp {input.text} {output.copied}"}
jobs:
  gate: {runnable: true, steps: [gate]}
  copy: {runnable: true, steps: [copy]}
"""
LATER = """\
format: 1
pipeline: later
backends:
  later: {executor: local, queue: appeared}
tasks:
  late: {backend: later, inputs: {text: in.txt}, outputs: {copied: out.txt}, command: "cp {input.text} {output.copied}"}
jobs:
  late: {runnable: true, steps: [late]}
"""


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgreSQL]:
    server = PostgreSQL()
    try:
        server.prepare()
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    server = Redis()
    try:
        server.start()
        yield server
    finally:
        server.remove()


def installed(folder: Path, postgresql: PostgreSQL, redis: Redis, **settings: str) -> LiveSystem:
    """An installation on these servers, not yet started."""
    system = LiveSystem(
        folder / "data",
        AA_DATABASE_URL=postgresql.create_database(folder.name),
        AA_BROKER_URL=redis.url,
        AA_RECONCILE_INTERVAL="0.5s",
        AA_WORKER_CONCURRENCY="3",
        **settings,
    )
    assert aa(system.data, "manage", "migrate", "--verbosity", "0", **system.settings).returncode == 0
    (folder / "services.yaml").write_text(PIPELINE)
    apply(system.data, folder / "services.yaml", **system.settings)
    return system


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, postgresql: PostgreSQL, redis: Redis) -> Iterator[LiveSystem]:
    system = installed(tmp_path_factory.mktemp("services"), postgresql, redis, AA_LEASE_SECONDS="60")
    system.start()
    try:
        yield system
        assert system.stop() == 0
        told = ("the database cannot be reached", "the broker cannot be reached", " celery", " kombu")
        assert [line for line in system.complaints() if not any(words in line for words in told)] == []
    finally:
        system.kill()


@pytest.fixture
def service(system: LiveSystem, postgresql: PostgreSQL, redis: Redis) -> Iterator[Service]:
    """The service, with its servers up before and after."""
    try:
        yield system.service
    finally:
        for server in (postgresql, redis):
            server.thaw()
            if server.process is None:
                server.start()


def submitted(service: Service, place: Path) -> tuple[dict[str, Any], int]:
    """A submission whose command waits for a file `go`, and its process id."""
    submission = service.submit("gate", data={"gate_place": str(place)}, files={"text": b"text"})
    return submission, pids(place, submission, 1)[0]


def pids(place: Path, submission: dict[str, Any], count: int) -> list[int]:
    """The process ids of the commands, once there are so many."""
    file = place / f"{submission['id']}.pid"

    def started() -> list[int]:
        found = [int(word) for word in file.read_text().split()] if file.exists() else []
        return found if len(found) >= count else []

    return until(started, f"command {count} of a submission")


def copied(service: Service, submission: dict[str, Any] | None = None) -> bool:
    submission = service.finished(submission or service.submit("copy", files={"text": b"text"}))
    return submission["status"] == "COMPLETE" and service.results(submission) == {"copy_copied": b"text"}


def tracebacks(system: LiveSystem) -> int:
    return system.log.read_text().count("Traceback")


@pytest.mark.parametrize("way", ["stopped", "frozen"])
def test_without_a_broker_submissions_are_taken_and_run_once_it_is_back(
    service: Service, redis: Redis, way: str
) -> None:
    assert copied(service)
    redis.stop() if way == "stopped" else redis.freeze()
    took = []
    submissions = []
    for _ in range(3):
        began = time.monotonic()
        submissions.append(service.submit("copy", files={"text": b"text"}))
        took.append(time.monotonic() - began)
    print(f"with the broker {way} POST took", ", ".join(f"{seconds:.2f} s" for seconds in took))
    redis.start() if way == "stopped" else redis.thaw()
    assert all(copied(service, submission) for submission in submissions)


def test_a_broker_that_is_restarted_loses_nothing_that_runs_or_waits(
    service: Service, redis: Redis, tmp_path: Path
) -> None:
    running = [submitted(service, tmp_path) for _ in range(3)]
    waiting = service.submit("copy", files={"text": b"text"})
    redis.kill()
    redis.start()
    assert all(alive(pid) for _, pid in running)
    (tmp_path / "go").touch()
    for submission, _ in running:
        ended = service.finished(submission)
        assert (ended["status"], service.step(ended, "gate")["attempt"]) == ("COMPLETE", 1)
    assert copied(service, waiting)
    assert copied(service)


def test_what_a_killed_worker_leaves_is_ended_also_while_the_broker_is_away(
    service: Service, system: LiveSystem, redis: Redis, tmp_path: Path
) -> None:
    submission, command = submitted(service, tmp_path)
    redis.stop()
    system.children()["worker"].kill()
    until(lambda: not alive(command), "the orphan to be ended")
    redis.start()
    pids(tmp_path, submission, 2)
    (tmp_path / "go").touch()
    ended = service.finished(submission)
    assert (ended["status"], service.step(ended, "gate")["attempt"]) == ("COMPLETE", 2)


def test_a_queue_that_appears_while_the_broker_is_away_is_served(
    service: Service, system: LiveSystem, redis: Redis, tmp_path: Path
) -> None:
    redis.stop()
    (tmp_path / "later.yaml").write_text(LATER)
    apply(system.data, tmp_path / "later.yaml", **system.settings)
    submission = service.submit("late", files={"text": b"text"})
    redis.start()
    assert service.finished(submission)["status"] == "COMPLETE"


def test_without_a_database_callers_are_asked_to_come_again(
    service: Service, system: LiveSystem, postgresql: PostgreSQL
) -> None:
    done = service.run("copy", files={"text": b"text"})
    before = tracebacks(system)
    postgresql.stop()
    links = done["links"]
    doors = [links[name] for name in ("self", "events", "results", "archive")]
    doors += [done["steps"][0]["runs"]["url"], done["inputs"][0]["url"], done["results"][0]["url"]]
    for answer in (
        *(service.http.get(address) for address in doors),
        *(service.http.post(f"{links['self']}/{act}") for act in ("cancel", "retry", "resubmit")),
        service.http.get("/api/v1/jobs"),
        service.post("copy", files={"text": b"text"}),
        service.post("copy", json={"inputs": {"text": "text"}}),
        service.http.delete(done["links"]["self"]),
    ):
        assert (answer.status_code, answer.json()["type"]) == (503, "/api/problems/unavailable"), answer.text
        assert answer.headers["Retry-After"] == "5"
    for page in ("/", done["links"]["page"], "/admin/login/"):
        shown = service.http.get(page)
        if page == "/admin/login/":
            assert shown.status_code == 200, "it needs no database to be shown"
        else:
            assert (shown.status_code, shown.headers["Retry-After"]) == (503, "5")
            assert "cannot reach its database at present" in shown.text
    login = service.http.post("/admin/login/", data={"username": "x", "password": "y"})
    assert login.status_code in {403, 503}
    postgresql.start()
    assert service.get(done["links"]["self"]).json()["status"] == "COMPLETE"
    assert copied(service)
    assert tracebacks(system) == before


def test_a_database_that_was_restarted_is_not_noticed_by_callers(
    service: Service, postgresql: PostgreSQL, system: LiveSystem
) -> None:
    done = service.run("copy", files={"text": b"text"})
    for _ in range(3):
        postgresql.stop()
        postgresql.start()
        assert service.http.get(done["links"]["self"]).status_code == 200
    assert copied(service)


@pytest.mark.parametrize("way", ["stopped", "killed", "frozen"])
def test_a_command_that_ends_while_the_database_is_away_is_recorded_when_it_is_back(
    service: Service, system: LiveSystem, postgresql: PostgreSQL, tmp_path: Path, way: str
) -> None:
    submission, command = submitted(service, tmp_path)
    before = tracebacks(system)
    {"stopped": postgresql.stop, "killed": postgresql.kill, "frozen": postgresql.freeze}[way]()
    assert alive(command)
    (tmp_path / "go").touch()
    until(lambda: (tmp_path / f"{submission['id']}.ended").exists(), "the command's end")
    postgresql.thaw() if way == "frozen" else postgresql.start()
    ended = service.finished(submission)
    assert (ended["status"], service.step(ended, "gate")["attempt"]) == ("COMPLETE", 1)
    assert service.results(ended) == {"gate_done": b"text"}
    assert copied(service)
    assert tracebacks(system) == before


def test_a_command_is_ended_when_its_lease_ends_without_a_database_and_runs_again_later(
    tmp_path_factory: pytest.TempPathFactory, postgresql: PostgreSQL, redis: Redis, tmp_path: Path
) -> None:
    system = installed(tmp_path_factory.mktemp("short"), postgresql, redis, AA_LEASE_SECONDS="2")
    try:
        service = system.start()
        submission, first = submitted(service, tmp_path)
        postgresql.stop()
        until(lambda: not alive(first), "the command to be ended")
        postgresql.start()
        second = pids(tmp_path, submission, 2)[1]
        assert alive(second)
        (tmp_path / "go").touch()
        ended = service.finished(submission)
        assert (ended["status"], service.step(ended, "gate")["attempt"]) == ("COMPLETE", 2)
        assert tracebacks(system) == 0
        assert system.stop(signal.SIGTERM) == 0
    finally:
        if postgresql.process is None:
            postgresql.start()
        system.kill()


def test_what_needs_a_database_says_that_there_is_none(
    system: LiveSystem, service: Service, postgresql: PostgreSQL, tmp_path: Path
) -> None:
    postgresql.stop()
    for command in (["up", "--port", "0"], ["apply", str(system.data.parent / "services.yaml")]):
        done = aa(tmp_path / "data", *command, **system.settings)
        assert done.returncode == 1
        assert "the database cannot be" in done.stderr
        assert "Traceback" not in done.stderr
