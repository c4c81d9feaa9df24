"""What must hold within one Job together with its Tasks; and the plan that comes of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from analytics_automated.pipelines.checks.flow import Flow, resolve_flow
from analytics_automated.pipelines.checks.task import check_parameter
from analytics_automated.pipelines.definitions import (
    JobDefinition,
    JobInputDefinition,
    JobParameterDefinition,
    ParameterDefinition,
    TaskDefinition,
)
from analytics_automated.pipelines.definitions.job import Validators
from analytics_automated.pipelines.parameters import value_problems
from analytics_automated.pipelines.plans import (
    FORMAT,
    Plan,
    PlannedParameter,
    PlannedResult,
    PlannedStep,
)
from analytics_automated.pipelines.problems import Path, Problem, listed, nearest
from analytics_automated.pipelines.validators.registry import build_validator, validator_names

RESERVED_STEPS = frozenset({"param", "input", "output", "data", "resources", "submission", "scatter"})
RESERVED_FIELDS = frozenset({"name", "email", "webhook", "input_data"})


def plan_job(name: str, job: JobDefinition, tasks: Mapping[str, TaskDefinition]) -> tuple[Plan | None, list[Problem]]:
    """Check a job and resolve it. Paths begin at the job; with errors there is no plan.

    `tasks` are all that there are; each is taken to be right in itself.
    """
    problems = list(_steps(job, tasks))
    if problems:
        return None, problems
    flow = resolve_flow(job, tasks)
    problems += flow.problems
    inputs = _inputs(job, tasks, flow)
    problems += _validators(job)
    problems += _unused_inputs(job, flow)
    parameters, wrong = _parameters(job, tasks, set(inputs))
    problems += wrong
    results, wrong = _results(job, tasks)
    problems += wrong
    if problems:
        return None, problems
    by_label = {step.label: step for step in job.steps}
    used = dict.fromkeys(step.task for step in job.steps)
    plan = Plan(
        format=FORMAT,
        job=name,
        version=job.version,
        title=job.title,
        inputs=inputs,
        validators=job.validators,
        parameters=parameters,
        steps=[
            PlannedStep(
                name=label,
                task=by_label[label].task,
                needs=needs,
                inputs=flow.sources[label],
                parameters=by_label[label].parameters,
            )
            for label, needs in flow.needs.items()
        ],
        tasks={task: tasks[task] for task in used},
        results=results,
        on_failure=job.on_failure,
    )
    return plan, []


def _steps(job: JobDefinition, tasks: Mapping[str, TaskDefinition]) -> Iterator[Problem]:
    taken: dict[str, str] = {}
    for index, step in enumerate(job.steps):
        path = ("steps", index)
        if step.task not in tasks:
            yield Problem((*path, "task"), f"there is no task {step.task!r}{nearest(step.task, tasks)}")
        key = step.label.lower()
        if key in RESERVED_STEPS:
            yield Problem((*path, "name"), f"{step.label!r} is a reserved word: give the step another `name`")
        if key in taken:
            message = f"two steps are called {step.label!r}: give one of them a `name` of its own"
            yield Problem((*path, "name" if step.name else "task"), message)
        taken[key] = step.label


def _inputs(job: JobDefinition, tasks: Mapping[str, TaskDefinition], flow: Flow) -> dict[str, JobInputDefinition]:
    """The job's inputs as named, else those that the steps leave open."""
    if job.inputs is not None:
        return job.inputs
    by_label = {step.label: tasks[step.task] for step in job.steps}
    opened = {}
    for name, (label, task_input) in flow.open_inputs.items():
        wanted = by_label[label].inputs[task_input]
        opened[name] = JobInputDefinition(optional=wanted.optional, many=wanted.many)
    return opened


def _unused_inputs(job: JobDefinition, flow: Flow) -> Iterator[Problem]:
    for name in job.inputs or {}:
        if name not in flow.open_inputs and not flow.problems:
            yield Problem(("inputs", name), "no step uses it")


def _validators(job: JobDefinition) -> Iterator[Problem]:
    yield from validator_problems(job.validators, ("validators",))
    for name, definition in (job.inputs or {}).items():
        yield from validator_problems(definition.validators, ("inputs", name, "validators"))
        if definition.max_files is not None and not definition.many:
            yield Problem(("inputs", name, "max_files"), "belongs to an input with `many: true`")


def validator_problems(uses: Validators, path: Path) -> Iterator[Problem]:
    """Unknown validators and wrong options."""
    for index, use in enumerate(uses):
        here = (*path, index, use.name)
        if use.name not in validator_names():
            hint = nearest(use.name, validator_names()) or f"; known: {listed(validator_names())}"
            yield Problem(here, f"there is no validator {use.name!r}{hint}")
            continue
        try:
            build_validator(use.name, use.options)
        except ValidationError as error:
            for each in error.errors(include_url=False):
                option = ".".join(str(part) for part in each["loc"])
                unknown = each["type"] == "extra_forbidden"
                message = "is no option of this validator" if unknown else each["msg"]
                yield Problem((*here, option) if option else here, message)


def _parameters(
    job: JobDefinition, tasks: Mapping[str, TaskDefinition], inputs: set[str]
) -> tuple[dict[str, PlannedParameter], list[Problem]]:
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
    for step in job.steps:
        for own, task_parameter in tasks[step.task].parameters.items():
            target = f"{step.label}.{own}"
            if task_parameter.stored or own in step.parameters or target in claimed:
                continue
            name = f"{step.label}_{own}"
            if name in planned:
                message = f"{name!r} is also the name under which callers set {target}: choose another"
                problems.append(Problem(("parameters", name), message))
                continue
            planned[name] = PlannedParameter(definition=task_parameter, sets=[target])
    problems += _name_clashes(planned, inputs)
    return planned, problems


def _fixed_values(job: JobDefinition, tasks: Mapping[str, TaskDefinition]) -> Iterator[Problem]:
    for index, step in enumerate(job.steps):
        known = tasks[step.task].parameters
        for name, value in step.parameters.items():
            path = ("steps", index, "parameters", name)
            if name not in known:
                yield Problem(path, f"is no parameter of the task {step.task!r}{nearest(name, known)}")
            elif known[name].stored:
                yield Problem(path, f"is stored in the task {step.task!r}, so a step cannot set it")
            else:
                yield from (Problem(path, sentence) for sentence in value_problems(known[name], value))


def _public(
    name: str, parameter: JobParameterDefinition, by_label: Mapping[str, TaskDefinition]
) -> tuple[ParameterDefinition | None, list[Problem]]:
    path = ("parameters", name)
    if not parameter.sets:
        if parameter.type is None:
            return None, [Problem(path, "needs `sets: step.parameter`, or a `type` of its own")]
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
        found.append(known[own_name])
    overrides = {"title", "description", "default", "example", "advanced"}
    extra = parameter.model_fields_set - overrides - {"sets", "aliases"}
    if extra:
        return None, [
            Problem((*path, key), "is the task's to say where the parameter `sets` it") for key in sorted(extra)
        ]
    if any(schema_kind(other) != schema_kind(found[0]) for other in found[1:]):
        return None, [Problem((*path, "sets"), "sets parameters of different types")]
    changed = {key: getattr(parameter, key) for key in parameter.model_fields_set & overrides}
    definition = found[0].model_copy(update=changed)
    wrong = [] if "default" not in changed else value_problems(definition, definition.default)
    return definition, [Problem((*path, "default"), sentence) for sentence in wrong]


def schema_kind(definition: ParameterDefinition) -> tuple[Any, ...]:
    """What must agree where one public parameter sets several."""
    return (definition.kind, definition.many, tuple(definition.choices or ()))


def _name_clashes(planned: Mapping[str, PlannedParameter], inputs: set[str]) -> Iterator[Problem]:
    taken = {name.lower(): f"the reserved field {name!r}" for name in RESERVED_FIELDS}
    taken |= {name.lower(): f"the input {name!r}" for name in inputs}
    for name, parameter in planned.items():
        for public in (name, *parameter.aliases):
            other = taken.get(public.lower())
            if other is not None:
                path = ("parameters", name) if public == name else ("parameters", name, "aliases")
                yield Problem(path, f"the public name {public!r} is also that of {other}")
            taken[public.lower()] = f"the parameter {name!r}"


def _results(job: JobDefinition, tasks: Mapping[str, TaskDefinition]) -> tuple[dict[str, PlannedResult], list[Problem]]:
    by_label = {step.label: tasks[step.task] for step in job.steps}
    if job.results is None:
        return {
            f"{label}_{output}": PlannedResult(step=label, output=output, title=definition.title, many=definition.many)
            for label, task in by_label.items()
            for output, definition in task.outputs.items()
            if definition.publish
        }, []
    planned: dict[str, PlannedResult] = {}
    problems: list[Problem] = []
    sources: dict[str, str] = {}
    for name, result in job.results.items():
        path = ("results", name)
        label, _, output = result.source.partition(".")
        if label not in by_label:
            problems.append(Problem(path, f"{label!r} is no step of this job{nearest(label, by_label)}"))
        elif output not in by_label[label].outputs:
            outputs = by_label[label].outputs
            problems.append(Problem(path, f"the step {label!r} has no output {output!r}{nearest(output, outputs)}"))
        elif result.source in sources:
            problems.append(Problem(path, f"{result.source} is already the result {sources[result.source]!r}"))
        else:
            sources[result.source] = name
            definition = by_label[label].outputs[output]
            title = result.title or definition.title
            planned[name] = PlannedResult(step=label, output=output, title=title, many=definition.many)
    return planned, problems
