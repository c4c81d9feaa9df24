"""The history of a Submission."""

from django.db import models

from analytics_automated.runs.models.submission import Submission


class Event(models.Model):
    """An append-only line of a Submission's history: something took on a status."""

    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="events")
    time = models.DateTimeField()
    step = models.CharField(max_length=64, blank=True, help_text="None: the Submission as a whole.")
    item = models.PositiveIntegerField(default=0)
    attempt = models.PositiveIntegerField(null=True)
    status = models.CharField(max_length=16)
    message = models.CharField(max_length=2000, blank=True, help_text="For the caller.")

    class Meta:
        ordering = ("submission", "pk")

    def __str__(self) -> str:
        return f"{self.time:%H:%M:%S} {self.step or 'submission'} {self.status}"
