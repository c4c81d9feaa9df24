"""Definitions into rows, in the caller's transaction."""

from collections.abc import Collection, Mapping

from analytics_automated.pipelines.checks.configuration import queue_of
from analytics_automated.pipelines.configuration.stored import Key
from analytics_automated.pipelines.definitions import BackendDefinition
from analytics_automated.pipelines.files.configuration import Configuration
from analytics_automated.pipelines.models import Backend, Job, JobFile, QueueType, Task, TaskFile
from analytics_automated.storage.models import Blob


def write(
    configuration: Configuration,
    touched: Collection[Key],
    deleted: Collection[Key],
    files: Mapping[Key, Mapping[str, Blob]],
) -> None:
    """Write what is touched, with its files, and delete what is to go."""
    Job.objects.filter(name__in=[name for section, name in deleted if section == "jobs"]).delete()
    _free_queues({name: each for name, each in configuration.backends.items() if ("backends", name) in touched})
    for name, backend in configuration.backends.items():
        if ("backends", name) in touched:
            row = Backend.objects.filter(name=name).first() or Backend(name=name)
            row.take_definition(backend)
    backends = {row.name: row for row in Backend.objects.all()}
    for name, task in configuration.tasks.items():
        if (key := ("tasks", name)) in touched:
            task_row = Task.objects.filter(name=name).first() or Task(name=name)
            task_row.pipeline = configuration.pipelines[key]
            task_row.take_definition(task, backends[task.backend])
            TaskFile.take(task_row, files.get(key, {}))
    tasks = {row.name: row for row in Task.objects.all()}
    for name, job in configuration.jobs.items():
        if (key := ("jobs", name)) in touched:
            job_row = Job.objects.filter(name=name).first() or Job(name=name)
            job_row.pipeline = configuration.pipelines[key]
            job_row.take_definition(job, tasks)
            JobFile.take(job_row, files.get(key, {}))
    Task.objects.filter(name__in=[name for section, name in deleted if section == "tasks"]).delete()


def _free_queues(backends: Mapping[str, BackendDefinition]) -> None:
    """Take their queues' names from backends that get other ones, so that two can change places."""
    for queue in QueueType.objects.filter(backend__name__in=backends).select_related("backend"):
        if queue.name != queue_of(queue.backend.name, backends[queue.backend.name]):
            queue.name = f"~{queue.pk}"  # no queue can be called so
            queue.save(update_fields=["name"])
