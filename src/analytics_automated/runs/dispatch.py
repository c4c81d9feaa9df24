"""Wake-ups: messages that say no more than "look". Whatever becomes of one, the database is the truth."""

from collections.abc import Collection

from django.db import transaction

from analytics_automated.pipelines.models import Backend
from analytics_automated.runs.broker import broker
from analytics_automated.runs.models import StepRun
from analytics_automated.storage.statements import Statement

MOST_HOPS = 3
_QUEUES = Statement("""
SELECT b.name, q.name FROM pipelines_backend b JOIN pipelines_queuetype q ON q.id = b.queue_type_id
WHERE b.name {among[names]}
""")
LOOK = "aa.look"
"""The Celery task that looks: it takes the id of a StepRun, and how often the message was passed on."""


def wake_all(step_runs: Collection[StepRun]) -> None:
    """After the commit, tell the workers of each step's queue that it is ready.

    A broker that cannot be reached is logged: `reconcile` tells them later.
    """
    if step_runs:
        transaction.on_commit(lambda: _send(step_runs), robust=True)


def announce(step_runs: Collection[StepRun], next_backend: str | None) -> None:
    """Tell workers of the steps that a worker has made ready, but for one of the Backend whose step it takes up next.

    Whether that is the same step does not matter: of the one that it takes instead, somebody was told before, who will
    now find this one.
    """
    own = next((each for each in step_runs if each.backend == next_backend), None)
    _send([each for each in step_runs if each is not own])


def pass_on(step_run_id: int, hops: int) -> None:
    """Tell another worker of a step that this one was told of and may not take up. After some `hops` it is left to
    `reconcile`: workers that all may not would tell each other for ever."""
    if hops >= MOST_HOPS:
        return
    queue = Backend.objects.filter(name__in=StepRun.objects.filter(pk=step_run_id).values("backend"))
    name = queue.values_list("queue_type__name", flat=True).first()
    if name is not None:
        broker.send(LOOK, [step_run_id, hops + 1], name)


def _send(step_runs: Collection[StepRun]) -> None:
    if not step_runs:
        return
    names = {step_run.backend for step_run in step_runs}
    queues = dict(_QUEUES.rows(names=sorted(names)))
    for step_run in step_runs:
        if step_run.backend not in queues:
            continue  # its backend is gone: reconcile ends it
        if not broker.send(LOOK, [step_run.pk], queues[step_run.backend]):
            return
