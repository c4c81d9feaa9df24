"""Reusable units of analysis."""

from typing import Any

from django.db import models

from analytics_automated.pipelines.definitions import MissingOutput, ParameterType, TaskDefinition
from analytics_automated.pipelines.definitions.parameter import VALUES, ParameterDefinition
from analytics_automated.pipelines.definitions.task import SoftwareDefinition
from analytics_automated.pipelines.models.backend import Backend
from analytics_automated.pipelines.models.fields import OrderedJSONField
from analytics_automated.pipelines.models.rows import DefinitionRow, NamedRow, OwnedRow, as_mapping
from analytics_automated.pipelines.models.shipped import ShippedFile


class Task(DefinitionRow):
    """A reusable unit of analysis: what to execute, its files, Parameters, Environment, and its Backend."""

    name = models.CharField(max_length=64, unique=True)
    pipeline = models.CharField(max_length=64, help_text="The pipeline that owns it.")
    title = models.CharField(max_length=255, blank=True)
    description = models.TextField(blank=True)
    backend = models.ForeignKey(Backend, on_delete=models.PROTECT, related_name="tasks")
    command = models.TextField(blank=True, help_text="The argument list, split once as a shell splits; never a shell.")
    script = models.TextField(blank=True, help_text="Or a script, run from a file by the interpreter.")
    interpreter = models.CharField(max_length=255, blank=True, help_text="bash -euo pipefail unless said.")
    stdin = models.CharField(max_length=64, blank=True, help_text="The input on standard input.")
    stdout = models.CharField(max_length=64, blank=True, help_text="The output that standard output goes to.")
    stderr = models.CharField(max_length=64, blank=True, help_text="The output that standard error goes to.")
    secrets = OrderedJSONField(default=list, blank=True, help_text="Secrets of the worker, by name.")
    setup = models.TextField(blank=True, help_text="Shell text before the command.")
    container = OrderedJSONField(null=True, blank=True, help_text="The container image that it runs in.")
    network = models.BooleanField(default=False, help_text="It needs the network.")
    timeout = models.CharField(max_length=32, blank=True, help_text="Time that it may run, such as 45s, 30m or 2h.")
    exit_codes = OrderedJSONField(default=dict, blank=True, help_text="What its exit codes mean.")
    missing_output = models.CharField(
        max_length=8,
        choices=[(each.value, each.value) for each in MissingOutput],
        default=MissingOutput.FAIL.value,
    )
    retries = OrderedJSONField(null=True, blank=True, help_text="When it is tried again.")
    cache = models.BooleanField(default=False, help_text="Equal calls share one result.")
    resources = OrderedJSONField(default=dict, blank=True, help_text="What it needs.")

    columns = (
        *("title", "description", "command", "script", "interpreter", "stdin", "stdout", "stderr", "secrets", "setup"),
        *("container", "network", "timeout", "exit_codes", "missing_output", "retries", "cache", "resources"),
    )

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def to_definition(self) -> TaskDefinition:
        """The task as a pipeline file would define it. Raises pydantic's `ValidationError`."""
        return TaskDefinition.model_validate(self.to_data())

    def to_data(self) -> dict[str, Any]:
        """The task's keys, as a pipeline file has them."""
        return {
            **self.columns_as_data(),
            "backend": self.backend.name,
            "inputs": as_mapping(self.inputs.all()),
            "outputs": as_mapping(self.outputs.all()),
            "files": [shipped.path for shipped in self.files.all()],
            "parameters": as_mapping(self.parameters.all()),
            "environment": {variable.name: variable.value for variable in self.environment.all()},
            "software": [each.columns_as_data() for each in self.software.all()],
        }

    def take_definition(self, definition: TaskDefinition, backend: Backend) -> None:
        """Become what the definition says, and save, with all rows that belong to it but for shipped files."""
        data = definition.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        self.backend = backend
        self.take_columns(data)
        self.save()
        TaskInput.take_mapping(self, data.get("inputs", {}))
        TaskOutput.take_mapping(self, data.get("outputs", {}))
        Parameter.take_mapping(self, data.get("parameters", {}))
        Environment.take_mapping(self, {name: {"value": value} for name, value in data.get("environment", {}).items()})
        Software.replace_all(self, (({}, each) for each in data.get("software", [])))


class TaskInput(NamedRow):
    """A file, or several, that a Task reads."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="inputs")
    file = models.CharField(
        max_length=1000, help_text="Its name in the work folder; with `many` the folder of all files."
    )
    optional = models.BooleanField(default=False, help_text="May be absent.")
    many = models.BooleanField(default=False, help_text="Every file, under its own name, in the folder.")
    flag = models.CharField(max_length=255, blank=True, help_text="The option in front of it on the command line.")
    separator = models.CharField(max_length=16, null=True, blank=True)  # noqa: DJ001 -- none and "" differ
    env_only = models.BooleanField(default=False, help_text="The command does not name it.")

    owner = "task"
    columns = ("file", "optional", "many", "flag", "separator", "env_only")
    empty_counts = frozenset({"separator"})

    class Meta:
        ordering = ("task", "position", "pk")
        constraints = [models.UniqueConstraint(fields=["task", "name"], name="input_name_once_per_task")]


class TaskOutput(NamedRow):
    """A file, or several, that a Task writes."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="outputs")
    file = models.CharField(max_length=1000, help_text="Its name or glob in the work folder.")
    many = models.BooleanField(default=False, help_text="All files that match; without it exactly one.")
    optional = models.BooleanField(default=False, help_text="May be missing.")
    publish = models.BooleanField(default=True, help_text="Shown as a result unless the Job says which are.")
    media_type = models.CharField(max_length=255, blank=True, help_text="Guessed from the name unless said.")
    title = models.CharField(max_length=255, blank=True)

    owner = "task"
    columns = ("file", "many", "optional", "publish", "media_type", "title")

    class Meta:
        ordering = ("task", "position", "pk")
        constraints = [models.UniqueConstraint(fields=["task", "name"], name="output_name_once_per_task")]


class ParameterColumns(NamedRow):
    """The columns of a parameter, of a Task or under a Job's name for it."""

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

    columns = tuple(ParameterDefinition.model_fields)
    empty_counts = frozenset({"separator", *VALUES})

    class Meta:
        abstract = True


class Parameter(ParameterColumns):
    """One option of a Task: typed, with a default or a fixed value, and how it is put on the command line."""

    advanced = models.BooleanField(default=False, help_text="Folded away in forms.")
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="parameters")

    owner = "task"

    class Meta:
        ordering = ("task", "position", "pk")
        constraints = [models.UniqueConstraint(fields=["task", "name"], name="parameter_name_once_per_task")]


class Environment(NamedRow):
    """A variable of a Task's process."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="environment")
    name = models.CharField(max_length=255)
    value = models.TextField(blank=True)

    owner = "task"
    columns = ("value",)

    class Meta:
        ordering = ("task", "position", "pk")
        verbose_name_plural = "environment"
        constraints = [models.UniqueConstraint(fields=["task", "name"], name="variable_once_per_task")]


class Software(OwnedRow):
    """Something that a Task uses and that results should be cited with."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="software")
    name = models.CharField(max_length=255)
    type = models.CharField(
        max_length=16, choices=[(each, each) for each in ("software", "dataset", "misc")], default="software"
    )
    version = models.CharField(max_length=255, blank=True)
    data = models.CharField(max_length=64, blank=True, help_text="The backend's reference data that it is.")
    parameters = models.CharField(max_length=1000, blank=True, help_text="How it is used.")

    owner = "task"
    columns = tuple(SoftwareDefinition.model_fields)

    class Meta:
        ordering = ("task", "position", "pk")
        verbose_name_plural = "software"

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()


class TaskFile(ShippedFile):
    """A file that a Task's work folder holds, shipped from beside the pipeline file."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="files")

    owner = "task"

    class Meta:
        ordering = ("task", "position", "pk")
        constraints = [models.UniqueConstraint(fields=["task", "path"], name="file_once_per_task")]
