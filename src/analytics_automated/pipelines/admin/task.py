"""Pages of Tasks, with all that belongs to them."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from analytics_automated.pipelines.admin.copying import Copies
from analytics_automated.pipelines.admin.fields import ValueArea, WordsField, YamlField
from analytics_automated.pipelines.admin.owner import with_owner
from analytics_automated.pipelines.admin.preview import ShowsCommand
from analytics_automated.pipelines.admin.rows import OwnRows
from analytics_automated.pipelines.admin.theme import StackedInline, TabularInline
from analytics_automated.pipelines.admin.uploads import ShippedFileRows, WithFiles
from analytics_automated.pipelines.checks.configuration import LOCAL_BACKEND
from analytics_automated.pipelines.configuration.copying import copy_task
from analytics_automated.pipelines.definitions import (
    ParameterDefinition,
    TaskDefinition,
    TaskInputDefinition,
    TaskOutputDefinition,
)
from analytics_automated.pipelines.definitions.task import SoftwareDefinition
from analytics_automated.pipelines.models import (
    Backend,
    Environment,
    Parameter,
    Software,
    Task,
    TaskFile,
    TaskInput,
    TaskOutput,
)

SEPARATOR = "Nothing is written `''`; while this is empty they are two words."
CODES = "Codes or ranges, such as `3, 64-78`."


class SeparatorField(YamlField):
    """Text or none, which differ where the text is empty."""

    widget = ValueArea

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "empty": None})


class MessagesField(YamlField):
    """Texts by exit code."""

    def shown(self, value: Any) -> str:
        """A code is written as the number that it is."""
        if isinstance(value, dict):
            value = {int(code) if code.isdigit() else code: text for code, text in value.items()}
        return super().shown(value)


class TaskInputInline(OwnRows, StackedInline):
    """The files that a Task reads."""

    model = TaskInput
    definition = TaskInputDefinition
    verbose_name = "input"
    tab = True
    instead = {"separator": SeparatorField}
    notes = {"separator": SEPARATOR}
    fieldsets = (
        (None, {"fields": (("position", "name", "file"), ("optional", "many", "env_only"), ("flag", "separator"))}),
    )


class TaskOutputInline(OwnRows, StackedInline):
    """The files that a Task writes."""

    model = TaskOutput
    definition = TaskOutputDefinition
    verbose_name = "output"
    tab = True
    fieldsets = (
        (
            None,
            {"fields": (("position", "name", "file"), ("many", "optional", "publish"), ("title", "media_type"))},
        ),
    )


PARAMETER_FIELDSETS: Any = (
    (
        "What callers may send",
        {
            "classes": ("collapse",),
            "fields": (
                ("optional", "many", "max_items"),
                ("minimum", "maximum"),
                ("pattern", "max_length", "allow_dash"),
                "choices",
            ),
        },
    ),
    ("For people", {"classes": ("collapse",), "fields": ("description", ("example", "advanced"))}),
)


class ParameterInline(OwnRows, StackedInline):
    """The options of a Task."""

    model = Parameter
    definition = ParameterDefinition
    tab = True
    areas = ("description",)
    instead = {"separator": SeparatorField}
    notes = {"separator": SEPARATOR, "choices": "Such as `[fast, exact]`, or a line `fast: Fast and rough` for each."}
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("position", "name", "type"),
                    ("title", "default", "value"),
                    ("flag", "separator", "env_only"),
                )
            },
        ),
        *PARAMETER_FIELDSETS,
    )


class EnvironmentInline(OwnRows, TabularInline):
    """The variables of a Task's process."""

    model = Environment
    definition = None
    tab = True
    code = ("value",)
    verbose_name = "variable"
    verbose_name_plural = "environment"
    fields = ("position", "name", "value")


class SoftwareInline(OwnRows, StackedInline):
    """What a Task uses, with versions."""

    model = Software
    definition = SoftwareDefinition
    tab = True
    fieldsets = ((None, {"fields": (("position", "name", "type"), ("version", "data", "parameters"))}),)


class TaskFileInline(ShippedFileRows):
    """The files that a Task's work folder holds."""

    model = TaskFile
    tab = True


@admin.register(Task)
class TaskAdmin(WithFiles, ShowsCommand, Copies):
    """Reusable units of analysis."""

    definition = TaskDefinition
    files = TaskFile
    section = "tasks"
    copied = staticmethod(copy_task)
    inlines = (TaskInputInline, TaskOutputInline, ParameterInline, EnvironmentInline, TaskFileInline, SoftwareInline)
    code = ("command", "script", "setup")
    areas = ("description",)
    instead = {
        "exit_codes_stop": WordsField,
        "exit_codes_continue": WordsField,
        "exit_codes_fail": WordsField,
        "exit_codes_messages": MessagesField,
        "retries_on": WordsField,
    }
    notes = {
        "command": "Placeholders are `{input.NAME}`, `{output.NAME}`, `{param.NAME}`.",
        "script": "The same values are in `$input_NAME`, `$output_NAME`, `$param_NAME`.",
        "exit_codes_stop": CODES,
        "exit_codes_continue": CODES,
        "exit_codes_fail": CODES,
        "exit_codes_messages": "A line for each, such as `3: No homologue was found.`",
        "secrets": "One per line.",
    }
    list_display = ("name", "title", "backend", "kind", "pipeline", "step_count")
    list_filter = ("backend", "pipeline")
    list_select_related = ("backend",)
    search_fields = ("name", "title", "description", "command", "script")
    fieldsets = (
        (None, {"fields": (("name", "title"), "description", ("backend", "pipeline"))}),
        ("What to execute", {"fields": ("command", "script", "interpreter")}),
        ("Standard streams", {"fields": (("stdin", "stdout", "stderr"),)}),
        ("How it ends", {"fields": ("exit_codes", ("missing_output", "timeout"), "retries")}),
        ("What it needs", {"fields": ("resources", ("container_image", "network", "cache"), ("setup", "secrets"))}),
    )

    def formfield_for_dbfield(self, db_field: "models.Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        """The form field of a column."""
        return with_owner(db_field) or super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new task runs on the backend that always exists."""
        local = Backend.objects.filter(name=LOCAL_BACKEND).first()
        return {"backend": local, **super().get_changeform_initial_data(request)}

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the number of steps."""
        return super().get_queryset(request).annotate(_steps=models.Count("steps"))

    @admin.display(description="executes")
    def kind(self, task: Task) -> str:
        """The program, or the script's interpreter."""
        return f"script ({task.interpreter or 'bash'})" if task.script else task.command.split(" ", 1)[0]

    @admin.display(description="steps", ordering="_steps")
    def step_count(self, task: Any) -> int:
        """How many steps use it."""
        return int(task._steps)
