"""The Celery tasks: what a message can ask for."""

from celery import shared_task

from analytics_automated.runs import engine
from analytics_automated.runs.dispatch import LOOK
from analytics_automated.runs.outages import until_next_time
from analytics_automated.runs.outlook import forget_workers
from analytics_automated.storage.sweeping import sweep_blobs
from analytics_automated.worker.service import service


@shared_task(name=LOOK)
def look(step_run_id: int, hops: int = 0) -> None:
    """There is something to do, such as this step."""
    service.serve(step_run_id, hops)


@shared_task(name="aa.reconcile")
def reconcile() -> None:
    """End what can never run, or runs nowhere any more."""
    with until_next_time():
        engine.lose_expired()
        engine.crash_homeless()
        forget_workers()


@shared_task(name="aa.sweep")
def sweep() -> None:
    """Remove what was deleted, and bytes that nothing names."""
    with until_next_time():
        engine.erase_deleted()
        sweep_blobs()
