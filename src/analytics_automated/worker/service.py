"""What one worker process serves, and what it has under way."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from analytics_automated.runs import engine, execution
from analytics_automated.runs.voice import Progress
from analytics_automated.worker.identity import worker_name

logger = logging.getLogger(__name__)


class WorkerService:
    """The state of this process as a worker. Used from its pool's threads and from its own."""

    def __init__(self) -> None:
        self.name = worker_name()
        self.slots = 1
        self.queues: frozenset[str] = frozenset()
        self.follows = True
        """Whether queues that appear are served, too."""
        self._lock = threading.Lock()
        self._running: dict[int, execution.Running] = {}
        self._told: dict[int, tuple[int, Progress]] = {}
        """What the running commands last said, by step run. Of the worker's own thread alone."""
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
        with self._slot():
            claim = None if self.stopping() else engine.claim(step_run_id, self.name, self.queues) or self._best()
            while claim is not None:
                claim = self._next(self._run(claim))

    def tell_progress(self) -> None:
        """Keep how far the running commands say that they are, of those that say something new."""
        with self._lock:
            running = dict(self._running)
        self._told = {key: told for key, told in self._told.items() if key in running}
        for key, each in running.items():
            progress = each.progress()
            if progress is not None and self._told.get(key) != (each.attempt, progress):
                engine.tell_progress(key, each.attempt, progress.value, progress.text)
                self._told[key] = (each.attempt, progress)

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
            running = list(self._running.values())
        for each in running:
            _end(each)

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

        def started(running: execution.Running) -> None:
            with self._lock:
                self._running[key] = running
            if self._is_out_of_time:  # its files took so long to be laid out that the others have been ended already
                _end(running)

        try:
            return [step_run.pk for step_run in execution.run(claim, started, self.stopping)]
        finally:
            with self._lock:
                self._running.pop(key, None)


def _end(running: execution.Running) -> None:
    logger.warning("a step goes back into the queue, as its worker stops", extra={"handle": running.handle})
    running.executor.cancel([running.handle])


service = WorkerService()
"""This process's own."""
