"""One attempt from its claim to its end: stage, run, gather, record."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ParamSpec

from django.conf import settings

from analytics_automated.executors.base import BackendUnavailable, Cause, Executor, Outcome
from analytics_automated.executors.registry import executor_class
from analytics_automated.pipelines.commands import UnsafeValueError
from analytics_automated.pipelines.models import Backend
from analytics_automated.runs import engine
from analytics_automated.runs.gathering import Unfit, find_outputs, gather
from analytics_automated.runs.models import Attempt, StepRun
from analytics_automated.runs.outages import is_outage, persist, release_connection, tell_outage
from analytics_automated.runs.places import MissingData, Place, find_place
from analytics_automated.runs.preparing import Prepared, prepare
from analytics_automated.runs.secrets import MissingSecret, Secrets, find_secrets
from analytics_automated.runs.setup import setup_failed, setup_report
from analytics_automated.runs.staging import MissingInput, find_inputs, ship, stage
from analytics_automated.runs.states import StepStatus
from analytics_automated.runs.verdicts import Verdict, judge, judge_missing, judge_surroundings, judge_unfit
from analytics_automated.runs.voice import Progress, read_message, read_progress
from analytics_automated.runs.workdirs import WorkFolder, work_folder
from analytics_automated.storage.models import Blob

logger = logging.getLogger(__name__)
_Given = ParamSpec("_Given")


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


@lru_cache(maxsize=64)
def _executor(name: str, options: str) -> Executor:
    made = executor_class(name)
    return made(made.Options.model_validate_json(options))


def executor_of(backend: Backend) -> Executor:
    """The executor behind a backend; one per process and set of options."""
    return _executor(backend.queue_type.executor, json.dumps(backend.options, sort_keys=True))


def run(claim: engine.Claim, started: Callable[[Running], None]) -> list[StepRun]:
    """Run what was claimed, to its end, and record that. Returns the steps that became ready.

    `started` is told of the command once it runs, and may end it by its executor's `cancel`. Whatever goes wrong in
    A_A itself ends the step with CRASH: the operator sees the traceback in the log, the caller a sentence. Where the
    database is out of reach the end is recorded later, or the step goes back into the queue.
    """
    folder = work_folder(claim.backend, claim.step_run.attempt_name)
    try:
        return _run(claim, folder, started)
    except Exception as error:
        if is_outage(error):
            tell_outage(error)
            return _record(engine.end_stopped, claim, None)
        logger.exception("an attempt broke", extra=_ids(claim.step_run))
        message = f"Step '{claim.step_run.step}' could not be run by this service."
        outcome = Outcome(Cause.LOST, detail=f"{type(error).__name__}: {error}")
        return _record(engine.finish, claim, Verdict(StepStatus.CRASH, message, Cause.LOST.value), outcome)
    finally:
        if not settings.AA.keep_workdirs:
            _remove(folder, claim.step_run)


def _run(claim: engine.Claim, folder: WorkFolder, started: Callable[[Running], None]) -> list[StepRun]:
    step, plan = claim.step_run.step, claim.plan
    task = plan.task_of(step)
    try:
        inputs = find_inputs(plan, claim.step_run)
    except MissingInput as missing:
        return _record(engine.skip, claim, f"Step '{step}' was skipped: there is nothing for its input '{missing}'.")
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
        return _record(engine.finish, claim, Verdict(StepStatus.ERROR, message, Cause.EXIT.value), None)
    outcome = _execute(claim, folder, prepared, place, secrets, started)
    if outcome.cause is Cause.CANCELLED:
        return _record(engine.end_stopped, claim, outcome)
    told = read_message(folder.message, secrets)
    verdict = judge(task, step, outcome, place.timeout, told)
    if place.setups and setup_failed(folder, outcome):
        outcome = replace(outcome, detail=f"the setup failed. {outcome.detail}".strip())
        verdict = judge_surroundings(step, "its software could not be made ready")
    if not verdict.gathers:
        return _record(engine.finish, claim, verdict, outcome)
    files = {*shipped, *(path for paths in staged.values() for path in paths or ())}
    try:
        found = find_outputs(task, folder.work, files)
        if found.missing and not verdict.stops:
            verdict = judge_missing(task, step, found.missing, told) or verdict
        gathered = gather(task, folder.work, found, claim.step_run.attempt_name) if verdict.gathers else []
    except Unfit as unfit:
        return _record(engine.finish, claim, judge_unfit(step, str(unfit), told), outcome)
    return _record(engine.finish, claim, verdict, outcome, gathered)


def _shipped(claim: engine.Claim) -> Mapping[str, Blob]:
    """The files that come with the task, by path, as they were when the job was submitted."""
    task = claim.plan.step(claim.step_run.step).task
    return claim.step_run.submission.snapshot.shipped_to(task) if claim.plan.files.get(task) else {}


def _lacking(claim: engine.Claim, reason: str, detail: str) -> list[StepRun]:
    """End a step whose backend or worker lacks something that it needs: the operator reads what."""
    logger.error("a step lacks what it needs", extra={**_ids(claim.step_run), "detail": detail})
    outcome = Outcome(Cause.BACKEND_UNAVAILABLE, detail=detail)
    return _record(engine.finish, claim, judge_surroundings(claim.step_run.step, reason), outcome)


def _execute(
    claim: engine.Claim,
    folder: WorkFolder,
    prepared: Prepared,
    place: Place,
    secrets: Secrets,
    started: Callable[[Running], None],
) -> Outcome:
    """Run the command to its end; what is kept of it holds no secret."""
    executor = executor_of(claim.backend)
    attempt = Attempt.objects.filter(pk=claim.attempt.pk)
    try:
        handle = executor.submit(prepared.spec)
    except BackendUnavailable as error:
        detail = secrets.mask(str(error))
        logger.error("a backend took no command", extra={**_ids(claim.step_run), "detail": detail})
        return Outcome(Cause.BACKEND_UNAVAILABLE, detail=detail)
    started(Running(executor, handle, claim.step_run.attempt, folder, secrets))
    try:
        persist(
            lambda: attempt.update(
                handle=handle,
                work_folder=str(folder.work),
                argv=list(prepared.words),
                environment=sorted(prepared.spec.environment),
                data={name: data.model_dump(exclude_none=True) for name, data in place.used.items()},
                secrets=secrets.names,
                timeout=place.timeout,
            ),
            settings.AA.lease_seconds,
        )
    except BaseException:
        executor.cancel([handle])
        _wait(executor, handle)
        raise
    release_connection()
    outcome = _wait(executor, handle)
    if place.setups and (said := secrets.mask_log(setup_report(folder)).text()):
        persist(lambda: attempt.update(setup_output=said), settings.AA.lease_seconds)
    return replace(
        outcome,
        stdout=secrets.mask_log(outcome.stdout),
        stderr=secrets.mask_log(outcome.stderr),
        detail=secrets.mask(outcome.detail),
    )


def _wait(executor: Executor, handle: str) -> Outcome:
    while (outcome := executor.wait(handle)) is None:
        pass
    return outcome


def _record(write: Callable[_Given, list[StepRun]], *args: _Given.args, **keys: _Given.kwargs) -> list[StepRun]:
    """Record how an attempt ended, as soon as the database can be reached, within the time in which the step is still
    this worker's."""
    return persist(lambda: write(*args, **keys), settings.AA.lease_seconds)


def remove_work_folder(step_run: StepRun) -> None:
    """Remove what an attempt left whose worker is gone."""
    backend = Backend.objects.filter(name=step_run.backend).first()
    if backend is not None and not settings.AA.keep_workdirs:
        _remove(work_folder(backend, step_run.attempt_name), step_run)


def _remove(folder: WorkFolder, step_run: StepRun) -> None:
    try:
        folder.remove()
    except OSError:
        logger.exception("a work folder could not be removed", extra=_ids(step_run))


def _ids(step_run: StepRun) -> dict[str, str | int]:
    return {"submission": str(step_run.submission_id), "step": step_run.step, "attempt": step_run.attempt}
