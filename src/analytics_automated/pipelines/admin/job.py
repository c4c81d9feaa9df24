"""Pages of Jobs, with all that belongs to them."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from pydantic import TypeAdapter, ValidationError

from analytics_automated.pipelines.admin.copying import Copies
from analytics_automated.pipelines.admin.described import as_help
from analytics_automated.pipelines.admin.draft import Draft
from analytics_automated.pipelines.admin.fields import ChoiceField, LinesField, YamlField
from analytics_automated.pipelines.admin.forms import ConfigurationForm
from analytics_automated.pipelines.admin.importing import Imports
from analytics_automated.pipelines.admin.owner import with_owner
from analytics_automated.pipelines.admin.rows import OwnRows
from analytics_automated.pipelines.admin.task import PARAMETER_FIELDSETS, SEPARATOR, SeparatorField
from analytics_automated.pipelines.admin.theme import CheckboxInput, StackedInline, TabularInline
from analytics_automated.pipelines.admin.uploads import ShippedFileRows, WithFiles
from analytics_automated.pipelines.admin.versions import ShowsVersions
from analytics_automated.pipelines.admin.where_used import ValidatorFilter
from analytics_automated.pipelines.configuration.copying import copy_job
from analytics_automated.pipelines.definitions import (
    ExampleDefinition,
    JobDefinition,
    JobInputDefinition,
    JobParameterDefinition,
    StepDefinition,
)
from analytics_automated.pipelines.definitions.job import ResultDefinition, ValidatorUse
from analytics_automated.pipelines.definitions.scalars import FilePath
from analytics_automated.pipelines.files.beside import files_of
from analytics_automated.pipelines.models import (
    Example,
    Job,
    JobFile,
    JobInput,
    JobParameter,
    JobResult,
    Step,
    Validator,
)
from analytics_automated.pipelines.problems import Problem
from analytics_automated.pipelines.validators.registry import validator_names

GROUPS = "groups"
_FILE_PATH: TypeAdapter[str] = TypeAdapter(FilePath)


class JobForm(ConfigurationForm):
    """A Job. Who may call it is one of two words, or groups."""

    access = ChoiceField(choices=("public", "login", GROUPS), initial="public", help_text=as_help("Who may call it."))
    access_groups = LinesField(
        required=False, empty=[], label="Groups", help_text=as_help("One per line, with access `groups`.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if isinstance(self.instance.access, list):
            self.initial.update(access=GROUPS, access_groups=self.instance.access)
        else:
            self.initial["access"] = self.instance.access

    def clean(self) -> dict[str, Any] | None:
        """The groups where there are any, else the word."""
        cleaned = super().clean()
        groups = self.cleaned_data.get("access_groups")
        if groups or self.cleaned_data.get("access") == GROUPS:
            self.cleaned_data["access"] = groups or []
        return cleaned


class StepForm(ConfigurationForm):
    """A Step. That it needs no other differs from that it says nothing."""

    no_needs = forms.BooleanField(
        required=False, widget=CheckboxInput, help_text="Waits for no other step, whatever the order of the steps."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["no_needs"] = self.instance.needs == []

    def clean(self) -> dict[str, Any] | None:
        """An explicit list of none, where that is said."""
        cleaned = super().clean()
        if self.cleaned_data.get("no_needs") and not self.cleaned_data.get("needs"):
            self.cleaned_data["needs"] = []
        elif self.cleaned_data.get("needs") == []:
            self.cleaned_data["needs"] = None
        return cleaned


class SourcesField(YamlField):
    """Where inputs come from, each from one source mostly."""

    def shown(self, value: Any) -> str:
        """A list of one is its item."""
        if isinstance(value, dict):
            value = {
                name: each[0] if isinstance(each, list) and len(each) == 1 else each for name, each in value.items()
            }
        return super().shown(value)


class JobInputInline(OwnRows, StackedInline):
    """What a caller sends."""

    model = JobInput
    definition = JobInputDefinition
    verbose_name = "input"
    tab = True
    areas = ("description",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("position", "name", "title"),
                    ("optional", "many", "unpack"),
                    ("max_size", "max_files"),
                    "description",
                )
            },
        ),
    )


class JobParameterInline(OwnRows, StackedInline):
    """Parameters under the caller's names."""

    model = JobParameter
    definition = JobParameterDefinition
    verbose_name = "parameter"
    tab = True
    areas = ("description",)
    instead = {"separator": SeparatorField}
    notes = {
        "separator": SEPARATOR,
        "sets": "One per line.",
        "aliases": "One per line.",
        "advanced": "As the task says while unknown.",
    }
    fieldsets = (
        (
            None,
            {"fields": (("position", "name", "title"), ("sets", "aliases"), ("type", "default"))},
        ),
        *PARAMETER_FIELDSETS,
        (
            "For tasks only",
            {"classes": ("collapse",), "fields": (("value", "flag", "separator", "env_only"),)},
        ),
    )


class StepInline(OwnRows, StackedInline):
    """The uses of Tasks, in their order."""

    model = Step
    form = StepForm
    definition = StepDefinition
    tab = True
    instead = {"inputs": SourcesField}
    code = ("when",)
    notes = {
        "inputs": "A line for each, such as `table: search.hits`.",
        "parameters": "A line for each, such as `colour: red`.",
        "needs": "One per line.",
    }
    fieldsets = (
        (None, {"fields": (("position", "task", "name", "ordering"), ("inputs", "parameters"))}),
        ("Order and conditions", {"classes": ("collapse",), "fields": (("needs", "no_needs"), "when")}),
        ("One run per file", {"classes": ("collapse",), "fields": ("scatter",)}),
    )


class ValidatorInline(OwnRows, StackedInline):
    """The checks of the data that a user sends."""

    model = Validator
    definition = ValidatorUse
    tab = True
    fieldsets = ((None, {"fields": (("position", "name", "input"), "options")}),)

    def formfield_for_dbfield(self, db_field: "models.Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        """The form field of a column; its name is chosen."""
        if db_field.name == "name":
            return ChoiceField(choices=sorted(validator_names()), blank="---------", required=True)
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class JobResultInline(OwnRows, TabularInline):
    """What the caller gets."""

    model = JobResult
    definition = ResultDefinition
    verbose_name = "result"
    tab = True
    fields = ("position", "name", "source", "title")


class ExampleInline(OwnRows, StackedInline):
    """Example calls."""

    model = Example
    definition = ExampleDefinition
    tab = True
    notes = {
        "inputs": "A line for each, such as `query: hba.fasta`. Upload the files under Files.",
        "parameters": "A line for each.",
    }
    fieldsets = ((None, {"fields": (("position", "title"), ("inputs", "parameters"), "expect")}),)


class JobFileInline(ShippedFileRows):
    """The files of examples and schedule."""

    model = JobFile
    tab = True


@admin.register(Job)
class JobAdmin(WithFiles, Imports, ShowsVersions, Copies):
    """Workflows that users may call."""

    form = JobForm
    definition = JobDefinition
    files = JobFile
    section = "jobs"
    copied = staticmethod(copy_job)
    inlines = (
        StepInline,
        JobInputInline,
        JobParameterInline,
        ValidatorInline,
        JobResultInline,
        ExampleInline,
        JobFileInline,
    )
    areas = ("description", "citation", "licence", "terms")
    notes = {
        "aliases": "One per line.",
        "schedule_inputs": "A line for each, such as `query: weekly.fasta`. Upload the files under Files.",
    }
    list_display = ("name", "title", "version", "runnable", "complete", "pipeline", "step_count")
    list_filter = ("runnable", "pipeline", ValidatorFilter)
    search_fields = ("name", "title", "description", "steps__task__name")
    fieldsets = (
        (None, {"fields": (("name", "title"), "description", ("version", "pipeline", "runnable"))}),
        (
            "The service",
            {"fields": (("access", "access_groups"), ("no_inputs", "no_results"), "aliases", "deprecated")},
        ),
        ("For its users", {"fields": ("contact", "citation", ("licence", "terms"))}),
        ("How it runs", {"fields": (("on_failure", "retention"), "limits")}),
        ("Submitted by itself", {"fields": ("schedule",)}),
    )

    def formfield_for_dbfield(self, db_field: "models.Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        """The form field of a column."""
        return with_owner(db_field) or super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the number of steps."""
        steps = Step.objects.filter(job=models.OuterRef("pk")).order_by().values("job")
        count = models.Subquery(steps.annotate(number=models.Count("pk")).values("number"))
        return super().get_queryset(request).annotate(_steps=count)

    def further_problems(self, draft: Draft) -> Iterator[Problem]:
        """Validators of inputs that are not there, and wrong paths."""
        inputs = {form.instance.name for _, form in draft.rows["inputs"]}
        for place, (_, form) in enumerate(draft.rows["validators"]):
            if form.instance.input and form.instance.input not in inputs:
                said = f"{form.instance.input!r} is no input of this page: name it under Inputs first"
                yield Problem((*draft.path, "validators", place, "input"), said)
        for place, (_, form) in enumerate(draft.rows["files"]):
            try:
                _FILE_PATH.validate_python(form.instance.path)
            except ValidationError as error:
                sentence = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
                yield Problem((*draft.path, "files", place), sentence)

    def late_problems(self, draft: Draft) -> Iterator[Problem]:
        """Files that are named but not there, or there but not named."""
        there = [form.instance.path for _, form in draft.rows["files"]]
        named = list(files_of(draft.definition))
        for path, file in named:
            if file not in there:
                yield Problem((*draft.path, *path), f"there is no file {file!r}: upload it under Files")
        for place, file in enumerate(there):
            if file not in {name for _, name in named}:
                yield Problem((*draft.path, "files", place), "is named by no example and by no schedule")

    @admin.display(boolean=True, description="complete")
    def complete(self, job: Job) -> bool:
        """Whether it could run as it is."""
        return job.snapshot_id is not None

    @admin.display(description="steps", ordering="_steps")
    def step_count(self, job: Any) -> int:
        """How many steps it has."""
        return int(job._steps or 0)
