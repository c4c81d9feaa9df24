"""What attempts leave on this machine that nobody runs any more: processes and work folders."""

import logging
import re
import time
import uuid
from collections.abc import Iterable

from django.conf import settings

from analytics_automated.executors.orphans import attempts_alive, end_orphans
from analytics_automated.pipelines.models import Backend
from analytics_automated.runs.models import StepRun, Submission
from analytics_automated.runs.states import StepStatus
from analytics_automated.runs.workdirs import work_folders

logger = logging.getLogger(__name__)
_NAME = re.compile(r"(?P<submission>[0-9a-f]{32})-(?P<step_run>[0-9]{1,18})\.(?P<attempt>[0-9]{1,9})")
"""An attempt's name: see `StepRun.attempt_name`."""


def clean_up() -> None:
    """End the processes of attempts that run no more, with all that came from them, and remove their work folders.

    Whatever belongs to another installation is left alone: only attempts of Submissions of this database count.
    """
    for attempt in _abandoned(attempts_alive()):
        survivors = end_orphans(attempt)
        logger.warning("processes without a worker were ended", extra={"attempt": attempt, "left": len(survivors)})
    if settings.AA.keep_workdirs:
        return
    oldest = time.time() - settings.AA.lease_seconds
    for backend in Backend.objects.all():
        folders = {folder.attempt: folder for folder in work_folders(backend) if folder.made < oldest}
        for attempt in _abandoned(folders):
            logger.warning("a work folder without a worker is removed", extra={"attempt": attempt})
            try:
                folders[attempt].remove()
            except OSError:
                logger.exception("a work folder could not be removed", extra={"attempt": attempt})


def _abandoned(attempts: Iterable[str]) -> list[str]:
    """Of these, the attempts of this database that no worker runs."""
    named = {attempt: found for attempt in attempts if (found := _NAME.fullmatch(attempt))}
    if not named:
        return []
    keys = {uuid.UUID(found["submission"]) for found in named.values()}
    ours = {key.hex for key in Submission.objects.filter(pk__in=keys).values_list("pk", flat=True)}
    rows = StepRun.objects.filter(pk__in={int(found["step_run"]) for found in named.values()})
    alive = {
        (str(pk), str(attempt)) for pk, attempt in rows.filter(status=StepStatus.RUNNING).values_list("pk", "attempt")
    }
    return [
        attempt
        for attempt, found in named.items()
        if found["submission"] in ours and (found["step_run"], found["attempt"]) not in alive
    ]
