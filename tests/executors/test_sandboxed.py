"""The contract once more, over local commands in the sandbox."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from analytics_automated.executors.base import BackendUnavailable, Cause, CommandSpec, Confinement, Outcome, Resources
from analytics_automated.executors.confinement import machine, sandbox
from analytics_automated.executors.limits import LocalOptions
from analytics_automated.executors.local import LocalExecutor
from executors.contract import PATIENCE, AttendedContract, Commands, carriers, until

GRACE = 0.1
PYTHON = tuple(Path(each).resolve() for each in {sys.prefix, sys.base_prefix})


class TestSandboxedLocalExecutor(AttendedContract):
    confinement = Confinement(sandbox="required", readable=PYTHON)

    @pytest.fixture
    def executor(self) -> Iterator[LocalExecutor]:
        children = psutil.Process().children()
        yield LocalExecutor(LocalOptions(), grace=GRACE)
        assert psutil.Process().children() == children, "a child was not reaped"

    def tree(self, commands: Commands) -> list[psutil.Process]:
        """The three processes of `TREE`: the ids that they know are those of their own namespace."""
        files = [commands.workdir / name for name in ("daemon", "child", "parent")]
        until(lambda: all(file.exists() for file in files), "the tree to grow")
        inside = {int(file.read_text()) for file in files}
        found = [process for process in carriers(commands.prefix) if id_inside(process) in inside]
        assert len(found) == 3
        return found


def id_inside(process: psutil.Process) -> int:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("NSpid:")).split()[-1])


@pytest.fixture
def no_sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine on which none can be made, found out anew."""
    monkeypatch.setattr(machine, "_TOOLS_PATH", "/nowhere")
    sandbox._found.cache_clear()
    yield
    monkeypatch.undo()
    sandbox._found.cache_clear()


@pytest.fixture
def commands(tmp_path: Path) -> Commands:
    return Commands(tmp_path, Confinement())


def run(spec: CommandSpec, options: LocalOptions | None = None) -> Outcome:
    executor = LocalExecutor(options or LocalOptions())
    outcome = executor.wait(executor.submit(spec), PATIENCE)
    assert outcome is not None
    return outcome


SHOW = "test -e /run && echo open || echo shut"


def test_auto_takes_the_sandbox_that_there_is(commands):
    assert run(commands("sh", "-c", SHOW)).stdout.text() == "shut\n"
    assert LocalExecutor(LocalOptions()).check().detail.startswith("sandbox: bubblewrap ")


def test_off_takes_none(commands):
    commands.confinement = Confinement("off")
    assert run(commands("sh", "-c", SHOW)).stdout.text() == "open\n"


@pytest.mark.usefixtures("no_sandbox")
def test_without_one_auto_runs_commands_in_the_open_and_says_so(commands):
    assert run(commands("echo", "ran")).stdout.text() == "ran\n"
    said = LocalExecutor(LocalOptions()).check().detail
    assert said == "no sandbox: there is no program `bwrap` on this machine: install the package bubblewrap"


@pytest.mark.usefixtures("no_sandbox")
def test_without_one_a_command_that_requires_it_is_not_run(commands):
    commands.confinement = Confinement("required")
    with pytest.raises(BackendUnavailable, match=r"`sandbox` is `required`, and there is none: .* install the package"):
        run(commands("touch", "ran"))
    assert not (commands.workdir / "ran").exists()


def test_a_sandbox_that_does_not_work_is_none(monkeypatch, commands, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("bwrap", "perl"):
        (tools / name).write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2; exit 1\n")
        (tools / name).chmod(0o755)
    monkeypatch.setattr(machine, "_TOOLS_PATH", str(tools))
    sandbox._found.cache_clear()
    try:
        said = LocalExecutor(LocalOptions()).check().detail
    finally:
        monkeypatch.undo()
        sandbox._found.cache_clear()
    assert "does not work on this machine: bwrap: No permissions to create new namespace" in said


def test_a_sandbox_that_cannot_be_made_is_the_fault_of_the_place(commands):
    commands.confinement = Confinement("required", writable=(commands.workdir / "missing",))
    outcome = run(commands("true"))
    assert outcome.cause is Cause.BACKEND_UNAVAILABLE
    assert "the sandbox could not be made: bwrap: " in outcome.detail


def test_a_program_that_is_only_outside_is_named(commands, tmp_path_factory):
    tool = tmp_path_factory.mktemp("tools") / "tool"
    tool.write_text("#!/bin/sh\necho found\n")
    tool.chmod(0o755)
    outcome = run(commands(str(tool)))
    assert outcome.exit_code == 127
    assert "is on this machine but not in the sandbox" in outcome.detail
    assert run(commands(str(tool)), LocalOptions(readable=[tool.parent])).stdout.text() == "found\n"


def test_a_program_that_is_hidden_does_not_stand_before_one_that_is_not(commands, tmp_path_factory):
    tool = tmp_path_factory.mktemp("tools") / "echo"
    tool.write_text("#!/bin/sh\nprintf hidden\n")
    tool.chmod(0o755)
    spec = commands("echo", "shown", environment={"PATH": f"{tool.parent}:/usr/bin:/bin"})
    assert run(spec).stdout.text() == "shown\n"


def test_no_value_of_the_environment_is_on_a_command_line(commands):
    spec = commands("sleep", "600", environment={"PATH": "/usr/bin:/bin", "TOKEN": "top-secret"})
    executor = LocalExecutor(LocalOptions())
    handle = executor.submit(spec)
    until(lambda: len(carriers(commands.prefix)) >= 4, "the command in its sandbox")
    lines = [" ".join(process.cmdline()) for process in carriers(commands.prefix)]
    executor.cancel([handle])
    executor.wait(handle, PATIENCE)
    assert "top-secret" not in " ".join(lines)


def test_the_end_of_the_thread_that_started_a_command_does_not_end_it(commands):
    executor = LocalExecutor(LocalOptions())
    os.mkfifo(commands.workdir / "gate")
    with ThreadPoolExecutor(1) as pool:
        handle = pool.submit(executor.submit, commands("sh", "-c", 'read x < gate; echo "$x"')).result()
    (commands.workdir / "gate").write_text("alive\n")
    assert executor.wait(handle, PATIENCE).stdout.text() == "alive\n"


def test_commands_end_with_the_process_that_started_them(commands):
    program = """if True:
        import sys
        from pathlib import Path
        from analytics_automated.executors.base import CommandSpec
        from analytics_automated.executors.limits import LocalOptions
        from analytics_automated.executors.local import LocalExecutor
        spec = CommandSpec(sys.argv[1], ("sleep", "600"), Path(sys.argv[2]), {"PATH": "/usr/bin:/bin"})
        executor = LocalExecutor(LocalOptions())
        executor.wait(executor.submit(spec))
    """
    attempt = f"{commands.prefix}gone"
    with subprocess.Popen([sys.executable, "-c", program, attempt, str(commands.workdir)]) as worker:
        until(lambda: len(carriers(attempt)) >= 4, "the command in its sandbox")
        worker.kill()
    until(lambda: not carriers(attempt), "its end")


def test_limits_that_nobody_set_hold_nobody_back(commands):
    commands.confinement = Confinement("off")
    outcome = run(commands("sh", "-c", "ulimit -f; ulimit -n"), LocalOptions(processes="none", output="none"))
    assert outcome.stdout.text().split() == ["unlimited", str(resource.getrlimit(resource.RLIMIT_NOFILE)[0])]


@pytest.mark.parametrize("wanted", ["off", "required"])
def test_open_files_and_their_size_can_have_limits(commands, wanted):
    commands.confinement = Confinement(wanted)
    options = LocalOptions(open_files=32, file_size="1MiB")
    outcome = run(commands("sh", "-c", "ulimit -n; ulimit -f; exec head -c 2M /dev/zero > big"), options)
    assert outcome.stdout.text().split() == ["32", "2048"]
    assert (outcome.cause, outcome.signal) == (Cause.SIGNAL, signal.SIGXFSZ)


@pytest.mark.parametrize("wanted", ["off", "required"])
def test_memory_processes_time_and_disk_are_held_with_and_without_a_sandbox(commands, wanted):
    commands.confinement = Confinement(wanted)
    hog = commands("perl", "-e", "$x = chr(1) x 200_000_000; sleep 600", resources=Resources(memory=100_000_000))
    assert run(hog).cause is Cause.MEMORY
    many = commands("sh", "-c", "for i in $(seq 50); do sleep 600 & done; wait")
    assert "of at most 20" in run(many, LocalOptions(processes=20)).detail
    busy = commands("sh", "-c", "while :; do :; done")
    assert run(busy, LocalOptions(cpu_time=1)).cause is Cause.TIMEOUT
    writes = commands("sh", "-c", "exec cat /dev/zero > big")
    assert "on disk, of at most 10000000" in run(writes, LocalOptions(output="10MB")).detail


def test_watching_an_idle_command_costs_next_to_nothing(commands):
    executor = LocalExecutor(LocalOptions())
    handle = executor.submit(commands("sleep", "600"))
    executor.wait(handle, 1)
    before = time.thread_time()
    executor.wait(handle, 2)
    spent = time.thread_time() - before
    executor.cancel([handle])
    executor.wait(handle, PATIENCE)
    assert spent < 0.1


def test_peaks_of_memory_and_processor_time_are_those_of_all_processes(commands):
    hold = "$c = fork; $x = chr(1) x 40_000_000; 1 while (times)[0] < 0.7; wait if $c; sleep 1 if !$c"
    outcome = run(commands("perl", "-e", hold))
    assert outcome.peak_memory > 70_000_000
    assert outcome.cpu_seconds >= 1.4
