"""How Backends are: who looks after each, and what was found."""

import datetime as dt

from django.db.models import Q
from django.db.models.functions import Coalesce, Now

from analytics_automated.executors.base import Condition
from analytics_automated.runs.models import Health

LONGEST_ERROR = 2000
"""Characters of what a place says that are kept."""


def look_after(backend: str, worker: str, seconds: float) -> bool:
    """Try to be who looks after the Backend for the next `seconds`; False where another worker is."""
    Health.objects.get_or_create(backend=backend)
    until = Now() + dt.timedelta(seconds=seconds)
    free = Health.objects.filter(Q(worker=worker) | Q(kept_until__lte=Now()), backend=backend)
    return bool(free.update(worker=worker, kept_until=until))


def tell_condition(backend: str, condition: Condition) -> bool:
    """The Backend has answered; True where it did not before."""
    rows = Health.objects.filter(backend=backend)
    was_down = rows.down().exists()
    rows.update(
        answered=Now(),
        failing_since=None,
        slots=condition.slots,
        running=condition.running,
        waiting=condition.waiting,
        detail=condition.detail[:LONGEST_ERROR],
    )
    return was_down


def tell_failure(backend: str, error: str) -> bool:
    """The Backend has given no answer; True where it did before."""
    before, _ = Health.objects.get_or_create(backend=backend)
    failing_since = Coalesce("failing_since", Now())
    Health.objects.filter(pk=before.pk).update(failing_since=failing_since, error=error[:LONGEST_ERROR], failed=Now())
    return before.failing_since is None


def down_backends() -> frozenset[str]:
    """The Backends that give no answer at present: their steps wait."""
    return frozenset(Health.objects.down().values_list("backend", flat=True))
