"""Keys that are read, checked and kept, but whose feature this version does not have yet."""

from collections.abc import Iterator, Mapping
from typing import Any

from analytics_automated.pipelines.definitions import BackendDefinition, JobDefinition, TaskDefinition
from analytics_automated.pipelines.definitions.scalars import Definition
from analytics_automated.pipelines.problems import Problem

WORDS = "not supported by this version"

_BACKEND: dict[str, Any] = {
    "sandbox": ("auto", "off"),
    "network": ("allow",),
    **dict.fromkeys(("container", "data", "path", "environment", "setup", "defaults", "limits", "max_running", "user")),
}
_TASK: dict[str, Any] = dict.fromkeys(
    ("files", "secrets", "setup", "container", "retries", "cache"),
)
_JOB: dict[str, Any] = {
    "access": ("public",),
    **dict.fromkeys(("limits", "retention", "schedule", "aliases")),
}
_STEP: dict[str, Any] = dict.fromkeys(("when", "scatter"))
"""Keys by definition, with the values that need nothing; none: whatever differs from the default needs it."""


def unsupported(
    job: JobDefinition, tasks: Mapping[str, TaskDefinition], backends: Mapping[str, BackendDefinition]
) -> list[Problem]:
    """What a runnable job needs and this version does not have. Paths begin at the job; those of tasks and
    backends begin with `..`, to be seen from the top."""
    problems = [*_of(job, _JOB, ())]
    for index, step in enumerate(job.steps):
        problems += _of(step, _STEP, ("steps", index))
    for name, definition in (job.inputs or {}).items():
        problems += _of(definition, {"unpack": None}, ("inputs", name))
    used = dict.fromkeys(step.task for step in job.steps)
    for name in used:
        task = tasks[name]
        problems += _of(task, _TASK, ("..", "tasks", name))
        if task.resources.gpus:
            problems.append(Problem(("..", "tasks", name, "resources", "gpus"), f"`gpus` is {WORDS}"))
    for name in dict.fromkeys(tasks[task].backend for task in used):
        if name in backends:
            problems += _of(backends[name], _BACKEND, ("..", "backends", name))
    return problems


def _of(definition: Definition, keys: Mapping[str, Any], path: tuple[str | int, ...]) -> Iterator[Problem]:
    for key, harmless in keys.items():
        value = getattr(definition, key)
        default = type(definition).model_fields[key].get_default(call_default_factory=True)
        if value != default and (harmless is None or value not in harmless):
            yield Problem((*path, key), f"`{key}` is {WORDS}")
