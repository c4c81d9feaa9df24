"""sacct, and where there is no accounting scontrol: what became of jobs that have ended."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from analytics_automated.executors.batch.facts import Fact, Stage
from analytics_automated.executors.slurm.states import cause_of, exit_of, seconds_of, stage_of

_FIELDS = ("JobID", "State", "ExitCode", "ElapsedRaw", "TotalCPU", "MaxRSS", "JobName")
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_LINE = re.compile(r"^JobId=(?P<id>\d+)(?: ArrayJobId=(?P<array>\d+) ArrayTaskId=(?P<index>\d+))? JobName=", re.ASCII)
OFF = "accounting storage is disabled"
"""What sacct says where there is no accounting."""
HISTORY = "now-7days"
"""How far back a job is looked for by its name."""


@dataclass(frozen=True, slots=True)
class Accounted:
    """A job as accounting has it."""

    job: str
    name: str
    fact: Fact


def sacct_words(jobs: Collection[str]) -> list[str]:
    """The command line that asks for those jobs, with what their processes used."""
    return [*_SACCT, f"--jobs={','.join(sorted(jobs))}"]


def sacct_words_by_name(names: Collection[str]) -> list[str]:
    """The command line that asks for the recent jobs of those names."""
    return [*_SACCT, f"--name={','.join(sorted(names))}", f"--starttime={HISTORY}"]


_SACCT = ("sacct", "--noheader", "--parsable2", f"--format={','.join(_FIELDS)}")


def read_accounting(output: str) -> Iterator[Accounted]:
    """The jobs in what sacct wrote. What their processes used stands in the lines of their steps (`9_1.batch`)."""
    jobs: dict[str, Accounted] = {}
    for line in output.splitlines():
        fields = line.split("|", len(_FIELDS) - 1)
        if len(fields) != len(_FIELDS):
            continue
        job, _, step = fields[0].partition(".")
        _, state, exit_code, elapsed, cpu, peak, name = fields
        if step:
            if job in jobs:
                jobs[job] = _with_step(jobs[job], _bytes(peak))
            continue
        fact = _ended(state, exit_code)
        if fact.stage is Stage.ENDED:
            seconds = float(elapsed) if elapsed.isdigit() else None
            fact = replace(fact, reason=state, seconds=seconds, cpu_seconds=seconds_of(cpu))
        jobs[job] = Accounted(job, name, fact)
    yield from jobs.values()


def scontrol_words() -> list[str]:
    """The command line that asks for all jobs that the controller knows."""
    return ["scontrol", "--oneliner", "--all", "show", "jobs"]


def read_records(output: str) -> Mapping[str, Fact]:
    """The jobs in what scontrol wrote, by their ids."""
    facts = {}
    for line in output.splitlines():
        match = _LINE.match(line)
        if not match:
            continue
        job = f"{match['array']}_{match['index']}" if match["array"] else match["id"]
        # Names and comments may hold any text, so the fields are looked for behind the name, in their order.
        state, reason = _field(line, "JobState"), _field(line, "Reason")
        fact = _ended(state, _field(line, "ExitCode"))
        facts[job] = replace(fact, reason=f"{state}: {reason}", seconds=seconds_of(_field(line, "RunTime")))
    return facts


def _ended(state: str, exit_code: str) -> Fact:
    stage = stage_of(state)
    if stage is not Stage.ENDED:
        return Fact(stage)
    ended = exit_of(exit_code)
    return Fact(stage, cause=cause_of(state), exit_code=ended and ended[0], signal=ended and (ended[1] or None))


def _with_step(accounted: Accounted, peak: int | None) -> Accounted:
    known = accounted.fact.peak_memory
    if peak is None or accounted.fact.stage is not Stage.ENDED:
        return accounted
    return replace(accounted, fact=replace(accounted.fact, peak_memory=max(peak, known or 0)))


def _bytes(text: str) -> int | None:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)", text.strip())
    return int(float(match[1]) * _UNITS[match[2]]) if match else None


def _field(line: str, name: str) -> str:
    match = re.search(rf" {name}=(\S*)", line)
    return match[1] if match else ""
