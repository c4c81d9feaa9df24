"""The executor `slurm`: hands commands to Slurm and asks about all of them at once."""

import re
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel

from analytics_automated.executors.base import BackendUnavailable, Cause, CommandSpec, Condition, Full, Refused
from analytics_automated.executors.batch.absences import Patience
from analytics_automated.executors.batch.asking import Answer, Asking, chunks
from analytics_automated.executors.batch.executor import CANCEL_SECONDS, BatchExecutor, Held
from analytics_automated.executors.batch.facts import Fact, Stage
from analytics_automated.executors.batch.labels import Label, attempt_of, is_ours
from analytics_automated.executors.batch.state_folder import StateFolder
from analytics_automated.executors.slurm import accounting, listing, partitions, submission
from analytics_automated.executors.slurm.options import SlurmOptions
from analytics_automated.executors.slurm.refusals import no_answer, not_taken, unanswered

_JOB = re.compile(r"\d+(_\d+)?", re.ASCII)
_LARGEST_ARRAY = 1000
"""One below Slurm's default of `MaxArraySize`."""
_FRESH = 5.0
"""Seconds for which a count of waiting jobs is good; what is handed over meanwhile is added."""
# slurmstepd's words to a job; with OverMemoryKill its state says only that it was killed.
_OUT_OF_MEMORY = re.compile(r"exceeded (job |step )?memory limit|oom[-_ ]kill event", re.IGNORECASE)


class SlurmExecutor(BatchExecutor):
    """Runs commands on a cluster whose scheduler is Slurm, by its command line (`sbatch`, `squeue`, `sacct`,
    `scontrol`, `scancel`, `sinfo`), as the account of the worker.

    The folders of attempts must lie on a disk that worker and nodes share, under the same path.
    """

    Options: ClassVar[type[BaseModel]] = SlurmOptions
    takes_gpus: ClassVar[bool] = True

    def __init__(self, options: SlurmOptions, *, patience: Patience = Patience(), interval: float = 2.0) -> None:  # noqa: B008 - it is frozen
        super().__init__(options, patience=patience, interval=interval)
        self._slurm = options
        self._ask = Asking(
            seconds=options.command_timeout,
            variables=("SLURM_CONF", "SLURM_JWT", "SLURM_CLUSTERS"),
            environment={"SLURM_CONF": options.conf} if options.conf else {},
            folder=options.bin or "",
        )
        self._cluster = [f"--clusters={options.cluster}"] if options.cluster else []
        self._has_accounting = True
        self._lock = threading.Lock()
        self._waiting = 0
        self._counted = -_FRESH

    # Handing over

    def hand_over(self, spec: CommandSpec, folder: StateFolder) -> str:
        """One job."""
        self._find_room(1)
        words = submission.sbatch_words(spec, self._slurm, Label.of(spec.attempt), folder.path)
        return self._sbatch(words, submission.script(folder.path))

    def hand_over_all(self, specs: Sequence[tuple[CommandSpec, StateFolder]]) -> list[str | Exception]:
        """Those that ask Slurm for the same become arrays, where the cluster takes arrays."""
        if not self._slurm.arrays:
            return super().hand_over_all(specs)
        results: dict[int, str | Exception] = {}
        numbered = sorted(enumerate(specs), key=lambda entry: _asks_for(entry[1][0]))
        for _, alike in groupby(numbered, key=lambda entry: _asks_for(entry[1][0])):
            entries = list(alike)
            for first in range(0, len(entries), _LARGEST_ARRAY):
                group = entries[first : first + _LARGEST_ARRAY]
                handed = self._hand_over_alike([entry for _, entry in group])
                results.update(zip((number for number, _ in group), handed, strict=True))
        return [results[number] for number in range(len(specs))]

    def _hand_over_alike(self, specs: Sequence[tuple[CommandSpec, StateFolder]]) -> Sequence[str | Exception]:
        if len(specs) == 1:
            return super().hand_over_all(specs)
        (spec, first), states = specs[0], [folder.path for _, folder in specs]
        label = Label.of_many(spec.attempt, 0)
        try:
            self._find_room(len(specs))
            for index, (_, folder) in enumerate(specs):
                folder.begin_submitting(Label.of_many(spec.attempt, index))
            (first.path / submission.NAMES).write_text("".join(f"{each.attempt}\n" for each, _ in specs))
            words = submission.sbatch_words(spec, self._slurm, label, first.path, many=len(specs))
            array = self._sbatch(words, submission.array_script(states))
        except Refused as error:
            if "array" not in str(error).lower():
                return [error] * len(specs)
            for each, folder in specs:  # the cluster takes none, or smaller ones
                folder.begin_submitting(Label.of(each.attempt))
            return super().hand_over_all(specs)
        except BackendUnavailable as error:
            return [error] * len(specs)
        except OSError as error:
            return [BackendUnavailable(f"state folder: {error}")] * len(specs)
        return [f"{array}_{index}" for index in range(len(specs))]

    def _sbatch(self, words: Sequence[str], script: str) -> str:
        answer = self._ask(*words, text=script)
        job = submission.read_job_id(answer.out) if answer.code == 0 else None
        if job is None:
            raise not_taken(answer)
        return job

    def _find_room(self, wanted: int) -> None:
        """Raises `Full` where as many of ours wait as may."""
        most = self._slurm.max_pending
        if most is None:
            return
        with self._lock:
            if time.monotonic() - self._counted > _FRESH:
                self._count(self._list())
            if self._waiting and self._waiting + wanted > most:
                raise Full(f"{self._waiting} jobs wait in Slurm already, of {most} that may (max_pending)")
            self._waiting += wanted

    def _count(self, listed: Sequence[listing.Listed]) -> None:
        self._waiting = sum(job.fact.stage is Stage.WAITING and is_ours(job.name) for job in listed)
        self._counted = time.monotonic()

    # Asking

    def look(self, jobs: Collection[str]) -> Mapping[str, Fact]:
        """By one squeue for all jobs of the account."""
        listed = self._list()
        with self._lock:
            self._count(listed)
        return {each.job: each.fact for each in listed if each.job in jobs}

    def account(self, jobs: Collection[str]) -> Mapping[str, Fact]:
        """By sacct, and where the cluster has no accounting by scontrol, which knows the jobs of the last minutes."""
        jobs = [job for job in sorted(jobs) if _JOB.fullmatch(job)]
        facts: dict[str, Fact] = {}
        if self._has_accounting:
            for some in chunks(jobs):
                output = self._sacct(accounting.sacct_words(some))
                facts.update({each.job: each.fact for each in accounting.read_accounting(output)})
        if not self._has_accounting:
            facts = dict(accounting.read_records(self._told(*accounting.scontrol_words(), *self._cluster)))
        return {job: facts[job] for job in jobs if job in facts}

    def explain(self, fact: Fact, said: str) -> Fact:
        """A job that Slurm ended for its memory is told so, whatever its state."""
        killed = fact.cause in (None, Cause.CANCELLED) and (fact.signal or fact.exit_code or fact.cause)
        return replace(fact, cause=Cause.MEMORY) if killed and _OUT_OF_MEMORY.search(said) else fact

    def end(self, jobs: Collection[str]) -> None:
        """By scancel."""
        for some in chunks(sorted(job for job in jobs if _JOB.fullmatch(job))):
            answer = self._ask("scancel", *self._cluster, *some, seconds=CANCEL_SECONDS)
            # What has ended, or was never there, is an error to it, too; only one that we could not ask about is ours.
            if answer.code and unanswered(answer):
                raise no_answer("scancel", answer)

    def named(self, labels: Collection[Label]) -> Mapping[Label, str]:
        """By squeue, and by sacct for those that are not on its list."""
        wanted = {label.name for label in labels}
        jobs: dict[str, set[str]] = {}
        for listed in self._list():
            if listed.name in wanted:
                jobs.setdefault(listed.name, set()).add(listed.job)
        missing = wanted - jobs.keys()
        if self._has_accounting:
            for some in chunks(sorted(missing), 100):
                for each in accounting.read_accounting(self._sacct(accounting.sacct_words_by_name(some))):
                    jobs.setdefault(each.name, set()).add(each.job)
        return {label: _member(listing.newest(jobs[label.name]), label) for label in labels if jobs.get(label.name)}

    def present(self) -> Mapping[str, str]:
        """By squeue. The members of an array are named by a file in the folder of its first; while that is gone they
        are left out."""
        found = {}
        members: dict[str, list[str]] = {}
        for listed in self._list():
            if listed.fact.stage is Stage.ENDED or not is_ours(listed.name):
                continue
            attempt = attempt_of(listed.name)
            if attempt is None:
                names = members.setdefault(listed.folder, []) or members[listed.folder]
                if not names:
                    names.extend(_members(Path(listed.folder)))
                index = listed.job.partition("_")[2]
                attempt = names[int(index)] if index.isdigit() and int(index) < len(names) else None
            if attempt is not None:
                found[attempt] = Held.handle(listed.job)
        return found

    def check(self) -> Condition:
        """By sinfo and squeue."""
        partition = self._slurm.partition
        output = self._told(*partitions.sinfo_words(partition), *self._cluster)
        slots, detail = partitions.read_partitions(output, partition)
        running, waiting = listing.read_counts(self._told(*listing.counts_words(partition), *self._cluster))
        return Condition(slots=slots, running=running, waiting=waiting, detail=detail)

    def _list(self) -> list[listing.Listed]:
        return list(listing.read_list(self._told(*listing.squeue_words(), *self._cluster)))

    def _sacct(self, words: Sequence[str]) -> str:
        answer = self._ask(*words, *self._cluster)
        if answer.code and accounting.OFF in answer.words:
            self._has_accounting = False
            return ""
        return self._good("sacct", answer)

    def _told(self, *words: str) -> str:
        return self._good(words[0], self._ask(*words))

    @staticmethod
    def _good(program: str, answer: Answer) -> str:
        # Some of them say that they could not ask, and end well.
        if answer.code or (answer.err and unanswered(answer)):
            raise no_answer(program, answer)
        return answer.out


def _asks_for(spec: CommandSpec) -> tuple[object, ...]:
    """What one array's members must have in common."""
    resources = spec.resources
    return (resources.cpus, resources.memory or 0, resources.gpus, spec.timeout or 0.0, spec.priority, spec.comment)


def _member(job: str, label: Label) -> str:
    return job if label.index is None else f"{job.partition('_')[0]}_{label.index}"


def _members(folder: Path) -> list[str]:
    try:
        return (folder / submission.NAMES).read_text().splitlines()
    except OSError:
        return []
