"""Order and data flow of a Job's steps: who waits for whom, and where every input comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from analytics_automated.pipelines.definitions import JobDefinition, JobInputDefinition, StepDefinition, TaskDefinition
from analytics_automated.pipelines.problems import Path, Problem, listed, nearest


@dataclass(frozen=True, slots=True)
class Asker:
    """A task input that is fed from a job input."""

    path: Path
    many: bool
    can_do_without: bool
    """True where it is optional, or has another source."""


@dataclass
class Flow:
    """The resolved flow, and what is wrong with it. Paths begin at the job."""

    needs: dict[str, list[str]] = field(default_factory=dict)
    """Steps that a step waits for, by step, in the order in which steps run."""
    sources: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """Sources of each input, by step: `step.output` or a job input's name."""
    open_inputs: dict[str, list["Asker"]] = field(default_factory=dict)
    """Inputs that no step provides, with the task inputs that ask for each."""
    before: dict[str, dict[str, int]] = field(default_factory=dict)
    """Steps that have surely ended before a step starts, with how far back they are, by step."""
    problems: list[Problem] = field(default_factory=list)


def resolve_flow(job: JobDefinition, tasks: Mapping[str, TaskDefinition]) -> Flow:
    """Resolve a job whose steps have distinct names and known tasks."""
    flow = Flow()
    steps = list(enumerate(job.steps))
    order = _levels(job)
    labels = [step.label for step in job.steps]
    for index, step in steps:
        flow.needs[step.label] = _needs(step, index, job, order, flow)
    try:
        ranks = _ranks(flow.needs)
    except CycleError as error:
        circle = [str(label) for label in reversed(error.args[1])]
        path = ("steps", labels.index(circle[0]))
        flow.problems.append(Problem(path, f"waits for itself in a circle: {' -> '.join(circle)}"))
        return flow
    flow.before = {label: _distances(label, flow.needs) for label in labels}
    flow.needs = {label: flow.needs[label] for label in sorted(labels, key=ranks.__getitem__)}
    by_label = {step.label: (index, step) for index, step in steps}
    for label in flow.needs:
        index, step = by_label[label]
        flow.sources[label] = _step_sources(index, step, job, tasks, flow.before[label], flow)
    return flow


def _levels(job: JobDefinition) -> list[int]:
    """The ordering of each step; where none is named, one more than the step before it."""
    levels: list[int] = []
    for step in job.steps:
        levels.append(step.ordering if step.ordering is not None else (levels[-1] + 1 if levels else 1))
    return levels


def _needs(step: StepDefinition, index: int, job: JobDefinition, order: Sequence[int], flow: Flow) -> list[str]:
    labels = [other.label for other in job.steps]
    if step.needs is not None:
        for place, name in enumerate(step.needs):
            if name not in labels:
                message = f"{name!r} is no step of this job{nearest(name, labels)}"
                flow.problems.append(Problem(("steps", index, "needs", place), message))
        return [name for name in dict.fromkeys(step.needs) if name in labels]
    before = max((level for level in order if level < order[index]), default=None)
    return [label for label, level in zip(labels, order, strict=True) if level == before]


def _ranks(needs: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """How many steps, one after the other, each has before it. Raises `CycleError`."""
    ranks: dict[str, int] = {}
    for label in TopologicalSorter(needs).static_order():
        ranks[label] = 1 + max((ranks[other] for other in needs[label]), default=0)
    return ranks


def _distances(label: str, needs: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Steps that have surely ended before this one, with how far back they are."""
    distances: dict[str, int] = {}
    front, distance = list(needs[label]), 1
    while front:
        distances |= dict.fromkeys(front, distance)
        further = (before for other in front for before in needs[other] if before not in distances)
        front, distance = list(dict.fromkeys(further)), distance + 1
    return distances


def _step_sources(
    index: int,
    step: StepDefinition,
    job: JobDefinition,
    tasks: Mapping[str, TaskDefinition],
    before: Mapping[str, int],
    flow: Flow,
) -> dict[str, list[str]]:
    task = tasks[step.task]
    providers = {other.label: tasks[other.task] for other in job.steps}
    sources: dict[str, list[str]] = {}
    for name in step.inputs:
        if name not in task.inputs:
            message = f"is no input of the task {step.task!r}{nearest(name, task.inputs)}"
            flow.problems.append(Problem(("steps", index, "inputs", name), message))
    for name, definition in task.inputs.items():
        path = ("steps", index, "inputs", name)
        # A step that scatters takes one of many at a time; over what is not known where it names no input.
        over = step.scatter.over if step.scatter is not None else None
        many = definition.many or over == name or (over is not None and over not in task.inputs)
        if name in step.inputs:
            sources[name] = step.inputs[name]
            for reference in step.inputs[name]:
                problem = _reference_problem(reference, step.label, job, providers, before)
                if problem:
                    flow.problems.append(Problem(path, problem))
                elif "." not in reference:
                    alone = len(sources[name]) == 1
                    asker = Asker(path, many, definition.optional or not alone)
                    flow.open_inputs.setdefault(reference, []).append(asker)
            _width(many, sources[name], job, tasks, path, flow)
            continue
        offers = [(distance, label) for label, distance in before.items() if name in providers[label].outputs]
        nearest_distance = min(offers)[0] if offers else 0
        closest = sorted(label for distance, label in offers if distance == nearest_distance)
        if len(closest) > 1:
            choices = " or ".join(f"{label}.{name}" for label in closest)
            message = f"could come from {choices}, which are equally near: say which in the step's `inputs`"
            flow.problems.append(Problem(path, message))
        elif closest:
            sources[name] = [f"{closest[0]}.{name}"]
            _width(many, sources[name], job, tasks, path, flow)
        elif job.inputs is None or name in job.inputs:
            sources[name] = [name]
            flow.open_inputs.setdefault(name, []).append(Asker(path, many, definition.optional))
            _width(many, sources[name], job, tasks, path, flow)
        elif not definition.optional:
            message = (
                f"is provided by nothing: no step before {step.label!r} has an output {name!r}, and the job has no "
                f"input of that name (its inputs: {listed(job.inputs)}). Bind it in the step's `inputs`"
            )
            flow.problems.append(Problem(path, message))
    return sources


def _reference_problem(
    reference: str,
    label: str,
    job: JobDefinition,
    providers: Mapping[str, TaskDefinition],
    before: Mapping[str, int],
) -> str | None:
    owner, dot, output = reference.partition(".")
    if not dot:
        if reference in providers and reference not in (job.inputs or {}):
            outputs = providers[reference].outputs
            return f"{reference!r} is a step: write {reference}.OUTPUT, with one of its outputs ({listed(outputs)})"
        if job.inputs is not None and reference not in job.inputs:
            return f"{reference!r} is no input of this job{nearest(reference, job.inputs)}"
        return None
    if owner not in providers:
        return f"{owner!r} is no step of this job{nearest(owner, providers)}"
    if output not in providers[owner].outputs:
        return f"the step {owner!r} has no output {output!r}{nearest(output, providers[owner].outputs)}"
    if owner not in before:
        return f"the step {owner!r} has not surely ended before {label!r} starts"
    return None


def is_wide(
    reference: str, job: JobDefinition, tasks: Mapping[str, TaskDefinition], inputs: Mapping[str, JobInputDefinition]
) -> bool:
    """True where what the reference names may be several files. What it does not know is one."""
    owner, dot, name = reference.partition(".")
    if not dot:
        return reference in inputs and inputs[reference].many
    step = next((step for step in job.steps if step.label == owner), None)
    output = tasks[step.task].outputs.get(name) if step is not None else None
    return step is not None and output is not None and (output.many or step.scatter is not None)


def _width(
    many: bool,
    references: Sequence[str],
    job: JobDefinition,
    tasks: Mapping[str, TaskDefinition],
    path: tuple[str | int, ...],
    flow: Flow,
) -> None:
    """A single input cannot be fed from several files."""
    for reference in references if not many else ():
        if is_wide(reference, job, tasks, job.inputs or {}):
            message = f"is a single file, but {reference} may be many: set `many: true` on the task's input"
            flow.problems.append(Problem(path, message))
