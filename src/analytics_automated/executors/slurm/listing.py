"""squeue: the jobs that Slurm's controller knows, which are those of the last minutes, too."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from analytics_automated.executors.batch.facts import Fact, Stage
from analytics_automated.executors.slurm.states import cause_of, stage_of

_FORMAT = "%i|%T|%Z|%j|%r"
"""Id, state, work folder, name, reason. Of these only a folder of somebody else's job can hold a `|`."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A job as the list has it."""

    job: str
    name: str
    folder: str
    fact: Fact


def squeue_words() -> list[str]:
    """The command line that lists all jobs of this account, those of arrays one by one."""
    return ["squeue", "--noheader", "--array", "--states=all", f"--user={os.geteuid()}", f"--format={_FORMAT}"]


def read_list(output: str) -> Iterator[Listed]:
    """The jobs in what squeue wrote; lines of another kind are passed over."""
    for line in output.splitlines():
        head, *names = line.rsplit("|", 2)
        fields = head.split("|", 2)
        if len(names) != 2 or len(fields) != 3 or not fields[0][:1].isdigit():
            continue
        job, state, folder = fields
        stage = stage_of(state)
        reason = "" if names[1] == "None" else names[1]
        if stage is Stage.ENDED:
            reason = ": ".join(filter(None, (state, reason)))
        yield Listed(job, names[0], folder, Fact(stage, reason=reason, cause=cause_of(state)))


def counts_words(partition: str | None) -> list[str]:
    """The command line that lists the states of everybody's jobs."""
    words = ["squeue", "--noheader", "--array", "--states=PENDING,RUNNING,COMPLETING", "--format=%T"]
    return [*words, f"--partition={partition}"] if partition else words


def read_counts(output: str) -> tuple[int, int]:
    """How many run, and how many wait."""
    stages = [stage_of(line.strip()) for line in output.splitlines() if line.strip().isupper()]
    return sum(stage is not Stage.WAITING for stage in stages), sum(stage is Stage.WAITING for stage in stages)


def newest(jobs: Iterable[str]) -> str:
    """Of several ids the one that was given last."""
    return max(jobs, key=lambda job: int(job.partition("_")[0]))
