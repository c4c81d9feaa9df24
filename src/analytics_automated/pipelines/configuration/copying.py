"""A second Task or Job like one that is there, to be changed."""

from analytics_automated.pipelines.models import Job, JobFile, Task, TaskFile

_LONGEST = 64
"""Characters of a name."""


def copy_task(task: Task, name: str, pipeline: str) -> Task:
    """Make a Task like this one, with all its rows and shipped files, in the caller's transaction.

    Raises pydantic's `ValidationError` where the rows are no definition.
    """
    copy = Task(name=name, pipeline=pipeline)
    copy.take_definition(task.to_definition(), task.backend)
    TaskFile.take(copy, {shipped.path: shipped.blob for shipped in task.files.select_related("blob")})
    return copy


def copy_job(job: Job, name: str, pipeline: str) -> Job:
    """Make a Job like this one, with all its rows and files, in the caller's transaction.

    It is not runnable, and has no aliases: these are names, and of each there is one. Raises pydantic's
    `ValidationError` where the rows are no definition.
    """
    definition = job.to_definition().model_copy(update={"runnable": False, "aliases": []})
    copy = Job(name=name, pipeline=pipeline)
    copy.take_definition(definition, {step.task.name: step.task for step in job.steps.select_related("task")})
    JobFile.take(copy, {shipped.path: shipped.blob for shipped in job.files.select_related("blob")})
    return copy


def free_name(row: Task | Job) -> str:
    """A name for a copy that nothing of its kind has, whatever its case."""
    taken = {name.lower() for name in type(row)._default_manager.values_list("name", flat=True)}
    number = 1
    while True:
        ending = "_copy" if number == 1 else f"_copy{number}"
        name = row.name[: _LONGEST - len(ending)] + ending
        if name.lower() not in taken:
            return name
        number += 1
