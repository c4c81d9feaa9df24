"""Pages of Jobs, with their Steps and Validators."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from analytics_automated.pipelines.admin.copying import Copies
from analytics_automated.pipelines.admin.fields import CodeArea
from analytics_automated.pipelines.admin.forms import COLUMN, ConfigurationForm, OwnRows
from analytics_automated.pipelines.admin.importing import Imports
from analytics_automated.pipelines.admin.versions import ShowsVersions
from analytics_automated.pipelines.admin.where_used import ValidatorFilter
from analytics_automated.pipelines.configuration.copying import copy_job
from analytics_automated.pipelines.definitions import JobDefinition, StepDefinition
from analytics_automated.pipelines.models import Job, Step, Validator
from analytics_automated.pipelines.validators.registry import validator_names


class JobForm(ConfigurationForm):
    """A Job."""

    definition = JobDefinition


class StepForm(ConfigurationForm):
    """A Step."""

    definition = StepDefinition


class StepInline(OwnRows, admin.StackedInline):  # type: ignore[type-arg]
    """The uses of Tasks, in their order."""

    model = Step
    form = StepForm
    fieldsets = ((None, {"fields": (("position", "task", "name", "ordering"), "inputs", "parameters")}),)


class ValidatorForm(ConfigurationForm):
    """A Validator: one of the installed ones, or what is stored."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "name" in self.fields:
            names = sorted({*validator_names(), *([self.instance.name] if self.instance.name else [])})
            self.fields["name"].widget = forms.Select(choices=[("", "---------"), *((name, name) for name in names)])


class ValidatorInline(OwnRows, admin.TabularInline):  # type: ignore[type-arg]
    """The checks of the data that a user sends."""

    model = Validator
    form = ValidatorForm
    fields = ("position", "name", "input", "options")

    def formfield_for_dbfield(self, db_field: "models.Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        """The form field of a column; options are few mostly."""
        if db_field.name == "options":
            kwargs["widget"] = CodeArea(attrs=COLUMN)
        return super().formfield_for_dbfield(db_field, request, **kwargs)


@admin.register(Job)
class JobAdmin(Imports, ShowsVersions, Copies):
    """Workflows that users may call."""

    form = JobForm
    section = "jobs"
    copied = staticmethod(copy_job)
    inlines = (StepInline, ValidatorInline)
    list_display = ("name", "title", "version", "runnable", "complete", "pipeline", "step_count")
    list_filter = ("runnable", "pipeline", ValidatorFilter)
    search_fields = ("name", "title", "description", "steps__task__name")
    readonly_fields = ("pipeline",)
    fieldsets = (
        (None, {"fields": ("name", "title", "description", "version", "runnable", "pipeline")}),
        ("The service", {"fields": ("no_inputs", "no_results")}),
        ("For its users", {"classes": ("collapse",), "fields": ("contact", "citation", "licence", "terms")}),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the number of steps."""
        steps = Step.objects.filter(job=models.OuterRef("pk")).order_by().values("job")
        count = models.Subquery(steps.annotate(number=models.Count("pk")).values("number"))
        return super().get_queryset(request).annotate(_steps=count)

    @admin.display(boolean=True, description="complete")
    def complete(self, job: Job) -> bool:
        """Whether it could run as it is."""
        return job.snapshot_id is not None

    @admin.display(description="steps", ordering="_steps")
    def step_count(self, job: Any) -> int:
        """How many steps it has."""
        return int(job._steps or 0)
