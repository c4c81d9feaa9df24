"""Keys that are read, checked and kept, but whose feature this version does not have yet."""

from collections.abc import Iterator, Mapping
from typing import Any

from analytics_automated.executors.registry import executor_names
from analytics_automated.pipelines.definitions import BackendDefinition, JobDefinition, TaskDefinition
from analytics_automated.pipelines.definitions.scalars import Definition
from analytics_automated.pipelines.problems import Problem

WORDS = "not supported by this version"
LATER_EXECUTORS = frozenset({"slurm", "grid_engine"})
"""Executors that are written of, but that this version does not have."""

WITHOUT_EFFECT: dict[type, frozenset[str]] = {
    JobDefinition: frozenset({"on_failure"}),
}
"""Keys that are no promise yet, so that a runnable job may have them."""

_BACKEND: dict[str, Any] = {
    **dict.fromkeys(("container", "user")),
}
_TASK: dict[str, Any] = dict.fromkeys(("container", "cache"))
_JOB: dict[str, Any] = {
    "access": ("public",),
    **dict.fromkeys(("retention", "schedule")),
}
"""Keys by definition, with the values that need nothing; none: whatever differs from the default needs it."""


def unsupported(
    job: JobDefinition, tasks: Mapping[str, TaskDefinition], backends: Mapping[str, BackendDefinition]
) -> list[Problem]:
    """What a runnable job needs and this version does not have. Paths begin at the job; those of tasks and
    backends begin with `..`, to be seen from the top."""
    problems = [*_of(job, _JOB, ())]
    used = dict.fromkeys(step.task for step in job.steps)
    for name in used:
        task = tasks[name]
        problems += _of(task, _TASK, ("..", "tasks", name))
        if task.resources.gpus:
            problems.append(Problem(("..", "tasks", name, "resources", "gpus"), f"`gpus` is {WORDS}"))
    for name in dict.fromkeys(tasks[task].backend for task in used):
        if name in backends:
            path = ("..", "backends", name)
            problems += _of(backends[name], _BACKEND, path)
            executor = backends[name].executor
            if executor in LATER_EXECUTORS and executor not in executor_names():
                problems.append(Problem((*path, "executor"), f"the executor {executor!r} is {WORDS}"))
    return problems


def _of(definition: Definition, keys: Mapping[str, Any], path: tuple[str | int, ...]) -> Iterator[Problem]:
    for key, harmless in keys.items():
        value = getattr(definition, key)
        default = type(definition).model_fields[key].get_default(call_default_factory=True)
        if value != default and (harmless is None or value not in harmless):
            yield Problem((*path, key), f"`{key}` is {WORDS}")
