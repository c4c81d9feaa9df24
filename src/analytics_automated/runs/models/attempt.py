"""One try of a StepRun."""

from django.db import models

from analytics_automated.runs.models.step_run import StepRun


class Attempt(models.Model):
    """One try of a StepRun: where it ran and how it ended. For the operator, never for the caller."""

    step_run = models.ForeignKey(StepRun, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    worker = models.CharField(max_length=255)
    backend = models.CharField(max_length=64)
    queue = models.CharField(max_length=100)
    executor = models.CharField(max_length=64)
    handle = models.TextField(blank=True)
    work_folder = models.CharField(max_length=2000, blank=True)
    argv = models.JSONField(default=list)
    environment = models.JSONField(default=list, help_text="Names of the variables; their values are not kept.")
    data = models.JSONField(default=dict, help_text="Reference data that it was given: paths and versions, by name.")
    secrets = models.JSONField(default=list, help_text="Names of the secrets that it was given.")
    timeout = models.FloatField(null=True, help_text="Seconds that it might run.")
    started = models.DateTimeField()
    finished = models.DateTimeField(null=True)
    cause = models.CharField(max_length=32, blank=True)
    exit_code = models.IntegerField(null=True)
    signal = models.IntegerField(null=True)
    detail = models.TextField(blank=True)
    seconds = models.FloatField(null=True)
    cpu_seconds = models.FloatField(null=True)
    peak_memory = models.BigIntegerField(null=True, help_text="Bytes.")
    setup_output = models.TextField(blank=True, help_text="What the setups said before the command began.")
    stdout = models.TextField(blank=True)
    stderr = models.TextField(blank=True)

    class Meta:
        ordering = ("step_run", "number")
        constraints = [models.UniqueConstraint(fields=["step_run", "number"], name="attempt_number_once")]

    def __str__(self) -> str:
        return f"{self.step_run} #{self.number}"
