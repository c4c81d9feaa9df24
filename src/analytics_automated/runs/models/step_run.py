"""One Step of one Submission."""

from typing import Any

from django.db import models
from django.db.models.functions import Now

from analytics_automated.pipelines.plans import FORMAT
from analytics_automated.runs.models.submission import Submission
from analytics_automated.runs.states import StepStatus, SubmissionStatus
from analytics_automated.storage.models import Blob


class StepRunQuerySet(models.QuerySet["StepRun"]):
    """Sets of StepRuns."""

    def ready(self) -> "StepRunQuerySet":
        """Those that a worker of this version may take up; `engine.choosing` says which of them is the best."""
        due = models.Q(not_before__isnull=True) | models.Q(not_before__lte=Now())
        return self.filter(due, status=StepStatus.QUEUED, taken=False, format=FORMAT)

    def handed_over(self) -> "StepRunQuerySet":
        """Those that a scheduler has: no worker stays with them, so that they have no lease."""
        status = (StepStatus.QUEUED, StepStatus.RUNNING)
        return self.filter(taken=True, leased_until__isnull=True, status__in=status, format=FORMAT)

    def expired(self) -> "StepRunQuerySet":
        """Those whose worker has not said for a whole lease that it still runs them, and of which this version knows
        what follows."""
        return self.filter(status=StepStatus.RUNNING, leased_until__lt=Now(), format=FORMAT)

    def heads(self) -> "StepRunQuerySet":
        """One of each Step: of a scattered one the first item."""
        return self.filter(item__lte=1)


class StepRun(models.Model):
    """One Step of one Submission (of a scattered Step, one item of it)."""

    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="step_runs")
    step = models.CharField(max_length=64)
    item = models.PositiveIntegerField(
        default=0, help_text="Of a scattered Step, counted from 1; 0: the Step does not scatter, or has not yet."
    )
    item_name = models.CharField(max_length=255, blank=True, help_text="The item's own folder: index-stem.")
    item_blob = models.ForeignKey(
        Blob,
        null=True,
        on_delete=models.PROTECT,
        related_name="items",
        db_index=False,
        help_text="The item's file.",
    )
    position = models.PositiveIntegerField(help_text="The Step's place in the Job.")
    task = models.CharField(max_length=64)
    backend = models.CharField(max_length=64, help_text="By name: it is looked up when the step is taken up.")
    caller = models.BigIntegerField(default=0, help_text="The Submission's.")
    priority = models.SmallIntegerField(default=0, help_text="The Submission's.")
    entered = models.DateTimeField(help_text="When the Submission was made: the older goes first.")
    opens = models.CharField(
        max_length=64, blank=True, help_text="The Job whose Submission it would begin; empty once that has begun."
    )
    format = models.PositiveSmallIntegerField(default=FORMAT, help_text="The snapshot's.")
    status = models.CharField(max_length=16, choices=[(each.value, each.value) for each in StepStatus])
    waiting = models.PositiveIntegerField(help_text="Steps, or other items, that must end before; 0: ready.")
    attempt = models.PositiveIntegerField(default=0, help_text="Number of the latest Attempt.")
    taken = models.BooleanField(default=False, help_text="A worker has taken it up, or a scheduler has it.")
    worker = models.CharField(max_length=255, blank=True)
    leased_until = models.DateTimeField(null=True, help_text="Its worker's, by the database's clock; then it is lost.")
    cancelling = models.BooleanField(default=False, help_text="Its worker is to end it.")
    queued = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True, help_text="Tried again then, and not earlier.")
    tries = models.PositiveIntegerField(default=0, help_text="Attempts that failed and were tried again.")
    started = models.DateTimeField(null=True)
    finished = models.DateTimeField(null=True)
    exit_code = models.IntegerField(null=True)
    cause = models.CharField(max_length=32, blank=True)
    message = models.CharField(max_length=2000, blank=True, help_text="For the caller.")
    progress = models.FloatField(null=True, help_text="From 0 to 1, as the running command says.")
    progress_text = models.CharField(max_length=200, blank=True)

    objects = StepRunQuerySet.as_manager()

    class Meta:
        ordering = ("submission", "position", "item")
        constraints = [models.UniqueConstraint(fields=["submission", "step", "item"], name="one_run_per_step_and_item")]
        indexes = [  # but for the last, of what is live alone: they stay small, however much has ended
            models.Index(
                fields=["backend", "-priority", "entered", "id"],
                name="step_run_by_age",
                condition=models.Q(status=StepStatus.QUEUED, taken=False),
            ),
            models.Index(
                fields=["backend", "priority", "caller", "opens", "entered", "id"],
                name="step_run_by_caller",
                condition=models.Q(status=StepStatus.QUEUED, taken=False),
            ),
            models.Index(fields=["caller", "backend"], name="step_run_running", condition=models.Q(taken=True)),
            models.Index(fields=["submission"], name="step_run_at_work", condition=models.Q(taken=True)),
            models.Index(fields=["item_blob"], name="step_run_item", condition=models.Q(item_blob__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.submission_id}/{self.step}{f'/{self.item_name}' if self.item else ''}"

    @classmethod
    def of(cls, submission: Submission, **fields: Any) -> "StepRun":
        """A run of one of the Submission's Steps, with all that its rank depends on; not saved yet."""
        return cls(
            submission=submission,
            caller=submission.caller,
            priority=submission.priority,
            entered=submission.created,
            format=submission.snapshot.format,
            opens=submission.job_name if submission.status == SubmissionStatus.SUBMITTED else "",
            **fields,
        )

    @property
    def attempt_name(self) -> str:
        """Name of the latest attempt, unique among all installations: its folder, files and processes carry it."""
        return f"{self.submission_id.hex}-{self.pk}.{self.attempt}"
