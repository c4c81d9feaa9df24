"""What must hold within one Job together with its Tasks; and the plan that comes of it."""

from collections.abc import Collection, Iterator, Mapping

from pydantic import ValidationError

from analytics_automated.pipelines.checks.calls import (
    expectation_problems,
    input_problems,
    parameter_problems,
    time_problems,
)
from analytics_automated.pipelines.checks.conditions import Known, condition_problems
from analytics_automated.pipelines.checks.flow import Flow, resolve_flow
from analytics_automated.pipelines.checks.public_parameters import ENVELOPE_FIELDS, public_parameters
from analytics_automated.pipelines.checks.scattering import scatter_problems
from analytics_automated.pipelines.checks.values import with_typed_values
from analytics_automated.pipelines.definitions import (
    JobDefinition,
    JobInputDefinition,
    ParameterDefinition,
    TaskDefinition,
)
from analytics_automated.pipelines.definitions.call import CallDefinition
from analytics_automated.pipelines.definitions.job import Validators
from analytics_automated.pipelines.files.sentences import problems_of
from analytics_automated.pipelines.plans import FORMAT, Plan, PlannedParameter, PlannedResult, PlannedStep
from analytics_automated.pipelines.problems import Path, Problem, listed, nearest
from analytics_automated.pipelines.validators.registry import build_validator, validator_class, validator_names

RESERVED_STEPS = frozenset({"param", "input", "output", "data", "resources", "submission", "scatter"})


def plan_job(name: str, job: JobDefinition, tasks: Mapping[str, TaskDefinition]) -> tuple[Plan | None, list[Problem]]:
    """Check a job and resolve it. Paths begin at the job; with errors there is no plan.

    `tasks` are all that there are; each is taken to be right in itself.
    """
    problems = [*_steps(job, tasks), *_validators(job)]
    if any(problem.path[:1] == ("steps",) for problem in problems):
        return None, problems
    job = with_typed_values(job, tasks)
    flow = resolve_flow(job, tasks)
    problems += flow.problems
    inputs = _inputs(job, flow)
    problems += _unused_inputs(job, flow)
    problems += _input_names(inputs, job, flow)
    parameters, wrong = public_parameters(job, tasks, set(inputs))
    problems += wrong
    results, wrong = _results(job, tasks)
    problems += wrong
    if flow.before:
        problems += scatter_problems(job, tasks, flow, inputs)
    definitions = {public: parameter.definition for public, parameter in parameters.items()}
    problems += _conditions(job, tasks, flow, inputs, definitions)
    problems += _calls(job, inputs, parameters, results, complete=not problems)
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
                when=by_label[label].when,
                scatter=by_label[label].scatter,
            )
            for label, needs in flow.needs.items()
        ],
        tasks={task: tasks[task] for task in used},
        results=results,
        on_failure=job.on_failure,
    )
    return plan, []


def _conditions(
    job: JobDefinition,
    tasks: Mapping[str, TaskDefinition],
    flow: Flow,
    inputs: Mapping[str, JobInputDefinition],
    parameters: Mapping[str, ParameterDefinition],
) -> Iterator[Problem]:
    for index, step in enumerate(job.steps):
        if step.when is not None and step.label in flow.before:
            known = Known(
                step=step.label,
                parameters=parameters,
                inputs=inputs,
                steps={other.label: tasks[other.task] for other in job.steps},
                before=flow.before[step.label],
                scattered={other.label for other in job.steps if other.scatter is not None},
                unread=set(job.parameters) - set(parameters),
            )
            yield from (Problem(("steps", index, "when"), each) for each in condition_problems(step.when, known))


def _calls(
    job: JobDefinition,
    inputs: Mapping[str, JobInputDefinition],
    parameters: Mapping[str, PlannedParameter],
    results: Mapping[str, PlannedResult],
    *,
    complete: bool,
) -> Iterator[Problem]:
    """What is wrong with the schedule and the examples. Only what is `complete` says what they lack."""
    calls: list[tuple[Path, CallDefinition]] = [(("examples", index), each) for index, each in enumerate(job.examples)]
    if job.schedule is not None:
        yield from (problem.below("schedule") for problem in time_problems(job.schedule))
        calls.append((("schedule",), job.schedule))
    for path, call in calls if complete else ():
        yield from (problem.below(*path) for problem in input_problems(call, inputs))
        yield from (problem.below(*path) for problem in parameter_problems(call, parameters))
    steps = [step.label for step in job.steps]
    for index, example in enumerate(job.examples if complete else ()):
        found = expectation_problems(example.expect, results, steps)
        yield from (problem.below("examples", index, "expect") for problem in found)


def _steps(job: JobDefinition, tasks: Mapping[str, TaskDefinition]) -> Iterator[Problem]:
    taken: dict[str, str] = {}
    for index, step in enumerate(job.steps):
        path = ("steps", index)
        if step.task not in tasks:
            hint = nearest(step.task, tasks) or ": define it here, or in another file that is named with this one"
            yield Problem((*path, "task"), f"there is no task {step.task!r}{hint}")
        key = step.label.lower()
        if key in RESERVED_STEPS:
            yield Problem((*path, "name"), f"{step.label!r} is a reserved word: give the step another `name`")
        if key in taken:
            message = f"two steps are called {step.label!r}: give one of them a `name` of its own"
            yield Problem((*path, "name" if step.name else "task"), message)
        taken[key] = step.label


def _inputs(job: JobDefinition, flow: Flow) -> dict[str, JobInputDefinition]:
    """The job's inputs as named, else those that the steps leave open: required where any of the steps cannot do
    without, several files where all of them take several."""
    if job.inputs is not None:
        return job.inputs
    return {
        name: JobInputDefinition(
            optional=all(asker.can_do_without for asker in askers), many=all(asker.many for asker in askers)
        )
        for name, askers in flow.open_inputs.items()
    }


def _input_names(inputs: Mapping[str, JobInputDefinition], job: JobDefinition, flow: Flow) -> Iterator[Problem]:
    taken = {name: f"the reserved field {name!r}" for name in ENVELOPE_FIELDS}
    for name in inputs:
        if other := taken.get(name.lower()):
            message = f"the job's input {name!r} has the name of {other}: give it another, and bind it in `inputs`"
            yield Problem(("inputs", name) if job.inputs is not None else flow.open_inputs[name][0].path, message)
        taken.setdefault(name.lower(), f"the input {name!r}")


def _unused_inputs(job: JobDefinition, flow: Flow) -> Iterator[Problem]:
    for name in job.inputs or {}:
        if name not in flow.open_inputs and not flow.problems:
            yield Problem(("inputs", name), "no step uses it")


def _validators(job: JobDefinition) -> Iterator[Problem]:
    yield from validator_problems(job.validators, ("validators",))
    for name, definition in (job.inputs or {}).items():
        yield from validator_problems(definition.validators, ("inputs", name, "validators"))
        if (definition.max_files or 1) > 1 and not definition.many:
            yield Problem(("inputs", name, "max_files"), "belongs to an input with `many: true`")
        if definition.unpack and not definition.many:
            yield Problem(("inputs", name, "unpack"), "belongs to an input with `many: true`")
        if len(set(definition.unpack)) < len(definition.unpack):
            yield Problem(("inputs", name, "unpack"), "names a kind of archive twice")


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
            options, unknown = validator_class(use.name).Options, "is no option of this validator"
            wrong = problems_of(error.errors(include_url=False), options, use.options, unknown)
            yield from (problem.below(*here) for problem in wrong)
        except Exception as error:  # noqa: BLE001 -- a plug-in may raise anything while it is imported or made
            yield Problem(here, f"the validator {use.name!r} cannot be used: {type(error).__name__}: {error}")


def _results(job: JobDefinition, tasks: Mapping[str, TaskDefinition]) -> tuple[dict[str, PlannedResult], list[Problem]]:
    by_label = {step.label: tasks[step.task] for step in job.steps}
    scattered = {step.label for step in job.steps if step.scatter is not None}
    if job.results is None:
        return _published(by_label, scattered)
    planned: dict[str, PlannedResult] = {}
    problems: list[Problem] = []
    sources: dict[str, str] = {}
    spelled: dict[str, str] = {}
    for name, result in job.results.items():
        path = ("results", name)
        label, _, output = result.source.partition(".")
        if spelled.setdefault(name.lower(), name) != name:
            problems.append(Problem(path, f"differs from {spelled[name.lower()]!r} only by its case"))
        elif label not in by_label:
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
            many = definition.many or label in scattered
            planned[name] = PlannedResult(step=label, output=output, title=title, many=many)
    return planned, problems


def _published(
    by_label: Mapping[str, TaskDefinition], scattered: Collection[str]
) -> tuple[dict[str, PlannedResult], list[Problem]]:
    """Every published output, as step_output."""
    planned: dict[str, PlannedResult] = {}
    problems: list[Problem] = []
    for index, (label, task) in enumerate(by_label.items()):
        for output, definition in task.outputs.items():
            if not definition.publish:
                continue
            name = f"{label}_{output}"
            other = next((other for other in planned if other.lower() == name.lower()), None)
            if other is None:
                many = definition.many or label in scattered
                planned[name] = PlannedResult(step=label, output=output, title=definition.title, many=many)
                continue
            first = f"{planned[other].step}.{planned[other].output}"
            message = f"{label}.{output} would be the result {name!r}, as {first} is: name them in the job's `results`"
            problems.append(Problem(("steps", index), message))
    return planned, problems
