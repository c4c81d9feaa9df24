"""Steps that run once per file: what they take apart, and what only they have."""

from collections.abc import Iterator, Mapping

from analytics_automated.pipelines.checks.flow import Flow, is_wide
from analytics_automated.pipelines.commands import placed_placeholders
from analytics_automated.pipelines.definitions import JobDefinition, JobInputDefinition, TaskDefinition
from analytics_automated.pipelines.problems import Problem, nearest


def scatter_problems(
    job: JobDefinition, tasks: Mapping[str, TaskDefinition], flow: Flow, inputs: Mapping[str, JobInputDefinition]
) -> Iterator[Problem]:
    """What is wrong with `scatter`; paths begin at the job."""
    for index, step in enumerate(job.steps):
        task = tasks[step.task]
        path = ("steps", index, "scatter", "over")
        if step.scatter is None:
            used = next((each for _, each in placed_placeholders(task) if each.kind == "scatter"), None)
            if used is not None:
                message = f"the task {step.task!r} uses {used}, so the step needs `scatter`"
                yield Problem(("steps", index, "task"), message)
            continue
        over = step.scatter.over
        if over not in task.inputs:
            yield Problem(path, f"{over!r} is no input of the task {step.task!r}{nearest(over, task.inputs)}")
        elif task.inputs[over].many:
            message = f"the input {over!r} of the task {step.task!r} takes all files at once: leave out `many` there"
            yield Problem(path, message)
        elif step.label in flow.sources:
            sources = flow.sources[step.label].get(over, [])
            if not sources:
                yield Problem(path, f"nothing provides the input {over!r}, so there is nothing to take apart")
            elif not any(is_wide(source, job, tasks, inputs) for source in sources):
                message = (
                    f"{over!r} is fed from {' or '.join(sources)}, which is one file: there is nothing to take apart"
                )
                yield Problem(path, message)
