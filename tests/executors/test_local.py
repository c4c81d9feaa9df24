"""The local executor: the contract, and what only it promises."""

import errno
import gc
import os
import resource
import signal
import subprocess
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from analytics_automated.executors import endings, memory
from analytics_automated.executors.base import BackendUnavailable, Cause, Confinement
from analytics_automated.executors.limits import LocalOptions
from analytics_automated.executors.local import LocalExecutor
from analytics_automated.executors.registry import executor_class
from analytics_automated.executors.watching import LONGEST_PAUSE
from executors.contract import PATIENCE, TREE, AttendedContract, alive, carriers, until

GRACE = 0.1


def descriptors() -> list[str]:
    gc.collect()
    return sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208 - which has its own descriptor in it, always


def number_in(file: Path) -> int:
    """The number on the line that a command writes to the file, once it has."""
    until(lambda: file.exists() and file.read_text().endswith("\n"), "a line")
    return int(file.read_text())


def ended(fifo: int) -> bool:
    """Whether nobody holds the fifo open for writing any more."""
    try:
        return os.read(fifo, 1) == b""
    except BlockingIOError:
        return False


class TestLocalExecutor(AttendedContract):
    confinement = Confinement(sandbox="off")

    @pytest.fixture
    def executor(self) -> Iterator[LocalExecutor]:
        children = psutil.Process().children()
        yield LocalExecutor(LocalOptions(), grace=GRACE)
        assert psutil.Process().children() == children, "a child was not reaped"

    def test_it_is_installed_under_its_name(self):
        assert executor_class("local") is LocalExecutor
        assert LocalExecutor.attended

    # Memory

    @pytest.fixture
    def memory_kills(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """The kernel's count of what it killed for want of memory: commands of these tests write it themselves."""
        counter = tmp_path / "vmstat"
        counter.write_text("nr_free_pages 9\noom_kill 2\nzone_reclaim_success 0\n")
        monkeypatch.setattr(memory, "COUNTER", counter)
        monkeypatch.setattr(memory, "_counted", (float("-inf"), None))
        return counter

    @pytest.mark.parametrize(
        ("script", "cause"),
        [
            ("echo oom_kill 3 > COUNTER; kill -KILL $$", Cause.MEMORY),
            ("echo oom_kill 3 > COUNTER; sh -c 'kill -KILL $$'; exit $?", Cause.MEMORY),
            ("kill -KILL $$", Cause.SIGNAL),
            ("sh -c 'kill -KILL $$'; exit $?", Cause.EXIT),
            ("echo oom_kill 3 > COUNTER; kill -TERM $$", Cause.SIGNAL),
            ("echo oom_kill 3 > COUNTER; exit 1", Cause.EXIT),
            ("rm COUNTER; kill -KILL $$", Cause.SIGNAL),
        ],
    )
    def test_what_was_killed_while_the_kernel_killed_for_memory_had_too_little(
        self, run, commands, memory_kills: Path, script: str, cause: Cause
    ) -> None:
        outcome = run(commands.sh(script.replace("COUNTER", str(memory_kills))))
        assert outcome.cause is cause

    def test_a_kernel_that_counts_nothing_leaves_the_signal(self, run, commands, memory_kills: Path) -> None:
        memory_kills.write_text("nr_free_pages 9\n")
        assert run(commands.sh("kill -KILL $$")).cause is Cause.SIGNAL

    # Starting

    def test_a_command_has_a_session_and_a_group_of_its_own(self, run, commands):
        show = "import os; print(os.getpid() == os.getsid(0) == os.getpgid(0))"
        assert run(commands.python(show)).stdout.text() == "True\n"

    def test_a_command_inherits_no_descriptor(self, run, commands):
        with Path("/dev/null").open() as file:
            os.set_inheritable(file.fileno(), True)
            show = "import os; print(sorted(map(int, os.listdir('/proc/self/fd'))))"
            # The fourth is the one that lists.
            assert run(commands.python(show)).stdout.text() == "[0, 1, 2, 3]\n"

    def test_signals_that_python_ignores_have_their_default_in_a_command(self, run, commands):
        assert run(commands.sh("kill -PIPE $$")).signal == signal.SIGPIPE

    def test_a_missing_program_with_a_slash_is_exit_code_127(self, run, commands):
        assert run(commands("./nowhere/tool")).exit_code == 127
        assert run(commands("/usr/bin/env/tool")).exit_code == 127

    @pytest.mark.parametrize("argv", [(), ("",)])
    def test_no_program_at_all_is_exit_code_127(self, run, commands, argv):
        assert run(commands(*argv)).exit_code == 127

    def test_without_a_path_the_system_default_is_searched(self, run, commands):
        assert run(commands("true", environment={})).exit_code == 0

    def test_a_relative_folder_of_the_path_is_relative_to_the_work_folder(self, run, commands):
        (commands.workdir / "bin").mkdir()
        tool = commands.workdir / "bin" / "tool"
        tool.write_text("#!/bin/sh\necho relative\n")
        tool.chmod(0o700)
        assert run(commands("tool", environment={"PATH": "/nowhere:bin"})).stdout.text() == "relative\n"

    def test_a_file_on_the_path_that_is_no_program_is_exit_code_126(self, run, commands):
        (commands.workdir / "tool").write_text("#!/bin/sh\n")
        outcome = run(commands("tool", environment={"PATH": f"{commands.workdir}:/bin"}))
        assert (outcome.exit_code, "not executable" in outcome.detail) == (126, True)

    def test_a_program_later_on_the_path_is_taken_before_a_file_that_is_none(self, run, commands):
        (commands.workdir / "true").write_text("no program")
        assert run(commands("true", environment={"PATH": f"{commands.workdir}:/usr/bin:/bin"})).exit_code == 0

    @pytest.mark.parametrize(
        ("text", "detail"),
        [
            ("#!/no/such/interpreter\n", "interpreter"),
            ("echo text without a first line that names an interpreter\n", "format"),
            ("", "format"),
        ],
    )
    def test_a_script_that_cannot_be_interpreted_is_exit_code_126(self, run, commands, text, detail):
        tool = commands.workdir / "tool"
        tool.write_text(text)
        tool.chmod(0o700)
        outcome = run(commands("./tool"))
        assert (outcome.cause, outcome.exit_code) == (Cause.EXIT, 126)
        assert detail in outcome.detail

    def test_a_folder_is_no_program(self, run, commands):
        assert run(commands(str(commands.workdir))).exit_code == 126

    @pytest.mark.parametrize(
        "argv", [("echo", "x" * 200_000), ("echo", *["x" * 120_000] * 60)], ids=["one word", "all words"]
    )
    def test_a_command_line_that_is_too_long_is_exit_code_126(self, run, commands, argv):
        outcome = run(commands(*argv))
        assert (outcome.cause, outcome.exit_code) == (Cause.EXIT, 126)
        assert "too long" in outcome.detail

    def test_an_environment_that_is_too_large_is_exit_code_126(self, run, commands):
        outcome = run(commands("true", environment={"PATH": "/usr/bin:/bin", "LARGE": "x" * 200_000}))
        assert (outcome.exit_code, "too long" in outcome.detail) == (126, True)

    @pytest.mark.parametrize("text", ["a\0b", "\0", "\ud800"], ids=["nul within", "nul", "surrogate"])
    def test_text_that_no_process_can_be_given_is_exit_code_126(self, run, commands, text):
        path = {"PATH": "/usr/bin:/bin"}
        for spec in (
            commands("echo", text),
            commands(text),
            commands("true", environment={**path, "A": text}),
            commands("true", environment={**path, text: "a"}),
        ):
            outcome = run(spec)
            assert (outcome.cause, outcome.exit_code) == (Cause.EXIT, 126)
            assert outcome.detail

    @pytest.mark.parametrize("name", ["", "A=B", "="])
    def test_a_variable_needs_a_name_without_an_equals_sign(self, run, commands, name):
        assert run(commands("true", environment={"PATH": "/bin", name: "x"})).exit_code == 126

    def test_what_is_missing_around_the_command_is_the_fault_of_the_place(self, executor, commands):
        nowhere = commands.workdir / "nowhere"
        before = descriptors()
        for fields in (
            {"workdir": nowhere},
            {"workdir": Path("/etc/passwd")},
            {"stdin": nowhere},
            {"stdout": nowhere / "out"},
            {"stderr": nowhere / "err"},
            {"stdout": commands.workdir},
        ):
            with pytest.raises(BackendUnavailable):
                executor.submit(commands("true", **fields))
        with pytest.raises(ValueError, match="null"):
            executor.submit(commands("true", stdin=Path("a\0b")))
        assert descriptors() == before

    def test_a_machine_without_descriptors_is_unavailable(self, executor, commands):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        before = descriptors()
        lowest_free = os.open(os.devnull, os.O_RDONLY)
        os.close(lowest_free)
        specs = [commands("true") for _ in range(20)]
        refused = 0
        try:
            for room, spec in enumerate(specs):
                resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free + room, hard))
                try:
                    handle = executor.submit(spec)
                except BackendUnavailable:
                    refused += 1
                else:
                    assert executor.wait(handle, PATIENCE).exit_code == 0
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert 5 <= refused <= 12
        assert descriptors() == before

    @pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOMEM])
    def test_a_machine_that_cannot_fork_is_unavailable(self, executor, commands, monkeypatch, number):
        def refuse(*arguments: object, **options: object) -> None:
            raise OSError(number, os.strerror(number))

        before = descriptors()
        monkeypatch.setattr(subprocess, "Popen", refuse)
        with pytest.raises(BackendUnavailable, match=os.strerror(number)):
            executor.submit(commands("true"))
        assert descriptors() == before

    # Standard streams

    def test_huge_output_is_read_in_bounded_memory(self, run, commands):
        tracemalloc.start()
        try:
            outcome = run(commands.sh("head -c 200000000 /dev/zero; echo end"))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert outcome.exit_code == 0
        assert outcome.stdout.omitted + len(outcome.stdout.head + outcome.stdout.tail) == 200_000_004
        assert outcome.stdout.tail.endswith(b"\0end\n")
        assert peak < 1_000_000

    def test_what_was_written_last_is_read_even_where_nobody_attended(self, executor, commands):
        handle = executor.submit(commands.sh("head -c 3000 /dev/zero; echo end >&2; touch done"))
        until((commands.workdir / "done").exists, "the command to end")
        outcome = executor.wait(handle, PATIENCE)
        assert len(outcome.stdout.head + outcome.stdout.tail) == 3000
        assert outcome.stderr.text() == "end\n"

    def test_files_are_relative_to_the_work_folder(self, run, commands):
        (commands.workdir / "in").write_text("abc")
        run(commands("cat", stdin=Path("in"), stdout=Path("out")))
        assert (commands.workdir / "out").read_text() == "abc"

    def test_two_names_of_one_output_file_are_one_file(self, run, commands):
        (commands.workdir / "sub").mkdir()
        script = "echo out; echo err >&2; echo out"
        run(commands.sh(script, stdout=Path("both"), stderr=Path("sub/../both")))
        assert (commands.workdir / "both").read_text() == "out\nerr\nout\n"

    def test_a_grandchild_that_holds_the_pipe_does_not_delay_the_end(self, run, commands):
        outcome = run(commands.sh("echo started; sleep 600 & exit 3"))
        assert (outcome.cause, outcome.exit_code) == (Cause.EXIT, 3)
        assert outcome.stdout.text() == "started\n"

    def test_a_grandchild_in_its_own_session_that_holds_the_pipe_is_ended(self, run, commands):
        outcome = run(commands.sh("setsid sh -c 'echo $$ > pid; exec sleep 600' & while ! test -s pid; do :; done"))
        assert outcome.exit_code == 0
        pid = int((commands.workdir / "pid").read_text())
        assert not alive(pid)

    def test_a_grandchild_that_writes_without_end_does_not_delay_the_end(self, run, commands):
        outcome = run(commands.sh("setsid yes & setsid yes >&2 & head -c 1 /dev/zero"))
        assert outcome.exit_code == 0

    def test_nothing_of_the_process_group_is_left_after_an_end(self, run, commands):
        script = "for i in 1 2 3; do sleep 600 >/dev/null 2>&1 & echo $!; done"
        left = [int(word) for word in run(commands.sh(script)).stdout.text().split()]
        assert len(left) == 3
        until(lambda: not any(map(alive, left)), "the group to go")

    # Ending

    def test_a_command_may_clean_up_after_sigterm(self, commands):
        executor = LocalExecutor(LocalOptions(), grace=PATIENCE)
        program = """if True:
            import signal, sys
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
            open("ready", "w").close()
            signal.sigwait({signal.SIGTERM})
            print("cleaned")
            sys.exit(5)
        """
        handle = executor.submit(commands.python(program))
        until((commands.workdir / "ready").exists, "the handler")
        executor.cancel([handle])
        outcome = executor.wait(handle, PATIENCE)
        assert (outcome.cause, outcome.exit_code, outcome.signal) == (Cause.CANCELLED, None, None)
        assert outcome.stdout.text() == "cleaned\n"

    def test_the_grace_ends_as_soon_as_all_are_gone(self, commands):
        executor = LocalExecutor(LocalOptions(), grace=1e6)
        script = "setsid sh -c 'echo > one; exec sleep 600' & sh -c 'echo > two; exec sleep 600' & wait"
        handle = executor.submit(commands.sh(script))
        until(lambda: {"one", "two"} <= {file.name for file in commands.workdir.iterdir()}, "the children")
        executor.cancel([handle])
        outcome = executor.wait(handle, PATIENCE)
        assert (outcome.cause, outcome.signal) == (Cause.CANCELLED, signal.SIGTERM)

    def test_what_does_not_heed_sigterm_is_killed(self, executor, commands):
        handle = executor.submit(commands.python(TREE))
        self.tree(commands)
        executor.cancel([handle])
        assert executor.wait(handle, PATIENCE).signal == signal.SIGKILL

    def test_cancel_asks_the_command_to_end_though_nobody_waits(self, executor, commands):
        handle = executor.submit(commands.sh("echo $$ > pid; exec sleep 600"))
        process = psutil.Process(number_in(commands.workdir / "pid"))
        executor.cancel([handle])
        until(lambda: not alive(process), "the end without anybody waiting")
        assert executor.wait(handle, PATIENCE).cause is Cause.CANCELLED

    def test_what_ended_by_itself_keeps_its_outcome_in_spite_of_cancel_and_time_limit(self, executor, commands):
        handle = executor.submit(commands.sh("echo $$; exit 4", timeout=0.001, stdout=Path("pid")))
        process = psutil.Process(number_in(commands.workdir / "pid"))
        until(lambda: not alive(process), "the end")
        executor.cancel([handle])
        outcome = executor.wait(handle, PATIENCE)
        assert (outcome.cause, outcome.exit_code) == (Cause.EXIT, 4)

    def test_a_poll_does_not_wait_for_the_grace(self, commands):
        executor = LocalExecutor(LocalOptions(), grace=1e6)
        handle = executor.submit(commands.python(TREE, timeout=0))
        tree = self.tree(commands)
        for _ in range(20):
            assert executor.poll([handle]).outcomes == {}
        assert all(alive(process) for process in tree)
        for process in tree:
            process.kill()
        assert executor.wait(handle, PATIENCE).cause is Cause.TIMEOUT

    def test_a_process_whose_first_thread_has_ended_is_found(self, executor, commands):
        program = """if True:
            import ctypes, os, threading, time
            if os.fork() != 0:
                time.sleep(600)
            os.setsid()
            threading.Thread(target=time.sleep, args=[600]).start()
            with open("pid", "w") as file:
                print(os.getpid(), file=file)
            ctypes.CDLL(None).pthread_exit(None)
        """
        handle = executor.submit(commands.python(program))
        process = psutil.Process(number_in(commands.workdir / "pid"))
        until(lambda: process.status() == psutil.STATUS_ZOMBIE, "its first thread to end")
        assert process.num_threads() == 2
        executor.cancel([handle])
        assert executor.wait(handle, PATIENCE).cause is Cause.CANCELLED
        assert not process.is_running() or process.num_threads() == 1

    @pytest.mark.parametrize("cleanly", [True, False], ids=["after its own end", "after cancel"])
    def test_what_forks_all_the_time_is_ended(self, executor, commands, cleanly):
        # Each is gone as soon as it has started the next one. All hold the fifo open, so its end is theirs.
        hop = 'echo >> hops; setsid sh -c "$HOP" & exit'
        environment = {"PATH": "/usr/bin:/bin", "HOP": hop}
        last = "while ! test -s hops; do :; done" if cleanly else "sleep 600"
        os.mkfifo(commands.workdir / "fifo")
        fifo = os.open(commands.workdir / "fifo", os.O_RDONLY | os.O_NONBLOCK)
        try:
            script = f'exec 9> fifo; setsid sh -c "$HOP" & {last}'
            handle = executor.submit(commands.sh(script, environment=environment))
            hops = commands.workdir / "hops"
            until(lambda: hops.exists() and hops.stat().st_size > 20, "it to hop")
            if not cleanly:
                executor.cancel([handle])
            cause = executor.wait(handle, PATIENCE).cause
            assert cause is (Cause.EXIT if cleanly else Cause.CANCELLED)
            until(lambda: ended(fifo), "the last of them")
        finally:
            os.close(fifo)

    def test_many_processes_are_ended(self, executor, commands):
        program = """if True:
            import os, signal, time
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            for _ in range(150):
                if os.fork() == 0:
                    os.setsid()
                    time.sleep(600)
            open("ready", "w").close()
            time.sleep(600)
        """
        handle = executor.submit(commands.python(program))
        until((commands.workdir / "ready").exists, "the processes")
        before = len(descriptors())
        assert executor.wait(handle, 0) is None
        executor.cancel([handle])
        while executor.wait(handle, 0) is None:
            assert len(descriptors()) < before + 100
        assert not carriers(commands.prefix)

    def test_what_cannot_be_killed_is_named_and_reaped_when_it_ends(self, executor, commands, monkeypatch):
        # Stands for a process that hangs in the kernel, which cannot be made to happen.
        kill = os.killpg
        monkeypatch.setattr(os, "killpg", lambda _group, _signum: None)
        monkeypatch.setattr(signal, "pidfd_send_signal", lambda _pidfd, _signum: None)
        monkeypatch.setattr(endings, "KILL_SECONDS", 0.01)
        script = "setsid sleep 600 & echo $!; exec sleep 600"
        handle = executor.submit(commands.sh(script, stdout=Path("pid")))
        child = number_in(commands.workdir / "pid")
        executor.cancel([handle])
        outcome = executor.wait(handle, PATIENCE)
        (leader,) = psutil.Process().children()
        assert (outcome.cause, outcome.signal) == (Cause.CANCELLED, None)
        assert outcome.detail == f"could not be ended: process {child}, {leader.pid}"
        os.kill(child, signal.SIGKILL)
        kill(leader.pid, signal.SIGKILL)
        until(lambda: not leader.is_running(), "it to be reaped")

    def test_an_exit_status_that_somebody_else_took_is_lost(self, executor, commands):
        handle = executor.submit(commands.sh("echo $$", stdout=Path("pid")))
        os.waitpid(number_in(commands.workdir / "pid"), 0)
        outcome = executor.wait(handle, PATIENCE)
        assert (outcome.cause, outcome.exit_code) == (Cause.LOST, None)
        assert "exit status" in outcome.detail

    # Figures

    def test_processor_time_is_counted_with_that_of_the_children(self, run, commands):
        program = "import os; os.fork() == 0 and sum(range(3_000_000)) and os._exit(0); os.wait()"
        outcome = run(commands.python(program))
        assert outcome.cpu_seconds > run(commands("true")).cpu_seconds >= 0

    def test_memory_is_known_where_it_exceeds_our_own(self, run, commands):
        ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        outcome = run(commands.python(f"bytearray({ours}).replace(b'', b'')"))
        assert ours < outcome.peak_memory < 4 * ours

    def test_memory_below_our_own_is_known_of_what_runs_long_enough_to_be_seen(self, executor, commands):
        program = "import time; x = b'x' * 20_000_000; open('ready', 'w').close(); time.sleep(600)"
        handle = executor.submit(commands.python(program))
        until((commands.workdir / "ready").exists, "its memory")
        assert executor.wait(handle, LONGEST_PAUSE * 2) is None
        executor.cancel([handle])
        assert 20_000_000 < executor.wait(handle, PATIENCE).peak_memory < 60_000_000

    # Many

    def test_no_descriptor_is_left_open(self, executor, commands, run):
        kinds: list[Callable[[], object]] = [
            lambda: run(commands("true")),
            lambda: run(commands("no-such-program")),
            lambda: run(commands.sh("echo; kill -9 $$", stdout=Path("a"), stderr=Path("a"))),
            lambda: run(commands("sleep", "600", timeout=0)),
        ]
        before = descriptors()
        for number in range(200):
            kinds[number % len(kinds)]()
        assert descriptors() == before

    def test_waiting_polling_and_cancelling_mix(self, executor, commands):
        handles = [executor.submit(commands("sleep", "600")) for _ in range(50)]
        handles += [executor.submit(commands("true")) for _ in range(50)]
        outcomes: list[str] = []

        def wait(handle: str) -> None:
            try:
                while executor.wait(handle, 0.01) is None:
                    pass
            except KeyError:
                return
            outcomes.append(handle)

        def poll(some: list[str]) -> None:
            until(lambda: len(outcomes) == 100 or outcomes.extend(executor.poll(some).outcomes), "all to end")

        with ThreadPoolExecutor(50) as pool:
            work = [pool.submit(poll, handles), pool.submit(poll, handles[::-1])]
            work += [pool.submit(wait, handle) for handle in handles[::3]]
            work += [pool.submit(executor.cancel, handles[start::4]) for start in range(4)]
            for each in work:
                each.result()
        assert sorted(outcomes) == sorted(handles)
