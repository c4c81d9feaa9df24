"""Values of a Job whose type only its Tasks say."""

from collections.abc import Mapping
from typing import Any

from analytics_automated.pipelines.definitions import (
    JobDefinition,
    JobParameterDefinition,
    StepDefinition,
    TaskDefinition,
)
from analytics_automated.pipelines.definitions.parameter import VALUES, typed


def with_typed_values(job: JobDefinition, tasks: Mapping[str, TaskDefinition]) -> JobDefinition:
    """The job with the values of its steps and parameters as the tasks' types have them: `2.10` is a text for a
    string and a number for a number. What is so already stays so; unknown tasks and parameters are passed over."""
    used = {step.label: tasks[step.task] for step in job.steps if step.task in tasks}
    return job.model_copy(
        update={
            "steps": [_step(step, used) for step in job.steps],
            "parameters": {name: _parameter(each, used) for name, each in job.parameters.items()},
        }
    )


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
