"""The runs of a scattered Step, counted."""

import datetime as dt

from django.db import models

from analytics_automated.runs.models.submission import Submission
from analytics_automated.runs.states import StepStatus


class Scatter(models.Model):
    """How far one scattered Step of one Submission is, from when its items are known. Written under the Submission's
    lock whenever one of its StepRuns ends, so that nobody need look at all of them."""

    PROGRESS = (
        *("released", "complete", "skipped", "failed", "cancelled", "failure", "status", "message", "cause"),
        *("exit_code", "started", "finished"),
    )
    """What changes when an item ends."""

    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="scatters")
    step = models.CharField(max_length=64)
    total = models.PositiveIntegerField(help_text="Items.")
    released = models.PositiveIntegerField(help_text="The last item that was queued; those behind it wait their turn.")
    complete = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0, help_text="By ERROR or CRASH.")
    cancelled = models.PositiveIntegerField(default=0)
    failure = models.CharField(max_length=16, blank=True, help_text="ERROR where any item is, else CRASH, if one is.")
    status = models.CharField(max_length=16, blank=True, help_text="Of the step, once that is decided.")
    message = models.CharField(max_length=2000, blank=True, help_text="For the caller; of the first failure at first.")
    cause = models.CharField(max_length=32, blank=True, help_text="Of the first failure.")
    exit_code = models.IntegerField(null=True, help_text="Of the first failure.")
    started = models.DateTimeField(null=True, help_text="When the first of the items that have ended began.")
    finished = models.DateTimeField(null=True)

    class Meta:
        ordering = ("submission", "pk")
        constraints = [models.UniqueConstraint(fields=["submission", "step"], name="one_scatter_per_step")]

    def __str__(self) -> str:
        return f"{self.submission_id}/{self.step}: {self.ended} of {self.total}"

    @property
    def ended(self) -> int:
        """Items in which nothing more happens."""
        return self.complete + self.skipped + self.failed + self.cancelled

    @property
    def unfinished(self) -> int:
        """Items that have not ended."""
        return self.total - self.ended

    def count(self, status: StepStatus, items: int = 1) -> None:
        """Count items that have ended with that status."""
        match status:
            case StepStatus.COMPLETE:
                self.complete += items
            case StepStatus.SKIPPED:
                self.skipped += items
            case StepStatus.CANCELLED:
                self.cancelled += items
            case _:
                self.failed += items

    def close(self, now: dt.datetime) -> None:
        """Give the step its last status, if all its items have ended: what was decided already, else CANCELLED where
        any item is, COMPLETE where any is, and a failure where all failed."""
        if self.unfinished:
            return
        self.finished = now
        if self.status:
            return
        if self.cancelled:
            self.status = StepStatus.CANCELLED
        elif self.complete:
            self.status = StepStatus.COMPLETE
        else:
            self.status = self.failure or StepStatus.SKIPPED

    def begin_again(self, items: int) -> None:
        """Take back the items that failed, or were cancelled, as they are to be run again: so many."""
        assert items == self.failed + self.cancelled  # noqa: S101 -- else the counters were wrong
        self.failed = self.cancelled = self.released = 0
        self.failure = self.status = self.message = self.cause = ""
        self.exit_code = self.finished = None
