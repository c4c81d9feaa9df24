"""Places where Tasks run."""

from typing import Any, get_args

from django.db import models

from analytics_automated.pipelines.checks.configuration import queue_of
from analytics_automated.pipelines.definitions import BackendDefinition
from analytics_automated.pipelines.models.fields import OrderedJSONField
from analytics_automated.pipelines.models.rows import DefinitionRow, NamedRow, as_mapping


def _choices(key: str) -> list[tuple[str, str]]:
    """What a key with a fixed set of values may hold."""
    annotation = BackendDefinition.model_fields[key].annotation
    texts = [text for part in (annotation, *get_args(annotation)) for text in get_args(part) if isinstance(text, str)]
    return [(text, text) for text in dict.fromkeys(texts)]


class QueueType(models.Model):
    """A named Celery queue and the executor behind it."""

    name = models.CharField(max_length=100, unique=True, help_text="The Celery queue.")
    executor = models.CharField(max_length=64, default="local", help_text="What runs the commands.")

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Backend(DefinitionRow):
    """A place where Tasks run: a root folder, options, and one Queue Type."""

    name = models.CharField(max_length=64, unique=True)
    queue_type = models.OneToOneField(QueueType, on_delete=models.PROTECT, related_name="backend")
    root = models.CharField(
        max_length=1000,
        blank=True,
        help_text="Where work folders are made; under the data folder unless said.",
    )
    sandbox = models.CharField(
        max_length=8, choices=_choices("sandbox"), default="auto", help_text="Whether commands are isolated."
    )
    network = models.CharField(
        max_length=8, choices=_choices("network"), default="allow", help_text="Whether tasks may ask for the network."
    )
    container = models.CharField(
        max_length=16, choices=_choices("container"), blank=True, help_text="What runs containers."
    )
    options = OrderedJSONField(default=dict, blank=True, help_text="The executor's own options.")
    path = OrderedJSONField(default=list, blank=True, help_text="Folders in front of PATH.")
    setup = models.TextField(blank=True, help_text="Shell text before every command; it holds no placeholder.")
    defaults = OrderedJSONField(null=True, blank=True, help_text="Time limit and resources of tasks that name none.")
    limits = OrderedJSONField(null=True, blank=True, help_text="The most that a task may ask for.")
    max_running = models.PositiveIntegerField(null=True, blank=True, help_text="Most commands that run here at once.")
    user = models.CharField(
        max_length=64, blank=True, help_text="System user that tasks run as, where the executor can."
    )

    columns = (
        *("root", "sandbox", "network", "container", "options", "path", "setup", "defaults", "limits"),
        *("max_running", "user"),
    )

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def to_definition(self) -> BackendDefinition:
        """The backend as a pipeline file would define it. Raises pydantic's `ValidationError`."""
        return BackendDefinition.model_validate(self.to_data())

    def to_data(self) -> dict[str, Any]:
        """The backend's keys, as a pipeline file has them."""
        own_queue = self.queue_type.name == queue_of(self.name, BackendDefinition())
        return {
            "executor": self.queue_type.executor,
            **({} if own_queue else {"queue": self.queue_type.name}),
            **self.columns_as_data(),
            "data": as_mapping(self.data.all()),
            "environment": {variable.name: variable.value for variable in self.environment.all()},
        }

    def take_definition(self, definition: BackendDefinition) -> None:
        """Become what the definition says, and save, with the Queue Type."""
        queue = queue_of(self.name, definition)
        left_behind = QueueType.objects.filter(name=queue, backend__isnull=True)
        if self.queue_type_id is None:
            self.queue_type = left_behind.first() or QueueType()
        else:
            left_behind.delete()
        self.queue_type.name = queue
        self.queue_type.executor = definition.executor
        self.queue_type.save()
        data = definition.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        self.take_columns(data)
        self.save()
        Data.take_mapping(self, data.get("data", {}))
        variables = data.get("environment", {})
        BackendVariable.take_mapping(self, {name: {"value": value} for name, value in variables.items()})


class Data(NamedRow):
    """Reference data that lies on a Backend, read-only."""

    backend = models.ForeignKey(Backend, on_delete=models.CASCADE, related_name="data")
    path = models.CharField(max_length=1000, help_text="Absolute path on the backend.")
    version = models.CharField(max_length=255, blank=True, help_text="Its version, shown with results.")

    owner = "backend"
    columns = ("path", "version")

    class Meta:
        ordering = ("backend", "position", "pk")
        verbose_name_plural = "data"
        constraints = [models.UniqueConstraint(fields=["backend", "name"], name="data_name_once_per_backend")]


class BackendVariable(NamedRow):
    """A variable of every command that runs on a Backend."""

    backend = models.ForeignKey(Backend, on_delete=models.CASCADE, related_name="environment")
    name = models.CharField(max_length=255)
    value = models.TextField(blank=True)

    owner = "backend"
    columns = ("value",)

    class Meta:
        ordering = ("backend", "position", "pk")
        verbose_name = "variable"
        verbose_name_plural = "environment"
        constraints = [models.UniqueConstraint(fields=["backend", "name"], name="variable_once_per_backend")]
