"""One call of a Job with a user's data."""

import uuid

from django.db import models

from analytics_automated.pipelines.models import Job, Snapshot
from analytics_automated.runs.states import LIVE_SUBMISSIONS, TERMINAL_SUBMISSIONS, SubmissionStatus
from analytics_automated.storage.models import Blob


class SubmissionQuerySet(models.QuerySet["Submission"]):
    """Sets of Submissions."""

    def in_progress(self) -> "SubmissionQuerySet":
        """Those that have not ended."""
        return self.filter(status__in=LIVE_SUBMISSIONS)

    def ended(self) -> "SubmissionQuerySet":
        """Those in which nothing more happens by itself."""
        return self.filter(status__in=TERMINAL_SUBMISSIONS)


class Submission(models.Model):
    """One call of a Job with a user's data. It never changes under the user: all that it needs is its snapshot."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="submissions")
    job_name = models.CharField(max_length=64)
    job_version = models.CharField(max_length=64, blank=True)
    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="submissions")
    name = models.CharField(max_length=255, blank=True, help_text="The caller's own name of it.")
    email = models.EmailField(blank=True)
    webhook = models.URLField(max_length=1000, blank=True)
    caller = models.BigIntegerField(default=0, help_text="Who sent it, as a keyed hash; 0: nobody in particular.")
    priority = models.SmallIntegerField(default=0, help_text="Higher ones go first; the operator sets it.")
    parameters = models.JSONField(default=dict, help_text="All values, defaults included, by public name.")
    status = models.CharField(
        max_length=16, choices=[(each.value, each.value) for each in SubmissionStatus], default="SUBMITTED"
    )
    message = models.CharField(max_length=2000, blank=True, help_text="For the caller.")
    cause = models.CharField(max_length=32, blank=True)
    stopped_step = models.CharField(max_length=64, blank=True)
    stopped_message = models.CharField(max_length=2000, blank=True)
    verdict = models.CharField(max_length=16, blank=True, help_text="How it will end, once all its steps have.")
    unfinished = models.PositiveIntegerField(help_text="StepRuns that have not ended.")
    created = models.DateTimeField()
    started = models.DateTimeField(null=True)
    finished = models.DateTimeField(null=True)
    expires = models.DateTimeField(null=True)
    deleted = models.DateTimeField(null=True, help_text="When its caller deleted it.")
    erased = models.BooleanField(default=False, help_text="Nothing personal is left of it.")

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        ordering = ("-created",)
        indexes = [
            models.Index(fields=["-created"], name="submission_by_age"),
            models.Index(fields=["job_name", "-created"], name="submission_by_job"),
            models.Index(
                fields=["caller", "job_name"],
                name="submission_in_progress",
                condition=models.Q(status__in=LIVE_SUBMISSIONS),
            ),
            models.Index(
                fields=["job_name"], name="submission_running", condition=models.Q(status=SubmissionStatus.RUNNING)
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_terminal(self) -> bool:
        """True where nothing more will happen."""
        return self.status in TERMINAL_SUBMISSIONS


class SubmissionInput(models.Model):
    """A file that a user sent."""

    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="inputs")
    name = models.CharField(max_length=64, help_text="The Job's input.")
    position = models.PositiveIntegerField(default=0)
    file = models.CharField(max_length=255, help_text="The user's name of the file: data, never a path.")
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="inputs")

    class Meta:
        ordering = ("submission", "pk")
        constraints = [
            models.UniqueConstraint(fields=["submission", "name", "position"], name="one_file_per_input_and_position")
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.file}"
