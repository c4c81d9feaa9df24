"""What one worker process serves, and what it has under way."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings

from analytics_automated.runs import engine, execution
from analytics_automated.runs.outages import until_next_time
from analytics_automated.runs.voice import Progress
from analytics_automated.worker.identity import worker_name

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
        self.follows = True
        """Whether queues that appear are served, too."""
        self._lock = threading.Lock()
        self._charges: dict[int, Charge] = {}
        """By primary key of the step run."""
        self._busy = 0
        self._stopping = threading.Event()
        self._is_out_of_time = False

    @property
    def free_slots(self) -> int:
        """Steps that could be taken up now."""
        return 0 if self.stopping() else max(0, self.slots - self._busy)

    def stopping(self) -> bool:
        """True once the worker was told to stop: it takes up nothing new."""
        return self._stopping.is_set()

    def serve(self, step_run_id: int) -> None:
        """Look: take up the step that the message names, else the best one, and go on until there is none."""
        with self._slot(), until_next_time():
            claim = None if self.stopping() else engine.claim(step_run_id, self.name, self.queues) or self._best()
            while claim is not None:
                claim = self._next(self._run(claim))

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
        """Take up nothing new; after `grace` seconds end what runs, which then goes back into the queue."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        timer = threading.Timer(grace, self._end_all)
        timer.daemon = True
        timer.start()

    def _end_all(self) -> None:
        with self._lock:
            self._is_out_of_time = True
            charges = list(self._charges.values())
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
        return None if self.stopping() else engine.claim_best(self.name, self.queues)

    def _next(self, ready: list[int]) -> engine.Claim | None:
        """A step that just became ready goes first: what was begun is ended before something new is begun."""
        if self.stopping():
            return None
        claims = (engine.claim(step_run_id, self.name, self.queues) for step_run_id in ready)
        return next((claim for claim in claims if claim is not None), None) or self._best()

    def _run(self, claim: engine.Claim) -> list[int]:
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
            return [step_run.pk for step_run in execution.run(claim, started)]
        finally:
            with self._lock:
                self._charges.pop(key, None)


service = WorkerService()
"""This process's own."""
