"""What executors promise. Suites to inherit from: `AttendedContract` for those whose commands are children of the worker,
`BatchContract` for those that hand them to a scheduler."""

import contextlib
import dataclasses
import json
import os
import signal
import stat
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from analytics_automated.executors.base import Cause, CommandSpec, Confinement, Executor, Outcome, Polled

PATIENCE = 60.0
"""Seconds after which a test that waits for something gives up. No test takes as long when all is well."""

TREE = """\
import os, signal, subprocess, sys, time

def settle(name):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with open(name + ".part", "w") as file:
        file.write(str(os.getpid()))
    os.rename(name + ".part", name)
    time.sleep(600)

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 3)
        settle("daemon")
    os._exit(0)
if os.fork() == 0:
    settle("child")
while not (os.path.exists("daemon") and os.path.exists("child")):
    time.sleep(0.005)
settle("parent")
"""
"""A Python program that becomes three processes, none of which heeds SIGTERM: `parent`, its `child`, and a
`daemon` that has left the session and closed its streams. Each writes its process id to the file of its
name."""


def carriers(prefix: str) -> list[psutil.Process]:
    """The processes alive of the attempts whose names begin so."""
    found = []
    for folder in Path("/proc").glob("[1-9]*"):
        with contextlib.suppress(OSError, psutil.NoSuchProcess):
            if f"AA_ATTEMPT={prefix}".encode() in (folder / "environ").read_bytes():
                found.append(psutil.Process(int(folder.name)))
    return [process for process in found if alive(process)]


def alive(process: psutil.Process | int) -> bool:
    try:
        process = psutil.Process(process) if isinstance(process, int) else process
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def until(condition: Callable[[], object], what: str, every: float = 0.002) -> None:
    """Wait for what a command does by itself."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(every)


class Commands:
    """Makes the specifications of one test's commands."""

    def __init__(self, workdir: Path, confinement: Confinement) -> None:
        self.workdir = workdir
        self.confinement = confinement
        self.prefix = f"test-{uuid.uuid4().hex}-"
        self._lock = threading.Lock()
        self._made = 0

    def __call__(self, *argv: str, **fields: Any) -> CommandSpec:
        with self._lock:
            self._made += 1
            attempt = f"{self.prefix}{self._made}"
        state = self.workdir.parent / f"state of {attempt}, 100%a '\N{GREEK SMALL LETTER OMEGA}'"
        state.mkdir()
        spec = CommandSpec(
            attempt, argv, self.workdir, {"PATH": "/usr/bin:/bin"}, state=state, confinement=self.confinement
        )
        return dataclasses.replace(spec, **fields)

    def sh(self, script: str, **fields: Any) -> CommandSpec:
        return self("sh", "-c", script, **fields)

    def python(self, program: str, *arguments: str, **fields: Any) -> CommandSpec:
        return self(sys.executable, "-I", "-c", program, *arguments, **fields)


class ExecutorContract:
    """What every executor promises. Inherit from one of the two below, name the class `Test…`, and override the fixture
    `executor`.

    `time_limit` is a limit, in seconds, that the place can keep. `submits_at_once` is how many commands one
    test may hand over. `pace` is how often, in seconds, a test asks the place. `confinement` is that of its commands.
    """

    time_limit = 0.5
    submits_at_once = 400
    pace = 0.002
    confinement = Confinement()

    @pytest.fixture
    def executor(self) -> Iterator[Executor]:
        raise NotImplementedError("which executor is to be tested?")

    @pytest.fixture
    def commands(self, tmp_path: Path) -> Iterator[Commands]:
        workdir = tmp_path / "work folder \N{GREEK SMALL LETTER OMEGA} 'quoted' $HOME"
        workdir.mkdir()
        commands = Commands(workdir, self.confinement)
        yield commands
        _, left = psutil.wait_procs(carriers(commands.prefix), timeout=PATIENCE / 4)
        left = [process for process in left if alive(process)]
        for process in left:
            process.kill()
        assert not left, "the test left processes behind"

    @pytest.fixture
    def run(self, executor: Executor) -> Callable[[CommandSpec], Outcome]:
        def run(spec: CommandSpec) -> Outcome:
            outcome = executor.wait(executor.submit(spec), PATIENCE)
            assert outcome is not None, "the command did not end"
            return outcome

        return run

    def test_a_command_that_ends_well_has_exit_code_0_and_its_output(self, run, commands):
        outcome = run(commands.sh("echo out; echo err >&2"))
        assert (outcome.cause, outcome.exit_code, outcome.signal) == (Cause.EXIT, 0, None)
        assert outcome.stdout.text() == "out\n"
        assert outcome.stderr.text() == "err\n"
        assert outcome.seconds > 0

    @pytest.mark.parametrize("code", [1, 42, 126, 127, 137, 143, 255])
    def test_any_exit_code_of_the_command_is_an_exit(self, run, commands, code):
        outcome = run(commands.sh(f"exit {code}"))
        assert (outcome.cause, outcome.exit_code, outcome.signal) == (Cause.EXIT, code, None)

    @pytest.mark.parametrize("signum", [signal.SIGSEGV, signal.SIGKILL, signal.SIGTERM])
    def test_a_signal_that_we_did_not_send_is_named(self, run, commands, signum):
        outcome = run(commands.sh(f"kill -{signum.value} $$"))
        assert (outcome.cause, outcome.exit_code, outcome.signal) == (Cause.SIGNAL, None, signum)
        assert signum.name in outcome.detail

    def test_a_program_that_does_not_exist_is_exit_code_127(self, run, commands):
        outcome = run(commands("no-such-program"))
        assert (outcome.cause, outcome.exit_code) == (Cause.EXIT, 127)
        assert "no-such-program" in outcome.detail

    def test_a_file_that_cannot_be_executed_is_exit_code_126(self, run, commands):
        (commands.workdir / "data").write_text("no program")
        outcome = run(commands("./data"))
        assert (outcome.cause, outcome.exit_code) == (Cause.EXIT, 126)
        assert "data" in outcome.detail

    def test_arguments_arrive_as_they_are(self, run, commands):
        arguments = [
            "", " ", "a b", "\t", "line\nbreak", "\r", "'", '"', "\\", "$HOME", "$(id)", "`id`", "*", "~",
            "-n", "--", ";", "&&", "|", ">x", "#", "!", "{input.x}", "%s",
            "\N{GREEK SMALL LETTER OMEGA}", "\N{PILE OF POO}", "\x7f",
        ]  # fmt: skip
        show = "import json, sys; print(json.dumps(sys.argv[1:]))"
        outcome = run(commands.python(show, *arguments))
        assert json.loads(outcome.stdout.text()) == arguments

    def test_the_environment_is_the_given_one_and_nothing_else(self, run, commands, monkeypatch):
        monkeypatch.setenv("AA_SECRET_OF_THE_SERVER", "leaked")
        given = {
            "PATH": "/usr/bin:/bin",
            "A B": "x y",
            "EMPTY": "",
            "UNICODE": "\N{SNOWMAN}",
            "LINES": "1\n2",
            "Q": "'\"$",
        }
        spec = commands("env", "-0", environment=given)
        lines = run(spec).stdout.head.decode().rstrip("\0").split("\0")
        seen = dict(line.split("=", 1) for line in lines)
        assert seen == {**given, "AA_ATTEMPT": spec.attempt}

    def test_the_working_directory_is_the_given_one(self, run, commands):
        assert run(commands("pwd")).stdout.text() == f"{commands.workdir.resolve()}\n"

    def test_a_program_is_found_on_the_path_of_its_own_environment(self, run, commands):
        folder = commands.workdir / "my tools"
        folder.mkdir()
        tool = folder / "tool of mine"
        tool.write_text("#!/bin/sh\necho found\n")
        tool.chmod(0o700)
        path = f"/nowhere:{folder}:/usr/bin:/bin"
        assert run(commands("tool of mine", environment={"PATH": path})).stdout.text() == "found\n"

    def test_a_program_with_a_slash_is_relative_to_the_work_folder(self, run, commands):
        tool = commands.workdir / "tool"
        tool.write_text("#!/bin/sh\necho here\n")
        tool.chmod(0o700)
        assert run(commands("./tool")).stdout.text() == "here\n"

    def test_standard_input_is_empty_unless_given(self, run, commands):
        outcome = run(commands("wc", "-c"))
        assert outcome.stdout.text().strip() == "0"

    def test_standard_input_can_be_a_file(self, run, commands):
        file = commands.workdir / "in put.txt"
        file.write_bytes(b"x" * 300_000)
        assert run(commands("wc", "-c", stdin=file)).stdout.text().strip() == "300000"

    def test_output_goes_whole_into_the_given_files(self, run, commands):
        out, err = commands.workdir / "out put", commands.workdir / "err"
        out.write_text("of before, and longer than what comes")
        outcome = run(commands.sh("printf abc; printf de >&2", stdout=out, stderr=err, log_limit=2))
        assert (out.read_bytes(), err.read_bytes()) == (b"abc", b"de")
        assert stat.S_IMODE(err.stat().st_mode) == 0o600
        assert outcome.stdout.text() == outcome.stderr.text() == ""

    def test_both_outputs_may_share_a_file_and_keep_their_order(self, run, commands):
        file = commands.workdir / "both"
        run(commands.sh("for i in 1 2 3; do echo out; echo err >&2; done", stdout=file, stderr=file))
        assert file.read_text() == "out\nerr\n" * 3

    def test_a_long_log_keeps_its_two_ends_and_says_what_is_missing(self, run, commands):
        outcome = run(commands("seq", "100000", log_limit=1000))
        whole = "".join(f"{number}\n" for number in range(1, 100_001)).encode()
        assert outcome.stdout.head == whole[:500]
        assert outcome.stdout.tail == whole[-500:]
        assert outcome.stdout.omitted == len(whole) - 1000

    def test_the_time_limit_ends_the_whole_tree(self, executor, commands):
        handle = executor.submit(commands.python(TREE, timeout=self.time_limit))
        tree = self.tree(commands)
        outcome = executor.wait(handle, PATIENCE)
        assert outcome is not None
        assert (outcome.cause, outcome.exit_code) == (Cause.TIMEOUT, None)
        assert not [process for process in tree if alive(process)]

    def test_the_time_limit_holds_also_where_one_only_polls(self, executor, commands):
        handle = executor.submit(commands.python(TREE, timeout=self.time_limit))
        tree = self.tree(commands)
        outcomes: dict[str, Outcome] = {}
        until(lambda: outcomes.update(executor.poll([handle]).outcomes) or outcomes, "the end by polling", self.pace)
        assert outcomes[handle].cause is Cause.TIMEOUT
        assert not [process for process in tree if alive(process)]

    def test_a_command_within_its_time_limit_is_left_alone(self, run, commands):
        assert run(commands("true", timeout=PATIENCE)).cause is Cause.EXIT
        assert run(commands("true", timeout=1e9)).cause is Cause.EXIT

    def test_cancel_ends_the_whole_tree_while_somebody_waits(self, executor, commands):
        handle = executor.submit(commands.python(TREE))
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(executor.wait, handle, PATIENCE)
            tree = self.tree(commands)
            executor.cancel([handle])
            outcome = waiting.result()
        assert outcome is not None
        assert (outcome.cause, outcome.exit_code) == (Cause.CANCELLED, None)
        assert not [process for process in tree if alive(process)]

    def test_cancel_before_anybody_waits(self, executor, commands):
        handles = [executor.submit(commands("sleep", "600")) for _ in range(3)]
        executor.cancel(handles)
        assert [executor.wait(handle, PATIENCE).cause for handle in handles] == [Cause.CANCELLED] * 3

    def test_cancel_after_the_end_changes_nothing(self, executor, commands):
        handle = executor.submit(commands.sh("echo done; exec true"))
        outcome = executor.wait(handle, PATIENCE)
        executor.cancel([handle])
        assert outcome.exit_code == 0

    def test_cancel_of_unknown_handles_is_ignored(self, executor, commands):
        handle = executor.submit(commands("sleep", "600"))
        executor.cancel(["no such handle", handle, "nor this"])
        assert executor.wait(handle, PATIENCE).cause is Cause.CANCELLED

    def test_cancel_may_be_asked_for_many_times_at_once(self, executor, commands):
        handle = executor.submit(commands("sleep", "600"))
        with ThreadPoolExecutor(8) as pool:
            for _ in range(40):
                pool.submit(executor.cancel, [handle])
            outcome = executor.wait(handle, PATIENCE)
        assert outcome.cause is Cause.CANCELLED

    def test_one_cancelled_command_does_not_touch_another(self, executor, commands):
        gate = commands.workdir / "gate"
        os.mkfifo(gate)
        other = executor.submit(commands.sh('read line < gate; echo "$line"'))
        doomed = executor.submit(commands("sleep", "600"))
        executor.cancel([doomed])
        assert executor.wait(doomed, PATIENCE).cause is Cause.CANCELLED
        gate.write_text("still here\n")
        assert executor.wait(other, PATIENCE).stdout.text() == "still here\n"

    def tree(self, commands: Commands) -> list[psutil.Process]:
        """The three processes of `TREE`, once they are all there."""
        files = [commands.workdir / name for name in ("daemon", "child", "parent")]
        until(lambda: all(file.exists() for file in files), "the tree to grow")
        return [psutil.Process(int(file.read_text())) for file in files]


class AttendedContract(ExecutorContract):
    """What those promise whose commands are children of the process that submits them."""

    def test_wait_for_a_while_gives_nothing_while_the_command_runs(self, executor, commands):
        handle = executor.submit(commands("sleep", "600"))
        assert executor.wait(handle, 0) is None
        assert executor.wait(handle, 0.01) is None
        polled = executor.poll([handle])
        assert (polled.outcomes, polled.running) == ({}, {handle})
        executor.cancel([handle])
        assert executor.wait(handle, PATIENCE) is not None

    def test_an_outcome_is_handed_out_once(self, executor, commands):
        waited, polled = executor.submit(commands("true")), executor.submit(commands("true"))
        executor.wait(waited, PATIENCE)
        until(lambda: polled in executor.poll([waited, polled]).outcomes, "the end by polling")
        assert executor.poll([waited, polled]) == Polled()
        for handle in (waited, polled, "never heard of"):
            with pytest.raises(KeyError):
                executor.wait(handle, 0)

    def test_of_many_who_wait_for_one_command_one_is_given_the_outcome(self, executor, commands):
        handle = executor.submit(commands("sleep", "600"))

        def wait() -> Outcome | None:
            try:
                return executor.wait(handle, PATIENCE)
            except KeyError:
                return None

        with ThreadPoolExecutor(6) as pool:
            waiting = [pool.submit(wait) for _ in range(6)]
            executor.cancel([handle])
            outcomes = [each.result() for each in waiting]
        assert len([outcome for outcome in outcomes if outcome]) == 1

    def test_many_commands_from_many_threads_at_once(self, executor, commands):
        def run(number: int) -> tuple[int, int | None, str]:
            handle = executor.submit(commands.sh(f"echo {number}; exit {number % 7}"))
            outcome = executor.wait(handle, PATIENCE)
            return number, outcome.exit_code, outcome.stdout.text()

        with ThreadPoolExecutor(8) as pool:
            seen = list(pool.map(run, range(self.submits_at_once)))
        assert seen == [(number, number % 7, f"{number}\n") for number in range(self.submits_at_once)]
