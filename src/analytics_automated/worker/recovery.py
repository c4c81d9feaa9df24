"""Steps of workers of this machine that are gone: their processes are ended, and the steps go back to the queue."""

import logging

from django.conf import settings

from analytics_automated.executors.orphans import end_orphans
from analytics_automated.runs import engine
from analytics_automated.runs.backends import scheduled_backends
from analytics_automated.runs.recording import remove_work_folder
from analytics_automated.worker.identity import is_gone

logger = logging.getLogger(__name__)


def recover_lost_steps() -> int:
    """Find the steps that run nowhere, as far as this machine can tell; returns how many there were."""
    one_machine = settings.AA.database_url is None  # SQLite is a file of this machine's
    steps = engine.running_steps().exclude(backend__in=scheduled_backends())
    lost = [each for each in steps if is_gone(each.worker, one_machine=one_machine)]
    for step_run in lost:
        survivors = end_orphans(step_run.attempt_name)
        logger.warning(
            "a worker is gone, and its step is taken from it",
            extra={"submission": str(step_run.submission_id), "step": step_run.step, "survivors": len(survivors)},
        )
        remove_work_folder(step_run)
        engine.lose(step_run)
    return len(lost)
