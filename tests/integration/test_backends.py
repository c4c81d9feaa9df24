"""Jobs whose steps run on several Backends, one of which is a cluster with a real Slurm."""

from collections.abc import Iterator

import psutil
import pytest

from integration.live import LiveSystem, Service, apply, processes_of, until
from services.slurm import Slurm

PIPELINE = """\
format: 1
pipeline: cluster
backends:
  cluster:
    executor: slurm
    root: {root}
    options: {{conf: {conf}}}
    environment: {{PLACE: the cluster}}
tasks:
  here: {{inputs: {{data: in.txt}}, outputs: {{copied: copy.txt}}, command: "cp {{input.data}} {{output.copied}}"}}
  there:
    backend: cluster
    inputs: {{copied: in.txt}}
    outputs: {{upper: upper.txt}}
    script: |
      echo "it says $PLACE in ${{SLURM_JOB_ID:-none}}" >&2
      tr a-z A-Z < "$input_copied" > "$output_upper"
  back: {{inputs: {{upper: in.txt}}, outputs: {{counted: n.txt}}, command: "wc -c {{input.upper}}", stdout: counted}}
  sleeper:
    backend: cluster
    inputs: {{data: in.txt}}
    script: |
      trap '' TERM
      sleep 600 &
      echo $$ > "$TMPDIR/../pid"
      sleep 600
  fails: {{backend: cluster, inputs: {{data: in.txt}}, script: 'echo "no luck" > "$message_file"; exit 7'}}
  waits: {{backend: cluster, inputs: {{data: in.txt}}, outputs: {{done: out.txt}}, script: 'sleep 3; cp "$input_data" "$output_done"'}}
  part: {{backend: cluster, inputs: {{data: in.txt}}, outputs: {{piece: "part.*", }}, command: "split -l 1 {{input.data}} part."}}
jobs:
  there_and_back: {{runnable: true, steps: [here, there, back], results: {{counted: back.counted, upper: there.upper}}}}
  sleeper: {{runnable: true, steps: [sleeper]}}
  fails: {{runnable: true, steps: [fails]}}
  waits: {{runnable: true, steps: [waits]}}
"""
PIPELINE = PIPELINE.replace('{{piece: "part.*", }}', '{{pieces: {{file: "part.*", many: true}}}}')


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, slurm: Slurm) -> Iterator[LiveSystem]:
    """`aa up` beside a cluster, whose nodes see the same disk."""
    folder = tmp_path_factory.mktemp("cluster")
    pipeline = folder / "cluster.yaml"
    pipeline.write_text(PIPELINE.format(root=folder / "shared", conf=slurm.configuration))
    system = LiveSystem(folder / "data", AA_LEASE_SECONDS="3", AA_RECONCILE_INTERVAL="2s")
    apply(system.data, pipeline)
    system.start()
    try:
        yield system
        assert system.stop() == 0
    finally:
        system.kill()
        slurm.clear()


@pytest.fixture
def service(live: LiveSystem) -> Service:
    return live.service


def test_a_job_goes_from_this_machine_to_the_cluster_and_back(service):
    ended = service.run("there_and_back", files={"input_data": ("in.txt", "abc\n")})
    assert ended["status"] == "COMPLETE", ended
    assert service.results(ended) == {"counted": b"4 in.txt\n", "upper": b"ABC\n"}
    events = service.get(f"/api/v1/submissions/{ended['id']}/events").json()["events"]
    there = [event["status"] for event in events if event["step"] == "there"]
    assert there == ["QUEUED", "RUNNING", "QUEUED", "RUNNING", "COMPLETE"]


def test_what_the_command_says_reaches_the_operator_and_its_message_the_caller(service, live):
    ended = service.run("fails", files={"input_data": ("in.txt", "x")})
    assert (ended["status"], ended["cause"], ended["message"]) == ("ERROR", "exit", "no luck")
    assert service.step(ended, "fails")["exit_code"] == 7


def test_cancel_reaches_the_whole_tree_on_the_node(service, live):
    submission = service.submit("sleeper", files={"input_data": ("in.txt", "x")})
    address = f"/api/v1/submissions/{submission['id']}"
    until(lambda: service.step(service.get(address).json(), "sleeper")["status"] == "RUNNING", "the job to start")
    service.http.post(f"{address}/cancel")
    ended = service.finished(submission)
    assert ended["status"] == "CANCELLED"
    assert not [
        each for each in psutil.process_iter(["environ"]) if submission["id"].replace("-", "") in str(each.info)
    ]


def test_a_cluster_that_is_down_has_its_steps_wait_and_say_why(service, live, slurm):
    slurm.controller.stop()
    try:
        submission = service.submit("there_and_back", files={"input_data": ("in.txt", "later\n")})
        address = f"/api/v1/submissions/{submission['id']}"
        said = "It waits: its backend gives no answer at present."
        until(lambda: service.step(service.get(address).json(), "there")["message"] == said, "the step to say why")
    finally:
        slurm.controller.start()
    assert service.finished(submission)["status"] == "COMPLETE"
    assert service.step(service.get(address).json(), "there")["attempt"] <= 5


def test_commands_go_on_while_the_controller_and_all_workers_are_started_anew(service, live, slurm):
    submission = service.submit("waits", files={"input_data": ("in.txt", "all the while\n")})
    address = f"/api/v1/submissions/{submission['id']}"

    def runs_there() -> bool:
        events = service.get(f"{address}/events").json()["events"]
        return [event["status"] for event in events if event["step"] == "waits"].count("RUNNING") == 2

    until(runs_there, "the job to start")  # the first time its files are only laid out
    for process in processes_of(live.data):
        if "worker" in process.cmdline():
            process.kill()
    slurm.controller.stop()
    slurm.controller.start()
    ended = service.finished(submission)
    assert (ended["status"], service.step(ended, "waits")["attempt"]) == ("COMPLETE", 1)
    assert service.results(ended) == {"waits_done": b"all the while\n"}
