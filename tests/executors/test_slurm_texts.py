"""Slurm's language: what is asked, and what its answers mean. The answers were written by Slurm 22.05."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from analytics_automated.executors.base import BackendUnavailable, Cause, CommandSpec, Refused, Resources
from analytics_automated.executors.batch.asking import Answer
from analytics_automated.executors.batch.facts import Fact, Stage
from analytics_automated.executors.batch.labels import Label
from analytics_automated.executors.slurm import accounting, listing, partitions, submission
from analytics_automated.executors.slurm.executor import SlurmExecutor
from analytics_automated.executors.slurm.options import SlurmOptions
from analytics_automated.executors.slurm.refusals import not_taken, unanswered
from analytics_automated.executors.slurm.states import cause_of, duration, seconds_of, stage_of

SQUEUE = """\
9|COMPLETED|/|aa-a-8|None
1|FAILED|/|aa-a-1|NonZeroExitCode
3_0|FAILED|/|aa.many-a-3|JobLaunchFailure
8|PENDING|/|aa-a-7|BeginTime
4|PENDING|/a|b|aa-a-4|JobHeldUser
7|PENDING|/|aa-a-6|ReqNodeNotAvail, UnavailableNodes:vm
6|RUNNING|/|aa-a-6|None
2|TIMEOUT|/|aa-a-2|TimeLimit
5|COMPLETING|/|aa-a-9|None
"""

SACCT = """\
1|FAILED|3:0|1|00:00.002||aa-a-1
1.batch|FAILED|3:0|1|00:00.002|3188K|batch
2|TIMEOUT|0:0|60|00:00.002||aa-a-2
2.batch|CANCELLED|0:15|60|00:00.002|3208K|batch
5|FAILED|0:9|2|00:00.002||aa-a-5
5.batch|CANCELLED by 0|0:9|2|00:00.002|201628K|batch
6|RUNNING|0:0|82|00:00:00||aa-a-6
6.batch|RUNNING|0:0|82|00:00:00||batch
3_0|FAILED|0:9|3|00:00.002||aa.many-a-3
3_0.batch|CANCELLED by 0|0:9|3|00:00.002|102828K|batch
8|PENDING|0:0|0|00:00:00||aa-a-7
9|COMPLETED|0:0|60|00:01.004||aa-a-8
9.batch|COMPLETED|0:0|60|00:01.004|3260K|batch
16|CANCELLED by 0|0:0|2|00:00.001||wrap
"""

# Of each line, which goes on, the fields that matter and some between them.
SCONTROL = """\
JobId=1 JobName=aa-a-1 UserId=root(0) GroupId=root(0) MCS_label=N/A Priority=4294901759 Nice=0 Account=root QOS=normal JobState=FAILED Reason=NonZeroExitCode Dependency=(null) Requeue=1 Restarts=0 BatchFlag=1 Reboot=0 ExitCode=3:0 RunTime=00:00:01 TimeLimit=365-00:00:00 TimeMin=N/A
JobId=2 JobName=aa-a-2 UserId=root(0) GroupId=root(0) MCS_label=N/A Priority=4294901758 Nice=0 Account=root QOS=normal JobState=TIMEOUT Reason=TimeLimit Dependency=(null) Requeue=1 Restarts=0 BatchFlag=1 Reboot=0 ExitCode=0:15 RunTime=00:01:00 TimeLimit=00:01:00 TimeMin=N/A
JobId=7 ArrayJobId=3 ArrayTaskId=0 JobName=aa.many-a-3 UserId=root(0) GroupId=root(0) MCS_label=N/A Priority=4294901757 Nice=0 Account=root QOS=normal JobState=FAILED Reason=JobLaunchFailure Dependency=(null) Requeue=1 Restarts=0 BatchFlag=1 Reboot=0 ExitCode=0:9 RunTime=00:00:03 TimeLimit=365-00:00:00
JobId=8 JobName=aa-a-7 UserId=root(0) GroupId=root(0) MCS_label=N/A Priority=4294901754 Nice=0 Account=root QOS=normal JobState=PENDING Reason=BeginTime Dependency=(null) Requeue=1 Restarts=0 BatchFlag=1 Reboot=0 ExitCode=0:0 RunTime=00:00:00 TimeLimit=UNLIMITED TimeMin=N/A
"""

SINFO = "main*|up|2/14/0/16\nshort|up|2/14/0/16\nclosed|down|2/14/0/16\n"

UNREACHABLE = [
    "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)",
    "slurm_load_jobs error: Unable to contact slurm controller (connect failure)",
    "scancel: error: Kill job error on job id 7: Unable to contact slurm controller (connect failure)",
    "sacct: error: slurm_persist_conn_open_without_init: failed to open persistent connection to host:127.0.0.1:12031: "
    "Connection refused\nsacct: error: Problem talking to the database: Connection refused",
    'sbatch: error: Munge encode failed: Failed to access "/run/munge/munge.socket.2": No such file or directory (Did '
    "you start munged?)\nsbatch: error: Batch job submission failed: Protocol authentication error",
    "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying",
]
REFUSED = [
    "sbatch: error: invalid partition specified: nope\n"
    "sbatch: error: Batch job submission failed: Invalid partition name specified",
    "sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified",
    "sbatch: error: Memory specification can not be satisfied\n"
    "sbatch: error: Batch job submission failed: Requested node configuration is not available",
    "sbatch: error: Batch job submission failed: Invalid feature specification",
    "sbatch: error: Invalid generic resource (gres) specification",
    "sbatch: error: Batch job submission failed: Requested reservation is invalid",
    "sbatch: error: Batch job submission failed: Invalid license specification",
    "sbatch: error: Batch job submission failed: Invalid job array specification",
]


def words_of(spec: CommandSpec, *, many: int = 0, **options: object) -> list[str]:
    return submission.sbatch_words(spec, SlurmOptions(**options), Label.of(spec.attempt), Path("/s/a b"), many=many)


SPEC = CommandSpec("a-1", ("true",), Path("/w"), {})


class TestSubmission:
    def test_what_a_command_needs_is_asked_for(self):
        spec = CommandSpec(
            "a-1", ("true",), Path("/w"), {}, timeout=61, resources=Resources(8, 16_000_000_000, 2), comment="for x"
        )
        words = words_of(spec, partition="long", account="public", qos="high", constraint="ssd&avx512", cluster="two")
        assert {
            "--cpus-per-task=8", "--mem=15259M", "--gres=gpu:2", "--time=7", "--comment=for x", "--partition=long",
            "--account=public", "--qos=high", "--constraint=ssd&avx512", "--clusters=two", "--job-name=aa-a-1",
            "--no-requeue", "--parsable", "--chdir=/s/a b", "--output=/s/a b/scheduler.log",
        } <= set(words)  # fmt: skip

    def test_what_is_not_said_is_left_to_the_cluster(self):
        names = {word.partition("=")[0] for word in words_of(SPEC)}
        assert not names & {"--mem", "--time", "--gres", "--partition", "--account", "--qos", "--comment", "--array"}

    def test_own_options_come_before_ours_which_win(self):
        words = words_of(SPEC, sbatch=("--reservation=spring", "--nodes=2"))
        assert words.index("--nodes=2") < words.index("--nodes=1")

    def test_an_array_has_as_many_indices_as_commands(self):
        words = words_of(SPEC, many=3)
        assert "--array=0-2" in words
        assert "--output=/dev/null" in words

    @pytest.mark.parametrize(("priority", "nice"), [(0, 100), (3, 70), (10, 0), (11, 0), (-5, 150), (32767, 0)])
    def test_a_higher_priority_is_less_nice(self, priority, nice):
        assert submission.nice(priority, SlurmOptions()) == nice

    @pytest.mark.parametrize(
        ("folder", "shown"), [("/a%j", "/a%%j/scheduler.log"), ("/a\\b%j", "/a\\b%j/scheduler.log")]
    )
    def test_nothing_in_a_files_name_is_replaced(self, folder, shown):
        words = submission.sbatch_words(SPEC, SlurmOptions(), Label.of("a-1"), Path(folder))
        assert f"--output={shown}" in words

    def test_the_script_only_names_the_wrapper(self):
        script = submission.script(Path("/s/a 'b'"))
        assert script == "#!/bin/sh\nexec /bin/sh '/s/a '\"'\"'b'\"'\"'/wrapper' \"${SLURM_JOB_ID}\"\n"

    @pytest.mark.parametrize(
        ("output", "job"),
        [("12\n", "12"), ("12;aa\n", "12"), ("Welcome to the cluster\n12\n", "12"), ("", None), ("no\n", None)],
    )
    def test_the_id_is_read(self, output, job):
        assert submission.read_job_id(output) == job

    @pytest.mark.parametrize("text", UNREACHABLE)
    def test_a_controller_that_cannot_be_asked_is_unavailable(self, text):
        answer = Answer(1, "", text)
        assert unanswered(answer)
        assert isinstance(not_taken(answer), BackendUnavailable)

    @pytest.mark.parametrize("text", REFUSED)
    def test_a_no_is_a_refusal_in_its_words(self, text):
        error = not_taken(Answer(1, "", text))
        assert isinstance(error, Refused)
        assert text.splitlines()[-1] in str(error)

    def test_an_account_with_as_many_jobs_as_it_may_have_waits(self):
        text = (
            "sbatch: error: AssocMaxSubmitJobLimit\nsbatch: error: Batch job submission failed: Job violates "
            "accounting/QOS policy (job submit limit, user's size and/or time limits)"
        )
        assert isinstance(not_taken(Answer(1, "", text)), BackendUnavailable)


class TestList:
    jobs = {each.job: each for each in listing.read_list(SQUEUE)}

    def test_each_line_is_a_job(self):
        assert list(self.jobs) == ["9", "1", "3_0", "8", "4", "7", "6", "2", "5"]
        assert (self.jobs["4"].folder, self.jobs["4"].name) == ("/a|b", "aa-a-4")

    def test_what_waits_says_why(self):
        assert self.jobs["4"].fact == Fact(Stage.WAITING, "JobHeldUser")
        assert self.jobs["7"].fact.reason == "ReqNodeNotAvail, UnavailableNodes:vm"

    def test_what_runs_ends_or_has_ended(self):
        stages = {job: each.fact.stage for job, each in self.jobs.items()}
        assert (stages["6"], stages["5"], stages["9"]) == (Stage.RUNNING, Stage.ENDING, Stage.ENDED)
        assert self.jobs["2"].fact == Fact(Stage.ENDED, "TIMEOUT: TimeLimit", Cause.TIMEOUT)

    def test_lines_of_another_kind_are_passed_over(self):
        assert list(listing.read_list("CLUSTER: aa\n\nx|y\n")) == []

    def test_counts(self):
        assert listing.read_counts("CLUSTER: aa\nPENDING\nPENDING\nRUNNING\nCOMPLETING\n") == (2, 2)

    def test_of_several_jobs_the_newest_is_the_last(self):
        assert listing.newest(["9_1", "10_0", "8"]) == "10_0"


class TestAccounting:
    jobs = {each.job: each for each in accounting.read_accounting(SACCT)}

    def test_an_exit_code_with_what_was_used(self):
        fact = self.jobs["9"].fact
        assert fact == Fact(
            Stage.ENDED, "COMPLETED", exit_code=0, seconds=60, cpu_seconds=1.004, peak_memory=3260 * 1024
        )
        assert self.jobs["1"].fact.exit_code == 3

    def test_a_signal(self):
        fact = self.jobs["3_0"].fact
        assert (fact.signal, fact.peak_memory, self.jobs["3_0"].name) == (9, 102828 * 1024, "aa.many-a-3")

    def test_causes(self):
        assert (self.jobs["2"].fact.cause, self.jobs["16"].fact.cause) == (Cause.TIMEOUT, Cause.CANCELLED)

    def test_what_has_not_ended(self):
        assert (self.jobs["6"].fact, self.jobs["8"].fact) == (Fact(Stage.RUNNING), Fact(Stage.WAITING))

    def test_the_controllers_own_records(self):
        facts = accounting.read_records(SCONTROL)
        assert facts["1"] == Fact(Stage.ENDED, "FAILED: NonZeroExitCode", exit_code=3, seconds=1)
        assert (facts["2"].cause, facts["2"].seconds) == (Cause.TIMEOUT, 60)
        assert facts["3_0"].signal == 9
        assert facts["8"].stage is Stage.WAITING

    @pytest.mark.parametrize(
        ("said", "cause"),
        [
            ("slurmstepd-vm: error: StepId=7.batch exceeded memory limit (309837824 > 52428800), being killed", Cause.MEMORY),
            ("slurmstepd: error: Detected 1 oom-kill event(s) in StepId=9.batch. Some of your processes may have been "
             "killed by the cgroup out-of-memory handler.", Cause.MEMORY),
            ("slurmstepd-vm: error: *** JOB 6 ON vm CANCELLED AT 2026-11-25T00:52:59 ***", None),
        ],
    )  # fmt: skip
    def test_what_slurm_told_the_job_says_that_it_was_its_memory(self, said, cause):
        executor = SlurmExecutor(SlurmOptions())
        assert executor.explain(self.jobs["5"].fact, said).cause is cause
        assert executor.explain(self.jobs["9"].fact, said).cause is None


class TestStates:
    @pytest.mark.parametrize(
        ("state", "cause"),
        [
            ("TIMEOUT", Cause.TIMEOUT), ("DEADLINE", Cause.TIMEOUT), ("OUT_OF_MEMORY", Cause.MEMORY),
            ("NODE_FAIL", Cause.LOST), ("PREEMPTED", Cause.LOST), ("BOOT_FAIL", Cause.LOST),
            ("CANCELLED by 1000", Cause.CANCELLED), ("CANCELLED+", Cause.CANCELLED), ("COMPLETED", None), ("FAILED", None),
        ],
    )  # fmt: skip
    def test_states_in_which_a_job_has_ended(self, state, cause):
        assert (stage_of(state), cause_of(state)) == (Stage.ENDED, cause)

    @pytest.mark.parametrize(
        ("text", "seconds"),
        [("00:00.002", 0.002), ("01:02", 62), ("02:00:01", 7201), ("1-00:00:00", 86400), ("", None), ("INVALID", None)],
    )
    def test_durations_are_read(self, text, seconds):
        assert seconds_of(text) == seconds

    @pytest.mark.parametrize(("seconds", "minutes"), [(0.5, "1"), (60, "1"), (61, "2"), (3600, "60")])
    def test_time_limits_are_whole_minutes_and_never_shorter(self, seconds, minutes):
        assert duration(seconds) == minutes


class TestPartitions:
    def test_the_default_one_is_meant_where_none_is_named(self):
        assert partitions.read_partitions(SINFO, None) == (16, "partition main: 14 of 16 processors idle")

    def test_processors_out_of_service_do_not_count(self):
        slots, detail = partitions.read_partitions("main*|up|2/6/8/16\n", "main")
        assert (slots, detail) == (8, "partition main: 6 of 8 processors idle, 8 out of service")

    def test_one_that_is_down_is_unavailable(self):
        with pytest.raises(BackendUnavailable, match="closed is down"):
            partitions.read_partitions("closed|down|2/14/0/16\n", "closed")

    def test_none_of_that_name_is_unavailable(self):
        with pytest.raises(BackendUnavailable, match="no partition nope"):
            partitions.read_partitions("", "nope")


class TestOptions:
    @pytest.mark.parametrize(
        "options",
        [
            {"partition": "a b"}, {"partition": "--wrap=x"}, {"account": ""}, {"sbatch": ["-p", "x"]},
            {"sbatch": ["--wrap=reboot"]}, {"sbatch": ["--job-name=x"]}, {"bin": "slurm/bin"}, {"nice": -1},
            {"max_pending": 0}, {"queue": "x"},
        ],
        ids=str,
    )  # fmt: skip
    def test_what_slurm_cannot_mean_is_refused(self, options):
        with pytest.raises(ValidationError):
            SlurmOptions(**options)

    def test_several_partitions_and_a_typed_accelerator(self):
        options = SlurmOptions(partition="a,b", gpu="gpu:a100", sbatch=["--exclusive", "--reservation=spring"])
        assert options.sbatch == ("--exclusive", "--reservation=spring")
