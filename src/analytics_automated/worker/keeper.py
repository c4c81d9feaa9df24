"""A thread that keeps what this worker has taken up: leases, cancellation, progress.

It lives as long as the process, whatever becomes of the broker: a step that runs is to be kept to its end.
"""

import logging
import threading
import time

from django.db import connection

from analytics_automated.runs.outages import is_outage, tell_outage
from analytics_automated.worker.service import service

logger = logging.getLogger(__name__)
LOOK_SECONDS = 0.5
PROGRESS_SECONDS = 1.0


def start_keeper() -> None:
    """Start the thread, and one beside it that needs no database; they end with the process."""
    threading.Thread(target=_keep, name="keeper", daemon=True).start()
    threading.Thread(target=_watch, name="watch", daemon=True).start()


def _keep() -> None:
    progress_due = time.monotonic()
    while True:
        time.sleep(LOOK_SECONDS)
        try:
            service.keep()
            if time.monotonic() >= progress_due:
                progress_due = time.monotonic() + PROGRESS_SECONDS
                service.tell_progress()
        except Exception as error:
            if is_outage(error):
                tell_outage(error)
                continue
            logger.exception("the steps that run here cannot be kept")
            connection.close()


def _watch() -> None:
    """A database that hangs must not keep a step beyond its lease."""
    while True:
        time.sleep(LOOK_SECONDS)
        service.end_what_may_be_lost()
