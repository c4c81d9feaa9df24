"""The executor slurm over a real Slurm: the contract, and what only it promises."""

import contextlib
import shutil
from collections.abc import Callable, Iterator

import pytest

from analytics_automated.executors.base import BackendUnavailable, Cause, Confinement, Refused, Resources
from analytics_automated.executors.batch.executor import BatchExecutor
from analytics_automated.executors.registry import executor_class
from analytics_automated.executors.slurm.executor import SlurmExecutor
from analytics_automated.executors.slurm.options import SlurmOptions
from executors.batch_contract import SHORT, BatchContract, commands_state
from executors.contract import until
from services.slurm import CPUS, Slurm


def executor_of(cluster: Slurm, **options: object) -> SlurmExecutor:
    return SlurmExecutor(SlurmOptions(conf=str(cluster.configuration), **options), patience=SHORT, interval=0.1)


class TestSlurmExecutor(BatchContract):
    @pytest.fixture
    def cluster(self, slurm: Slurm) -> Iterator[Slurm]:
        yield slurm
        slurm.clear()

    @pytest.fixture
    def make(self, cluster: Slurm) -> Callable[[], BatchExecutor]:
        return lambda: executor_of(cluster, command_timeout=15)

    @pytest.fixture
    def outage(self, cluster: Slurm) -> Callable[[], contextlib.AbstractContextManager[None]]:
        @contextlib.contextmanager
        def outage() -> Iterator[None]:
            cluster.controller.stop()
            try:
                yield
            finally:
                cluster.controller.start()

        return outage

    def test_it_is_installed_under_its_name(self):
        assert executor_class("slurm") is SlurmExecutor

    # Handing over

    def test_the_scheduler_is_told_what_the_command_needs_and_what_it_belongs_to(self, executor, cluster, commands):
        spec = commands(
            "true",
            timeout=90,
            resources=Resources(cpus=3, memory=300_000_000, gpus=1),
            priority=4,
            comment="submission 12 of 'homologues'",
        )
        handle = executor.submit(spec)
        job = handle.partition(" ")[0]
        record = cluster.ask("scontrol", "--oneliner", "show", "job", job)
        for part in (
            f"JobName=aa-{spec.attempt} ", "Comment=submission 12 of 'homologues' ", "Nice=60 ", "Requeue=0 ",
            "TimeLimit=00:07:00 ", "NumCPUs=3 ", "CPUs/Task=3 ", "MinMemoryNode=287M ", "gres:gpu:1",
        ):  # fmt: skip
            assert part in record
        self.end(executor, handle)

    def test_what_the_scheduler_keeps_holds_no_secret(self, executor, cluster, commands, monkeypatch):
        monkeypatch.setenv("AA_SECRET_OF_THE_SERVER", "leaked")
        spec = commands.sh(": > begun; sleep 600", environment={"PATH": "/usr/bin:/bin", "TOKEN": "very-secret"})
        handle = executor.submit(spec)
        self.begun(commands)
        kept = cluster.ask("scontrol", "write", "batch_script", handle.partition(" ")[0], "-")
        kept += "".join(
            path.read_bytes().decode(errors="replace") for path in cluster.folder.rglob("*") if path.is_file()
        )
        assert spec.attempt in kept
        assert "very-secret" not in kept
        assert "leaked" not in kept
        executor.cancel([handle])
        self.end(executor, handle)

    def test_accelerators_are_those_that_the_scheduler_gives(self, run, commands):
        show = commands.sh('echo "$CUDA_VISIBLE_DEVICES"', resources=Resources(gpus=2))
        assert run(show).stdout.text() == "0,1\n"

    def test_many_that_are_alike_are_one_array(self, executor, commands):
        specs = [commands("true") for _ in range(3)]
        other = commands("true", resources=Resources(cpus=2))
        jobs = [handle.partition(" ")[0] for handle in executor.submit_all([*specs, other])]
        array = jobs[0].partition("_")[0]
        assert jobs[:3] == [f"{array}_{index}" for index in range(3)]
        assert "_" not in jobs[3]

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"partition": "nowhere"}, "Invalid partition"),
            ({"constraint": "avx99"}, "Invalid feature"),
            ({"gpu": "fpga"}, "Invalid generic resource"),
            ({"sbatch": ("--reservation=spring",)}, "Requested reservation is invalid"),
        ],
        ids=str,
    )
    def test_what_the_scheduler_never_takes_is_refused_in_its_words(self, cluster, commands, options, words):
        spec = commands("true", resources=Resources(gpus=1))
        executor = executor_of(cluster, **options)
        with pytest.raises(Refused, match=words):
            executor.submit(spec)
        # It may be handed over again, once that was mended.
        assert self.end(executor_of(cluster), executor_of(cluster).submit(spec)).exit_code == 0

    def test_a_cluster_without_large_arrays_is_given_smaller_jobs(self, executor, commands, monkeypatch):
        monkeypatch.setattr("analytics_automated.executors.slurm.submission.sbatch_words", _with_a_refused_array())
        handles = executor.submit_all([commands.sh(f"echo {number}") for number in range(3)])
        assert not any("_" in handle.partition(" ")[0] for handle in handles)
        assert [self.end(executor, handle).stdout.text() for handle in handles] == ["0\n", "1\n", "2\n"]

    def test_no_more_wait_than_may(self, cluster, commands):
        executor = executor_of(cluster, max_pending=2, sbatch=("--hold",))
        handles = [executor.submit(commands("true")) for _ in range(2)]
        with pytest.raises(BackendUnavailable, match="2 jobs wait in Slurm already, of 2"):
            executor.submit(commands("true"))
        polled = executor.poll(handles)
        assert polled.waiting == dict.fromkeys(handles, "JobHeldUser")
        executor.cancel(handles)
        assert {self.end(executor, handle).cause for handle in handles} == {Cause.CANCELLED}
        until(lambda: not executor.poll(handles).waiting, "room", self.pace)
        executor.cancel([executor.submit(commands("true"))])

    # Asking

    def test_a_job_that_somebody_else_ends_is_no_cancellation_of_ours(self, executor, cluster, commands):
        handle = executor.submit(commands.sh(": > begun; exec sleep 600"))
        self.begun(commands)
        cluster.ask("scancel", handle.partition(" ")[0])
        outcome = self.end(executor, handle)
        assert outcome.cause is Cause.SIGNAL
        assert "CANCELLED" in outcome.detail

    def test_a_waiting_job_that_somebody_else_ends_is_no_cancellation_of_ours(self, cluster, commands):
        executor = executor_of(cluster, sbatch=("--hold",))
        handle = executor.submit(commands("true"))
        cluster.ask("scancel", handle.partition(" ")[0])
        outcome = self.end(executor, handle)
        assert outcome.cause is Cause.SIGNAL
        assert "not ended by A_A: CANCELLED by" in outcome.detail

    def test_a_job_that_was_put_back_into_the_queue_does_not_run_again(self, executor, cluster, commands, gate):
        spec = self.waits(commands)
        handle = executor.submit(spec)
        self.begun(commands)
        cluster.ask("scontrol", "update", f"jobid={handle.partition(' ')[0]}", "Requeue=1")
        cluster.ask("scontrol", "requeue", handle.partition(" ")[0])
        outcome = self.end(executor, handle)
        assert outcome.cause is Cause.LOST
        assert (commands.workdir / "runs").read_text() == "once\n"

    # Health

    def test_it_tells_how_the_cluster_is(self, executor):
        condition = executor.check()
        assert condition.slots == CPUS
        assert "partition main" in condition.detail

    @pytest.mark.parametrize(
        ("partition", "words"), [("closed", "closed is down"), ("nowhere", "no partition nowhere")]
    )
    def test_a_partition_that_takes_no_jobs_is_unavailable(self, cluster, partition, words):
        with pytest.raises(BackendUnavailable, match=words):
            executor_of(cluster, partition=partition).check()

    def test_programs_that_are_not_there_make_it_unavailable(self, cluster):
        with pytest.raises(BackendUnavailable, match="sinfo cannot be run"):
            executor_of(cluster, bin="/nonexistent").check()

    def test_a_controller_that_hangs_makes_it_unavailable_in_bounded_time(self, cluster):
        cluster.controller.freeze()
        try:
            with pytest.raises(BackendUnavailable, match="no answer in 1 seconds"):
                executor_of(cluster, command_timeout=1).poll(["1 /nonexistent/state"])
        finally:
            cluster.controller.thaw()


class TestWithoutAccounting:
    """On a cluster that has none."""

    confinement = Confinement()

    def test_an_end_without_an_exit_codes_file_is_read_from_the_controller(self, slurm_without_accounting, commands):
        executor = executor_of(slurm_without_accounting)
        specs = [commands.sh(f"exit {code}") for code in (0, 6)]
        handles = [executor.submit(specs[0]), *executor.submit_all(specs[1:])]
        for handle in handles:
            until((commands_state(handle) / "exit").exists, "the end", 0.001)
            (commands_state(handle) / "exit").unlink()
        assert [executor.wait(handle, 60).exit_code for handle in handles] == [0, 6]

    def test_a_controller_that_has_lost_its_memory_has_lost_the_job(self, slurm_without_accounting, commands):
        cluster = slurm_without_accounting
        executor = executor_of(cluster)
        handle = executor.submit(commands.sh(": > begun; exec sleep 600"))
        until((commands.workdir / "begun").exists, "the command to begin", 0.1)
        cluster.controller.stop()
        shutil.rmtree(cluster.folder / "state")
        (cluster.folder / "state").mkdir()
        cluster.controller.start()
        outcome = executor.wait(handle, 60)
        assert outcome is not None
        assert outcome.cause in (Cause.LOST, Cause.SIGNAL)

    commands = BatchContract.commands


def _with_a_refused_array():
    from analytics_automated.executors.slurm.submission import sbatch_words

    def refused(*args, many=0, **fields):
        words = sbatch_words(*args, many=many, **fields)
        return [word.replace("--array=0-", "--array=900000-9000") for word in words]

    return refused
