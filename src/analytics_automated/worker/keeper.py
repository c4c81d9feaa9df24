"""A thread that keeps what this worker has taken up: leases, cancellation, progress.

It lives as long as the process, whatever becomes of the broker: a step that runs is to be kept to its end.
"""

import logging
import threading
import time

from django.db import DatabaseError, connection

from analytics_automated.worker.service import service

logger = logging.getLogger(__name__)
LOOK_SECONDS = 0.5
PROGRESS_SECONDS = 1.0


def start_keeper() -> None:
    """Start the thread; it ends with the process."""
    threading.Thread(target=_keep, name="keeper", daemon=True).start()


def _keep() -> None:
    progress_due = time.monotonic()
    while True:
        time.sleep(LOOK_SECONDS)
        try:
            service.keep()
            if time.monotonic() >= progress_due:
                progress_due = time.monotonic() + PROGRESS_SECONDS
                service.tell_progress()
        except DatabaseError:
            logger.exception("the database cannot be asked about the steps that run here")
            connection.close()
        except Exception:
            logger.exception("the steps that run here cannot be kept")
        service.end_what_may_be_lost()
