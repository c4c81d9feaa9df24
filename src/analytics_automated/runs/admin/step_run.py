"""Pages of StepRuns."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat

from analytics_automated.runs.admin.reading import ReadingAdmin, ReadingRows, link_to, short
from analytics_automated.runs.models import Attempt, StepRun
from analytics_automated.runs.outlook import reason_to_wait


class AttemptRows(ReadingRows):
    """The tries of it."""

    model = Attempt
    fields = readonly_fields = ("number", "worker", "cause", "exit_code", "started", "seconds", "memory")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Without the logs."""
        return super().get_queryset(request).defer("stdout", "stderr", "setup_output")

    @admin.display(description="peak memory")
    def memory(self, attempt: Attempt) -> str:
        """The most memory that it held, for people."""
        return "-" if attempt.peak_memory is None else filesizeformat(attempt.peak_memory)


@admin.register(StepRun)
class StepRunAdmin(ReadingAdmin):
    """Steps of Submissions."""

    inlines = (AttemptRows,)
    list_display = (
        "short_name",
        "task",
        "backend",
        "status",
        "attempt",
        "worker",
        "queued",
        "started",
        "finished",
    )
    list_filter = ("status", "backend")
    search_fields = ("submission__id__istartswith", "submission__name", "step", "task", "worker")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    *("submission_link", ("step", "item", "item_name", "position")),
                    *("task", "status", "waits_for", "message"),
                )
            },
        ),
        ("Where", {"fields": (("backend", "worker"), ("priority", "attempt", "waiting"))}),
        ("How it ended", {"fields": (("exit_code", "cause"), ("queued", "started", "finished"))}),
    )
    readonly_fields = ("submission_link", "waits_for")

    @admin.display(description="waits for")
    def waits_for(self, step_run: StepRun) -> str:
        """Why it is not run at once; a dash where it does not wait for a worker."""
        return reason_to_wait(step_run) or "-"

    @admin.display(description="step run", ordering="pk")
    def short_name(self, step_run: StepRun) -> str:
        """The Submission's id, shortened, the step, and the item of a scattered one."""
        name = f"/{step_run.item_name}" if step_run.item else ""
        return f"{short(step_run.submission_id)}/{step_run.step}{name}"

    @admin.display(description="submission")
    def submission_link(self, step_run: StepRun) -> str:
        """What it is a step of."""
        return link_to(step_run.submission)
