"""What one worker process serves, and what it has under way."""

import datetime as dt
import logging
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings

from analytics_automated.runs import engine, execution
from analytics_automated.runs.dispatch import announce, pass_on
from analytics_automated.runs.models import StepRun
from analytics_automated.runs.outages import until_next_time
from analytics_automated.runs.voice import Progress
from analytics_automated.worker.identity import worker_name
from analytics_automated.worker.lookout import Lookout

logger = logging.getLogger(__name__)


@dataclass
class Charge:
    """A step that this worker has taken up and not yet ended."""

    attempt: int
    held_since: float
    """When its lease began, or a moment before, by the monotonic clock."""
    running: execution.Running | None = None
    """Its command, from its start on."""
    told: Progress | None = None
    """What its command last said."""
    is_to_end: bool = False

    def end(self) -> None:
        """Have its command ended, now or as soon as it has started."""
        if not self.is_to_end:
            self.is_to_end = True
            if self.running is not None:
                self.running.executor.cancel([self.running.handle])


class WorkerService:
    """The state of this process as a worker. Used from its pool's threads and from its own."""

    def __init__(self) -> None:
        self.name = worker_name()
        self.slots = 1
        self.queues: frozenset[str] = frozenset()
        self.priorities = engine.ALL_PRIORITIES
        self.lookout = Lookout()
        self.follows = True
        """Whether queues that appear are served, too."""
        self._lock = threading.Lock()
        self._charges: dict[int, Charge] = {}
        """By primary key of the step run."""
        self._busy = 0
        self._stopping = threading.Event()
        self._hurried = threading.Event()
        self._is_out_of_time = False

    @property
    def free_slots(self) -> int:
        """Steps that could be taken up now."""
        return 0 if self.stopping() else max(0, self.slots - self._busy)

    def stopping(self) -> bool:
        """True once the worker was told to stop: it takes up nothing new."""
        return self._stopping.is_set()

    def serve(self, step_run_id: int, hops: int = 0) -> None:
        """Look: take up the best step, which is the one that the message names where nothing goes before it, and go on
        until there is none.

        A message about a step that is not for this worker is passed on: it has been `hops` times.
        """
        with self._slot(), until_next_time():
            claim = self._best()
            if self._is_for_others(step_run_id):
                pass_on(step_run_id, hops)
            while claim is not None:
                made_ready = self._run(claim)
                claim = self._go_on(made_ready)
            if self.stopping():
                self._leave_to_others()

    def keep(self) -> None:
        """Ask, in one query for all steps, what became of them: their leases go on, and what was cancelled or given to
        another worker is ended."""
        charges = self._all()
        if not charges:
            return
        now = time.monotonic()
        extend = any(now - each.held_since > settings.AA.lease_seconds / 3 for each in charges.values())
        held = engine.hold(self.name, {key: each.attempt for key, each in charges.items()}, extend=extend)
        for key, charge in charges.items():
            if key in held.lost or key in held.cancelled:
                charge.end()
            elif extend:
                charge.held_since = now

    def end_what_may_be_lost(self) -> None:
        """End the steps whose lease could not be extended in time: another worker may have them soon."""
        latest = time.monotonic() - settings.AA.lease_seconds * 0.8
        for charge in self._all().values():
            if charge.held_since < latest and not charge.is_to_end:
                logger.error("a step is ended, as its lease could not be extended", extra={"attempt": charge.attempt})
                charge.end()

    def tell_progress(self) -> None:
        """Keep how far the running commands say that they are, of those that say something new."""
        for key, charge in self._all().items():
            progress = charge.running.progress() if charge.running is not None else None
            if progress is not None and progress != charge.told:
                engine.tell_progress(key, charge.attempt, progress.value, progress.text)
                charge.told = progress

    def stop(self, grace: float) -> None:
        """Take up nothing new; after `grace` seconds end what runs, which then goes back into the queue. Called again,
        end it now."""
        if self.stopping():
            self._hurried.set()
            return
        self._stopping.set()
        threading.Thread(target=self._wind_up, args=(grace,), name="wind-up", daemon=True).start()

    def _wind_up(self, grace: float) -> None:
        logger.info("this worker stops", extra={"running": len(self._all()), "seconds": grace})
        self._hurried.wait(grace)
        self._end_all()

    def _end_all(self) -> None:
        with self._lock:
            self._is_out_of_time = True
            charges = [each for each in self._charges.values() if not each.is_to_end]
        for charge in charges:
            logger.warning("a step goes back into the queue, as its worker stops", extra={"attempt": charge.attempt})
            charge.end()

    def _all(self) -> dict[int, Charge]:
        with self._lock:
            return dict(self._charges)

    @contextmanager
    def _slot(self) -> Iterator[None]:
        with self._lock:
            self._busy += 1
        try:
            yield
        finally:
            with self._lock:
                self._busy -= 1

    def _best(self) -> engine.Claim | None:
        if self.stopping():
            return None
        obstacles = self.lookout.obstacles(self.queues)
        return engine.claim_best(self.name, self.queues, priorities=self.priorities, without=obstacles)

    def _go_on(self, made_ready: Collection[StepRun]) -> engine.Claim | None:
        """Take up the best step, and tell others of those that this worker has just made ready and leaves to them."""
        claim = None
        try:
            claim = self._best()
        finally:
            announce(made_ready, claim.backend.name if claim else None)
        return claim

    def _is_for_others(self, step_run_id: int) -> bool:
        """Whether the step is ready, but this worker does not serve its priority, or something keeps it from its
        Backend."""
        obstacles = self.lookout.obstacles(self.queues)
        if not obstacles and self.priorities == engine.ALL_PRIORITIES:
            return False
        found = StepRun.objects.ready().filter(pk=step_run_id).first()
        return found is not None and (found.backend in obstacles or found.priority not in self.priorities)

    def report(self) -> None:
        """Tell what keeps this worker from its Backends, and have steps looked for that waited for something which is
        no more in the way."""
        if self.lookout.report(self.name, self.queues):
            self.reconcile()

    def reconcile(self) -> None:
        """Have steps looked for that nobody was told of."""
        obstacles = self.lookout.obstacles(self.queues)
        engine.reconcile(self.queues, self.free_slots, priorities=self.priorities, without=obstacles)

    def _leave_to_others(self) -> None:
        """Have others look for the best step: nobody was told of the one that this worker was told of, or has just made
        ready and would go on with."""
        obstacles = self.lookout.obstacles(self.queues)
        engine.reconcile(self.queues, 1, priorities=self.priorities, without=obstacles, since=dt.timedelta(0))

    def _run(self, claim: engine.Claim) -> list[StepRun]:
        key = claim.step_run.pk
        charge = Charge(claim.step_run.attempt, time.monotonic())

        def started(running: execution.Running) -> None:
            charge.running = running
            if charge.is_to_end:  # told so while its files were laid out
                running.executor.cancel([running.handle])

        with self._lock:
            self._charges[key] = charge
            charge.is_to_end = self._is_out_of_time
        try:
            return execution.run(claim, started)
        finally:
            with self._lock:
                self._charges.pop(key, None)


service = WorkerService()
"""This process's own."""
