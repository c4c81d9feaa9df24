"""Pages of Tasks, with their Parameters and Environment."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join

from analytics_automated.pipelines.admin.copying import Copies
from analytics_automated.pipelines.admin.fields import CodeArea, StructureField
from analytics_automated.pipelines.admin.forms import COLUMN, ConfigurationForm, OwnRows
from analytics_automated.pipelines.admin.preview import ShowsCommand
from analytics_automated.pipelines.configuration.copying import copy_task
from analytics_automated.pipelines.definitions import TaskDefinition
from analytics_automated.pipelines.models import Environment, Job, Parameter, Task


class TaskForm(ConfigurationForm):
    """A Task."""

    definition = TaskDefinition


class ParameterForm(ConfigurationForm):
    """A Parameter. That a separator is empty differs from that there is none."""

    separator = StructureField(
        required=False,
        widget=forms.TextInput,
        help_text='As JSON: "=" or "" makes flag and value one word; they are two words unless said.',
    )

    def clean_separator(self) -> str | None:
        """Text, or none."""
        separator = self.cleaned_data["separator"]
        if separator is not None and not isinstance(separator, str):
            raise forms.ValidationError('This must be text in double quotes, such as "=".', code="invalid")
        return separator


class ParameterInline(OwnRows, admin.StackedInline):  # type: ignore[type-arg]
    """The options of a Task."""

    model = Parameter
    form = ParameterForm
    verbatim = ("flag", "pattern")
    fieldsets = (
        (
            None,
            {"fields": (("position", "name", "type"), ("flag", "separator"), "title", ("default", "value"))},
        ),
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
        (
            "For people, and further",
            {"classes": ("collapse",), "fields": ("description", "example", ("advanced", "env_only"))},
        ),
    )


class EnvironmentInline(OwnRows, admin.TabularInline):  # type: ignore[type-arg]
    """The variables of a Task's process."""

    model = Environment
    verbose_name = "variable"
    verbose_name_plural = "environment"
    fields = ("position", "name", "value")

    def formfield_for_dbfield(self, db_field: "models.Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        """The form field of a column; values are one line mostly."""
        if db_field.name == "value":
            kwargs["widget"] = CodeArea(attrs=COLUMN)
        return super().formfield_for_dbfield(db_field, request, **kwargs)


@admin.register(Task)
class TaskAdmin(ShowsCommand, Copies):
    """Reusable units of analysis."""

    form = TaskForm
    section = "tasks"
    copied = staticmethod(copy_task)
    inlines = (ParameterInline, EnvironmentInline)
    code = ("command", "script")
    list_display = ("name", "title", "backend", "kind", "pipeline", "step_count")
    list_filter = ("backend", "pipeline")
    list_select_related = ("backend",)
    search_fields = ("name", "title", "description", "command", "script")
    readonly_fields = ("pipeline", "used_by")
    fieldsets = (
        (None, {"fields": ("name", "title", "description", "backend", ("pipeline", "used_by"))}),
        (
            "What to execute",
            {
                "fields": ("command", "script", "interpreter"),
                "description": "Either a command or a script. Placeholders of a command are {input.NAME}, "
                "{output.NAME}, {param.NAME}; a script finds the same values in $input_NAME, $output_NAME, "
                "$param_NAME.",
            },
        ),
        ("Files", {"fields": (("stdin", "stdout", "stderr"),)}),
        ("How it ends", {"fields": (("timeout", "missing_output"), "exit_codes")}),
        ("Further", {"classes": ("collapse",), "fields": ("resources",)}),
    )

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

    @admin.display(description="used by")
    def used_by(self, task: Task) -> str:
        """The jobs whose steps use it."""
        jobs = Job.objects.filter(steps__task=task).distinct() if task.pk else Job.objects.none()
        links = [(reverse("admin:pipelines_job_change", args=[job.pk]), job.name) for job in jobs]
        return format_html_join(", ", '<a href="{}">{}</a>', links) or "no job"
