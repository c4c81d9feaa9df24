"""Looking after the Backends whose commands run elsewhere: one thread for each, in one worker at a time.

It asks the scheduler about all its commands at once, passes on what is to be cancelled, and records what has ended.
What it knows is in the database and beside the work folders: another worker can go on at any moment.
"""

import logging
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.db import connection

from analytics_automated.executors.base import BackendUnavailable, Executor, Outcome
from analytics_automated.executors.registry import executor_names
from analytics_automated.pipelines.models import Backend
from analytics_automated.runs import engine, health
from analytics_automated.runs.backends import executor_of
from analytics_automated.runs.concluding import conclude_elsewhere
from analytics_automated.runs.dispatch import announce
from analytics_automated.runs.engine import HandedOver
from analytics_automated.runs.engine.serving import served
from analytics_automated.runs.outages import is_outage, release_connection, tell_outage
from analytics_automated.runs.workdirs import work_folder
from analytics_automated.worker.janitor import abandoned
from analytics_automated.worker.service import service

logger = logging.getLogger(__name__)
LOOK_SECONDS = 0.5
"""How often the database is asked for what is to be cancelled."""
AGAIN_SECONDS = 5.0
"""After which the scheduler is told once more to cancel what it has not ended."""
FOLLOW_SECONDS = 2.0
"""How soon a Backend that appears is looked after."""
GATHERERS = 2
"""Ended commands whose results are stored at once, of one Backend."""


class Poller(threading.Thread):
    """Looks after one Backend, as long as this worker is the one to do it."""

    def __init__(self, backend: str) -> None:
        super().__init__(name=f"poller {backend}", daemon=True)
        self._backend = backend
        self._stopped = threading.Event()
        self._told: dict[tuple[int, int], float] = {}
        self._concluding: set[tuple[int, int]] = set()
        self._due: dict[str, float] = {}
        self._pool = ThreadPoolExecutor(GATHERERS, thread_name_prefix=f"gatherer {backend}")

    def stop(self) -> None:
        """End soon."""
        self._stopped.set()

    def run(self) -> None:
        """Look after the Backend until stopped."""
        try:
            while not self._stopped.wait(LOOK_SECONDS):
                try:
                    self._look()
                except Exception as error:
                    if is_outage(error):
                        tell_outage(error)
                    else:
                        logger.exception("a backend cannot be looked after", extra={"backend": self._backend})
                        connection.close()
        finally:
            self._pool.shutdown(wait=False, cancel_futures=True)
            connection.close()

    def _look(self) -> None:
        backend = Backend.objects.select_related("queue_type").filter(name=self._backend).first()
        if backend is None or not health.look_after(backend.name, service.name, settings.AA.lease_seconds / 3):
            return
        try:
            executor = executor_of(backend)
            self._attend(backend, executor)
        except BackendUnavailable as error:
            if health.tell_failure(backend.name, str(error)):
                logger.error("a backend gives no answer", extra={"backend": backend.name, "reason": str(error)})

    def _attend(self, backend: Backend, executor: Executor) -> None:
        steps = engine.handed_over(backend.name)
        self._cancel(executor, [each for each in steps if each.is_to_end])
        if self._is_due("poll", executor.poll_seconds):
            self._poll(backend, executor, [each for each in steps if each.key not in self._concluding])
            self._adopt(backend, executor)
        if self._is_due("check", settings.AA.reconcile_interval):
            self._check(backend, executor)
        if self._is_due("orphans", settings.AA.lease_seconds):
            present = executor.present()
            executor.cancel([present[attempt] for attempt in abandoned(present)])

    def _check(self, backend: Backend, executor: Executor) -> None:
        if health.tell_condition(backend.name, executor.check()):
            logger.info("a backend answers again", extra={"backend": backend.name})
            service.reconcile()

    def _is_due(self, what: str, every: float) -> bool:
        """True at most once in so many seconds; what fails is due again at once."""
        now = time.monotonic()
        if now < self._due.get(what, 0.0):
            return False
        self._due[what] = now + every
        return True

    def _cancel(self, executor: Executor, steps: Iterable[HandedOver]) -> None:
        now = time.monotonic()
        due = [each for each in steps if now - self._told.get(each.key, -AGAIN_SECONDS) >= AGAIN_SECONDS]
        if due:
            executor.cancel([each.handle for each in due])
            self._told = {key: at for key, at in self._told.items() if now - at < AGAIN_SECONDS}
            self._told |= dict.fromkeys((each.key for each in due), now)
            self._due["poll"] = 0.0

    def _poll(self, backend: Backend, executor: Executor, steps: list[HandedOver]) -> None:
        if not steps:
            return
        polled = executor.poll([each.handle for each in steps])
        for each in steps:
            if each.handle in polled.outcomes:
                self._concluding.add(each.key)
                self._pool.submit(self._conclude, backend, each, polled.outcomes[each.handle])
            elif each.handle in polled.running and not each.is_running:
                engine.begin(each.step_run, each.attempt)

    def _conclude(self, backend: Backend, step: HandedOver, outcome: Outcome) -> None:
        try:
            announce(conclude_elsewhere(step, backend, outcome), None)
        except Exception as error:
            if is_outage(error):
                tell_outage(error)  # the outcome is still there at the next poll
            else:
                logger.exception("the end of a step could not be recorded", extra={"backend": backend.name})
        finally:
            self._concluding.discard(step.key)
            connection.close()

    def _adopt(self, backend: Backend, executor: Executor) -> None:
        """Find what was handed over by workers that died before they could write that down."""
        expired = {each.attempt_name: each for each in engine.unsaved([backend.name])}
        if not expired:
            return
        found = executor.find({name: work_folder(backend, name).state for name in expired})
        for name, step_run in expired.items():
            if name in found and engine.adopt(step_run, found[name]):
                logger.warning("a step is found with its scheduler", extra={"attempt": name})
            elif name not in found:
                engine.lose(step_run, only_expired=True)


def start_pollers() -> None:
    """Look after the Backends that this worker serves, also those that appear; it ends with the process."""
    threading.Thread(target=_keep_pollers, name="pollers", daemon=True).start()


def _keep_pollers() -> None:
    pollers: dict[str, Poller] = {}
    due = 0.0
    while True:
        try:
            known = [each for each in served(service.queues) if each.queue_type.executor in executor_names()]
            scheduled = {each.name for each in known if not executor_of(each).attended}
            for name in scheduled - set(pollers):
                pollers[name] = Poller(name)
                pollers[name].start()
            for name in set(pollers) - scheduled:
                pollers.pop(name).stop()
            if time.monotonic() >= due:
                due = time.monotonic() + settings.AA.reconcile_interval
                for backend in known:
                    if backend.name not in scheduled:
                        _check_attended(backend)
        except Exception as error:
            if is_outage(error):
                tell_outage(error)
            else:
                logger.exception("the backends cannot be looked after")
                connection.close()
        release_connection()
        time.sleep(FOLLOW_SECONDS)


def _check_attended(backend: Backend) -> None:
    """How this machine is, as a place where commands run; told by one of the workers."""
    if not health.look_after(backend.name, service.name, 2 * settings.AA.reconcile_interval):
        return
    try:
        health.tell_condition(backend.name, executor_of(backend).check())
    except BackendUnavailable as error:
        if health.tell_failure(backend.name, str(error)):
            logger.error("commands cannot be run here", extra={"backend": backend.name, "reason": str(error)})
