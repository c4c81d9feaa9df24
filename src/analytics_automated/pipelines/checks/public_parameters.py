"""The Parameters of a Job under the names by which callers set them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from analytics_automated.pipelines.checks.parameter import callers_definition, check_parameter
from analytics_automated.pipelines.definitions import (
    JobDefinition,
    JobParameterDefinition,
    ParameterDefinition,
    TaskDefinition,
)
from analytics_automated.pipelines.parameters import schema_of, value_problems
from analytics_automated.pipelines.plans import PlannedParameter
from analytics_automated.pipelines.problems import Path, Problem, nearest

ENVELOPE_FIELDS = frozenset({"name", "email", "webhook"})
"""Fields of a submission beside inputs and parameters."""
RESERVED_FIELDS = ENVELOPE_FIELDS | {"input_data"}
"""Names that no parameter has; `input_data` is the input of a job with a single one."""


def public_parameters(
    job: JobDefinition, tasks: Mapping[str, TaskDefinition], inputs: set[str]
) -> tuple[dict[str, PlannedParameter], list[Problem]]:
    """What callers may set, by public name, with everything that is wrong. Paths begin at the job."""
    problems: list[Problem] = []
    by_label = {step.label: tasks[step.task] for step in job.steps}
    problems += _fixed_values(job, tasks)
    planned: dict[str, PlannedParameter] = {}
    claimed: set[str] = set()
    for name, parameter in job.parameters.items():
        definition, wrong = _public(name, parameter, by_label)
        problems += wrong
        if definition is not None:
            planned[name] = PlannedParameter(definition=definition, sets=parameter.sets, aliases=parameter.aliases)
            for target in parameter.sets:
                if target in claimed:
                    problems.append(Problem(("parameters", name, "sets"), f"{target} is set by two parameters"))
                claimed.add(target)
    for index, step in enumerate(job.steps):
        for own, task_parameter in tasks[step.task].parameters.items():
            target = f"{step.label}.{own}"
            if own in step.parameters and target in claimed:
                message = "is fixed here, and callers set it by a parameter of the job: leave one of the two out"
                problems.append(Problem(("steps", index, "parameters", own), message))
            if task_parameter.stored or own in step.parameters or target in claimed:
                continue
            name = f"{step.label}_{own}"
            if name in planned:
                message = f"{name!r} is also the name under which callers set {target}: choose another"
                path = ("parameters", name) if name in job.parameters else ("steps", index)
                problems.append(Problem(path, message))
                continue
            planned[name] = PlannedParameter(definition=callers_definition(tasks[step.task], own), sets=[target])
    problems += _name_clashes(planned, inputs, job)
    return planned, problems


def _fixed_values(job: JobDefinition, tasks: Mapping[str, TaskDefinition]) -> Iterator[Problem]:
    for index, step in enumerate(job.steps):
        task = tasks[step.task]
        for name, value in step.parameters.items():
            path = ("steps", index, "parameters", name)
            if name not in task.parameters:
                yield Problem(path, f"is no parameter of the task {step.task!r}{nearest(name, task.parameters)}")
            elif task.parameters[name].stored:
                yield Problem(path, f"is stored in the task {step.task!r}, so a step cannot set it")
            else:
                definition = callers_definition(task, name)
                yield from (problem.below(*path) for problem in value_problems(definition, value))


def _public(
    name: str, parameter: JobParameterDefinition, by_label: Mapping[str, TaskDefinition]
) -> tuple[ParameterDefinition | None, list[Problem]]:
    path = ("parameters", name)
    if not parameter.sets:
        if parameter.type is None:
            return None, [Problem(path, "needs `sets: step.parameter`, or a `type` of its own")]
        if parameter.stored:
            return None, [Problem((*path, "value"), "belongs to a task's parameter: a job's own is for callers to set")]
        for key in ("flag", "separator", "env_only"):
            if key in parameter.model_fields_set:
                return None, [Problem((*path, key), "belongs to a task's parameter: a job's own meets no command")]
        own = ParameterDefinition.model_validate(parameter.model_dump(exclude={"sets", "aliases"}, exclude_unset=True))
        return own, list(check_parameter(name, own))
    found: list[ParameterDefinition] = []
    for target in parameter.sets:
        label, _, own_name = target.partition(".")
        if label not in by_label:
            return None, [Problem((*path, "sets"), f"{label!r} is no step of this job{nearest(label, by_label)}")]
        known = by_label[label].parameters
        if own_name not in known:
            message = f"the step {label!r} has no parameter {own_name!r}{nearest(own_name, known)}"
            return None, [Problem((*path, "sets"), message)]
        if known[own_name].stored:
            return None, [Problem((*path, "sets"), f"{target} is stored in the task, so callers cannot set it")]
        found.append(callers_definition(by_label[label], own_name))
    overrides = {"title", "description", "default", "example", "advanced"}
    extra = parameter.model_fields_set - overrides - {"sets", "aliases"}
    if extra:
        return None, [
            Problem((*path, key), "is the task's to say where the parameter `sets` it") for key in sorted(extra)
        ]
    if any(_accepted(other) != _accepted(found[0]) for other in found[1:]):
        return None, [Problem((*path, "sets"), "sets parameters that do not accept the same values")]
    changed = {key: getattr(parameter, key) for key in parameter.model_fields_set & overrides}
    if "default" not in changed and any(_absence(other) != _absence(found[0]) for other in found[1:]):
        message = "sets parameters with different defaults: say which `default` holds"
        return None, [Problem((*path, "sets"), message)]
    definition = found[0].model_copy(update={key: value for key, value in changed.items() if value is not None})
    wrong = [
        problem.below(*path, key)
        for key in ("default", "example")
        if changed.get(key) is not None
        for problem in value_problems(definition, changed[key])
    ]
    return definition, wrong


def _accepted(definition: ParameterDefinition) -> dict[str, Any]:
    """What values it accepts, which must agree where one public parameter sets several."""
    notes = {"title", "description", "default", "examples", "x-advanced", "x-titles", "minItems"}
    schema = schema_of(definition)
    return {key: value for key, value in schema.items() if key not in notes}


def _absence(definition: ParameterDefinition) -> tuple[str, bool]:
    """What holds where the caller sends nothing."""
    return json.dumps(definition.default), definition.optional


def _name_clashes(planned: Mapping[str, PlannedParameter], inputs: set[str], job: JobDefinition) -> Iterator[Problem]:
    taken = {name.lower(): f"the reserved field {name!r}" for name in RESERVED_FIELDS}
    taken |= {name.lower(): f"the input {name!r}" for name in inputs}
    labels = [step.label for step in job.steps]
    for name, parameter in planned.items():
        for public in (name, *parameter.aliases):
            other = taken.get(public.lower())
            if other is not None and name in job.parameters:
                path: Path = ("parameters", name) if public == name else ("parameters", name, "aliases")
                yield Problem(path, f"the public name {public!r} is also that of {other}")
            elif other is not None:
                target = parameter.sets[0]
                message = (
                    f"callers set {target} as {public!r}, which is also the name of {other}: name it in `parameters`"
                )
                yield Problem(("steps", labels.index(target.partition(".")[0])), message)
            taken[public.lower()] = f"the parameter {name!r}"
