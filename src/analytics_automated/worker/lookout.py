"""What keeps this worker from its Backends: looked at while it works, and told to all."""

import logging
import threading
import time
from collections.abc import Collection, Mapping

from django.conf import settings

from analytics_automated.pipelines.models import Backend
from analytics_automated.runs.obstacles import Obstacle, find_obstacles
from analytics_automated.runs.outlook import tell

logger = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
"""How old may be what is known of disks."""


class Lookout:
    """Used from the worker's threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._looked: float | None = None
        self._backends: frozenset[str] = frozenset()
        self._obstacles: Mapping[str, Obstacle] = {}
        self._told: Mapping[str, Obstacle] = {}
        self._told_at: float | None = None

    def obstacles(self, queues: Collection[str]) -> Mapping[str, Obstacle]:
        """What keeps this process from Backends with these queues, by name."""
        with self._lock:
            if self._looked is None or time.monotonic() - self._looked > LOOK_SECONDS:
                backends = list(Backend.objects.select_related("queue_type").filter(queue_type__name__in=queues))
                self._backends = frozenset(each.name for each in backends)
                self._obstacles = find_obstacles(backends)
                self._looked = time.monotonic()
            return self._obstacles

    def report(self, worker: str, queues: Collection[str]) -> bool:
        """Tell what is so, at once where it changed and else from time to time; True where something has gone that
        stood in the way."""
        found = self.obstacles(queues)
        now = time.monotonic()
        has_changed = found != self._told
        if has_changed or self._told_at is None or now - self._told_at >= settings.AA.reconcile_interval:
            tell(worker, self._backends, found)
            for name in set(found) - set(self._told):
                logger.warning("steps of a backend wait: %s", found[name].sentence, extra={"backend": name})
            is_freed = bool(set(self._told) - set(found))
            self._told, self._told_at = found, now
            return is_freed
        return False
