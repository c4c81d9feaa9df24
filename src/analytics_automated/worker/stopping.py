"""How a worker is told to stop: by signals."""

import signal
from typing import Any

from celery.apps.worker import Worker
from celery.platforms import EX_OK
from celery.worker import state
from django.conf import settings

from analytics_automated.worker.service import service

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)


class StoppableWorker(Worker):
    """Celery's worker, with all signals that stop meaning the same.

    The first lets what runs go on for its grace time, the second ends it at once; either way what did not come to its
    end is QUEUED again. The third ends the process as it is. Celery's own second signal would wait for what runs.
    """

    def install_platform_tweaks(self, worker: Any) -> None:
        """Called in the main thread, before anything is taken up."""
        super().install_platform_tweaks(worker)
        for number in SIGNALS:
            signal.signal(number, _stop)


def _stop(_number: int, _frame: Any) -> None:
    if service.stopping():
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
    service.stop(settings.AA.stop_grace)
    state.should_stop = EX_OK  # which Celery's main loop looks at
