"""How Backends are."""

from django.db import models
from django.db.models.functions import Now


class HealthQuerySet(models.QuerySet["Health"]):
    """Sets of such rows."""

    def down(self) -> "HealthQuerySet":
        """Those of Backends that give no answer."""
        return self.filter(failing_since__isnull=False)


class Health(models.Model):
    """How a Backend is, as the worker found that looks after it. Times are the database's.

    One worker at a time looks after a Backend: it asks the place about all commands that it holds, for all workers.
    """

    backend = models.CharField(max_length=64, unique=True)
    worker = models.CharField(max_length=255, blank=True, help_text="Who looks after it.")
    kept_until = models.DateTimeField(default=Now, help_text="Then another worker may look after it.")
    answered = models.DateTimeField(null=True, help_text="When it last gave an answer.")
    failing_since = models.DateTimeField(null=True, help_text="Since when it gives none; empty: it answers.")
    error = models.TextField(blank=True, help_text="What was last wrong with it, for the operator.")
    failed = models.DateTimeField(null=True, help_text="When that was.")
    slots = models.PositiveIntegerField(null=True, help_text="Processors that it has.")
    running = models.PositiveIntegerField(null=True, help_text="Commands that run there, whosever they are.")
    waiting = models.PositiveIntegerField(null=True, help_text="Commands that wait there, whosever they are.")
    detail = models.TextField(blank=True, help_text="What else it says, for the operator.")

    objects = HealthQuerySet.as_manager()

    class Meta:
        ordering = ("backend",)
        verbose_name_plural = "health"

    def __str__(self) -> str:
        return f"{self.backend}: {'down' if self.failing_since else 'up'}"
