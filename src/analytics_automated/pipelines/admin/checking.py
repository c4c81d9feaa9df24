"""Changes by pages: made, checked as a whole, and undone where they would leave something wrong."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from pydantic import TypeAdapter, ValidationError

from analytics_automated.pipelines.admin.exporting import Exports
from analytics_automated.pipelines.admin.forms import ConfigurationForm, PlainWriting
from analytics_automated.pipelines.admin.history import ShowsHistory
from analytics_automated.pipelines.admin.where_used import SaysWhereUsed
from analytics_automated.pipelines.checks.configuration import LOCAL_BACKEND, check_configuration
from analytics_automated.pipelines.configuration import read_stored, verify_stored
from analytics_automated.pipelines.definitions.scalars import JobName, Name
from analytics_automated.pipelines.models import Backend, Job, Task
from analytics_automated.pipelines.problems import ConfigurationError, Problem

_NAMED: dict[str, tuple[type[Backend | Task | Job], TypeAdapter[str]]] = {
    "backends": (Backend, TypeAdapter(Name)),
    "tasks": (Task, TypeAdapter(Name)),
    "jobs": (Job, TypeAdapter(JobName)),
}
"""What has a name in pipeline files, by section."""


class ConfigurationAdmin(Exports, ShowsHistory, SaysWhereUsed, PlainWriting, admin.ModelAdmin):  # type: ignore[type-arg]
    """Pages of one kind of configuration.

    Every change is made in a transaction, and then the whole configuration is checked. Where that finds
    problems the transaction is undone, and the form is shown again with them and all that was typed.
    """

    form = ConfigurationForm
    save_on_top = True
    list_per_page = 50

    def verify(self, request: HttpRequest) -> None:
        """Check all and renew the snapshots. Raises `ConfigurationError`, which undoes the change."""
        problems = list(_wrong_names())
        try:
            verify_stored(request.user.get_username())
        except ConfigurationError as error:
            problems += error.problems
        if problems:
            raise ConfigurationError(problems)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Django's; after a refusal the form is made again, and `get_form` then makes it a wrong one."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except ConfigurationError as error:
            request.configuration_problems = error.problems  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form; with the problems, where the same data was just refused."""
        form = super().get_form(request, obj, change=change, **kwargs)
        problems = getattr(request, "configuration_problems", ())
        return type(form.__name__, (form,), {"problems": problems}) if problems else form

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save the rows that belong to it, as the last part of a change."""
        super().save_related(request, form, formsets, change)
        self.verify(request)
        for problem in _remarks(self.section, str(form.instance)):
            self.message_user(request, f"Saved, but {problem}", messages.WARNING)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        """Django's; a deletion that was refused leads back to its page."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except ConfigurationError as error:
            return self._refused(request, error)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete, and check."""
        super().delete_model(request, obj)
        self.verify(request)

    def response_action(self, request: HttpRequest, queryset: models.QuerySet[Any], *args: Any) -> Any:
        """Django's; an action on many rows is done for all of them or for none."""
        try:
            with transaction.atomic():
                return super().response_action(request, queryset, *args)
        except ConfigurationError as error:
            return self._refused(request, error)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        """Delete all, and check."""
        super().delete_queryset(request, queryset)
        self.verify(request)

    def _refused(self, request: HttpRequest, error: ConfigurationError) -> HttpResponse:
        for problem in error.problems:
            self.message_user(request, f"Refused: {problem}", messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())


def _wrong_names() -> Iterator[Problem]:
    """Names that pipeline files could not have, and the loss of the backend that always exists."""
    for section, (model, rule) in _NAMED.items():
        taken: dict[str, str] = {}
        for name in model._default_manager.order_by("pk").values_list("name", flat=True):
            try:
                rule.validate_python(name)
            except ValidationError as error:
                for each in error.errors(include_url=False):
                    yield Problem((section, name), each["msg"].removeprefix("Value error, "))
            other = taken.setdefault(name.lower(), name)
            if other != name:
                yield Problem((section, name), f"differs from {other!r}, which is there, only by its case")
        if model is Backend and taken.get(LOCAL_BACKEND) != LOCAL_BACKEND:
            yield Problem((section, LOCAL_BACKEND), "always exists: it can be neither deleted nor renamed")


def _remarks(section: str, name: str) -> list[Problem]:
    """What does not forbid a change: warnings, and what keeps a job that is not runnable from being so."""
    stored = read_stored()
    checked = check_configuration(stored.backends, stored.tasks, stored.jobs)
    return [problem for problem in checked.problems if problem.path[:2] == (section, name)]
