"""Reusable units of analysis."""

from typing import Any

from django.db import models

from analytics_automated.pipelines.definitions import (
    MissingOutput,
    ParameterDefinition,
    ParameterType,
    TaskDefinition,
)
from analytics_automated.pipelines.models.backend import Backend
from analytics_automated.pipelines.models.fields import OrderedJSONField

_TEXTS = ("title", "description", "command", "script", "interpreter", "stdin", "stdout", "stderr")
_STRUCTURES = ("inputs", "outputs", "exit_codes", "resources", "software")
_OWN_ROWS = ("parameters", "environment")


class Task(models.Model):
    """A reusable unit of analysis: what to execute, its files, Parameters, Environment, and its Backend."""

    name = models.CharField(max_length=64, unique=True)
    pipeline = models.CharField(max_length=64, blank=True, help_text="The pipeline that owns it.")
    title = models.CharField(max_length=255, blank=True)
    description = models.TextField(blank=True)
    backend = models.ForeignKey(Backend, on_delete=models.PROTECT, related_name="tasks")
    inputs = OrderedJSONField(default=dict, blank=True, help_text='Files it reads, as {"name": {"file": "…"}}.')
    outputs = OrderedJSONField(default=dict, blank=True, help_text='Files it writes, as {"name": {"file": "…"}}.')
    command = models.TextField(blank=True, help_text="The argument list, split once as a shell splits; never a shell.")
    script = models.TextField(blank=True, help_text="Or a script, run from a file by the interpreter.")
    interpreter = models.CharField(max_length=255, blank=True, help_text="bash -euo pipefail unless said.")
    stdin = models.CharField(max_length=64, blank=True, help_text="The input on standard input.")
    stdout = models.CharField(max_length=64, blank=True, help_text="The output that standard output goes to.")
    stderr = models.CharField(max_length=64, blank=True, help_text="The output that standard error goes to.")
    timeout = models.FloatField(null=True, blank=True, help_text="Seconds that it may run.")
    exit_codes = OrderedJSONField(default=dict, blank=True, help_text='As {"stop": ["3"], "continue": ["2"]}.')
    missing_output = models.CharField(
        max_length=8,
        choices=[(each.value, each.value) for each in MissingOutput],
        default=MissingOutput.FAIL.value,
    )
    resources = OrderedJSONField(default=dict, blank=True)
    software = OrderedJSONField(default=list, blank=True)
    further = OrderedJSONField(default=dict, blank=True, help_text="Further keys, as in a pipeline file.")

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def to_definition(self) -> TaskDefinition:
        """The task as a pipeline file would define it. Raises pydantic's `ValidationError`."""
        return TaskDefinition.model_validate(self.to_data())

    def to_data(self) -> dict[str, Any]:
        """The task's keys, as a pipeline file has them."""
        data: dict[str, Any] = {
            **self.further,
            **{key: getattr(self, key) for key in _TEXTS if getattr(self, key)},
            **{key: getattr(self, key) for key in _STRUCTURES if getattr(self, key)},
            "backend": self.backend.name,
            "missing_output": self.missing_output,
            "parameters": {parameter.name: parameter.to_data() for parameter in self.parameters.all()},
            "environment": {variable.name: variable.value for variable in self.environment.all()},
        }
        if self.timeout is not None:
            data["timeout"] = self.timeout
        return data

    def take_definition(self, definition: TaskDefinition, backend: Backend) -> None:
        """Become what the definition says, and save, with all rows that belong to it."""
        data = definition.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        self.backend = backend
        for key in _TEXTS:
            setattr(self, key, data.pop(key, ""))
        for key in _STRUCTURES:
            setattr(self, key, data.pop(key, [] if key == "software" else {}))
        self.timeout = definition.timeout
        self.missing_output = definition.missing_output.value
        own = {key: data.pop(key, {}) for key in _OWN_ROWS}
        self.further = {key: data[key] for key in data if key not in {"backend", "timeout", "missing_output"}}
        self.save()
        self.parameters.all().delete()
        self.environment.all().delete()
        Parameter.objects.bulk_create(
            Parameter.from_data(self, place, name, each) for place, (name, each) in enumerate(own["parameters"].items())
        )
        Environment.objects.bulk_create(
            Environment(task=self, position=place, name=name, value=value)
            for place, (name, value) in enumerate(own["environment"].items())
        )


class Parameter(models.Model):
    """One option of a Task: typed, with a default or a fixed value, and how it is put on the command line."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="parameters")
    position = models.PositiveIntegerField(default=0)
    name = models.CharField(max_length=64)
    type = models.CharField(max_length=16, blank=True, choices=[(each.value, each.value) for each in ParameterType])
    value = OrderedJSONField(null=True, blank=True, help_text="A stored value, as JSON: callers cannot set it.")
    default = OrderedJSONField(null=True, blank=True, help_text="As JSON.")
    optional = models.BooleanField(default=False)
    many = models.BooleanField(default=False)
    max_items = models.PositiveIntegerField(null=True, blank=True)
    flag = models.CharField(max_length=255, blank=True)
    separator = models.CharField(max_length=16, null=True, blank=True)  # noqa: DJ001 -- none and "" differ
    minimum = OrderedJSONField(null=True, blank=True)
    maximum = OrderedJSONField(null=True, blank=True)
    pattern = models.CharField(max_length=1000, blank=True)
    max_length = models.PositiveIntegerField(null=True, blank=True)
    allow_dash = models.BooleanField(default=False)
    choices = OrderedJSONField(null=True, blank=True, help_text='As {"value": "title"}.')
    env_only = models.BooleanField(default=False)
    title = models.CharField(max_length=255, blank=True)
    description = models.TextField(blank=True)
    example = OrderedJSONField(null=True, blank=True)
    advanced = models.BooleanField(default=False)

    class Meta:
        ordering = ("task", "position", "pk")
        constraints = [models.UniqueConstraint(fields=["task", "name"], name="parameter_name_once_per_task")]

    def __str__(self) -> str:
        return f"{self.task}.{self.name}"

    _KEYS = tuple(ParameterDefinition.model_fields)

    def to_data(self) -> dict[str, Any]:
        """The parameter's keys, as a pipeline file has them."""
        values = {key: getattr(self, key) for key in self._KEYS}
        return {
            key: value
            for key, value in values.items()
            if value is not None and not (value == "" and key not in {"separator", "value", "default", "example"})
        }

    @classmethod
    def from_data(cls, task: Task, position: int, name: str, data: dict[str, Any]) -> "Parameter":
        """A row, not saved, with what a pipeline file says."""
        return cls(task=task, position=position, name=name, **data)


class Environment(models.Model):
    """A variable of a Task's process."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="environment")
    position = models.PositiveIntegerField(default=0)
    name = models.CharField(max_length=255)
    value = models.TextField(blank=True)

    class Meta:
        ordering = ("task", "position", "pk")
        verbose_name_plural = "environment"
        constraints = [models.UniqueConstraint(fields=["task", "name"], name="variable_once_per_task")]

    def __str__(self) -> str:
        return f"{self.task}.{self.name}"
