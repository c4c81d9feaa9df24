"""Files that came of a Submission."""

from django.db import models

from analytics_automated.runs.models.step_run import StepRun
from analytics_automated.runs.models.submission import Submission
from analytics_automated.storage.models import Blob


class ResultQuerySet(models.QuerySet["Result"]):
    """Sets of Results."""

    def public(self) -> "ResultQuerySet":
        """Those that the caller gets."""
        return self.exclude(name="")


class Result(models.Model):
    """A file that a StepRun produced and that was asked for, by later steps or (with a name) by the caller."""

    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="results")
    step_run = models.ForeignKey(StepRun, on_delete=models.CASCADE, related_name="results")
    step = models.CharField(max_length=64)
    output = models.CharField(max_length=64)
    position = models.PositiveIntegerField(default=0)
    name = models.CharField(max_length=130, blank=True, help_text="Public name; none: the caller does not get it.")
    file = models.CharField(
        max_length=500, help_text="The file's own name, in a folder for an item of a scattered Step."
    )
    many = models.BooleanField(default=False, help_text="One of several under its name.")
    media_type = models.CharField(max_length=255)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="results")

    objects = ResultQuerySet.as_manager()

    class Meta:
        ordering = ("submission", "step_run__position", "step_run__item", "pk")
        constraints = [
            models.UniqueConstraint(fields=["step_run", "output", "position"], name="one_file_per_output_and_position")
        ]

    def __str__(self) -> str:
        return f"{self.step}.{self.output}: {self.file}"
