"""Workflows that users may call."""

from typing import Any

from django.db import models

from analytics_automated.pipelines.definitions import JobDefinition
from analytics_automated.pipelines.models.fields import OrderedJSONField
from analytics_automated.pipelines.models.snapshot import Snapshot
from analytics_automated.pipelines.models.task import Task

_TEXTS = ("title", "description", "version", "contact", "citation", "licence", "terms")
_STRUCTURES = ("inputs", "parameters", "results")


class Job(models.Model):
    """A workflow that users may call: ordered Steps, Validators, one web service."""

    name = models.CharField(max_length=64, unique=True)
    pipeline = models.CharField(max_length=64, blank=True, help_text="The pipeline that owns it.")
    title = models.CharField(max_length=255, blank=True)
    description = models.TextField(blank=True)
    version = models.CharField(max_length=64, blank=True)
    runnable = models.BooleanField(default=False, help_text="Callers may submit to it.")
    contact = models.CharField(max_length=255, blank=True)
    citation = models.TextField(blank=True)
    licence = models.TextField(blank=True)
    terms = models.TextField(blank=True)
    inputs = OrderedJSONField(
        null=True, blank=True, help_text="What a caller sends; what the steps leave open unless said."
    )
    parameters = OrderedJSONField(default=dict, blank=True, help_text="Parameters by the caller's names.")
    results = OrderedJSONField(null=True, blank=True, help_text="Every published output unless said.")
    further = OrderedJSONField(default=dict, blank=True, help_text="Further keys, as in a pipeline file.")
    snapshot = models.ForeignKey(
        Snapshot, null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="jobs"
    )
    """The plan of the job as it is now; none while it could not run."""

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def to_definition(self) -> JobDefinition:
        """The job as a pipeline file would define it. Raises pydantic's `ValidationError`."""
        return JobDefinition.model_validate(self.to_data())

    def to_data(self) -> dict[str, Any]:
        """The job's keys, as a pipeline file has them."""
        data: dict[str, Any] = {
            **self.further,
            **{key: getattr(self, key) for key in _TEXTS if getattr(self, key)},
            **{key: getattr(self, key) for key in _STRUCTURES if getattr(self, key) is not None},
            "runnable": self.runnable,
            "steps": [step.to_data() for step in self.steps.all()],
        }
        if data.get("inputs") is not None:
            data["inputs"] = {name: dict(each) for name, each in data["inputs"].items()}
        for validator in self.validators.all():
            use = {"name": validator.name, "options": validator.options}
            if not validator.input:
                data.setdefault("validators", []).append(use)
            else:
                own = data.setdefault("inputs", {}) or {}
                data["inputs"] = own
                own.setdefault(validator.input, {}).setdefault("validators", []).append(use)
        return data

    def take_definition(self, definition: JobDefinition, tasks: dict[str, Task]) -> None:
        """Become what the definition says, and save, with all rows that belong to it."""
        data = definition.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        for key in _TEXTS:
            setattr(self, key, data.pop(key, ""))
        self.runnable = data.pop("runnable", False)
        steps, validators = data.pop("steps"), [("", use) for use in data.pop("validators", [])]
        for name, each in (data.get("inputs") or {}).items():
            validators += [(name, use) for use in each.pop("validators", [])]
        self.inputs, self.results = data.pop("inputs", None), data.pop("results", None)
        if definition.inputs is not None and self.inputs is None:
            self.inputs = {}
        self.parameters = data.pop("parameters", {})
        self.further = data
        self.save()
        self.steps.all().delete()
        self.validators.all().delete()
        Step.objects.bulk_create(
            Step.from_data(self, place, tasks[each["task"]], each) for place, each in enumerate(steps)
        )
        Validator.objects.bulk_create(
            Validator(job=self, position=place, input=name, name=use["name"], options=use.get("options", {}))
            for place, (name, use) in enumerate(validators)
        )


class Step(models.Model):
    """A Job's use of one Task."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="steps")
    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="steps")
    position = models.PositiveIntegerField(default=0)
    name = models.CharField(max_length=64, blank=True, help_text="The task's unless said.")
    ordering = models.PositiveIntegerField(null=True, blank=True, help_text="Equal values run side by side.")
    inputs = OrderedJSONField(default=dict, blank=True, help_text='Where inputs come from: {"table": "search.hits"}.')
    parameters = OrderedJSONField(default=dict, blank=True, help_text="Fixed values of the task's parameters.")
    further = OrderedJSONField(default=dict, blank=True, help_text="Further keys, as in a pipeline file.")

    class Meta:
        ordering = ("job", "position", "pk")

    def __str__(self) -> str:
        return f"{self.job}.{self.name or self.task}"

    def to_data(self) -> dict[str, Any]:
        """The step's keys, as a pipeline file has them."""
        data: dict[str, Any] = {**self.further, "task": self.task.name}
        if self.name:
            data["name"] = self.name
        if self.ordering is not None:
            data["ordering"] = self.ordering
        return data | {key: getattr(self, key) for key in ("inputs", "parameters") if getattr(self, key)}

    @classmethod
    def from_data(cls, job: Job, position: int, task: Task, data: dict[str, Any]) -> "Step":
        """A row, not saved, with what a pipeline file says."""
        own: dict[str, Any] = {key: data[key] for key in ("name", "ordering", "inputs", "parameters") if key in data}
        own["further"] = {key: value for key, value in data.items() if key not in {"task", *own}}
        return cls(job=job, position=position, task=task, **own)


class Validator(models.Model):
    """A named check of the data that a user sends, run before anything is queued."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="validators")
    position = models.PositiveIntegerField(default=0)
    input = models.CharField(max_length=64, blank=True, help_text="The input that it checks; every input unless said.")
    name = models.CharField(max_length=64)
    options = OrderedJSONField(default=dict, blank=True)

    class Meta:
        ordering = ("job", "position", "pk")

    def __str__(self) -> str:
        return f"{self.job}: {self.name}"
