"""`aa up`: what it starts, starts again, and stops; and what else may serve its data folder."""

import contextlib
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from integration.live import AA, LiveSystem, Service, aa, alive, apply, processes_of, until, variables

PIPELINE = """\
format: 1
pipeline: gates
backends:
  front: {executor: local, queue: front_queue}
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


@contextlib.contextmanager
def running(data: Path, **settings: str) -> Iterator[LiveSystem]:
    """An `aa up` of a test's own; whatever it leaves is ended."""
    system = LiveSystem(data, **settings)
    try:
        system.start()
        yield system
    finally:
        system.kill()


def submitted(service: Service, place: Path) -> tuple[dict[str, object], int]:
    """A submission whose step runs until there is a file `go`, and the process id of its command."""
    known = set(place.glob("*.pid"))
    given = service.submit("gate", files={"text": "T"}, data={"gate_place": str(place)})

    def started() -> int:
        fresh = [path.read_text() for path in set(place.glob("*.pid")) - known]
        return int(fresh[0]) if fresh and fresh[0].endswith("\n") else 0

    return given, until(started, "the step's command")


def test_a_child_that_dies_is_started_again(prepared: Path) -> None:
    with running(prepared) as system:
        before = until(lambda: _three(system), "three children")
        for child in before.values():
            child.kill()
        after = until(lambda: _three(system, but=before), "three new children")
        done = system.service.run("front", files={"text": "T"})
        assert done["status"] == "COMPLETE"
        log = system.log.read_text()
        for name in after:
            assert f"aa: {name} ended (signal 9); started again in" in log
        assert system.stop() == 0
        assert processes_of(prepared) == []


def _three(system: LiveSystem, but: dict[str, psutil.Process] | None = None) -> dict[str, psutil.Process]:
    now = system.children()
    known = set((but or {}).values())
    return now if len(now) == 3 and not known & set(now.values()) else {}


def test_a_second_up_on_the_same_data_folder_refuses(live: LiveSystem) -> None:
    done = aa(live.data, "up", "--port", "0")
    assert done.returncode == 1
    assert done.stderr.strip() == f"Error: another `aa up` (process {live.pid}) already serves {live.data}"
    assert done.stdout == ""


def test_a_port_that_is_taken_is_told(live: LiveSystem, tmp_path: Path) -> None:
    done = aa(tmp_path / "other", "up", "--port", str(live.service.port))
    assert done.returncode == 1
    assert done.stderr.strip() == f"Error: cannot listen on 127.0.0.1 port {live.service.port}: Address already in use"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_all_and_a_long_step_goes_back(prepared: Path, tmp_path: Path, number: int) -> None:
    with running(prepared, AA_STOP_GRACE="0.2s") as system:
        given, command = submitted(system.service, tmp_path)
        assert system.stop(number) == 0
        assert not alive(command)
        assert processes_of(prepared) == []
        assert system.complaints() == []
    with running(prepared) as system:
        until(lambda: len(list(tmp_path.glob("*.pid"))) == 2, "the second attempt")
        (tmp_path / "go").touch()
        done = system.service.finished(given)
        assert done["status"] == "COMPLETE"
        assert system.service.step(done, "gate")["attempt"] == 2
        events = system.service.get(done["links"]["events"]).json()["events"]
        assert [event["status"] for event in events if event["step"]] == [
            *("QUEUED", "RUNNING", "QUEUED", "RUNNING", "COMPLETE")
        ]
        assert system.stop() == 0
        assert processes_of(prepared) == []


def test_a_short_step_is_waited_for(prepared: Path, tmp_path: Path) -> None:
    with running(prepared, AA_STOP_GRACE="30s") as system:
        given, command = submitted(system.service, tmp_path)
        assert system.process is not None
        system.process.send_signal(signal.SIGTERM)
        until(lambda: "worker" in system.children() and "web" not in system.children(), "the end of web")
        assert alive(command)
        (tmp_path / "go").touch()
        assert system.stop() == 0
    with running(prepared) as system:
        done = system.service.finished(given)
        assert (done["status"], system.service.step(done, "gate")["attempt"]) == ("COMPLETE", 1)
        assert system.stop() == 0


def test_all_end_with_a_supervisor_that_is_killed(prepared: Path, tmp_path: Path) -> None:
    with running(prepared, AA_STOP_GRACE="0.2s") as system:
        _, command = submitted(system.service, tmp_path)
        assert system.process is not None
        system.process.kill()
        until(lambda: not processes_of(prepared), "the end of all processes")
        assert not alive(command)


def test_a_worker_serves_only_the_queues_that_it_is_told(prepared: Path, tmp_path: Path) -> None:
    with started("web", "--port", "0", data=prepared) as web:
        service = Service(f"http://127.0.0.1:{announced_port(web)}")
        other = service.submit("gate", files={"text": "T"}, data={"gate_place": str(tmp_path)})
        (tmp_path / "go").touch()
        with started("worker", "--queues", "front_queue", data=prepared):
            done = service.run("front", files={"text": "T"})
            assert done["status"] == "COMPLETE"
            waits = service.get(f"/api/v1/submissions/{other['id']}").json()
            assert (waits["status"], waits["steps"][0]["status"]) == ("SUBMITTED", "QUEUED")
        with started("worker", "--concurrency", "1", data=prepared):
            assert service.finished(other)["status"] == "COMPLETE"
        service.close()
    assert processes_of(prepared) == []


@contextlib.contextmanager
def started(*arguments: str, data: Path) -> Iterator[subprocess.Popen[str]]:
    """One `aa` command that serves until it is stopped, which it heeds at once."""
    process = subprocess.Popen(
        [str(AA), *arguments], env=variables(data), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield process
        process.terminate()
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()  # type: ignore[union-attr] -- it is a pipe


def announced_port(web: subprocess.Popen[str]) -> int:
    """The port that `aa web` tells."""
    assert web.stdout is not None
    said = web.stdout.readline()
    found = re.search(r"port (\d+)", said)
    assert found, said
    with socket.create_connection(("127.0.0.1", int(found[1]))):
        return int(found[1])
