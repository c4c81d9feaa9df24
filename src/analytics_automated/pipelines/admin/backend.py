"""Pages of Backends and Queue Types."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from pydantic import TypeAdapter, ValidationError

from analytics_automated.executors.registry import executor_names
from analytics_automated.pipelines.admin.checking import ConfigurationAdmin
from analytics_automated.pipelines.admin.described import help_of
from analytics_automated.pipelines.admin.draft import Draft
from analytics_automated.pipelines.admin.fields import ChoiceField, VerbatimField
from analytics_automated.pipelines.admin.forms import ConfigurationForm
from analytics_automated.pipelines.admin.rows import OwnRows
from analytics_automated.pipelines.admin.theme import TabularInline
from analytics_automated.pipelines.checks.configuration import queue_of
from analytics_automated.pipelines.checks.support import LATER_EXECUTORS
from analytics_automated.pipelines.definitions import BackendDefinition
from analytics_automated.pipelines.definitions.backend import DataDefinition
from analytics_automated.pipelines.definitions.scalars import QueueName
from analytics_automated.pipelines.models import Backend, BackendVariable, Data, QueueType
from analytics_automated.pipelines.problems import Problem

_QUEUE_NAME: TypeAdapter[str] = TypeAdapter(QueueName)


def _executor_field() -> ChoiceField:
    """The executors that there are to choose from; what is stored is kept even where it is not installed."""
    names = sorted({*executor_names(), *LATER_EXECUTORS})
    return ChoiceField(choices=names, initial="local", help_text=help_of(BackendDefinition.model_fields["executor"]))


class BackendForm(ConfigurationForm):
    """A Backend together with its Queue Type, as a pipeline file has them."""

    executor = _executor_field()
    queue = VerbatimField(
        strip=True, required=False, empty="", help_text=help_of(BackendDefinition.model_fields["queue"])
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            queue_type = self.instance.queue_type
            self.initial.update(executor=queue_type.executor, queue=queue_type.name)


class BackendDraft(Draft):
    """A Backend, whose Queue Type is no row below it."""

    def thing(self) -> Any:
        """With a Queue Type as it would be."""
        thing = super().thing()
        queue = self.form.cleaned_data["queue"] or queue_of(self.name, BackendDefinition())
        thing.queue_type = QueueType(name=queue, executor=self.form.cleaned_data["executor"])
        return thing


class DataInline(OwnRows, TabularInline):
    """Reference data that lies on a Backend."""

    model = Data
    definition = DataDefinition
    tab = True
    verbose_name_plural = "reference data"
    fields = ("position", "name", "path", "version")


class BackendVariableInline(OwnRows, TabularInline):
    """Variables of every command that runs on a Backend."""

    model = BackendVariable
    tab = True
    code = ("value",)
    fields = ("position", "name", "value")


@admin.register(Backend)
class BackendAdmin(ConfigurationAdmin):
    """Places where Tasks run."""

    form = BackendForm
    definition = BackendDefinition
    section = "backends"
    inlines = (DataInline, BackendVariableInline)
    code = ("setup",)
    notes = {"path": "One per line.", "options": "A line for each, such as `partition: main`."}
    list_display = ("name", "executor", "queue", "root", "task_count")
    list_filter = ("queue_type__executor",)
    list_select_related = ("queue_type",)
    search_fields = ("name", "queue_type__name", "root")
    fieldsets = (
        (None, {"fields": (("name", "executor", "queue"), "root", "options")}),
        ("What commands find", {"fields": (("path", "setup"), ("container", "sandbox", "network", "user"))}),
        ("Unless a task says otherwise", {"fields": ("defaults",)}),
        ("The most that a task may ask for", {"fields": ("limits", "max_running")}),
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

    def draft(self, form: Any, formsets: Any) -> Draft:
        """What the page would make of it."""
        return BackendDraft(self.section, form, formsets)

    def further_problems(self, draft: Draft) -> Iterator[Problem]:
        """A queue that another backend has."""
        queue = draft.thing().queue_type.name
        other = Backend.objects.filter(queue_type__name=queue).exclude(pk=draft.form.instance.pk).first()
        if other:
            said = f"the queue {queue!r} is already that of the backend {other.name!r}"
            yield Problem((*draft.path, "queue"), said)

    def save_checked(self, request: HttpRequest, obj: Backend, form: Any, change: bool) -> None:
        """Save the Queue Type, then the Backend; the Queue Type that it had before goes."""
        before = obj.queue_type_id
        queue = form.cleaned_data["queue"] or queue_of(obj.name, BackendDefinition())
        obj.queue_type, _ = QueueType.objects.update_or_create(
            name=queue, defaults={"executor": form.cleaned_data["executor"]}
        )
        super().save_checked(request, obj, form, change)
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

    def clean_name(self) -> str:
        """A name that Celery's brokers take."""
        name: str = self.cleaned_data["name"]
        try:
            _QUEUE_NAME.validate_python(name)
        except ValidationError as error:
            raise forms.ValidationError(
                [f"{name!r} {each['msg'].removeprefix('Value error, ')}" for each in error.errors(include_url=False)]
            ) from None
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
