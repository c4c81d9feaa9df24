"""Which keys of a pipeline file this version does not support: found by asking the check that refuses them."""

from typing import Any, get_type_hints

from pydantic import BaseModel

from analytics_automated.pipelines.checks.support import unsupported
from analytics_automated.pipelines.definitions import (
    BackendDefinition,
    JobDefinition,
    JobInputDefinition,
    StepDefinition,
    TaskDefinition,
)
from analytics_automated.pipelines.definitions.resources import ResourcesDefinition
from generated_reference.kinds import choices_of


class _Anything:
    """A value that is no key's default."""


def unsupported_values(model: type[BaseModel], key: str) -> list[str] | None:
    """The values of a key that a runnable job must not need: an empty list for all but the default; none where the
    key is supported."""
    choices = choices_of(get_type_hints(model, include_extras=True)[key])
    refused = [str(value) for value in choices if _is_refused(model, key, value)]
    if choices:
        return refused or None
    return [] if _is_refused(model, key, _Anything()) else None


def _is_refused(model: type[BaseModel], key: str, value: Any) -> bool:
    job, task, backend = _around(model, {key: value})
    try:
        problems = unsupported(job, {"task": task}, {"backend": backend})
    except (AttributeError, TypeError, KeyError):
        return False  # the check looks into the value: it is one of the keys that others are found by
    return any(problem.path[-1] == key for problem in problems)


def _around(model: type[BaseModel], values: dict[str, Any]) -> tuple[JobDefinition, TaskDefinition, BackendDefinition]:
    """A job, its task and its backend, one part of which has those values."""

    def given(kind: type[BaseModel]) -> dict[str, Any]:
        return values if model is kind else {}

    resources = ResourcesDefinition.model_construct(**given(ResourcesDefinition))
    job_input = JobInputDefinition.model_construct(**given(JobInputDefinition))
    step = StepDefinition.model_construct(**{"task": "task", **given(StepDefinition)})
    job = JobDefinition.model_construct(**{"steps": [step], "inputs": {"input": job_input}, **given(JobDefinition)})
    task = TaskDefinition.model_construct(**{"backend": "backend", "resources": resources, **given(TaskDefinition)})
    return job, task, BackendDefinition.model_construct(**given(BackendDefinition))
