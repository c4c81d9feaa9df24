"""Pages of Submissions, with all that became of them."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.text import Truncator

from analytics_automated.runs import engine
from analytics_automated.runs.admin.attempt import shown_command
from analytics_automated.runs.admin.reading import ReadingAdmin, ReadingRows, link_to, short, took
from analytics_automated.runs.models import Attempt, Event, Result, StepRun, Submission, SubmissionInput

ATTEMPTS_SHOWN = 50


class _StoredRows(ReadingRows):
    """Rows that name a blob."""

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """With the blobs."""
        return super().get_queryset(request).select_related("blob")

    @admin.display(description="size")
    def size(self, row: Any) -> str:
        """Size of the bytes, for people."""
        return filesizeformat(row.blob.size)

    @admin.display(description="stored as")
    def stored(self, row: Any) -> str:
        """The stored bytes."""
        return link_to(row.blob, row.blob.sha256[:12])


class InputRows(_StoredRows):
    """The files that the user sent."""

    model = SubmissionInput
    show_change_link = False
    verbose_name = "input"
    fields = readonly_fields = ("name", "position", "file", "size", "stored")


class StepRunRows(ReadingRows):
    """The Steps."""

    model = StepRun
    fields = readonly_fields = (
        "step",
        "item",
        "task",
        "backend",
        "status",
        "attempt",
        "exit_code",
        "time",
        "message",
    )

    @admin.display(description="took")
    def time(self, step_run: StepRun) -> str:
        """How long it ran."""
        return took(step_run.started, step_run.finished)


class ResultRows(_StoredRows):
    """The files that came of it."""

    model = Result
    fields = readonly_fields = ("name", "step", "output", "position", "file", "media_type", "size", "stored")


class EventRows(ReadingRows):
    """Its history."""

    model = Event
    show_change_link = False
    fields = readonly_fields = ("time", "step", "item", "attempt", "status", "message")


@admin.register(Submission)
class SubmissionAdmin(ReadingAdmin):
    """Calls of Jobs."""

    inlines = (InputRows, StepRunRows, ResultRows, EventRows)
    list_display = ("short_id", "status", "job_name", "name", "created", "took", "short_message")
    list_filter = ("status", "job")
    actions = ("go_first", "go_in_turn", "go_last")
    date_hierarchy = "created"
    search_fields = ("id__istartswith", "name", "job_name")
    fieldsets = (
        (None, {"fields": ("id", "job_link", "name", "status", "priority", "message", "cause", "parameters")}),
        ("When", {"fields": (("created", "started", "finished"), ("took", "expires"))}),
        (
            "Inside",
            {
                "classes": ("collapse",),
                "fields": (
                    "snapshot_link",
                    ("stopped_step", "stopped_message"),
                    ("verdict", "unfinished"),
                    ("email", "webhook"),
                ),
            },
        ),
    )
    readonly_fields = ("id", "job_link", "snapshot_link", "took")

    @admin.display(description="id", ordering="id")
    def short_id(self, submission: Submission) -> str:
        """The id's beginning."""
        return short(submission.pk)

    @admin.display(description="message")
    def short_message(self, submission: Submission) -> str:
        """The message's beginning."""
        return Truncator(submission.message).chars(80)

    @admin.display(description="job")
    def job_link(self, submission: Submission) -> str:
        """The Job as it is now, under the name that it had."""
        version = f" {submission.job_version}" if submission.job_version else ""
        text = f"{submission.job_name}{version}"
        return link_to(submission.job, text) if submission.job else f"{text} (deleted since)"

    @admin.display(description="snapshot")
    def snapshot_link(self, submission: Submission) -> str:
        """What it runs."""
        return link_to(submission.snapshot)

    @admin.display(description="took")
    def took(self, submission: Submission) -> str:
        """From its acceptance to its end."""
        return took(submission.created, submission.finished)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """For those who may do more than look."""
        allowed = request.user.has_perm("runs.change_submission")
        return super().get_actions(request) if allowed else {}

    @admin.action(description="Let the selected ones go first (priority 10)")
    def go_first(self, request: HttpRequest, selected: models.QuerySet[Submission]) -> None:
        """Raise their priority."""
        self._prioritise(request, selected, 10)

    @admin.action(description="Let the selected ones go in turn (priority 0)")
    def go_in_turn(self, request: HttpRequest, selected: models.QuerySet[Submission]) -> None:
        """Give them the usual priority."""
        self._prioritise(request, selected, 0)

    @admin.action(description="Let the selected ones go last (priority -10)")
    def go_last(self, request: HttpRequest, selected: models.QuerySet[Submission]) -> None:
        """Lower their priority."""
        self._prioritise(request, selected, -10)

    def _prioritise(self, request: HttpRequest, selected: models.QuerySet[Submission], priority: int) -> None:
        changed = engine.prioritise(selected.values_list("pk", flat=True), priority)
        self.message_user(request, f"{changed} in progress have the priority {priority} now.")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Django's, with the Attempts of all its steps and links to the whole lists."""
        attempts = Attempt.objects.none()
        submission = self.get_object(request, object_id)
        if submission is not None and self.has_view_permission(request, submission):
            attempts = Attempt.objects.filter(step_run__submission=submission).select_related("step_run")
        lists = [
            (name, f"{reverse(f'admin:runs_{model}_changelist')}?{field}__exact={object_id}")
            for name, model, field in (
                ("All step runs", "steprun", "submission__id"),
                ("All attempts", "attempt", "step_run__submission__id"),
                ("All results", "result", "submission__id"),
                ("All events", "event", "submission__id"),
            )
        ]
        context = {
            "attempts": [
                {"row": attempt, "command": shown_command(attempt.argv)}
                for attempt in attempts.order_by("-started", "-pk")[:ATTEMPTS_SHOWN]
            ],
            "lists": lists,
        }
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})
