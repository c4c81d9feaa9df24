"""What executors promise that hand commands to a scheduler: see `BatchContract`."""

import contextlib
import os
import stat
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from analytics_automated.executors.base import BackendUnavailable, Cause, CommandSpec, Outcome, Resources
from analytics_automated.executors.batch.absences import Patience
from analytics_automated.executors.batch.executor import BatchExecutor
from analytics_automated.executors.batch.labels import Label
from analytics_automated.executors.batch.state_folder import StateFolder
from executors.contract import PATIENCE, Commands, ExecutorContract, until

SHORT = Patience(absent=0.5, exit_file=1.0, accounting=5.0, heard=1.0)
"""Doubts as tests can wait for."""


class Interrupted(BaseException):
    """Ends whoever submits, as a crash would."""


class BatchContract(ExecutorContract):
    """Inherit from this, name the class `Test…`, and override the fixtures `make` and `outage`.

    `unknown_job` is an id that the scheduler has never given. `memory` is a limit
    that an ordinary command keeps, and `hungry` more than any place lets pass.
    """

    time_limit = 1.5
    submits_at_once = 300
    pace = 0.1
    unknown_job = "999999"
    memory = 60_000_000
    hungry = 600_000_000

    @pytest.fixture
    def make(self) -> Callable[[], BatchExecutor]:
        """Makes executors of the same place, as another process, or one that was restarted, has them."""
        raise NotImplementedError("which executor is to be tested?")

    @pytest.fixture
    def outage(self) -> Callable[[], contextlib.AbstractContextManager[None]]:
        """Within what it gives, the scheduler answers nobody; jobs go on."""
        raise NotImplementedError("how does the scheduler fail?")

    @pytest.fixture
    def executor(self, make: Callable[[], BatchExecutor]) -> Iterator[BatchExecutor]:
        return make()

    @pytest.fixture
    def gate(self, commands: Commands) -> Callable[[], None]:
        """What a command waits for that runs `read line < gate`, and what opens it."""
        path = commands.workdir / "gate"
        os.mkfifo(path)
        return lambda: path.write_text("go\n") and None

    def end(self, executor: BatchExecutor, handle: str) -> Outcome:
        outcome = executor.wait(handle, PATIENCE)
        assert outcome is not None, "the command did not end"
        return outcome

    def begun(self, commands: Commands) -> None:
        until((commands.workdir / "begun").exists, "the command to begin", self.pace)

    def waits(self, commands: Commands, **fields: object) -> CommandSpec:
        """A command that is at work until the gate opens, and counts how often it was run."""
        return commands.sh('echo once >> runs; : > begun; read line < gate; echo "$line"; exit 3', **fields)

    # Handing over

    def test_it_is_not_attended(self, executor):
        assert not executor.attended

    def test_what_was_handed_over_twice_is_one_command(self, executor, make, commands, gate):
        spec = self.waits(commands)
        handle = executor.submit(spec)
        assert make().submit(spec) == handle
        self.begun(commands)
        assert executor.submit(spec) == handle
        gate()
        self.end(executor, handle)
        assert executor.submit(spec) == handle
        assert (commands.workdir / "runs").read_text() == "once\n"

    def test_an_interruption_between_handing_over_and_saving_is_made_good(
        self, executor, make, commands, gate, monkeypatch
    ):
        spec, hand_over = self.waits(commands), executor.hand_over
        taken = []

        def interrupted(spec, folder):
            taken.append(hand_over(spec, folder))
            raise Interrupted

        monkeypatch.setattr(executor, "hand_over", interrupted)
        with pytest.raises(Interrupted):
            executor.submit(spec)
        later = make()
        assert later.find({spec.attempt: spec.state}) == {spec.attempt: f"{taken[0]} {spec.state}"}
        handle = later.submit(spec)
        assert handle == f"{taken[0]} {spec.state}"
        self.begun(commands)
        gate()
        assert self.end(later, handle).exit_code == 3
        assert (commands.workdir / "runs").read_text() == "once\n"

    def test_an_interruption_before_handing_over_is_made_good(self, executor, make, commands, monkeypatch):
        spec = commands("true")

        def interrupted(spec, folder):
            raise Interrupted

        monkeypatch.setattr(executor, "hand_over", interrupted)
        with pytest.raises(Interrupted):
            executor.submit(spec)
        later = make()
        assert later.find({spec.attempt: spec.state}) == {}
        assert self.end(later, later.submit(spec)).exit_code == 0

    def test_of_two_jobs_for_one_command_one_runs_it_and_both_tell_of_it(self, executor, commands, gate):
        spec = self.waits(commands)
        first = executor.submit(spec)
        folder = StateFolder(spec.state)
        folder.begin_submitting(Label.of(spec.attempt))
        second = f"{executor.hand_over(spec, folder)} {spec.state}"
        self.begun(commands)
        gate()
        assert first != second
        assert [self.end(executor, handle).exit_code for handle in (first, second)] == [3, 3]
        assert (commands.workdir / "runs").read_text() == "once\n"

    def test_what_was_never_handed_over_is_not_found(self, executor, commands):
        spec = commands("true")
        assert executor.find({spec.attempt: spec.state}) == {}

    def test_hundreds_of_commands_handed_over_at_once(self, executor, commands):
        specs = [commands.sh(f"echo {number}; exit {number % 7}") for number in range(self.submits_at_once)]
        handles = executor.submit_all(specs)
        assert executor.submit_all(specs) == handles
        assert len(set(handles)) == len(specs)
        outcomes: dict[str, Outcome] = {}

        def all_ended() -> bool:
            outcomes.update(executor.poll([handle for handle in handles if handle not in outcomes]).outcomes)
            return len(outcomes) == len(handles)

        until(all_ended, "the end of all", 0.5)
        seen = [(outcomes[handle].exit_code, outcomes[handle].stdout.text()) for handle in handles]
        assert seen == [(number % 7, f"{number}\n") for number in range(len(specs))]

    def test_many_that_were_interrupted_while_they_were_handed_over_are_found(
        self, executor, make, commands, monkeypatch
    ):
        specs = [commands.sh(f"echo {number}") for number in range(3)]
        hand_over_all = executor.hand_over_all
        taken = []

        def interrupted(given):
            taken.extend(hand_over_all(given))
            raise Interrupted

        monkeypatch.setattr(executor, "hand_over_all", interrupted)
        with pytest.raises(Interrupted):
            executor.submit_all(specs)
        later = make()
        handles = later.submit_all(specs)
        assert handles == [f"{job} {spec.state}" for job, spec in zip(taken, specs, strict=True)]
        assert [self.end(later, handle).stdout.text() for handle in handles] == ["0\n", "1\n", "2\n"]

    @pytest.mark.parametrize("text", ["a\0b", "\ud800"], ids=["nul", "surrogate"])
    def test_text_that_no_process_can_be_given_is_exit_code_126(self, run, commands, text):
        assert run(commands("echo", text)).exit_code == 126

    def test_values_of_the_environment_are_for_their_owner_only(self, executor, commands):
        spec = commands("true", environment={"PATH": "/usr/bin:/bin", "TOKEN": "very-secret"})
        handle = executor.submit(spec)
        holders = [path for path in spec.state.iterdir() if path.is_file() and "very-secret" in path.read_text()]
        assert holders
        assert {stat.S_IMODE(path.stat().st_mode) for path in holders} == {0o600}
        self.end(executor, handle)

    def test_a_work_folder_that_the_node_does_not_see_is_the_places_fault(self, run, commands):
        outcome = run(commands("true", workdir=commands.workdir / "elsewhere"))
        assert outcome.cause is Cause.BACKEND_UNAVAILABLE
        assert "work folder" in outcome.detail

    # Asking

    def test_an_ended_command_keeps_its_outcome_for_whoever_asks(self, executor, make, commands):
        handle = executor.submit(commands.sh("echo out; exit 4"))
        outcome = self.end(executor, handle)
        assert (outcome.exit_code, outcome.stdout.text()) == (4, "out\n")
        assert executor.poll([handle]).outcomes == make().poll([handle]).outcomes == {handle: outcome}

    def test_handles_of_others_are_left_out(self, executor):
        polled = executor.poll(["no such handle", "", "12"])
        assert (polled.outcomes, polled.running, polled.waiting) == ({}, frozenset(), {})
        with pytest.raises(KeyError):
            executor.wait("no such handle", 0)

    def test_a_command_at_work_is_running(self, executor, commands, gate):
        handle = executor.submit(self.waits(commands))
        assert executor.wait(handle, 0) is None
        self.begun(commands)
        until(lambda: executor.poll([handle]).running == {handle}, "the list to say so", self.pace)
        gate()
        self.end(executor, handle)

    def test_a_poller_that_is_restarted_while_commands_run_knows_them_by_their_handles(
        self, executor, make, commands, gate
    ):
        handle = executor.submit(self.waits(commands, timeout=PATIENCE, log_limit=2))
        self.begun(commands)
        gate()
        outcome = self.end(make(), handle)
        assert (outcome.exit_code, outcome.stdout.text()) == (3, "g\n[... 1 bytes not kept ...]\n\n")

    def test_a_time_limit_holds_for_a_poller_that_was_restarted(self, executor, make, commands):
        handle = executor.submit(commands.sh(": > begun; exec sleep 600", timeout=self.time_limit))
        self.begun(commands)
        assert self.end(make(), handle).cause is Cause.TIMEOUT

    def test_a_poll_that_fails_and_recovers(self, executor, commands, gate, outage):
        handle = executor.submit(self.waits(commands))
        self.begun(commands)
        with outage():
            for ask in (lambda: executor.poll([handle]), executor.check, executor.present):
                with pytest.raises(BackendUnavailable):
                    ask()
        until(lambda: executor.poll([handle]).running == {handle}, "it to be listed again", self.pace)
        gate()
        assert self.end(executor, handle).exit_code == 3

    def test_what_could_not_be_cancelled_in_an_outage_is_cancelled_after_it(self, executor, commands, outage):
        handle = executor.submit(commands.sh(": > begun; exec sleep 600"))
        self.begun(commands)
        with outage(), pytest.raises(BackendUnavailable):
            executor.cancel([handle])
        assert self.end(executor, handle).cause is Cause.CANCELLED

    def test_a_command_that_ends_during_an_outage_has_its_outcome_after_it(self, executor, commands, gate, outage):
        handle = executor.submit(self.waits(commands))
        self.begun(commands)
        with outage():
            gate()
            until((commands_state(handle) / "exit").exists, "the end", self.pace)
        assert self.end(executor, handle).exit_code == 3

    def test_what_could_not_be_handed_over_in_an_outage_is_handed_over_after_it(self, executor, commands, outage):
        spec = commands("true")
        with outage(), pytest.raises(BackendUnavailable):
            executor.submit(spec)
        assert self.end(executor, executor.submit(spec)).exit_code == 0

    def test_a_job_that_the_scheduler_does_not_know_is_lost_but_not_at_once(self, executor, commands):
        spec = commands("true")
        folder = StateFolder(spec.state)
        folder.prepare(spec)
        handle = f"{self.unknown_job} {spec.state}"
        polled = executor.poll([handle])
        assert (polled.outcomes, polled.running, polled.waiting) == ({}, frozenset(), {})
        assert self.end(executor, handle).cause is Cause.LOST

    def test_the_last_word_is_the_exit_codes_file_though_the_scheduler_has_lost_the_job(self, executor, commands):
        spec = commands("true")
        folder = StateFolder(spec.state)
        folder.prepare(spec)
        (spec.state / "claim").mkdir()
        (spec.state / "exit").write_text("exit 5\n\n")
        assert self.end(executor, f"{self.unknown_job} {spec.state}").exit_code == 5

    def test_an_exit_codes_file_may_come_late(self, make, commands, monkeypatch):
        executor = make()
        handle = executor.submit(commands.sh("echo out; exit 6"))
        exit_file, hidden = commands_state(handle) / "exit", commands_state(handle) / "on its way"
        until(exit_file.exists, "the end", 0.001)
        exit_file.rename(hidden)
        monkeypatch.setattr(executor, "_patience", Patience(exit_file=PATIENCE))
        until(lambda: not executor.poll([handle]).running, "the scheduler to say that it is over", self.pace)
        assert executor.poll([handle]).outcomes == {}
        hidden.rename(exit_file)
        outcome = self.end(executor, handle)
        assert (outcome.cause, outcome.exit_code, outcome.stdout.text()) == (Cause.EXIT, 6, "out\n")

    @pytest.mark.parametrize("code", [0, 6])
    def test_without_an_exit_codes_file_accounting_proves_the_end(self, executor, commands, code):
        handle = executor.submit(commands.sh(f"echo out; exit {code}"))
        exit_file = commands_state(handle) / "exit"
        until(exit_file.exists, "the end", 0.001)
        exit_file.unlink()
        outcome = self.end(executor, handle)
        assert (outcome.cause, outcome.exit_code, outcome.stdout.text()) == (Cause.EXIT, code, "out\n")

    # Ending

    def test_a_command_that_needs_more_memory_than_it_may_have_ends_for_it(self, run, commands):
        hungry = "import sys, time; x = bytearray(int(sys.argv[1])); time.sleep(60)"
        outcome = run(commands.python(hungry, str(self.hungry), resources=Resources(memory=self.memory)))
        assert (outcome.cause, outcome.exit_code) == (Cause.MEMORY, None)

    def test_one_of_many_that_needs_more_memory_than_it_may_have_ends_for_it(self, executor, commands):
        program = "import sys, time; x = bytearray(int(sys.argv[1])); time.sleep(int(sys.argv[2]))"
        needs = [("1", "0"), (str(self.hungry), "60")]
        specs = [commands.python(program, *words, resources=Resources(memory=self.memory)) for words in needs]
        outcomes = [self.end(executor, handle) for handle in executor.submit_all(specs)]
        assert [outcome.cause for outcome in outcomes] == [Cause.EXIT, Cause.MEMORY]

    def test_a_command_within_its_memory_is_left_alone(self, run, commands):
        assert run(commands("true", resources=Resources(cpus=2, memory=self.memory))).exit_code == 0

    def test_what_a_command_used_is_told(self, run, commands):
        program = "import time; x = bytearray(120_000_000)\nfor _ in range(9_000_000): pass\ntime.sleep(1.5)"
        outcome = run(commands.python(program, resources=Resources(memory=2 * self.hungry)))
        assert outcome.exit_code == 0
        assert outcome.cpu_seconds > 0.05
        assert outcome.peak_memory is None or outcome.peak_memory > 100_000_000

    def test_jobs_that_nobody_wants_are_found_and_ended_by_their_attempts(self, executor, make, commands, gate):
        alone = self.waits(commands)
        many = [commands("sleep", "600") for _ in range(3)]
        handles = [executor.submit(alone), *executor.submit_all(many)]
        specs = [alone, *many]
        present = {}

        def all_present() -> bool:
            present.update(make().present())
            return {spec.attempt for spec in specs} <= present.keys()

        until(all_present, "all to be listed", self.pace)
        doomed = many[1]
        executor.cancel([present[doomed.attempt]])
        outcome = self.end(executor, handles[2])
        # Whoever ends an orphan knows no folder, so nothing says that it was us.
        assert outcome.cause in (Cause.SIGNAL, Cause.CANCELLED, Cause.LOST)
        until(lambda: doomed.attempt not in executor.present(), "it to be gone", self.pace)
        executor.cancel(handles)
        for handle in handles:
            self.end(executor, handle)

    def test_cancel_holds_whoever_polls(self, executor, make, commands):
        handle = executor.submit(commands.sh(": > begun; exec sleep 600"))
        self.begun(commands)
        make().cancel([handle])
        assert self.end(make(), handle).cause is Cause.CANCELLED

    # Health

    def test_a_place_that_answers_tells_of_its_slots(self, executor, commands):
        handle = executor.submit(commands("sleep", "600"))
        condition = executor.check()
        assert condition.slots > 0
        assert condition.running + condition.waiting >= 1
        executor.cancel([handle])
        self.end(executor, handle)

    def test_many_threads_may_use_it_at_once(self, executor, commands):
        lock = threading.Lock()

        def run(number: int) -> tuple[int | None, str]:
            with lock:
                spec = commands.sh(f"echo {number}; exit {number}")
            outcome = self.end(executor, executor.submit(spec))
            return outcome.exit_code, outcome.stdout.text()

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(run, range(16))) == [(number, f"{number}\n") for number in range(16)]


def commands_state(handle: str) -> Path:
    """The state folder that a handle tells of."""
    return Path(handle.partition(" ")[2])
