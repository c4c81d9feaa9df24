"""An attempt made ready: its place, its secrets, and the command as the executor is to run it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings

from analytics_automated.executors.base import CommandSpec, Resources
from analytics_automated.pipelines.checks.task import stream_file
from analytics_automated.pipelines.commands import ScatterItem, Surroundings, render
from analytics_automated.pipelines.definitions import TaskDefinition
from analytics_automated.runs import engine
from analytics_automated.runs.confinement import confinement_of
from analytics_automated.runs.models import StepRun
from analytics_automated.runs.places import Place
from analytics_automated.runs.secrets import Secrets
from analytics_automated.runs.setup import setup_argv
from analytics_automated.runs.surroundings import command_path, environment, python_on, script_argv, write_values
from analytics_automated.runs.workdirs import WorkFolder

Staged = Mapping[str, Sequence[str] | None]
"""The inputs' paths in the work folder, by input; none where one is absent."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A command that is ready to run."""

    spec: CommandSpec
    words: tuple[str, ...]
    """The command's own argument list, without what makes its surroundings ready."""


def prepare(
    claim: engine.Claim,
    task: TaskDefinition,
    folder: WorkFolder,
    staged: Staged,
    place: Place,
    secrets: Secrets,
    shipped: Collection[str] = (),
) -> Prepared:
    """Write what the command needs beside its inputs and the `shipped` files. Raises `UnsafeValueError`."""
    submission = claim.step_run.submission
    around = Surroundings(
        workdir=folder.work,
        submission=str(submission.pk),
        inputs=staged,
        parameters=claim.plan.values_for(claim.step_run.step, submission.parameters),
        data={name: data.path for name, data in place.data.items()},
        cpus=place.cpus,
        memory_mb=place.memory // 1_000_000,
        scatter=_scatter_item(claim.step_run),
    )
    rendered = render(task, around)
    write_values(folder, rendered.values)
    words = argv = rendered.argv
    is_python = False
    if isinstance(task.script, str):
        is_python = words[0] == "python"
        words = argv = script_argv(folder, words, task.script)
    if place.setups:
        argv = setup_argv(folder, place.setups, words, finds_python=is_python)
    elif is_python:
        words = argv = (python_on(command_path(place)), *words[1:])
    for output in task.outputs.values():
        (folder.work / output.file).parent.mkdir(parents=True, exist_ok=True)
    stdin = next(iter(staged.get(task.stdin) or ()), None) if task.stdin else None
    streams = {stream: stream_file(task, stream) for stream in ("stdout", "stderr")}
    spec = CommandSpec(
        attempt=claim.step_run.attempt_name,
        argv=argv,
        workdir=folder.work,
        environment=environment(folder, place, rendered.environment, secrets),
        stdin=folder.work / stdin if stdin else None,
        stdout=folder.work / streams["stdout"] if streams["stdout"] else None,
        stderr=folder.work / streams["stderr"] if streams["stderr"] else None,
        timeout=place.timeout,
        log_limit=settings.AA.log_limit,
        state=folder.state,
        priority=submission.priority,
        comment=f"{submission.job_name}/{claim.step_run.step} {submission.pk}",
        resources=Resources(place.cpus, place.most_memory),
        confinement=confinement_of(folder, place, shipped),
    )
    return Prepared(spec, words)


def _scatter_item(step_run: StepRun) -> ScatterItem | None:
    return ScatterItem(step_run.item, step_run.item_name.partition("-")[2]) if step_run.item else None
