"""A thread beside the worker's consumer: follows the queues that there are, and looks for steps that nobody was told
of."""

import logging
import threading
import time
from typing import Any

from celery import bootsteps
from django.conf import settings
from django.db import connection

from analytics_automated.pipelines.models import QueueType
from analytics_automated.runs.outages import is_outage, tell_outage
from analytics_automated.worker.service import service

logger = logging.getLogger(__name__)
LOOK_SECONDS = 0.5


class Attendant(bootsteps.StartStopStep):
    """Starts and stops the thread with Celery's consumer."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **_: Any) -> None:
        super().__init__(consumer)
        self._stopped = threading.Event()

    def start(self, consumer: Any) -> None:
        """Called whenever the consumer is connected."""
        logger.info("this worker takes up steps", extra={"slots": service.slots, "queues": sorted(service.queues)})
        self._stopped = threading.Event()  # that of an earlier thread stays set, however long that takes to see it
        threading.Thread(target=self._attend, args=(consumer, self._stopped), name="attendant", daemon=True).start()

    def stop(self, consumer: Any) -> None:  # noqa: ARG002
        """Called when the connection is lost, or at the end."""
        self._stopped.set()

    def _attend(self, consumer: Any, stopped: threading.Event) -> None:
        due = time.monotonic()
        try:
            while not stopped.wait(LOOK_SECONDS):
                try:
                    if service.follows:
                        self._follow(consumer)
                    service.report()
                    if time.monotonic() >= due:
                        due = time.monotonic() + settings.AA.reconcile_interval
                        service.reconcile()
                except Exception as error:
                    if is_outage(error):
                        tell_outage(error)
                        continue
                    logger.exception("this worker cannot look after its queues")
                    connection.close()
        finally:
            connection.close()

    def _follow(self, consumer: Any) -> None:
        """Serve queues that appeared. One whose backend is gone is served on: nothing comes from it."""
        there = frozenset(QueueType.objects.values_list("name", flat=True))
        for queue in there - service.queues:
            logger.info("a queue appeared", extra={"queue": queue})
            consumer.call_soon(consumer.add_task_queue, queue)
        service.queues |= there
