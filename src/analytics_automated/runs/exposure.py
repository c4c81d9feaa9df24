"""Commands that strangers can start, on this machine, with nothing between them and it: an operator's decision."""

import logging
from collections.abc import Collection

from analytics_automated.executors.confinement.sandbox import sandbox_here
from analytics_automated.executors.registry import executor_class, executor_names
from analytics_automated.pipelines.models import Backend, Job
from analytics_automated.runs.outages import until_next_time

logger = logging.getLogger(__name__)
PUBLIC = "public"


def undecided(queues: Collection[str] | None) -> dict[str, list[str]]:
    """The Backends, each with the public Jobs that use it, whose commands would run here without a sandbox although
    nobody said so: their `sandbox` is `auto`, and none works.

    Of the Backends with these queues, or, with none named, of all. Nothing where the database cannot be asked.
    """
    if sandbox_here().machine is not None:
        return {}
    with until_next_time():
        backends = Backend.objects.filter(sandbox="auto").select_related("queue_type")
        rows = [each for each in backends if queues is None or each.queue_type.name in queues]
        here = [each for each in rows if _runs_here(each.queue_type.executor)]
        found = {each.name: _public_jobs(each) for each in here}
        return {name: jobs for name, jobs in found.items() if jobs}
    return {}


def report() -> None:
    """Say in the log which sandbox there is."""
    found = sandbox_here()
    if found.machine is None:
        logger.warning("there is no sandbox for commands: %s", found.said)
    else:
        logger.info("commands run in a sandbox: %s", found.said)


def _public_jobs(backend: Backend) -> list[str]:
    jobs = Job.objects.filter(runnable=True, steps__task__backend=backend).distinct().order_by("name")
    return [job.name for job in jobs if job.access == PUBLIC]


def _runs_here(executor: str) -> bool:
    return executor in executor_names() and executor_class(executor).attended
