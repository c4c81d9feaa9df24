"""One attempt from its claim to its command: stage, run or hand over, and have its end recorded."""

import datetime as dt
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from django.conf import settings

from analytics_automated.executors.base import BackendUnavailable, Cause, Executor, Full, Outcome, Refused
from analytics_automated.pipelines.commands import UnsafeValueError
from analytics_automated.runs import engine
from analytics_automated.runs.backends import executor_of
from analytics_automated.runs.concluding import conclude
from analytics_automated.runs.health import tell_failure
from analytics_automated.runs.models import StepRun
from analytics_automated.runs.obstacles import Obstacle, find_obstacles
from analytics_automated.runs.outages import is_outage, persist, release_connection, tell_outage
from analytics_automated.runs.places import MissingData, Place, find_place
from analytics_automated.runs.preparing import Prepared, prepare
from analytics_automated.runs.recording import broke, discard, ids, record
from analytics_automated.runs.secrets import MissingSecret, Secrets, find_secrets
from analytics_automated.runs.staging import MissingInput, find_inputs, ship, stage
from analytics_automated.runs.states import StepStatus
from analytics_automated.runs.verdicts import Verdict, judge_surroundings
from analytics_automated.runs.voice import Progress, read_progress
from analytics_automated.runs.workdirs import WorkFolder, work_folder
from analytics_automated.storage.models import Blob
from analytics_automated.storage.room import is_full
from analytics_automated.storage.statements import Statement, as_json

logger = logging.getLogger(__name__)
ROOM_PAUSE = dt.timedelta(seconds=2)
"""A step that found no room is not tried again before: until then all workers have looked at the disk."""
DOWN_PAUSE = dt.timedelta(seconds=2)
"""Nor one whose backend gave no answer: until then all workers know of it."""
FULL_PAUSE = dt.timedelta(seconds=10)
"""Nor one whose backend takes no more commands at present."""
_STARTED = Statement("""
UPDATE runs_attempt
SET handle = %(handle)s, work_folder = %(work_folder)s, argv = %(argv)s, environment = %(environment)s,
    data = %(data)s, secrets = %(secrets)s, timeout = %(timeout)s
WHERE id = %(attempt)s AND finished IS NULL
""")  # what was lost may be erased by now


@dataclass(frozen=True, slots=True)
class Running:
    """A command under way, for who may want to end it, or to know how far it is."""

    executor: Executor
    handle: str
    attempt: int
    folder: WorkFolder
    secrets: Secrets

    def progress(self) -> Progress | None:
        """How far it says that it is; none where it says nothing."""
        return read_progress(self.folder.progress, self.secrets)


@dataclass(frozen=True, slots=True)
class Ready:
    """A command all of whose surroundings are laid out."""

    prepared: Prepared
    place: Place
    secrets: Secrets
    laid_out: Collection[str]
    """The files in the work folder that are A_A's own, and no outputs."""


def run(claim: engine.Claim, started: Callable[[Running], None]) -> list[StepRun]:
    """Run what was claimed, to its end, and record that. Returns the steps that became ready.

    `started` is told of the command once it runs, and may end it by its executor's `cancel`. Where a scheduler looks
    after commands, this one is only handed over. Whatever goes wrong in A_A itself ends the step with CRASH: the
    operator sees the traceback in the log, the caller a sentence. Where the database is out of reach the end is
    recorded later, or the step goes back into the queue.
    """
    folder = work_folder(claim.backend, claim.step_run.attempt_name)
    is_elsewhere = False
    try:
        ready = _make_ready(claim, folder)
        if not isinstance(ready, Ready):
            return ready
        executor = executor_of(claim.backend)
        if executor.attended:
            outcome = _attend(claim, folder, executor, ready, started)
            return conclude(claim, folder, outcome, secrets=ready.secrets, laid_out=ready.laid_out)
        is_elsewhere = _hand_over(claim, folder, executor, ready)
        return []
    except BackendUnavailable as error:
        return _unavailable(claim, error)
    except Exception as error:
        if is_outage(error):
            tell_outage(error)
            return record(engine.end_stopped, claim, None)
        if is_full(error):
            return _out_of_room(claim, folder)
        if isinstance(error, OSError) and _is_given_away(claim.step_run):
            # This worker was out of touch for so long that its step was taken from it, and its folder removed.
            logger.warning("an attempt broke off: its step is another's", extra=ids(claim.step_run))
            return []
        logger.exception("an attempt broke", extra=ids(claim.step_run))
        return broke(claim, error)
    finally:
        if not is_elsewhere and not settings.AA.keep_workdirs:
            discard(folder, claim.step_run)


def _make_ready(claim: engine.Claim, folder: WorkFolder) -> Ready | list[StepRun]:
    """Lay out all that the command needs; or end the step, where it cannot be run."""
    step, plan = claim.step_run.step, claim.plan
    task = plan.task_of(step)
    try:
        inputs = find_inputs(plan, claim.step_run)
    except MissingInput as missing:
        return record(engine.skip, claim, f"Step '{step}' was skipped: there is nothing for its input '{missing}'.")
    try:
        place = find_place(claim.backend.to_definition(), claim.backend.name, task, settings.AA.default_timeout)
        secrets = find_secrets(task.secrets)
    except MissingData as missing:
        return _lacking(claim, "reference data that it needs is not available at present", str(missing))
    except MissingSecret as missing:
        return _lacking(claim, "this service is not ready for it at present", str(missing))
    folder.make()
    shipped = _shipped(claim)
    ship(shipped, folder.work)
    staged = stage(plan, step, inputs, folder.work, shipped)
    try:
        prepared = prepare(claim, task, folder, staged, place, secrets, shipped)
    except UnsafeValueError as unsafe:
        message = f"Step '{step}' was not run: the value of '{unsafe.parameter}' would be read as an option."
        return record(engine.finish, claim, Verdict(StepStatus.ERROR, message, Cause.EXIT.value), None)
    claim.attempt.timeout = place.timeout
    laid_out = {*shipped, *(path for paths in staged.values() for path in paths or ())}
    return Ready(prepared, place, secrets, frozenset(laid_out))


def _is_given_away(step_run: StepRun) -> bool:
    mine = StepRun.objects.filter(pk=step_run.pk, attempt=step_run.attempt, status=StepStatus.RUNNING)
    return not persist(mine.exists, settings.AA.lease_seconds)


def _out_of_room(claim: engine.Claim, folder: WorkFolder) -> list[StepRun]:
    """A disk was full, though it had room when the step was taken up.

    Where others have filled it the step waits, as all do that would run there. Where there is room once this attempt's
    own files are gone, these may have been too many: that is tried again so often as other faults of a backend.
    """
    discard(folder, claim.step_run)
    obstacle = find_obstacles([claim.backend]).get(claim.backend.name)
    reason = "there was too little room for it"
    logger.warning("a disk was full: %s", reason, extra=ids(claim.step_run))
    if obstacle is not None:
        return record(engine.end_stopped, claim, None, f"It waits: {obstacle.sentence}.", ROOM_PAUSE)
    outcome = Outcome(Cause.BACKEND_UNAVAILABLE, detail="no space left on device")
    return record(engine.finish, claim, judge_surroundings(claim.step_run.step, reason, ROOM_PAUSE), outcome)


def _shipped(claim: engine.Claim) -> Mapping[str, Blob]:
    """The files that come with the task, by path, as they were when the job was submitted."""
    task = claim.plan.step(claim.step_run.step).task
    return claim.step_run.submission.snapshot.shipped_to(task) if claim.plan.files.get(task) else {}


def _lacking(claim: engine.Claim, reason: str, detail: str) -> list[StepRun]:
    """End a step whose backend or worker lacks something that it needs: the operator reads what."""
    logger.error("a step lacks what it needs", extra={**ids(claim.step_run), "detail": detail})
    outcome = Outcome(Cause.BACKEND_UNAVAILABLE, detail=detail)
    return record(engine.finish, claim, judge_surroundings(claim.step_run.step, reason), outcome)


def _unavailable(claim: engine.Claim, error: BackendUnavailable) -> list[StepRun]:
    """The place takes nothing at present. A scheduler that is down will be back: the step waits, and the attempt counts
    for nothing. A machine that cannot start a process is tried again as often as the task's `retries` say."""
    detail = str(error)
    if isinstance(error, Full):
        return record(engine.end_stopped, claim, None, f"It waits: {Obstacle.FULL.sentence}.", FULL_PAUSE)
    logger.error("a backend took no command", extra={**ids(claim.step_run), "detail": detail})
    if not executor_of(claim.backend).attended:
        record(tell_failure, claim.backend.name, detail)
        return record(engine.end_stopped, claim, None, f"It waits: {Obstacle.DOWN.sentence}.", DOWN_PAUSE)
    step = claim.step_run.step
    outcome = Outcome(Cause.BACKEND_UNAVAILABLE, detail=detail)
    return record(engine.finish, claim, judge_surroundings(step, "the place where it runs took no command"), outcome)


def _submit(executor: Executor, ready: Ready) -> str:
    """Start the command, or hand it over. What is raised holds no secret, and a full disk is raised as itself."""
    try:
        return executor.submit(ready.prepared.spec)
    except BackendUnavailable as error:
        if error.__cause__ is not None and is_full(error.__cause__):
            raise error.__cause__ from None
        raise type(error)(ready.secrets.mask(str(error))) from error


def _attend(
    claim: engine.Claim,
    folder: WorkFolder,
    executor: Executor,
    ready: Ready,
    started: Callable[[Running], None],
) -> Outcome:
    """Run the command to its end."""
    handle = _submit(executor, ready)
    started(Running(executor, handle, claim.step_run.attempt, folder, ready.secrets))
    try:
        _note(claim, folder, ready, handle)
    except BaseException:
        executor.cancel([handle])
        _wait(executor, handle)
        raise
    release_connection()
    return _wait(executor, handle)


def _hand_over(claim: engine.Claim, folder: WorkFolder, executor: Executor, ready: Ready) -> bool:
    """Hand the command over to a scheduler; False where the step was given away meanwhile."""
    folder.note_laid_out(ready.laid_out)
    _note(claim, folder, ready, "")
    try:
        handle = _submit(executor, ready)
    except Refused as error:
        detail = ready.secrets.mask(str(error))
        logger.error("a backend refused a command", extra={**ids(claim.step_run), "detail": detail})
        outcome = Outcome(Cause.BACKEND_UNAVAILABLE, detail=detail)
        verdict = judge_surroundings(claim.step_run.step, "its backend did not accept it")
        record(engine.finish, claim, verdict, outcome)
        return False
    if record(engine.hand_over, claim, handle):
        return True
    executor.cancel([handle])
    return False


def _note(claim: engine.Claim, folder: WorkFolder, ready: Ready, handle: str) -> None:
    """Put on record what is run, while it runs."""
    place = ready.place
    persist(
        lambda: _STARTED.change(
            attempt=claim.attempt.pk,
            handle=handle,
            work_folder=str(folder.work),
            argv=as_json(list(ready.prepared.words)),
            environment=as_json(sorted(ready.prepared.spec.environment)),
            data=as_json({name: data.model_dump(exclude_none=True) for name, data in place.used.items()}),
            secrets=as_json(ready.secrets.names),
            timeout=place.timeout,
        ),
        settings.AA.lease_seconds,
    )


def _wait(executor: Executor, handle: str) -> Outcome:
    while (outcome := executor.wait(handle)) is None:
        pass
    return outcome
