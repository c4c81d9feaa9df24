"""Finding the processes of a command in /proc."""

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from analytics_automated.executors.processes import Process, ProcessTree


@pytest.fixture
def attempt() -> str:
    return f"test-{uuid.uuid4()}-1"


@contextmanager
def sleeping(attempt: str = "", program: str = "sleep") -> Iterator[int]:
    """A process in a session of its own, for as long as the block lasts."""
    environment = {"PATH": "/usr/bin:/bin", "AA_ATTEMPT": attempt}
    with subprocess.Popen([program, "600"], env=environment, start_new_session=True) as process:
        try:
            yield process.pid
        finally:
            process.kill()


def pids(tree: ProcessTree) -> set[int]:
    return {process.pid for process in tree.members()}


def test_a_process_is_read_whatever_its_program_is_called(tmp_path: Path):
    program = tmp_path / "a) Z 1 (b c"
    shutil.copy(shutil.which("sleep") or "", program)
    with sleeping(program=str(program)) as pid:
        process = Process.read(pid)
        assert process is not None
        assert (process.pid, process.parent, process.group, process.session) == (pid, os.getpid(), pid, pid)


def test_one_that_waits_to_be_reaped_does_not_live():
    with subprocess.Popen(["true"]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert Process.read(process.pid) is None


def test_no_process_is_none():
    assert Process.read(2**30) is None


def test_the_attempt_is_compared_whole(attempt: str):
    others = [f"{attempt}0", f"a{attempt}", attempt[:-1]]
    with ExitStack() as stack:
        leader, mine, *_ = [stack.enter_context(sleeping(name)) for name in (attempt, attempt, *others)]
        assert pids(ProcessTree(attempt, leader)) == {mine}


def test_what_started_before_the_leader_cannot_be_its_own(attempt: str):
    with sleeping(attempt) as before:
        started = Process.read(before).started
        while True:  # the clock of /proc ticks a hundred times a second
            with sleeping(attempt) as leader:
                if Process.read(leader).started > started:
                    assert pids(ProcessTree(attempt, leader)) == set()
                    return


def test_descendants_are_found_though_they_cleared_their_environment():
    script = "setsid env -i sleep 600 & echo $!; wait"
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, start_new_session=True) as leader:
        assert leader.stdout is not None
        child = int(leader.stdout.readline())
        try:
            assert pids(ProcessTree("unknown", leader.pid)) == {child}
        finally:
            os.kill(child, 9)


def test_without_its_leader_only_the_environment_counts(attempt: str):
    with sleeping(attempt) as leader, sleeping(attempt) as mine:
        tree = ProcessTree(attempt, leader)
        tree.orphan()
        tree.signal_group(9)
        assert Process.read(leader) is not None
        assert mine in pids(tree)
        assert not tree.in_group(Process.read(leader))


@pytest.mark.parametrize("newest", [[100, 5], [2**22, 2**22]], ids=["ids began anew", "nobody born"])
def test_a_look_ends_also_where_process_ids_began_anew(monkeypatch, newest, attempt: str):
    # Stands for the wrap-around of process ids, which takes some ten thousand processes.
    given = iter([*newest, *[newest[-1]] * 10])
    monkeypatch.setattr("analytics_automated.executors.processes._newest", lambda: next(given))
    with sleeping(attempt) as leader, sleeping(attempt) as mine:
        assert pids(ProcessTree(attempt, leader)) == {mine}
