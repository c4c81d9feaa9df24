"""Values of a Job whose type only its Tasks say."""

from collections.abc import Mapping
from typing import Any, TypeVar

from analytics_automated.pipelines.definitions import (
    JobDefinition,
    JobParameterDefinition,
    StepDefinition,
    TaskDefinition,
)
from analytics_automated.pipelines.definitions.call import CallDefinition
from analytics_automated.pipelines.definitions.parameter import VALUES, typed

_Call = TypeVar("_Call", bound=CallDefinition)


def with_typed_values(job: JobDefinition, tasks: Mapping[str, TaskDefinition]) -> JobDefinition:
    """The job with the values of its steps, parameters, examples and schedule as the tasks' types have them: `2.10`
    is a text for a string and a number for a number. What is so already stays so; unknown tasks and parameters are
    passed over."""
    used = {step.label: tasks[step.task] for step in job.steps if step.task in tasks}
    kinds = _public_kinds(job, used)
    update = {
        "steps": [_step(step, used) for step in job.steps],
        "parameters": {name: _parameter(each, used) for name, each in job.parameters.items()},
        "examples": [_call(example, kinds) for example in job.examples],
        "schedule": _call(job.schedule, kinds) if job.schedule is not None else None,
    }
    return job.model_copy(update=update)


def _public_kinds(job: JobDefinition, used: Mapping[str, TaskDefinition]) -> dict[str, str]:
    """The type of each parameter, by the names by which callers set it."""
    kinds: dict[str, str] = {
        f"{label}_{name}": parameter.kind for label, task in used.items() for name, parameter in task.parameters.items()
    }
    for name, parameter in job.parameters.items():
        label, _, own = parameter.sets[0].partition(".") if parameter.sets else ("", "", "")
        kind = _kind(used, label, own) if parameter.sets else parameter.kind
        kinds |= dict.fromkeys((name, *parameter.aliases), kind)
    return kinds


def _call(call: _Call, kinds: Mapping[str, str]) -> _Call:
    values = {name: typed(value, kinds.get(name, "")) for name, value in call.parameters.items()}
    return call.model_copy(update={"parameters": values}) if values else call


def _step(step: StepDefinition, used: Mapping[str, TaskDefinition]) -> StepDefinition:
    if not step.parameters:
        return step
    values = {name: typed(value, _kind(used, step.label, name)) for name, value in step.parameters.items()}
    return step.model_copy(update={"parameters": values})


def _parameter(parameter: JobParameterDefinition, used: Mapping[str, TaskDefinition]) -> JobParameterDefinition:
    if not parameter.sets:
        return parameter
    label, _, name = parameter.sets[0].partition(".")
    given: dict[str, Any] = {key: getattr(parameter, key) for key in VALUES if key in parameter.model_fields_set}
    return parameter.model_copy(update={key: typed(value, _kind(used, label, name)) for key, value in given.items()})


def _kind(used: Mapping[str, TaskDefinition], label: str, name: str) -> str:
    parameter = used[label].parameters.get(name) if label in used else None
    return parameter.kind if parameter is not None else ""
