"""One attempt from its claim to its end: stage, run, gather, record."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings

from analytics_automated.executors.base import BackendUnavailable, Cause, CommandSpec, Executor, Outcome
from analytics_automated.executors.registry import executor_class
from analytics_automated.pipelines.checks.task import stream_file
from analytics_automated.pipelines.commands import Surroundings, UnsafeValueError, render
from analytics_automated.pipelines.definitions import TaskDefinition
from analytics_automated.pipelines.models import Backend
from analytics_automated.runs import engine
from analytics_automated.runs.gathering import Unfit, find_outputs, gather
from analytics_automated.runs.models import Attempt, StepRun
from analytics_automated.runs.staging import MissingInput, find_inputs, stage
from analytics_automated.runs.states import StepStatus
from analytics_automated.runs.surroundings import environment, script_argv, write_values
from analytics_automated.runs.verdicts import Verdict, judge, judge_missing
from analytics_automated.runs.workdirs import WorkFolder, work_folder

logger = logging.getLogger(__name__)
DEFAULT_MEMORY_MB = 1000
"""What `{resources.memory_mb}` says where a task names no memory."""


@dataclass(frozen=True, slots=True)
class Running:
    """A command under way, for who may want to end it."""

    executor: Executor
    handle: str


@lru_cache(maxsize=64)
def _executor(name: str, options: str) -> Executor:
    made = executor_class(name)
    return made(made.Options.model_validate_json(options))


def executor_of(backend: Backend) -> Executor:
    """The executor behind a backend; one per process and set of options."""
    return _executor(backend.queue_type.executor, json.dumps(backend.options, sort_keys=True))


def run(claim: engine.Claim, started: Callable[[Running], None], stopping: Callable[[], bool]) -> list[StepRun]:
    """Run what was claimed, to its end, and record that. Returns the steps that became ready.

    `started` is told of the command once it runs; when a command was cancelled while `stopping()` the step goes
    back into the queue. Whatever goes wrong in A_A itself ends the step with CRASH: the operator sees the
    traceback in the log, the caller a sentence.
    """
    folder = work_folder(claim.backend, claim.step_run.attempt_name)
    try:
        return _run(claim, folder, started, stopping)
    except Exception as error:
        logger.exception("an attempt broke", extra=_ids(claim.step_run))
        message = f"Step '{claim.step_run.step}' could not be run by this service."
        outcome = Outcome(Cause.LOST, detail=f"{type(error).__name__}: {error}")
        return engine.finish(claim, Verdict(StepStatus.CRASH, message, Cause.LOST.value), outcome)
    finally:
        if not settings.AA.keep_workdirs:
            _remove(folder, claim.step_run)


def _run(
    claim: engine.Claim, folder: WorkFolder, started: Callable[[Running], None], stopping: Callable[[], bool]
) -> list[StepRun]:
    step, plan = claim.step_run.step, claim.plan
    task = plan.task_of(step)
    try:
        inputs = find_inputs(plan, claim.step_run)
    except MissingInput as missing:
        return engine.skip(claim, f"Step '{step}' was skipped: there is nothing for its input '{missing}'.")
    folder.make()
    staged = stage(plan, step, inputs, folder.work)
    timeout = task.timeout if task.timeout is not None else settings.AA.default_timeout
    try:
        spec = _prepare(claim, task, folder, staged, timeout)
    except UnsafeValueError as unsafe:
        message = f"Step '{step}' was not run: the value of '{unsafe.parameter}' would be read as an option."
        return engine.finish(claim, Verdict(StepStatus.ERROR, message, Cause.EXIT.value), None)
    outcome = _execute(claim, spec, started)
    if outcome.cause is Cause.CANCELLED and stopping():
        engine.give_back(claim, outcome)
        return []
    verdict = judge(task, step, outcome, timeout)
    if not verdict.gathers:
        return engine.finish(claim, verdict, outcome)
    files = {path for paths in staged.values() for path in paths or ()}
    try:
        found = find_outputs(task, folder.work, files)
        if found.missing and not verdict.stops:
            verdict = judge_missing(task, step, found.missing) or verdict
        gathered = gather(task, folder.work, found, claim.step_run.attempt_name) if verdict.gathers else []
    except Unfit as unfit:
        verdict = Verdict(StepStatus.ERROR, f"Step '{step}' failed. {unfit}", Cause.MISSING_OUTPUT.value)
        return engine.finish(claim, verdict, outcome)
    return engine.finish(claim, verdict, outcome, gathered)


def _prepare(
    claim: engine.Claim, task: TaskDefinition, folder: WorkFolder, staged: dict[str, list[str] | None], timeout: float
) -> CommandSpec:
    submission = claim.step_run.submission
    memory = task.resources.memory
    around = Surroundings(
        workdir=folder.work,
        submission=str(submission.pk),
        inputs=staged,
        parameters=claim.plan.values_for(claim.step_run.step, submission.parameters),
        cpus=task.resources.cpus or 1,
        memory_mb=memory // 1_000_000 if memory else DEFAULT_MEMORY_MB,
    )
    rendered = render(task, around)
    write_values(folder, rendered.values)
    argv = rendered.argv
    if isinstance(task.script, str):
        argv = script_argv(folder, argv, task.script)
    for output in task.outputs.values():
        (folder.work / output.file).parent.mkdir(parents=True, exist_ok=True)
    stdin = next(iter(staged.get(task.stdin) or ()), None) if task.stdin else None
    streams = {stream: stream_file(task, stream) for stream in ("stdout", "stderr")}
    return CommandSpec(
        attempt=claim.step_run.attempt_name,
        argv=argv,
        workdir=folder.work,
        environment=environment(folder, rendered.environment),
        stdin=folder.work / stdin if stdin else None,
        stdout=folder.work / streams["stdout"] if streams["stdout"] else None,
        stderr=folder.work / streams["stderr"] if streams["stderr"] else None,
        timeout=timeout,
        log_limit=settings.AA.log_limit,
    )


def _execute(claim: engine.Claim, spec: CommandSpec, started: Callable[[Running], None]) -> Outcome:
    executor = executor_of(claim.backend)
    try:
        handle = executor.submit(spec)
    except BackendUnavailable as error:
        logger.error("a backend took no command", extra={**_ids(claim.step_run), "detail": str(error)})
        return Outcome(Cause.BACKEND_UNAVAILABLE, detail=str(error))
    started(Running(executor, handle))
    Attempt.objects.filter(pk=claim.attempt.pk).update(
        handle=handle,
        work_folder=str(spec.workdir),
        argv=list(spec.argv),
        environment=sorted(spec.environment),
    )
    outcome = None
    while outcome is None:
        outcome = executor.wait(handle)
    return outcome


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
