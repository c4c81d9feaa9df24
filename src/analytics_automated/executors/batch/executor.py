"""Executors that hand commands to a scheduler: all but the scheduler's own language."""

import contextlib
import time
from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from pydantic import BaseModel

from analytics_automated.executors.base import (
    BackendUnavailable,
    Cause,
    CommandSpec,
    Executor,
    Outcome,
    Polled,
    Refused,
)
from analytics_automated.executors.batch import verdicts
from analytics_automated.executors.batch.absences import Absences, Patience
from analytics_automated.executors.batch.facts import Fact, Stage
from analytics_automated.executors.batch.labels import Label
from analytics_automated.executors.batch.state_folder import StateFolder
from analytics_automated.executors.programs import StartError, check_encodable

_NO_JOB = "none"
"""In a handle, of a command that no scheduler was given since no system could start it."""
_NOWHERE = "/nonexistent"
CANCEL_SECONDS = 2.0
"""What a scheduler's command may take that ends jobs for somebody who waits."""


@dataclass(frozen=True, slots=True)
class Held:
    """A command that a scheduler holds, as its handle tells: `<job id> <absolute path of the state folder>`."""

    job: str
    folder: StateFolder

    @classmethod
    def read(cls, handle: str) -> Self | None:
        """Of a handle; none where it is not one of ours. The node may know the job's id better than the handle."""
        job, _, path = handle.partition(" ")
        if not job or not path.startswith("/"):
            return None
        folder = StateFolder(Path(path))
        return cls(folder.job or job, folder)

    @staticmethod
    def handle(job: str, folder: StateFolder | None = None) -> str:
        """The other way round; without a folder it is good for cancelling only."""
        return f"{job} {folder.path if folder else _NOWHERE}"


class BatchExecutor(Executor):
    """Hands commands to a scheduler, whose language a subclass speaks.

    All that is known of a command is with the scheduler and in its state folder, so that any process can ask. A
    subclass says how to hand over, look, account, end and find; each raises `BackendUnavailable` where the scheduler
    gives no answer.
    """

    attended: ClassVar[bool] = False

    def __init__(self, options: BaseModel, *, patience: Patience = Patience(), interval: float = 2.0) -> None:  # noqa: B008 - it is frozen
        super().__init__(options)
        self._patience = patience
        self._interval = interval
        self._absences = Absences()

    # What a scheduler's own class says

    @abstractmethod
    def hand_over(self, spec: CommandSpec, folder: StateFolder) -> str:
        """Give the job to the scheduler, under the folder's `label` and with `wrapper.start_line` as its script; its
        id. Raises `Refused`, too."""

    def hand_over_all(self, specs: Sequence[tuple[CommandSpec, StateFolder]]) -> list[str | Exception]:
        """The same for many: an id, or what was raised, for each. Where some become one array, their folders are given
        its labels before."""
        return [_caught(self.hand_over, spec, folder) for spec, folder in specs]

    @abstractmethod
    def look(self, jobs: Collection[str]) -> Mapping[str, Fact]:
        """What the scheduler's list says of those jobs, asked in one go; those that are not on it are left out."""

    @abstractmethod
    def account(self, jobs: Collection[str]) -> Mapping[str, Fact]:
        """What is recorded of jobs that the list does not have, or that have ended; those that nothing is known of are
        left out."""

    @abstractmethod
    def end(self, jobs: Collection[str]) -> None:
        """Have the scheduler end them, with all their processes, within `CANCEL_SECONDS`; those that it does not know,
        or that have ended, are ignored."""

    @abstractmethod
    def named(self, labels: Collection[Label]) -> Mapping[Label, str]:
        """The ids of the jobs that are labelled so, whether they wait, run or have ended, as far back as is known."""

    @abstractmethod
    def present(self) -> Mapping[str, str]:
        """The attempts of this account's jobs that wait or run; `Held.handle` without a folder."""

    def explain(self, fact: Fact, said: str) -> Fact:
        """The fact, with what the scheduler told the job itself, where that says more."""
        del said
        return fact

    def confined(self, spec: CommandSpec) -> CommandSpec:
        """The command as it is on the node: where it runs in a sandbox or a container, that one's own words."""
        return spec

    # The contract

    def submit(self, spec: CommandSpec) -> str:
        """Hand it over, once: what was handed over before is found again by its folder, or else by its name."""
        (result,) = self.submit_all([spec])
        if isinstance(result, Exception):
            raise result
        return result

    def submit_all(self, specs: Sequence[CommandSpec]) -> list[str | Exception]:
        """Hand over those that have not been handed over before."""
        results: dict[int, str | Exception] = {}
        doubtful = {
            spec.attempt: spec.state
            for spec in specs
            if spec.state and (folder := StateFolder(spec.state)).label and not folder.job
        }
        try:
            found = dict(self.find(doubtful)) if doubtful else {}
        except BackendUnavailable as error:
            return [error for _ in specs]
        fresh: list[tuple[int, CommandSpec, StateFolder]] = []
        for number, spec in enumerate(specs):
            folder = StateFolder.of(spec)
            known = found.get(spec.attempt) or (Held.handle(folder.job, folder) if folder.job else None)
            if known:
                folder.submitted(known.partition(" ")[0])
                results[number] = known
                continue
            try:
                prepared = self._prepare(spec, folder)
            except BackendUnavailable as error:
                results[number] = error
            else:
                if prepared:
                    fresh.append((number, spec, folder))
                else:
                    results[number] = Held.handle(_NO_JOB, folder)
        if fresh:
            handed = self._hand_over([(spec, folder) for _, spec, folder in fresh])
            results.update(zip((number for number, _, _ in fresh), handed, strict=True))
        return [results[number] for number in range(len(specs))]

    def _prepare(self, spec: CommandSpec, folder: StateFolder) -> bool:
        """Write its folder; false where there is nothing to hand over, as no system could start it."""
        try:
            confined = self.confined(spec)
            try:
                check_encodable(confined)
            except StartError as error:
                folder.keep(spec)
                folder.settle(Outcome(Cause.EXIT, exit_code=error.exit_code, detail=error.detail))
                return False
            folder.prepare(confined)
            folder.begin_submitting(Label.of(spec.attempt))
        except OSError as error:
            raise BackendUnavailable(f"state folder: {error}") from error
        return True

    def _hand_over(self, specs: Sequence[tuple[CommandSpec, StateFolder]]) -> list[str | Exception]:
        given = [_caught(self.hand_over, *specs[0])] if len(specs) == 1 else self.hand_over_all(specs)
        results: list[str | Exception] = []
        for (_, folder), result in zip(specs, given, strict=True):
            if isinstance(result, Exception):
                if isinstance(result, Refused):
                    folder.give_up_submitting()
                results.append(result)
                continue
            with contextlib.suppress(OSError):  # the job's name finds it again
                folder.submitted(result)
            results.append(Held.handle(result, folder))
        return results

    def wait(self, handle: str, seconds: float | None = None) -> Outcome | None:
        """Poll until it has ended."""
        if Held.read(handle) is None:
            raise KeyError(handle)
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            outcome = self.poll([handle]).outcomes.get(handle)
            left = None if deadline is None else deadline - time.monotonic()
            if outcome is not None or (left is not None and left <= 0):
                return outcome
            time.sleep(self._interval if left is None else min(self._interval, left))

    def poll(self, handles: Iterable[str]) -> Polled:
        """Ask the scheduler's list about all, and its accounting about those that are over. A command that has run
        for longer than it may is ended."""
        held = {handle: one for handle in handles if (one := Held.read(handle))}
        outcomes = {handle: outcome for handle, one in held.items() if (outcome := one.folder.outcome())}
        held = {handle: one for handle, one in held.items() if handle not in outcomes}
        if not held:
            return Polled(outcomes)
        facts = self.look({one.job for one in held.values()})
        accounts = self._accounts({job for one in held.values() if _over(facts.get(job := one.job))})
        running: set[str] = set()
        waiting: dict[str, str] = {}
        ending: set[str] = set()
        for handle, one in held.items():
            fact = facts.get(one.job)
            if fact is None or _over(fact) or self._clears_up_for_too_long(one, fact):
                outcome = self._judge(handle, one, fact, accounts)
                if outcome:
                    outcomes[handle] = one.folder.settle(outcome)
                    self._absences.over(handle)
                continue
            self._absences.over(handle)
            if fact.stage is Stage.WAITING:
                waiting[handle] = fact.reason
            else:
                running.add(handle)
            if fact.stage is not Stage.ENDING and self._is_to_end(one, fact):
                ending.add(one.job)
        if ending:
            self.end(ending)
        return Polled(outcomes, frozenset(running), waiting)

    def cancel(self, handles: Iterable[str]) -> None:
        """Mark them, so that whoever polls knows why they end, and have the scheduler end them."""
        ended = set()
        for one in map(Held.read, handles):
            if one is None or one.folder.outcome() or one.folder.ending():
                continue
            try:
                if one.folder.path.is_dir():
                    one.folder.mark(Cause.CANCELLED)
            except OSError as error:
                raise BackendUnavailable(f"state folder: {error}") from error
            ended.add(one.job)
        if ended:
            self.end(ended)

    def find(self, attempts: Mapping[str, Path]) -> Mapping[str, str]:
        """By their folders, and by name where a folder says only that the scheduler was being asked."""
        folders = {attempt: StateFolder(path) for attempt, path in attempts.items()}
        jobs = {attempt: job for attempt, folder in folders.items() if (job := folder.job)}
        for attempt, folder in folders.items():
            if attempt not in jobs and folder.outcome():
                jobs[attempt] = _NO_JOB
        asked = {
            label: attempt
            for attempt, folder in folders.items()
            if attempt not in jobs and (label := folder.label) is not None
        }
        if asked:
            jobs.update({asked[label]: job for label, job in self.named(asked).items() if label in asked})
        return {attempt: Held.handle(job, folders[attempt]) for attempt, job in jobs.items()}

    # Judging

    def _accounts(self, jobs: Collection[str]) -> Mapping[str, Fact]:
        """What accounting says; nothing where it does not answer. Those that need its word stay open then."""
        if not jobs:
            return {}
        try:
            return self.account(jobs)
        except BackendUnavailable:
            return {}

    def _judge(self, handle: str, one: Held, fact: Fact | None, accounts: Mapping[str, Fact]) -> Outcome | None:
        """The outcome of what is over, or none as long as more may become known."""
        account = accounts.get(one.job)
        if account and account.stage is not Stage.ENDED:
            account = None
        ending = one.folder.ending()
        if ending:
            lasting, _ = self._absences.lasting(handle, "accounting")
            if account is None and lasting < self._patience.accounting:
                return None
            return verdicts.by_the_wrapper(one.folder, ending, self._explained(one, account or fact))
        known = self._explained(one, account or (fact if fact and fact.stage is Stage.ENDED else None))
        if known:
            lasting, _ = self._absences.lasting(handle, "exit file")
            if not verdicts.cut_short(one.folder, known) and lasting < self._patience.exit_file:
                return None
            if account is None and lasting < self._patience.accounting:
                return None
            return verdicts.by_the_scheduler(one.folder, known)
        lasting, times = self._absences.lasting(handle, "absent")
        if times < 2 or (lasting < self._patience.absent and not one.folder.marked()):
            return None
        return verdicts.lost(one.folder)

    def _explained(self, one: Held, fact: Fact | None) -> Fact | None:
        return self.explain(fact, one.folder.said()) if fact else None

    def _clears_up_for_too_long(self, one: Held, fact: Fact) -> bool:
        """Whether its command has ended and the scheduler still lists it, as it does while a node hangs."""
        if fact.stage is Stage.WAITING:
            return False
        ended = one.folder.ended_for()
        return ended is not None and ended > self._patience.ending

    def _why_to_end(self, one: Held, fact: Fact) -> Cause | None:
        if fact.stage is Stage.WAITING:
            # A node has had it, and it was put back into the queue: it would not run again. The list may be older than
            # the claim, so it has to be seen twice.
            return Cause.LOST if one.folder.claimed and self._absences.lasting(one.job, "put back")[1] > 1 else None
        timeout, elapsed = one.folder.timeout, one.folder.running_for()
        return None if timeout is None or elapsed is None or elapsed <= timeout else Cause.TIMEOUT

    def _is_to_end(self, one: Held, fact: Fact) -> bool:
        """Whether it is to be ended now, or was by us before and has not heard it."""
        folder = one.folder
        if folder.ending():
            return False
        if not folder.marked():
            cause = self._why_to_end(one, fact)
            if cause is None:
                return False
            with contextlib.suppress(OSError):  # the next poll tries again
                folder.mark(cause)
                self._absences.lasting(one.job, "ended")
                return True
            return False
        lasting, _ = self._absences.lasting(one.job, "ended")
        if lasting < self._patience.heard:
            return False
        self._absences.over(one.job)
        return True


def _over(fact: Fact | None) -> bool:
    return fact is None or fact.stage is Stage.ENDED


def _caught(
    hand_over: Callable[[CommandSpec, StateFolder], str], spec: CommandSpec, folder: StateFolder
) -> str | Exception:
    try:
        return hand_over(spec, folder)
    except (BackendUnavailable, Refused) as error:
        return error
