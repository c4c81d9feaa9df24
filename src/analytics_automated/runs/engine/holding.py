"""Leases: until when a running step is its worker's."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models.functions import Now

from analytics_automated.runs.models import StepRun
from analytics_automated.runs.states import StepStatus


def lease_end() -> Any:
    """The end of a lease that begins now, by the database's clock: those of workers may differ."""
    return Now() + lease_length()


def lease_length() -> dt.timedelta:
    """How long a lease is."""
    return dt.timedelta(seconds=settings.AA.lease_seconds)


@dataclass(frozen=True, slots=True)
class Held:
    """What became of the steps that a worker asked about, by primary key."""

    lost: frozenset[int]
    """They are the worker's no more: whatever it does for them will not be written."""
    cancelled: frozenset[int]
    """They are to be ended."""


def hold(worker: str, running: Mapping[int, int], *, extend: bool) -> Held:
    """Ask about the steps that this worker runs, each with its attempt; with `extend` their leases begin anew."""
    rows = StepRun.objects.filter(pk__in=running, worker=worker, status=StepStatus.RUNNING)
    if extend and running:
        rows.update(leased_until=lease_end())
    found = {pk: (attempt, cancelling) for pk, attempt, cancelling in rows.values_list("pk", "attempt", "cancelling")}
    mine = {pk for pk, attempt in running.items() if pk in found and found[pk][0] == attempt}
    return Held(frozenset(set(running) - mine), frozenset(pk for pk in mine if found[pk][1]))
