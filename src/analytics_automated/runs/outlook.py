"""What all workers say of the Backends, for web, and for whoever wonders why a step waits."""

import datetime as dt
from collections.abc import Collection, Mapping

from django.conf import settings
from django.db.models.functions import Now

from analytics_automated.pipelines.models import Backend
from analytics_automated.pipelines.plans import Plan
from analytics_automated.runs.engine.limits import full_jobs, with_room
from analytics_automated.runs.models import Outlook, StepRun
from analytics_automated.runs.obstacles import NO_ROOM, Obstacle
from analytics_automated.runs.states import StepStatus
from analytics_automated.storage.room import storage_has_room
from analytics_automated.storage.statements import Statement

_SAID = Statement("""
SELECT backend, obstacle FROM runs_outlook WHERE told > {later[age]} AND backend {among[backends]}
""")
FORGOTTEN = dt.timedelta(hours=1)
"""What a worker said so long ago is of no interest."""


def tell(worker: str, backends: Collection[str], obstacles: Mapping[str, Obstacle]) -> None:
    """Say for a worker which of the Backends it can take up steps of."""
    rows = Outlook.objects.filter(worker=worker)
    before = dict(rows.values_list("backend", "obstacle"))
    for name in backends:
        obstacle = obstacles.get(name, "")
        if name not in before:
            made = {"obstacle": obstacle, "since": Now(), "told": Now()}
            Outlook.objects.get_or_create(backend=name, worker=worker, defaults=made)
        elif before[name] != obstacle:
            rows.filter(backend=name).update(obstacle=obstacle, since=Now(), told=Now())
    rows.filter(backend__in=backends).update(told=Now())
    if gone := set(before) - set(backends):
        rows.filter(backend__in=gone).delete()


def forget_workers() -> None:
    """Remove what workers said that have long been silent."""
    Outlook.objects.filter(told__lt=Now() - FORGOTTEN).exclude(worker="").delete()


def has_room_for(plan: Plan, more: int) -> bool:
    """Whether there is room for a Submission that sends `more` bytes: where these are stored, and for its steps on some
    worker of each of its Backends. What no worker speaks of counts as having room."""
    if not storage_has_room(more):
        return False
    if not settings.AA.min_free_work:
        return True
    backends = {task.backend for task in plan.tasks.values()}
    said: dict[str, set[str]] = {}
    for backend, obstacle in _SAID.rows(backends=sorted(backends), age=-Outlook.freshness()):
        said.setdefault(backend, set()).add(obstacle)
    return not any(obstacles <= NO_ROOM for obstacles in said.values())


def reason_to_wait(step_run: StepRun) -> str:
    """Why a QUEUED step is not run at once, as far as can be told; a sentence that holds nothing of the inside. Empty
    for a step that is not QUEUED."""
    if step_run.status != StepStatus.QUEUED:
        return ""
    if StepRun.objects.filter(pk=step_run.pk, not_before__gt=Now()).exists() and step_run.not_before is not None:
        return f"It waits to be tried again at {step_run.not_before:%H:%M:%S} (UTC)."
    backend = Backend.objects.filter(name=step_run.backend).first()
    if backend is None:
        return f"It waits: {Obstacle.GONE.sentence}."
    said = list(Outlook.objects.fresh().filter(backend=backend.name).values_list("obstacle", flat=True))
    if not said:
        return "It waits for a worker that serves its backend."
    if all(said):
        return f"It waits: {Obstacle(said[0]).sentence}."
    if not with_room([backend]):
        return "It waits, as its backend runs as many steps as it may."
    if step_run.opens and full_jobs({step_run.opens}):
        return "It waits, as its job runs as many submissions as it may."
    return "It waits for its turn."
