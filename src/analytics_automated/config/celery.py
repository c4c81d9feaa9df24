"""The Celery application, and the processes that run it: workers and beat."""

import logging.config
import os
import warnings
from typing import Any

from celery import Celery
from celery.exceptions import CPendingDeprecationWarning, SecurityWarning
from celery.signals import setup_logging

from analytics_automated.config.filesystem_broker import broker_settings


def make_app() -> Celery:
    """The application as the settings say. A message is a wake-up, no more: it is acknowledged early, has no
    result, and may be lost."""
    from analytics_automated.config.settings import AA, DATA, TIME_ZONE

    broker = remote_broker(AA.broker_url.get_secret_value()) if AA.broker_url else broker_settings(DATA.broker)
    made = Celery("analytics_automated", fixups=[])  # only workers need Django's: they install it
    made.config_from_object(
        {
            **broker,
            "accept_content": ["json"],
            "task_serializer": "json",
            "task_ignore_result": True,
            "task_acks_late": False,
            "task_create_missing_queues": True,
            "task_default_queue": MAINTENANCE_QUEUE,
            "worker_prefetch_multiplier": 1,
            "worker_enable_remote_control": False,
            "worker_send_task_events": False,
            "worker_hijack_root_logger": False,
            "worker_enable_prefetch_count_reduction": False,
            "broker_connection_retry_on_startup": True,
            "broker_connection_max_retries": None,  # a worker that gives up would have to be started by hand
            "timezone": TIME_ZONE,
            "beat_schedule_filename": str(DATA.beat / "schedule"),
            "beat_schedule": {
                "reconcile": {"task": "aa.reconcile", "schedule": AA.reconcile_interval},
                "sweep": {"task": "aa.sweep", "schedule": 3600.0},
            },
        }
    )
    if AA.database_url is None:
        # Celery's Django fixup closes the connection around every task: with a pool that is free of cost, but to
        # open SQLite costs more than a claim. (The name is the one that the fixup reads.)
        made.conf["CELERY_DB_REUSE_MAX"] = 10_000
    made.set_default()
    return made


def remote_broker(url: str) -> dict[str, Any]:
    """The Celery settings for a broker at that address."""
    if not url.startswith(("redis", "valkey", "sentinel")):
        return {"broker_url": url}
    return {
        "broker_url": url,
        "broker_transport_options": {
            # Commands are answered at once, or the broker is gone; a worker's wait for messages is none of them.
            "socket_connect_timeout": 5,
            "socket_timeout": 15,
            "socket_keepalive": True,
            "health_check_interval": 10,
        },
        # A busy worker leaves messages to others; kombu can do that with Redis alone.
        "worker_disable_prefetch": True,
    }


MAINTENANCE_QUEUE = "maintenance"
"""What beat asks for; every worker serves it."""


@setup_logging.connect
def _keep_our_logging(**_: Any) -> None:
    """Leave logging as Django's settings configured it."""


app = make_app()


def run_worker(
    queues: list[str] | None, concurrency: int | None, least_priority: int | None, most_priority: int | None
) -> int:
    """Run a worker until it is told to stop; its exit code.

    Without `queues` it serves all that backends name, also those that appear later; without bounds all priorities.
    """
    from celery.fixups.django import fixup

    from analytics_automated.config.settings import AA
    from analytics_automated.runs.engine import Priorities
    from analytics_automated.runs.exposure import report
    from analytics_automated.worker.attendant import Attendant
    from analytics_automated.worker.janitor import start_janitor
    from analytics_automated.worker.keeper import start_keeper
    from analytics_automated.worker.poller import start_pollers
    from analytics_automated.worker.service import service
    from analytics_automated.worker.slots import Slots
    from analytics_automated.worker.stopping import StoppableWorker

    fixup(app)
    service.slots = concurrency or AA.worker_concurrency or os.cpu_count() or 1
    service.priorities = Priorities(least_priority, most_priority)
    service.follows = queues is None
    service.queues = frozenset(queues if queues is not None else _known_queues())
    app.loader.import_module("analytics_automated.worker.tasks")
    app.steps["consumer"].add(Attendant)
    # Celery warns of root because of pickled messages, which are not accepted here.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    # And, whenever a connection is lost, of what the next major version will do.
    warnings.filterwarnings("ignore", category=CPendingDeprecationWarning)
    worker = StoppableWorker(
        app,
        pool=Slots,
        concurrency=service.slots,
        queues=[MAINTENANCE_QUEUE, *sorted(service.queues)],
        hostname=f"aa@{service.name}",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
        loglevel=AA.log_level,
    )
    start_keeper()
    start_pollers()
    start_janitor()
    report()
    worker.start()
    return int(worker.exitcode or 0)


def _known_queues() -> list[str]:
    """Those that backends name; none where the database is not there yet: the worker follows those that appear."""
    from analytics_automated.pipelines.models import QueueType
    from analytics_automated.runs.outages import until_next_time

    with until_next_time():
        return list(QueueType.objects.values_list("name", flat=True))
    return []


def run_beat() -> None:
    """Run beat until it is told to stop. It sends messages and knows no more, so it does without Django."""
    from analytics_automated.config.settings import AA, LOGGING

    logging.config.dictConfig(LOGGING)
    app.Beat(quiet=True, loglevel=AA.log_level, pidfile=None).run()
