"""What workers say of Backends."""

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class OutlookQuerySet(models.QuerySet["Outlook"]):
    """Sets of such rows."""

    def fresh(self) -> "OutlookQuerySet":
        """Those of workers that spoke a moment ago."""
        return self.filter(told__gt=Now() - Outlook.freshness())


class Outlook(models.Model):
    """Whether a worker can take up steps of a Backend, as it last said. Times are the database's."""

    backend = models.CharField(max_length=64)
    worker = models.CharField(max_length=255, blank=True, help_text="Empty: beat, of a backend that is gone.")
    obstacle = models.CharField(max_length=16, blank=True, help_text="Why it cannot; empty: it can.")
    since = models.DateTimeField(help_text="Since when it is so.")
    told = models.DateTimeField()

    objects = OutlookQuerySet.as_manager()

    class Meta:
        ordering = ("backend", "worker")
        verbose_name_plural = "outlook"
        constraints = [models.UniqueConstraint(fields=["backend", "worker"], name="one_outlook_per_worker")]

    def __str__(self) -> str:
        return f"{self.backend}: {self.obstacle or 'ready'}"

    @staticmethod
    def freshness() -> dt.timedelta:
        """For how long counts what a worker said."""
        return dt.timedelta(seconds=3 * settings.AA.reconcile_interval + 5)
