"""Pages of Attempts: where a step ran, and how it ended."""

import shlex
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html

from analytics_automated.runs.admin.reading import ReadingAdmin, link_to, short
from analytics_automated.runs.models import Attempt


def shown_command(argv: Any) -> str:
    """The argument list as a shell would have to be given it."""
    return shlex.join(str(word) for word in argv)


@admin.register(Attempt)
class AttemptAdmin(ReadingAdmin):
    """Tries of StepRuns."""

    list_display = ("short_name", "backend", "worker", "cause", "exit_code", "started", "seconds", "memory")
    list_filter = ("cause", "backend", "executor")
    list_select_related = ("step_run",)
    date_hierarchy = "started"
    search_fields = ("step_run__submission__id__istartswith", "worker", "step_run__step")
    fieldsets = (
        (None, {"fields": ("step_run_link", "number", ("cause", "exit_code", "signal"), "detail")}),
        ("What ran", {"fields": ("command", "environment", "secrets", "data", "timeout", "work_folder")}),
        ("Where", {"fields": (("worker", "backend", "queue"), ("executor", "handle"))}),
        (
            "What it took",
            {"fields": (("started", "finished"), ("seconds", "cpu_seconds", "memory"))},
        ),
        ("What it said", {"fields": ("setup", "output", "error_output")}),
    )
    readonly_fields = ("step_run_link", "command", "memory", "setup", "output", "error_output")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Lists do not fetch the logs."""
        return super().get_queryset(request).defer("stdout", "stderr", "setup_output")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Also the attempts of one Submission."""
        return lookup == "step_run__submission__id__exact" or super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    @admin.display(description="attempt", ordering="pk")
    def short_name(self, attempt: Attempt) -> str:
        """The Submission's id, shortened, the step and the number."""
        return f"{short(attempt.step_run.submission_id)}/{attempt.step_run.step} #{attempt.number}"

    @admin.display(description="step run")
    def step_run_link(self, attempt: Attempt) -> str:
        """What it is a try of."""
        return link_to(attempt.step_run)

    @admin.display(description="command")
    def command(self, attempt: Attempt) -> str:
        """The argument list, each word quoted where a shell would need it."""
        return format_html('<pre class="aa-log">{}</pre>', shown_command(attempt.argv))

    @admin.display(description="peak memory", ordering="peak_memory")
    def memory(self, attempt: Attempt) -> str:
        """The most memory that it held, for people."""
        return "-" if attempt.peak_memory is None else filesizeformat(attempt.peak_memory)

    @admin.display(description="setup")
    def setup(self, attempt: Attempt) -> str:
        """What the setups said."""
        return format_html('<pre class="aa-log">{}</pre>', attempt.setup_output)

    @admin.display(description="standard output")
    def output(self, attempt: Attempt) -> str:
        """What is kept of it."""
        return format_html('<pre class="aa-log">{}</pre>', attempt.stdout)

    @admin.display(description="standard error")
    def error_output(self, attempt: Attempt) -> str:
        """What is kept of it."""
        return format_html('<pre class="aa-log">{}</pre>', attempt.stderr)
