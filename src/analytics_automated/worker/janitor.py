"""What attempts leave on this machine that nobody runs any more: steps, processes and work folders.

A thread sees to it that lives as long as the process: what burns a machine for nobody is ended also while the broker is
away.
"""

import logging
import re
import threading
import time
import uuid
from collections.abc import Iterable

from django.conf import settings
from django.db import connection

from analytics_automated.executors.orphans import attempts_alive, end_orphans
from analytics_automated.pipelines.models import Backend
from analytics_automated.runs import engine
from analytics_automated.runs.models import StepRun, Submission
from analytics_automated.runs.outages import is_outage, release_connection, tell_outage
from analytics_automated.runs.states import StepStatus
from analytics_automated.runs.workdirs import work_folders
from analytics_automated.worker.recovery import recover_lost_steps

logger = logging.getLogger(__name__)
LOOK_SECONDS = 0.5
_NAME = re.compile(r"(?P<submission>[0-9a-f]{32})-(?P<step_run>[0-9]{1,18})\.(?P<attempt>[0-9]{1,9})")
"""An attempt's name: see `StepRun.attempt_name`."""


def start_janitor() -> None:
    """Start the thread; it ends with the process. It looks at once, for steps whenever all are reconciled, and for
    processes and folders once in a lease."""
    threading.Thread(target=_look_after, name="janitor", daemon=True).start()


def _look_after() -> None:
    steps_due = rest_due = time.monotonic()
    while True:
        now = time.monotonic()
        try:
            if now >= rest_due:
                rest_due = now + settings.AA.lease_seconds
                clean_up()
            if now >= steps_due:
                steps_due = now + settings.AA.reconcile_interval
                recover_lost_steps()
                engine.lose_expired()
                release_connection()
        except Exception as error:
            if is_outage(error):
                tell_outage(error)
            else:
                logger.exception("this worker cannot clear away what others left")
                connection.close()
        time.sleep(LOOK_SECONDS)


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
