"""What executors share that use a scheduler, without one: the scripts on the node, and how an end is judged."""

import os
import shutil
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from analytics_automated.executors.base import Cause, CommandSpec, Log, Outcome, Resources
from analytics_automated.executors.batch import verdicts
from analytics_automated.executors.batch.facts import Fact, Stage
from analytics_automated.executors.batch.file_logs import read_log
from analytics_automated.executors.batch.labels import Label, attempt_of
from analytics_automated.executors.batch.state_folder import Ending, StateFolder
from analytics_automated.executors.batch.wrapper import CLAIMED

ENDED = Fact(Stage.ENDED)


@pytest.fixture
def spec(tmp_path: Path) -> CommandSpec:
    for name in ("work", "state"):
        (tmp_path / name).mkdir()
    return CommandSpec("a-1", ("true",), tmp_path / "work", {"PATH": "/usr/bin:/bin"}, state=tmp_path / "state")


@pytest.fixture
def folder(spec: CommandSpec) -> StateFolder:
    folder = StateFolder.of(spec)
    folder.prepare(spec)
    return folder


def on_a_node(spec: CommandSpec, job: str = "12", shell: str = "/bin/sh") -> tuple[StateFolder, int]:
    """Run the wrapper as a scheduler does."""
    folder = StateFolder.of(spec)
    folder.prepare(spec)
    done = subprocess.run([shell, folder.path / "wrapper", job], check=False, timeout=60)
    return folder, done.returncode


def sh(spec: CommandSpec, script: str) -> CommandSpec:
    return replace(spec, argv=("sh", "-c", script))


class TestOnANode:
    def test_the_wrapper_ends_as_its_command_does(self, spec):
        folder, code = on_a_node(sh(spec, "exit 7"))
        assert (code, folder.job, folder.claimed) == (7, "12", True)
        assert folder.ending() == Ending(exit_code=7, signal=None, told=False, cpu_seconds=folder.ending().cpu_seconds)

    @pytest.mark.parametrize("shell", ["dash", "bash"])
    def test_whichever_shell_the_node_has(self, spec, shell):
        script = 'printf "%s|" "$A" "$0" "$@"; kill -9 $$'
        spec = replace(sh(spec, script), argv=("sh", "-c", script, "it's", "a\\b", "\n"))
        folder, _ = on_a_node(replace(spec, environment={**spec.environment, "A": "'\"$"}), shell=shell)
        assert folder.ending().signal == signal.SIGKILL
        assert (folder.path / "stdout").read_text() == "'\"$|it's|a\\b|\n|"

    def test_without_perl_a_shells_code_for_a_signal_is_taken_for_one(self, spec, tmp_path):
        tools = tmp_path / "tools"
        tools.mkdir()
        for name in ("mkdir", "mv", "uname", "sh"):
            (tools / name).symlink_to(shutil.which(name))
        spec = sh(spec, "kill -15 $$")
        folder = StateFolder.of(spec)
        folder.prepare(spec)
        wrapper = folder.path / "wrapper"
        wrapper.write_text(wrapper.read_text().replace("PATH=/usr/local/bin:/usr/bin:/bin;", f"PATH='{tools}':/no;"))
        wrapper.write_text(wrapper.read_text().replace("    env -i", "    /usr/bin/env -i"))
        subprocess.run(["/bin/sh", wrapper, "12"], check=False, timeout=60)
        assert folder.ending().signal == signal.SIGTERM

    def test_it_does_not_run_twice(self, spec):
        spec = sh(spec, "echo once >> runs")
        assert on_a_node(spec)[1] == 0
        folder, code = on_a_node(spec, "13")
        assert (code, folder.job) == (CLAIMED, "12")
        assert (spec.workdir / "runs").read_text() == "once\n"

    def test_it_notes_that_it_was_told_to_end_and_how_the_command_took_it(self, spec):
        spec = sh(spec, "trap 'exit 5' TERM; : > begun; while :; do sleep 0.01; done")
        folder = StateFolder.of(spec)
        folder.prepare(spec)
        process = subprocess.Popen(["/bin/sh", folder.path / "wrapper", "12"], start_new_session=True)
        while not (spec.workdir / "begun").exists():
            assert process.poll() is None
        os.killpg(process.pid, signal.SIGTERM)
        assert process.wait(60) == 5
        assert (folder.ending().exit_code, folder.ending().told) == (5, True)

    def test_accelerators_are_passed_on_only_where_they_were_asked_for(self, spec, monkeypatch):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
        show = sh(spec, 'echo "$CUDA_VISIBLE_DEVICES"')
        folder, _ = on_a_node(replace(show, resources=Resources(gpus=1)))
        assert (folder.path / "stdout").read_text() == "1\n"
        shutil.rmtree(folder.path)
        folder.path.mkdir()
        assert (on_a_node(show)[0].path / "stdout").read_text() == "\n"

    def test_a_disk_that_is_full_does_not_hide_how_it_ended(self, spec):
        folder = StateFolder.of(spec)
        folder.prepare(sh(spec, "exit 9"))
        (folder.path / "exit.part").symlink_to("/dev/full")
        done = subprocess.run(["/bin/sh", folder.path / "wrapper", "12"], check=False, timeout=60)
        assert done.returncode == 9


class TestVerdicts:
    def ended(self, **fields: object) -> Ending:
        return Ending(**{"exit_code": None, "signal": None, "told": False, "cpu_seconds": 1.0, **fields})

    @pytest.mark.parametrize("cause", [Cause.CANCELLED, Cause.TIMEOUT])
    @pytest.mark.parametrize("fields", [{"signal": 15}, {"signal": 9}, {"exit_code": 0, "told": True}], ids=str)
    def test_what_we_ended_ended_for_our_cause(self, folder, cause, fields):
        folder.mark(cause)
        assert verdicts.by_the_wrapper(folder, self.ended(**fields), ENDED).cause is cause
        assert verdicts.by_the_scheduler(folder, replace(ENDED, cause=Cause.CANCELLED)).cause is cause
        assert verdicts.lost(folder).cause is cause

    def test_what_had_ended_by_itself_keeps_its_outcome(self, folder):
        folder.mark(Cause.CANCELLED)
        assert verdicts.by_the_wrapper(folder, self.ended(exit_code=3), ENDED).exit_code == 3
        assert verdicts.by_the_scheduler(folder, replace(ENDED, exit_code=0)).cause is not Cause.CANCELLED

    def test_the_first_marker_counts(self, folder):
        folder.mark(Cause.TIMEOUT)
        folder.mark(Cause.CANCELLED)
        assert folder.marked() is Cause.TIMEOUT

    def test_the_first_outcome_counts(self, folder):
        first = folder.settle(Outcome(Cause.EXIT, exit_code=1))
        assert folder.settle(Outcome(Cause.LOST)) == folder.outcome() == first

    @pytest.mark.parametrize("cause", [Cause.LOST, Cause.TIMEOUT, Cause.MEMORY])
    def test_a_cause_that_only_the_scheduler_knows_is_taken(self, folder, cause):
        fact = replace(ENDED, cause=cause, reason="NODE_FAIL")
        outcome = verdicts.by_the_scheduler(folder, fact)
        assert (outcome.cause, outcome.detail) == (cause, "NODE_FAIL")
        assert verdicts.by_the_wrapper(folder, self.ended(signal=9), fact).cause is cause

    def test_a_command_that_made_do_without_a_killed_child_has_ended_well(self, folder):
        fact = replace(ENDED, cause=Cause.MEMORY)
        assert verdicts.by_the_wrapper(folder, self.ended(exit_code=0), fact).cause is Cause.EXIT
        assert verdicts.by_the_wrapper(folder, self.ended(exit_code=1), fact).cause is Cause.MEMORY

    def test_what_was_killed_with_more_memory_than_it_may_have_was_killed_for_it(self, spec):
        folder = StateFolder.of(spec)
        folder.prepare(replace(spec, resources=Resources(memory=1000)))
        for peak, cause in ((999, Cause.SIGNAL), (1000, Cause.MEMORY)):
            assert (
                verdicts.by_the_wrapper(folder, self.ended(signal=9), replace(ENDED, peak_memory=peak)).cause is cause
            )

    def test_a_job_that_its_node_never_began_is_the_places_fault(self, folder):
        outcome = verdicts.by_the_scheduler(folder, replace(ENDED, exit_code=1, reason="FAILED"))
        assert (outcome.cause, outcome.detail) == (Cause.BACKEND_UNAVAILABLE, "the node did not begin: FAILED")

    def test_an_end_without_an_exit_code_proves_nothing(self, folder):
        (folder.path / "claim").mkdir()
        assert verdicts.by_the_scheduler(folder, ENDED).cause is Cause.LOST
        assert verdicts.by_the_scheduler(folder, replace(ENDED, exit_code=CLAIMED)).cause is Cause.LOST
        assert verdicts.by_the_scheduler(folder, replace(ENDED, exit_code=0)).exit_code == 0

    def test_what_was_used_is_accountings_word_before_the_wrappers(self, folder):
        outcome = verdicts.by_the_wrapper(
            folder, self.ended(exit_code=0), replace(ENDED, cpu_seconds=2.5, peak_memory=7)
        )
        assert (outcome.cpu_seconds, outcome.peak_memory) == (2.5, 7)
        assert verdicts.by_the_wrapper(folder, self.ended(exit_code=0), None).cpu_seconds == 1.0


@pytest.mark.parametrize("limit", [0, 1, 4, 5, 9, 10, 11])
def test_logs_in_files_keep_their_two_ends(tmp_path, limit):
    file = tmp_path / "log"
    file.write_bytes(b"0123456789")
    log = read_log(file, limit)
    assert len(log.head + log.tail) + log.omitted == 10
    assert len(log.head + log.tail) == min(limit, 10)
    assert b"0123456789".startswith(log.head)
    assert b"0123456789".endswith(log.tail)


def test_a_log_that_is_not_there_is_empty(tmp_path):
    assert read_log(tmp_path / "log", 10) == Log()


def test_labels_are_read_as_they_are_written():
    for label in (Label.of("a-1"), Label.of_many("a-1", 0), Label.of_many("a-1", 12)):
        assert Label.read(str(label)) == label
    assert (attempt_of("aa-a-1"), attempt_of(Label.of_many("a-1", 0).name), attempt_of("other")) == ("a-1", None, None)
