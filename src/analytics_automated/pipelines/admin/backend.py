"""Pages of Backends and Queue Types."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from pydantic import TypeAdapter, ValidationError

from analytics_automated.executors.registry import executor_names
from analytics_automated.pipelines.admin.checking import ConfigurationAdmin
from analytics_automated.pipelines.admin.forms import ConfigurationForm
from analytics_automated.pipelines.checks.configuration import queue_of
from analytics_automated.pipelines.definitions import BackendDefinition
from analytics_automated.pipelines.definitions.scalars import QueueName
from analytics_automated.pipelines.models import Backend, QueueType

_QUEUE_NAME: TypeAdapter[str] = TypeAdapter(QueueName)


def _executor_field(stored: str = "local") -> forms.CharField:
    """The installed executors to choose from; what is stored is kept even where it is not installed."""
    names = sorted({*executor_names(), stored})
    widget = forms.Select(choices=[(name, name) for name in names])
    return forms.CharField(initial="local", widget=widget, help_text="What runs the commands.")


def _check_queue_name(name: str) -> None:
    try:
        _QUEUE_NAME.validate_python(name)
    except ValidationError as error:
        raise forms.ValidationError(
            [f"{name!r} {each['msg'].removeprefix('Value error, ')}" for each in error.errors(include_url=False)]
        ) from None


class BackendForm(ConfigurationForm):
    """A Backend together with its Queue Type, as a pipeline file has them."""

    definition = BackendDefinition
    elsewhere = frozenset({"executor", "queue"})

    executor = _executor_field()
    queue = forms.CharField(
        max_length=100, required=False, help_text="The Celery queue; the backend's name unless said."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "executor" in self.fields:
            queue_type = self.instance.queue_type
            self.fields["executor"] = _executor_field(queue_type.executor)
            self.initial.update(executor=queue_type.executor, queue=queue_type.name)

    def clean_queue(self) -> str:
        """The queue's name, which no other backend has."""
        name = self.cleaned_data["queue"] or queue_of(self.cleaned_data.get("name", ""), BackendDefinition())
        if name:
            _check_queue_name(name)
        other = Backend.objects.filter(queue_type__name=name).exclude(pk=self.instance.pk).first()
        if other:
            raise forms.ValidationError(f"the queue {name!r} is already that of the backend {other.name!r}")
        return name


@admin.register(Backend)
class BackendAdmin(ConfigurationAdmin):
    """Places where Tasks run."""

    form = BackendForm
    section = "backends"
    list_display = ("name", "executor", "queue", "root", "task_count")
    list_filter = ("queue_type__executor",)
    list_select_related = ("queue_type",)
    search_fields = ("name", "queue_type__name", "root")
    fieldsets = (
        (None, {"fields": ("name", "executor", "queue", "root")}),
        ("Details", {"fields": ("options",)}),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the number of tasks."""
        return super().get_queryset(request).annotate(_tasks=models.Count("tasks"))

    @admin.display(ordering="queue_type__executor")
    def executor(self, backend: Backend) -> str:
        """What runs the commands."""
        return backend.queue_type.executor

    @admin.display(ordering="queue_type__name")
    def queue(self, backend: Backend) -> str:
        """The Celery queue."""
        return backend.queue_type.name

    @admin.display(description="tasks", ordering="_tasks")
    def task_count(self, backend: Any) -> int:
        """How many tasks run here."""
        return int(backend._tasks)

    def save_model(self, request: HttpRequest, obj: Backend, form: Any, change: bool) -> None:
        """Save the Queue Type, then the Backend; the Queue Type that it had before goes."""
        before = obj.queue_type_id
        obj.queue_type, _ = QueueType.objects.update_or_create(
            name=form.cleaned_data["queue"], defaults={"executor": form.cleaned_data["executor"]}
        )
        super().save_model(request, obj, form, change)
        if before and before != obj.queue_type_id:
            QueueType.objects.filter(pk=before).delete()

    def delete_model(self, request: HttpRequest, obj: Backend) -> None:
        """Delete it with its Queue Type."""
        queue_type = obj.queue_type
        super().delete_model(request, obj)
        queue_type.delete()

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        """Delete them with their Queue Types."""
        queue_types = list(queryset.values_list("queue_type", flat=True))
        super().delete_queryset(request, queryset)
        QueueType.objects.filter(pk__in=queue_types).delete()


class QueueTypeForm(ConfigurationForm):
    """A Queue Type by itself."""

    executor = _executor_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "executor" in self.fields:
            self.fields["executor"] = _executor_field(self.instance.executor)

    def clean_name(self) -> str:
        """A name that Celery's brokers take."""
        name: str = self.cleaned_data["name"]
        _check_queue_name(name)
        return name


@admin.register(QueueType)
class QueueTypeAdmin(ConfigurationAdmin):
    """Celery queues and the executors behind them."""

    form = QueueTypeForm
    list_display = ("name", "executor", "backend")
    list_filter = ("executor",)
    list_select_related = ("backend",)
    search_fields = ("name", "backend__name")
    fields = ("name", "executor")
