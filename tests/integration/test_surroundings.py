"""What belongs to a task's surroundings: reference data, PATH, setup, secrets, defaults and limits, and its voice."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import stacks
from integration.live import LiveSystem, Service, apply, until
from integration.test_endings import everything_shown

TOKEN = "tok/en 4711 & so+on"
FILED = "a-key-of-two\nlines-of-text"

PIPELINE = r"""
format: 1
pipeline: surroundings_of_tasks
backends:
  place:
    executor: local
    data:
      letters: {path: PLACE/letters, version: "2026_01"}
      weights: PLACE/weights
      never: PLACE/never
    path: [PLACE/bin]
    environment: {BOTH: backend, ONLY_BACKEND: "yes", LITERAL: "{workdir} $HOME"}
    setup: |
      export FROM_BACKEND=1 ORDER=backend
      echo "the backend is ready"
    defaults: {timeout: 30s, resources: {cpus: 3, memory: 2GB}}
    limits: {timeout: 1m, resources: {cpus: 8, memory: 4GB}}
  bare:
    executor: local
    path: [PLACE/bin]
    environment: {BOTH: backend}
    data: {letters: PLACE/letters}
    limits: {timeout: 2s, resources: {cpus: 2}}
  broken: {executor: local, setup: "echo loading; no-such-module load blast; echo never reached"}
  losing: {executor: local, data: {lost: PLACE/letters}}
  local: {options: {readable: [PLACE, PYTHON]}}

tasks:
  data_in_command:
    backend: place
    outputs: {made: made.txt}
    command: cat {data.letters}/a.txt
    environment: {WEIGHTS: "{data.weights}"}
    stdout: made
  data_in_script:
    backend: place
    outputs: {made: made.txt}
    script: |
      cat "$data_letters/a.txt" > "$output_made"
      data_own=1
      echo "$data_own ${data_absent:-none}" >> "$output_made"
  data_lost:
    backend: losing
    outputs: {made: made.txt}
    command: cat {data.lost}/a.txt
    stdout: made
  data_lost_in_script:
    backend: losing
    outputs: {made: made.txt}
    script: cat "$data_lost/a.txt" > "$output_made"

  look:
    backend: place
    outputs: {made: made.txt}
    parameters: {word: {type: string, default: "a  b$HOME"}}
    command: look-around {param.word} "" {resources.cpus} {resources.memory_mb} "*"
    environment: {BOTH: task}
    setup: export FROM_TASK=1 ORDER="$ORDER task"
    stdout: made
  look_bare: {backend: bare, outputs: {made: made.txt}, command: look-around, stdout: made}
  look_for_python: {backend: bare, outputs: {made: made.txt}, interpreter: python, script: "no python reads this"}
  activated:
    outputs: {made: made.txt}
    setup: source PLACE/venv/bin/activate
    interpreter: python
    script: |
      import json, os, sys
      with open(os.environ["output_made"], "w") as file:
          json.dump({"prefix": sys.prefix, "argv": sys.argv, "venv": os.environ["VIRTUAL_ENV"]}, file)
  reads_stdin:
    inputs: {text: text.txt}
    outputs: {made: made.txt, said: said.txt}
    setup: |
      echo noise
      echo noise >&2
      cat
      cd /
      set -u
      set -- changed arguments
    command: bash -c 'cat; echo "$0 $#" >&2; pwd >&2' x "y z"
    stdin: text
    stdout: made
    stderr: said
  ends:
    inputs: {text: {file: text.txt, env_only: true}}
    outputs: {made: {file: made.txt, optional: true}}
    parameters: {how: {type: string}}
    setup: export SEEN=1
    command: bash -c 'case $1 in signal) kill -SEGV $$ ;; late) sleep 600 & sleep 600 ;; *) exit "$1" ;; esac' x {param.how}
    timeout: 2s
  is_missing: {outputs: {made: made.txt}, setup: "true", command: no-such-program-here}
  setup_fails:
    outputs: {made: made.txt}
    parameters: {way: {type: string}}
    environment: {WAY: "{param.way}"}
    setup: |
      echo "hunter2 is what the setup said"
      case $WAY in
        code) exit 7 ;; well) exit 0 ;; missing) no-such-command ;; returned) return 3 ;; killed) kill -KILL $$ ;;
        unread) (exit 5) && true ;; source) . /no/such/file ;; esac
    script: exit 7
  setup_of_backend_fails: {backend: broken, outputs: {made: made.txt}, command: touch made.txt}

  tells_secrets:
    outputs: {made: made.txt}
    parameters: {fails: {type: boolean, default: false}}
    secrets: [TOKEN, FILED]
    setup: echo "setup has $TOKEN"
    script: |
      printf '%s' "$TOKEN" | sha256sum > "$output_made"
      printf '%s' "$FILED" | sha256sum >> "$output_made"
      env | grep -c '^AA_SECRET' >> "$output_made" || true
      echo "out $TOKEN" "$FILED"
      echo "err $TOKEN" >&2
      echo "0.5 with $TOKEN" > "$progress_file"
      echo "message with $TOKEN" > "$message_file"
      if [ "$param_fails" = true ]; then exit 3; fi
  tells_much:
    outputs: {made: {file: made.txt, optional: true}}
    secrets: [TOKEN]
    interpreter: python
    script: |
      import os, sys
      line = os.environ["TOKEN"].encode() * 20_000
      sys.stdout.buffer.write(line)
      sys.stderr.buffer.write(line[7:])
  needs_absent: {outputs: {made: made.txt}, secrets: [ABSENT], command: touch made.txt}

  speaks:
    outputs: {made: {file: made.txt, optional: true}, more: more.txt}
    parameters: {how: {type: string}, words: {type: string, default: A word of the tool.}}
    script: |
      [ "$param_how" = 0 ] || printf '%s' "$param_words" > "$message_file"
      case $param_how in signal) kill -SEGV $$ ;; late) sleep 600 ;; unfit) mkdir "$output_more" ;; *) exit "$param_how" ;; esac
    timeout: 2s
    exit_codes: {stop: [3], messages: {4: A message of the author., 3: Stopped., 5: Five.}}
  speaks_oddly:
    outputs: {made: made.txt}
    parameters: {how: {type: string}}
    interpreter: python
    script: |
      import os
      file, how = os.environ["message_file"], os.environ["param_how"]
      if how == "link":
          os.symlink("/etc/passwd", file)
      elif how == "pipe":
          os.mkfifo(file)
      elif how == "folder":
          os.mkdir(file)
      elif how == "bytes":
          open(file, "wb").write(b"bad \xff\xfe byte\x00 \x1b[31mred\x1b[0m \xe2\x80\xae\r\nnext\tline\n\n")
      elif how == "long":
          open(file, "w").write("\u00fc" * 50_000)
      raise SystemExit(9)
  shows_progress:
    outputs: {made: made.txt}
    parameters: {gate: {type: string}}
    script: |
      echo "what is no number" > "$progress_file"
      until [ -e "$param_gate/one" ]; do sleep 0.02; done
      printf '0.25 aligning\t\033[1m12 of 30\n' > "$progress_file"
      until [ -e "$param_gate/two" ]; do sleep 0.02; done
      echo "1.0 nearly done" >> "$progress_file"
      until [ -e "$param_gate/three" ]; do sleep 0.02; done
      touch "$output_made"

  ships:
    inputs: {more: {file: ".", many: true, optional: true, env_only: true}}
    outputs:
      made: made.txt
      all: {file: "**/*.txt", many: true}
    files: [helpers/lib.sh, notes.txt]
    script: |
      source helpers/lib.sh
      { greet; cat notes.txt; stat -c %a notes.txt helpers/lib.sh helpers; } > made.txt
      echo new > helpers/new.txt
      if [ -e 1-notes.txt ]; then cat 1-notes.txt >> made.txt; fi

  meets_names:
    inputs: {parts: {file: ".", many: true, env_only: true}, late: {file: late.txt, env_only: true}}
    outputs: {made: {file: made.txt, optional: true}, deep: {file: out/deep.txt, optional: true}}
    files: [helpers/lib.sh]
    script: cat late.txt

  ships_programs:
    outputs: {made: made.txt}
    files: [tools/tool.sh, plain.sh]
    command: ./tools/tool.sh a "b c"
    stdout: made

  allowed:
    backend: place
    outputs: {made: made.txt}
    command: echo {resources.cpus} {resources.memory_mb}
    stdout: made
    resources: {cpus: 8, memory: 4GB}
    timeout: 1m

jobs:
  data_in_command: {runnable: true, steps: [{task: data_in_command}]}
  data_in_script: {runnable: true, steps: [{task: data_in_script}]}
  data_lost: {runnable: true, steps: [{task: data_lost}]}
  data_lost_in_script: {runnable: true, steps: [{task: data_lost_in_script}]}
  look: {runnable: true, steps: [{task: look}]}
  look_bare: {runnable: true, steps: [{task: look_bare}]}
  look_for_python: {runnable: true, steps: [{task: look_for_python}]}
  activated: {runnable: true, steps: [{task: activated}]}
  reads_stdin: {runnable: true, steps: [{task: reads_stdin}]}
  ends: {runnable: true, parameters: {how: {sets: ends.how}}, steps: [{task: ends}]}
  is_missing: {runnable: true, steps: [{task: is_missing}]}
  setup_fails: {runnable: true, parameters: {way: {sets: setup_fails.way}}, steps: [{task: setup_fails}]}
  setup_of_backend_fails: {runnable: true, steps: [{task: setup_of_backend_fails}]}
  tells_secrets: {runnable: true, parameters: {fails: {sets: tells_secrets.fails}}, steps: [{task: tells_secrets}]}
  tells_much: {runnable: true, steps: [{task: tells_much}]}
  needs_absent: {runnable: true, steps: [{task: needs_absent}]}
  speaks:
    runnable: true
    parameters: {how: {sets: speaks.how}, words: {sets: speaks.words}}
    steps: [{task: speaks}]
  speaks_oddly: {runnable: true, parameters: {how: {sets: speaks_oddly.how}}, steps: [{task: speaks_oddly}]}
  shows_progress: {runnable: true, parameters: {gate: {sets: shows_progress.gate}}, steps: [{task: shows_progress}]}
  allowed: {runnable: true, steps: [{task: allowed}]}
  ships_programs: {runnable: true, steps: [{task: ships_programs}]}
  meets_names:
    runnable: true
    inputs: {parts: {many: true}, late: {}}
    steps: [{task: meets_names}]
  ships:
    runnable: true
    inputs: {more: {many: true, optional: true, unpack: [zip, tar], max_size: 1MB, max_files: 5}}
    steps: [{task: ships}]
"""

LOOK_AROUND = """#!/bin/sh
printf '[%s]' "$@"
echo
env
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with reference data, a program, and a virtual environment, as they might lie on a backend."""
    place = tmp_path_factory.mktemp("place")
    (place / "letters").mkdir()
    (place / "letters" / "a.txt").write_text("letters\n")
    program = place / "bin" / "look-around"
    program.parent.mkdir()
    program.write_text(LOOK_AROUND)
    program.chmod(0o755)
    own_python = place / "bin" / "python3"
    own_python.write_text("#!/bin/sh\necho the python of the backend > made.txt\n")
    own_python.chmod(0o755)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place / "venv"], check=True)
    return place


@pytest.fixture(scope="module")
def system(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSystem]:
    folder = tmp_path_factory.mktemp("surroundings")
    (folder / "filed").write_text(f"{FILED}\r\n")
    (folder / "helpers").mkdir()
    (folder / "helpers" / "lib.sh").write_text("greet() { echo hello; }\n")
    (folder / "notes.txt").write_text("notes as they were\n")
    (folder / "tools").mkdir()
    (folder / "tools" / "tool.sh").write_text("#!/bin/sh\nprintf '[%s]' \"$@\"\nstat -c %a tools/tool.sh plain.sh\n")
    (folder / "plain.sh").write_text("echo plain\n")
    pipeline = folder / "pipeline.yaml"
    pipeline.write_text(PIPELINE.replace("PLACE", str(place)).replace("PYTHON", sys.base_prefix))
    system = LiveSystem(
        folder / "data",
        AA_WORKER_CONCURRENCY="4",
        AA_SECRET_KEY="only-the-servers-own",
        AA_SECRET_TOKEN=TOKEN,
        AA_SECRET_FILED_FILE=str(folder / "filed"),
    )
    apply(system.data, pipeline)
    system.start()
    try:
        yield system
        assert system.stop() == 0
        complaints = system.complaints()
        assert complaints
        assert [line for line in complaints if "a step lacks what it needs" not in line] == []
        assert TOKEN not in system.log.read_text()
    finally:
        system.kill()


@pytest.fixture
def service(system: LiveSystem) -> Service:
    return system.service


def operators_view(system: LiveSystem, submission: dict[str, Any]) -> dict[str, Any]:
    """The last Attempt of a Submission of one step."""
    return stacks.rows(
        system.data,
        "SELECT runs_attempt.* FROM runs_attempt JOIN runs_steprun ON runs_steprun.id = step_run_id "
        "WHERE submission_id = :key ORDER BY runs_attempt.id DESC",
        key=submission["id"].replace("-", ""),
    )[0]


def change(system: LiveSystem, statement: str, **values: object) -> None:
    """Change the configuration under the running service, as a page or another program might."""
    stacks.rows(system.data, statement, **values)


def made(service: Service, submission: dict[str, Any]) -> str:
    assert submission["status"] == "COMPLETE", submission["message"]
    (text,) = (text for name, text in service.results(submission).items() if name.endswith("_made"))
    return text.decode()


def test_data_of_the_backend_are_in_a_command(system: LiveSystem, service: Service, place: Path) -> None:
    done = service.run("data_in_command", json={})
    assert made(service, done) == "letters\n"
    used = json.loads(operators_view(system, done)["data"])
    assert used == {
        "letters": {"path": f"{place}/letters", "version": "2026_01"},
        "weights": {"path": f"{place}/weights"},
    }


def test_data_of_the_backend_are_in_a_script(system: LiveSystem, service: Service) -> None:
    done = service.run("data_in_script", json={})
    assert made(service, done) == "letters\n1 none\n"
    assert list(json.loads(operators_view(system, done)["data"])) == ["letters"]


def test_data_that_the_backend_has_no_more_end_the_step(system: LiveSystem, service: Service) -> None:
    """What was there when the job was configured may be gone when the step is taken up."""
    assert made(service, service.run("data_lost", json={})) == "letters\n"
    change(system, "DELETE FROM pipelines_data WHERE name = 'lost'")
    for job in ("data_lost", "data_lost_in_script"):
        done = service.run(job, json={})
        assert (done["status"], done["cause"]) == ("CRASH", "backend_unavailable")
        assert (
            done["message"]
            == f"Step '{job}' could not be run: reference data that it needs is not available at present."
        )
        assert "lost'" not in everything_shown(service, done).replace(job, "")
        attempt = operators_view(system, done)
        assert (attempt["cause"], attempt["detail"]) == (
            "backend_unavailable",
            "the backend 'losing' has no data 'lost'",
        )


def test_path_environment_and_setup_reach_the_command(service: Service, place: Path, system: LiveSystem) -> None:
    done = service.run("look", json={})
    words, *lines = made(service, done).splitlines()
    assert words == "[a  b$HOME][][3][2000][*]", "the argument list is what it was"
    environment = dict(line.split("=", 1) for line in lines)
    assert environment["PATH"].split(":")[0] == f"{place}/bin"
    assert environment["BOTH"] == "task"
    assert environment["ONLY_BACKEND"] == "yes"
    assert environment["LITERAL"] == "{workdir} $HOME"
    assert environment["ORDER"] == "backend task"
    assert environment["FROM_BACKEND"] == environment["FROM_TASK"] == "1"
    assert [name for name in environment if name.startswith("aa_")] == []
    attempt = operators_view(system, done)
    assert attempt["setup_output"] == "the backend is ready\n"
    assert json.loads(attempt["argv"]) == ["look-around", "a  b$HOME", "", "3", "2000", "*"]
    assert attempt["stderr"] == ""


def test_the_path_of_a_backend_is_searched_without_a_setup_too(service: Service) -> None:
    lines = made(service, service.run("look_bare", json={})).splitlines()
    assert "BOTH=backend" in lines


def test_the_python_of_a_script_is_looked_for_on_the_path_of_the_backend(service: Service) -> None:
    assert made(service, service.run("look_for_python", json={})) == "the python of the backend\n"


def test_a_virtual_environment_is_activated_for_the_command(service: Service, place: Path) -> None:
    seen = json.loads(made(service, service.run("activated", json={})))
    assert seen["prefix"] == seen["venv"] == f"{place}/venv"
    assert len(seen["argv"]) == 1


def test_a_setup_keeps_out_of_the_commands_streams(service: Service, system: LiveSystem) -> None:
    done = service.run("reads_stdin", json={"inputs": {"text": "for the command"}})
    assert done["status"] == "COMPLETE", done["message"]
    results = service.results(done)
    assert results["reads_stdin_made"] == b"for the command"
    arguments, folder = results["reads_stdin_said"].decode().splitlines()
    assert arguments == "x 1"
    assert folder.endswith("/work")
    assert operators_view(system, done)["setup_output"] == "noise\nnoise\n"


@pytest.mark.parametrize("code", [0, 1, 7, 127, 255])
def test_exit_codes_are_the_commands_behind_a_setup(service: Service, code: int) -> None:
    done = service.run("ends", json={"inputs": {"text": "T"}, "parameters": {"how": str(code)}})
    assert service.step(done, "ends")["exit_code"] == code
    assert done["status"] == ("COMPLETE" if code == 0 else "ERROR")


def test_signals_and_time_limits_are_the_commands_behind_a_setup(service: Service) -> None:
    done = service.run("ends", json={"inputs": {"text": "T"}, "parameters": {"how": "signal"}})
    assert done["message"] == "Step 'ends' was ended by the signal SIGSEGV."
    done = service.run("ends", json={"inputs": {"text": "T"}, "parameters": {"how": "late"}})
    assert (done["status"], done["cause"]) == ("ERROR", "timeout")
    assert done["message"] == "Step 'ends' ran longer than its time limit of 2s."


def test_a_missing_program_is_no_failure_of_the_setup(service: Service, system: LiveSystem) -> None:
    done = service.run("is_missing", json={})
    assert (done["status"], done["message"]) == ("ERROR", "Step 'is_missing' failed with exit code 127.")
    assert "no-such-program-here" in operators_view(system, done)["stderr"]


@pytest.mark.parametrize("way", ["code", "well", "missing", "returned", "killed", "unread", "source"])
def test_a_setup_that_fails_is_a_crash(service: Service, system: LiveSystem, way: str) -> None:
    done = service.run("setup_fails", json={"parameters": {"way": way}})
    assert (done["status"], done["cause"]) == ("CRASH", "backend_unavailable")
    assert done["message"] == "Step 'setup_fails' could not be run: its software could not be made ready."
    assert "hunter2" not in everything_shown(service, done)
    attempt = operators_view(system, done)
    assert attempt["setup_output"].startswith("hunter2 is what the setup said\n")
    assert attempt["detail"].startswith("the setup failed.")


def test_the_same_exit_code_of_the_command_is_its_own(service: Service) -> None:
    done = service.run("setup_fails", json={"parameters": {"way": "none"}})
    assert (done["status"], done["cause"], done["message"]) == (
        "ERROR",
        "exit",
        "Step 'setup_fails' failed with exit code 7.",
    )


def test_a_setup_ends_at_the_first_command_that_fails(service: Service, system: LiveSystem) -> None:
    done = service.run("setup_of_backend_fails", json={})
    assert done["status"] == "CRASH"
    said = operators_view(system, done)["setup_output"]
    assert said.startswith("loading\n")
    assert "no-such-module" in said
    assert "never reached" not in said


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("fails", [False, True])
def test_secrets_reach_the_command_and_nothing_else(service: Service, system: LiveSystem, fails: bool) -> None:
    done = service.run("tells_secrets", json={"parameters": {"fails": fails}})
    attempt = operators_view(system, done)
    kept = json.dumps(attempt, default=str) + everything_shown(service, done)
    assert json.loads(attempt["secrets"]) == ["FILED", "TOKEN"]
    assert {"FILED", "TOKEN"} <= set(json.loads(attempt["environment"]))
    assert attempt["stdout"] == "out *** ***\n"
    assert attempt["stderr"] == "err ***\n"
    assert attempt["setup_output"] == "setup has ***\n"
    for secret in (TOKEN, *FILED.splitlines()):
        assert secret not in kept
    if fails:
        assert done["message"] == "message with ***"
    else:
        first, second, third = made(service, done).splitlines()
        assert first.split()[0] == digest(TOKEN)
        assert second.split()[0] == digest(FILED)
        assert third == "0", "the worker's own variables are not passed on"


def test_secrets_leave_nothing_at_the_cut_of_a_log(service: Service, system: LiveSystem) -> None:
    attempt = operators_view(system, service.run("tells_much", json={}))
    for log in (attempt["stdout"], attempt["stderr"]):
        assert "bytes not kept" in log
        rest = log.replace("***", "")
        assert len(rest) < 60, rest
    assert attempt["stdout"].startswith("***")


def test_a_secret_that_is_missing_is_a_crash(service: Service, system: LiveSystem) -> None:
    detail = "the secret 'ABSENT' is missing: the worker has neither AA_SECRET_ABSENT nor AA_SECRET_ABSENT_FILE"
    done = service.run("needs_absent", json={})
    assert (done["status"], done["cause"]) == ("CRASH", "backend_unavailable")
    assert done["message"] == "Step 'needs_absent' could not be run: this service is not ready for it at present."
    assert "SECRET" not in everything_shown(service, done)
    assert operators_view(system, done)["detail"] == detail
    assert detail in system.log.read_text()


@pytest.mark.parametrize("how", ["1", "4", "signal", "late"])
def test_a_message_of_the_tool_goes_before_all_others_where_it_fails(service: Service, how: str) -> None:
    done = service.run("speaks", json={"parameters": {"how": how}})
    assert (done["status"], done["message"]) == ("ERROR", "A word of the tool.")
    assert service.step(done, "speaks")["message"] == "A word of the tool."


def test_a_message_of_the_tool_tells_where_it_stops(service: Service) -> None:
    done = service.run("speaks", json={"parameters": {"how": "3"}})
    assert (done["status"], done["stopped"]) == ("COMPLETE", {"step": "speaks", "message": "A word of the tool."})


def test_a_message_tells_of_a_missing_output(service: Service) -> None:
    done = service.run("speaks", json={"parameters": {"how": "00"}})
    assert (done["cause"], done["message"]) == ("missing_output", "A word of the tool.")


def test_a_message_tells_of_an_output_that_cannot_be_taken(service: Service) -> None:
    done = service.run("speaks", json={"parameters": {"how": "unfit"}})
    assert (done["status"], done["cause"], done["message"]) == ("ERROR", "missing_output", "A word of the tool.")
    done = service.run("speaks", json={"parameters": {"how": "unfit", "words": " "}})
    assert done["message"] == "Step 'speaks' failed. The output 'more' is no regular file."


def test_messages_of_the_author_go_before_those_of_the_service(service: Service) -> None:
    for how, message in (
        ("4", "A message of the author."),
        ("3", "Stopped."),
        ("6", "Step 'speaks' failed with exit code 6."),
    ):
        done = service.run("speaks", json={"parameters": {"how": how, "words": " "}})
        assert done["message"] == message


@pytest.mark.parametrize("how", ["link", "pipe", "folder", "none"])
def test_what_is_no_file_is_no_message(service: Service, how: str) -> None:
    done = service.run("speaks_oddly", json={"parameters": {"how": how}})
    assert done["message"] == "Step 'speaks_oddly' failed with exit code 9."


def test_a_message_is_made_harmless(service: Service) -> None:
    bad = "\N{REPLACEMENT CHARACTER}"
    done = service.run("speaks_oddly", json={"parameters": {"how": "bytes"}})
    assert done["message"] == f"bad {bad}{bad} byte{bad} red {bad}\nnext line"
    assert service.get(done["links"]["page"]).text.count("next line") >= 1


def test_a_message_is_of_bounded_length(service: Service) -> None:
    done = service.run("speaks_oddly", json={"parameters": {"how": "long"}})
    assert done["message"] == "\u00fc" * 1_000


def test_progress_is_shown_while_the_command_runs(service: Service, place: Path) -> None:
    given = service.submit("shows_progress", json={"parameters": {"gate": str(place)}})

    def progress() -> Any:
        return service.get(given["links"]["self"]).json()["steps"][0]["progress"]

    until(lambda: service.get(given["links"]["self"]).json()["status"] == "RUNNING" or None, "a running step")
    assert progress() is None
    (place / "one").touch()
    assert until(progress, "progress") == {"value": 0.25, "text": "aligning 12 of 30"}
    page = service.get(given["links"]["page"]).text
    assert '<progress max="1" value="0.25">' in page
    assert "aligning 12 of 30" in page
    (place / "two").touch()
    until(lambda: progress() == {"value": 1.0, "text": "nearly done"} or None, "more progress")
    (place / "three").touch()
    done = service.finished(given)
    assert done["status"] == "COMPLETE"
    assert done["steps"][0]["progress"] is None


def test_what_the_backend_allows_now_holds(service: Service, system: LiveSystem) -> None:
    """The snapshot of the job knows only the task's own wishes."""
    done = service.run("allowed", json={})
    assert made(service, done) == "8 4000\n"
    assert operators_view(system, done)["timeout"] == 60
    less = {"timeout": "20s", "resources": {"cpus": 2, "memory": "500MB"}}
    change(system, "UPDATE pipelines_backend SET limits = :limits WHERE name = 'place'", limits=json.dumps(less))
    try:
        done = service.run("allowed", json={})
        assert made(service, done) == "2 500\n"
        assert operators_view(system, done)["timeout"] == 20
    finally:
        change(system, "UPDATE pipelines_backend SET limits = NULL WHERE name = 'place'")


def test_without_any_time_limit_the_backends_bound_holds(service: Service, system: LiveSystem) -> None:
    done = service.run("look_bare", json={})
    assert operators_view(system, done)["timeout"] == 2
    done = service.run("is_missing", json={})
    assert operators_view(system, done)["timeout"] == 86_400


def test_nothing_of_a_setup_that_was_killed_stays(service: Service, system: LiveSystem) -> None:
    assert service.run("setup_fails", json={"parameters": {"way": "killed"}})["status"] == "CRASH"
    until(lambda: not any((system.data / "work").iterdir()), "the work folders to be removed")


def test_shipped_files_lie_read_only_in_the_work_folder(service: Service) -> None:
    done = service.run("ships", json={})
    assert made(service, done) == "hello\nnotes as they were\n444\n444\n755\n"
    files = [result["file"] for result in done["results"] if result["output"] == "all"]
    assert sorted(files) == ["made.txt", "new.txt"], "what was shipped is no output"


def test_a_callers_file_never_takes_the_place_of_a_shipped_one(service: Service) -> None:
    done = service.run("ships", files={"more": ("notes.txt", b"the caller's\n")})
    lines = made(service, done).splitlines()
    assert (lines[1], lines[-1]) == ("notes as they were", "the caller's")


def test_a_shipped_program_can_be_run(service: Service) -> None:
    assert made(service, service.run("ships_programs", json={})) == "[a][b c]555\n444\n"


@pytest.mark.parametrize("name", ["made.txt", "out", "helpers", "late.txt"])
def test_a_callers_file_never_takes_a_place_of_the_tasks_own(service: Service, name: str) -> None:
    done = service.run("meets_names", files=[("parts", (name, b"the caller's")), ("late", ("x", b"late"))])
    assert (done["status"], done["message"], done["results"]) == ("COMPLETE", "", [])


def test_a_submission_keeps_the_files_that_were_shipped_when_it_was_made(
    service: Service, system: LiveSystem, tmp_path: Path, place: Path
) -> None:
    text = (
        "format: 1\npipeline: shipping\ntasks:\n  later:\n    outputs: {made: made.txt}\n    files: [word.txt]\n"
        "    parameters: {gate: {type: string}}\n    script: |\n"
        '      until [ -e "$param_gate" ]; do sleep 0.02; done\n      cat word.txt > made.txt\n'
        "jobs:\n  later: {runnable: true, parameters: {gate: {sets: later.gate}}, steps: [{task: later}]}\n"
    )
    (tmp_path / "file.yaml").write_text(text)
    (tmp_path / "word.txt").write_text("old\n")
    apply(system.data, tmp_path / "file.yaml")
    gate = {"parameters": {"gate": str(place / "gate")}}
    given = [service.submit("later", json=gate) for _ in range(5)]  # more than the worker has slots
    (tmp_path / "word.txt").write_text("new\n")
    assert "later" in apply(system.data, tmp_path / "file.yaml")
    later = service.submit("later", json=gate)
    (place / "gate").touch()
    assert [made(service, service.finished(each)) for each in [*given, later]] == ["old\n"] * 5 + ["new\n"]
