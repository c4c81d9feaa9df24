"""Where a Task, a Backend or a Job is used, and what its deletion would break."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from analytics_automated.pipelines.admin.pages import FurtherPages, Link, address_of
from analytics_automated.pipelines.checks.configuration import LOCAL_BACKEND
from analytics_automated.pipelines.models import Backend, Job, Step, Task, Validator


@dataclass(frozen=True, slots=True)
class Use:
    """Something that uses a row."""

    link: Link
    detail: str = ""


@dataclass(frozen=True, slots=True)
class WhereUsed:
    """All that uses a row."""

    uses: list[Use] = field(default_factory=list)
    refuses: bool = False
    """True where the row cannot be deleted while these use it."""
    note: str = ""
    """What its deletion means besides."""


def where_used(row: Any) -> WhereUsed:
    """What uses the row, which is a Task, a Backend or a Job."""
    if isinstance(row, Task):
        uses = list(_steps_of(row))
        return WhereUsed(uses, refuses=bool(uses))
    if isinstance(row, Backend):
        uses = [*_tasks_on(row), *_jobs_on(row)]
        note = "It always exists, and cannot be deleted." if row.name == LOCAL_BACKEND else ""
        return WhereUsed(uses, refuses=bool(uses) or bool(note), note=note)
    if isinstance(row, Job):
        calls = row.submissions.count()
        uses = [
            Use(Link(f"job {other}", address_of(other)), "is deprecated, and names it as its successor")
            for other in Job.objects.exclude(deprecated=None)
            if (other.deprecated or {}).get("successor") == row.name
        ]
        note = f"Its {calls} submission{'s' if calls != 1 else ''} and their results stay as they are."
        return WhereUsed(uses, note=note if calls else "Nobody has submitted to it.")
    return WhereUsed()


def _steps_of(task: Task) -> Iterator[Use]:
    steps = Step.objects.filter(task=task).select_related("job", "task").order_by("job__name", "position")
    by_job: dict[Job, list[str]] = {}
    for step in steps:
        by_job.setdefault(step.job, []).append(step.name or step.task.name)
    for job, names in by_job.items():
        state = "" if job.runnable else "; the job is not runnable"
        yield Use(Link(f"job {job}", address_of(job)), f"step{'s' * (len(names) > 1)} {', '.join(names)}{state}")


def _tasks_on(backend: Backend) -> Iterator[Use]:
    for task in Task.objects.filter(backend=backend).order_by("name"):
        yield Use(Link(f"task {task}", address_of(task)), task.title)


def _jobs_on(backend: Backend) -> Iterator[Use]:
    for job in Job.objects.filter(steps__task__backend=backend).distinct().order_by("name"):
        tasks = sorted({step.task.name for step in job.steps.filter(task__backend=backend).select_related("task")})
        yield Use(Link(f"job {job}", address_of(job)), f"by its task{'s' * (len(tasks) > 1)} {', '.join(tasks)}")


class ValidatorFilter(admin.SimpleListFilter):
    """Jobs by the validators that they use."""

    title = "validator"
    parameter_name = "validator"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        """The validators that any job uses."""
        names = Validator.objects.order_by("name").values_list("name", flat=True).distinct()
        return [(name, name) for name in names]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:  # noqa: ARG002
        """The jobs that use that one."""
        return queryset.filter(validators__name=self.value()).distinct() if self.value() else queryset


class SaysWhereUsed(FurtherPages):
    """Rows whose pages say what uses them."""

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Django's, with what uses the row."""
        row = context.get("original")
        if row is not None and self.section:
            context["where_used"] = where_used(row)
        return super().render_change_form(request, context, *args, **kwargs)

    def render_delete_form(self, request: HttpRequest, context: dict[str, Any]) -> Any:
        """Django's, with what would break."""
        if self.section:
            context["where_used"] = where_used(context["object"])
        return super().render_delete_form(request, context)
