"""Places where Tasks run."""

from typing import Any

from django.db import models

from analytics_automated.pipelines.checks.configuration import queue_of
from analytics_automated.pipelines.definitions import BackendDefinition
from analytics_automated.pipelines.models.fields import OrderedJSONField

_COLUMNS = {"executor", "queue", "root", "options"}


class QueueType(models.Model):
    """A named Celery queue and the executor behind it."""

    name = models.CharField(max_length=100, unique=True, help_text="The Celery queue.")
    executor = models.CharField(max_length=64, default="local", help_text="What runs the commands.")

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Backend(models.Model):
    """A place where Tasks run: a root folder, options, and one Queue Type."""

    name = models.CharField(max_length=64, unique=True)
    queue_type = models.OneToOneField(QueueType, on_delete=models.PROTECT, related_name="backend")
    root = models.CharField(
        max_length=1000,
        blank=True,
        help_text="Where work folders are made; under the data folder unless said.",
    )
    options = OrderedJSONField(default=dict, blank=True, help_text="The executor's own options.")
    further = OrderedJSONField(default=dict, blank=True, help_text="Further keys, as in a pipeline file.")

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def to_definition(self) -> BackendDefinition:
        """The backend as a pipeline file would define it. Raises pydantic's `ValidationError`."""
        return BackendDefinition.model_validate(self.to_data())

    def to_data(self) -> dict[str, Any]:
        """The backend's keys, as a pipeline file has them."""
        data: dict[str, Any] = {**self.further, "executor": self.queue_type.executor, "options": self.options}
        if self.root:
            data["root"] = self.root
        if self.queue_type.name != queue_of(self.name, BackendDefinition()):
            data["queue"] = self.queue_type.name
        return data

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
        self.root = definition.root or ""
        data = definition.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        self.options = data.get("options", {})
        self.further = {key: value for key, value in data.items() if key not in _COLUMNS}
        self.save()
