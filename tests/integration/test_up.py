"""`aa up`: what it starts, starts again, and stops; and what else may serve its data folder."""

import contextlib
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import stacks
from integration.live import AA, PATIENCE, LiveSystem, Service, aa, alive, apply, processes_of, until, variables

PIPELINE = """\
format: 1
pipeline: gates
backends:
  local: {sandbox: "off"}  # commands meet the tests outside
  front: {executor: local, sandbox: "off", queue: front_queue}
tasks:
  gate:
    inputs: {text: text.txt}
    outputs: {passed: passed.txt}
    parameters: {place: {type: string}}
    script: |
      echo "$$" > "$param_place/$(basename "$(dirname "$PWD")").pid"
      until [ -e "$param_place/go" ]; do sleep 0.02; done
      cp "$input_text" "$output_passed"
  copy: {backend: front, inputs: {text: in.txt}, outputs: {copied: out.txt}, command: "cp {input.text} {output.copied}"}
jobs:
  gate: {runnable: true, steps: [{task: gate}]}
  front: {runnable: true, steps: [{task: copy}]}
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a pipeline in it, for systems of these tests' own."""
    folder = tmp_path_factory.mktemp("up")
    (folder / "gates.yaml").write_text(PIPELINE)
    apply(folder / "data", folder / "gates.yaml")
    return folder / "data"


class Standing:
    """An `aa up` of these tests' own, started where there is none that has the settings that a test needs."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.system: LiveSystem | None = None

    def up(self, grace: str) -> LiveSystem:
        """It, with that much time for running steps when it is stopped."""
        system = self.system
        if system is None or system.settings["AA_STOP_GRACE"] != grace or not alive(system.pid):
            self.end()
            self.system = system = LiveSystem(
                self.data, AA_STOP_GRACE=grace, AA_RECONCILE_INTERVAL="0.5s", AA_WORKER_CONCURRENCY="2"
            )
            system.start()
        return system

    def end(self) -> None:
        """End it, and whatever it left."""
        if self.system is not None:
            self.system.kill()
        self.system = None


@pytest.fixture(scope="module")
def standing(prepared: Path) -> Iterator[Standing]:
    """See there."""
    made = Standing(prepared)
    try:
        yield made
    finally:
        made.end()


def submitted(service: Service, place: Path) -> tuple[dict[str, Any], int]:
    """A submission whose step runs until there is a file `go`, and the process id of its command."""
    known = set(place.glob("*.pid"))
    given = service.submit("gate", files={"text": "T"}, data={"gate_place": str(place)})

    def started() -> int:
        fresh = [path.read_text() for path in set(place.glob("*.pid")) - known]
        return int(fresh[0]) if fresh and fresh[0].endswith("\n") else 0

    return given, until(started, "the step's command")


def test_children_that_die_are_started_again_and_a_lost_step_runs_again(standing: Standing, tmp_path: Path) -> None:
    system = standing.up(grace="30s")
    given, command = submitted(system.service, tmp_path)
    before = until(lambda: three(system), "three children")
    for child in before.values():
        child.kill()
    after = until(lambda: three(system, but=before), "three new children")
    for name in after:
        assert f"aa: {name} ended (signal 9); started again in" in system.log.read_text()
    until(lambda: len(list(tmp_path.glob("*.pid"))) == 2, "the second attempt")
    assert not alive(command), "what the first attempt left was ended before"
    (tmp_path / "go").touch()
    done = system.service.finished(given)
    assert (done["status"], system.service.step(done, "gate")["attempt"]) == ("COMPLETE", 2)


def three(system: LiveSystem, but: dict[str, psutil.Process] | None = None) -> dict[str, psutil.Process]:
    """The children, once there are three that are none of those."""
    now = system.children()
    known = set((but or {}).values())
    return now if len(now) == 3 and not known & set(now.values()) else {}


def test_a_step_that_ends_soon_is_waited_for(standing: Standing, tmp_path: Path) -> None:
    system = standing.up(grace="30s")
    given, command = submitted(system.service, tmp_path)
    assert system.process is not None
    system.process.send_signal(signal.SIGINT)
    until(lambda: "web" not in system.children(), "the end of web")
    assert alive(command)
    (tmp_path / "go").touch()
    assert system.process.wait(timeout=PATIENCE) == 0
    assert processes_of(standing.data) == []
    assert state(standing.data, given) == ("COMPLETE", [("COMPLETE", 1)])


def test_a_step_that_runs_long_goes_back_and_runs_again_later(standing: Standing, tmp_path: Path) -> None:
    system = standing.up(grace="0.2s")
    given, command = submitted(system.service, tmp_path)
    assert system.stop(signal.SIGTERM) == 0
    assert not alive(command)
    assert processes_of(standing.data) == []
    assert state(standing.data, given) == ("RUNNING", [("QUEUED", 1)])
    assert system.complaints() == []

    system = standing.up(grace="0.2s")
    until(lambda: len(list(tmp_path.glob("*.pid"))) == 2, "the second attempt")
    (tmp_path / "go").touch()
    done = system.service.finished(given)
    assert (done["status"], system.service.step(done, "gate")["attempt"]) == ("COMPLETE", 2)
    events = system.service.get(done["links"]["events"]).json()["events"]
    steps = [event["status"] for event in events if event["step"]]
    assert steps == ["QUEUED", "RUNNING", "QUEUED", "RUNNING", "COMPLETE"]


def test_a_second_signal_ends_all_at_once_and_gives_back_what_runs(standing: Standing, tmp_path: Path) -> None:
    system = standing.up(grace="30s")
    given, command = submitted(system.service, tmp_path)
    assert system.process is not None
    system.process.send_signal(signal.SIGINT)
    until(lambda: "web" not in system.children(), "the end of web")
    assert system.stop(signal.SIGINT) == 0
    assert not alive(command)
    assert processes_of(standing.data) == []
    assert state(standing.data, given) == ("RUNNING", [("QUEUED", 1)])
    (tmp_path / "go").touch()


def test_all_end_with_a_supervisor_that_is_killed(standing: Standing, tmp_path: Path) -> None:
    system = standing.up(grace="0.2s")
    _, command = submitted(system.service, tmp_path)
    assert system.process is not None
    system.process.kill()
    until(lambda: not processes_of(standing.data), "the end of all processes")
    assert not alive(command)
    (tmp_path / "go").touch()


def test_a_second_up_on_the_same_data_folder_refuses(live: LiveSystem) -> None:
    done = aa(live.data, "up", "--port", "0")
    assert done.returncode == 1
    assert done.stderr.strip() == f"Error: another `aa up` (process {live.pid}) already serves {live.data}"
    assert done.stdout == ""


def test_a_port_that_is_taken_is_told(live: LiveSystem, tmp_path: Path) -> None:
    done = aa(tmp_path / "other", "up", "--port", str(live.service.port))
    assert done.returncode == 1
    assert done.stderr.strip() == f"Error: cannot listen on 127.0.0.1 port {live.service.port}: Address already in use"


def test_a_worker_serves_only_the_queues_that_it_is_told(prepared: Path, tmp_path: Path) -> None:
    with (
        started("web", "--port", "0", data=prepared) as web,
        started("worker", "--queues", "front_queue", data=prepared),
        asked(web) as service,
    ):
        other = service.submit("gate", files={"text": "T"}, data={"gate_place": str(tmp_path)})
        assert service.run("front", files={"text": "T"})["status"] == "COMPLETE"
        assert state(prepared, other) == ("SUBMITTED", [("QUEUED", 0)])
    assert processes_of(prepared) == []
    assert state(prepared, other) == ("SUBMITTED", [("QUEUED", 0)])


def state(data: Path, submission: dict[str, Any]) -> tuple[str, list[tuple[str, int]]]:
    """The status of a submission as the database has it, and those of its steps with their attempts."""
    key = submission["id"].replace("-", "")
    [row] = stacks.rows(data, "SELECT status FROM runs_submission WHERE id = :key", key=key)
    steps = stacks.rows(data, "SELECT status, attempt FROM runs_steprun WHERE submission_id = :key", key=key)
    return row["status"], [(step["status"], step["attempt"]) for step in steps]


@contextlib.contextmanager
def started(*arguments: str, data: Path) -> Iterator[subprocess.Popen[str]]:
    """One `aa` command that serves until it is stopped, which it heeds at once."""
    with subprocess.Popen(
        [str(AA), *arguments], env=variables(data), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            yield process
            process.terminate()
            assert process.wait(timeout=PATIENCE) == 0
        finally:
            process.kill()


@contextlib.contextmanager
def asked(web: subprocess.Popen[str]) -> Iterator[Service]:
    """The service of an `aa web`, which tells its port."""
    assert web.stdout is not None
    said = web.stdout.readline()
    port = re.search(r"port (\d+)", said)
    assert port, said
    service = Service(f"http://127.0.0.1:{port[1]}")
    try:
        yield service
    finally:
        service.close()
