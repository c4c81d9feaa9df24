"""What a Task would execute, beside its form: as it is stored, and while somebody types."""

from collections.abc import Iterator
from typing import Any

from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.loader import render_to_string
from django.urls import path, reverse
from pydantic import ValidationError

from analytics_automated.pipelines.admin.checking import ConfigurationAdmin, wrong_names
from analytics_automated.pipelines.admin.draft import names_of
from analytics_automated.pipelines.checks.task import check_task
from analytics_automated.pipelines.configuration.verifying import problems_with_task
from analytics_automated.pipelines.definitions import TaskDefinition
from analytics_automated.pipelines.models import Backend, Task
from analytics_automated.pipelines.previews import WORK_FOLDER, Preview, preview
from analytics_automated.pipelines.problems import Problem

PREVIEW = "pipelines/admin/preview.html"


class _Seen(Exception):
    """Ends Django's view of a form where it would save."""

    def __init__(self, shown: Preview | None, problems: list[Problem]) -> None:
        super().__init__()
        self.shown = shown
        self.said = [str(problem) for problem in problems]


class ShowsCommand(ConfigurationAdmin):
    """Tasks with what they would execute for example values."""

    class Media:
        js = ("pipelines/preview.js",)

    def get_urls(self) -> list[Any]:
        """Django's, with the page that answers while somebody types."""
        view = self.admin_site.admin_view(self.preview_view)
        return [
            path("preview/", view, name="pipelines_task_preview_new"),
            path("<path:object_id>/preview/", view, name="pipelines_task_preview"),
            *super().get_urls(),
        ]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Django's, with the command as it is stored, and the address that tells it while somebody types."""
        row = context.get("original")
        may = self.has_change_permission(request, row) if row is not None else self.has_add_permission(request)
        if may and row is not None:
            context["preview_address"] = reverse("admin:pipelines_task_preview", args=[row.pk])
        elif may:
            context["preview_address"] = reverse("admin:pipelines_task_preview_new")
        context["preview"] = _preview_of(row) if row is not None else None
        context["work_folder"] = WORK_FOLDER
        return super().render_change_form(request, context, *args, **kwargs)

    def preview_view(self, request: HttpRequest, object_id: str | None = None) -> HttpResponse:
        """What the sent form would execute, or what is wrong with it: what saving it would tell.

        Nothing is saved to find that out, and no lock is taken: this is asked at every pause in typing, and must keep
        nobody from saving.
        """
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        request.only_looking = True  # type: ignore[attr-defined]
        try:
            # Django's view of a form without the transaction that it puts around it.
            answer = self._changeform_view(request, object_id, "", None)  # type: ignore[attr-defined]  # not in the stubs
        except _Seen as seen:
            return _answer(seen.shown, seen.said)
        if not hasattr(answer, "context_data"):  # the row is gone: Django leads away
            return _answer(None, [f"there is no task with the key {unquote(object_id or '')!r} any more"])
        return _answer(None, list(_form_errors(answer.context_data)))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save the rows that belong to it; where somebody is only looking, nothing."""
        if not getattr(request, "only_looking", False):
            super().save_related(request, form, formsets, change)
            return
        draft = self.draft(form, formsets)
        assert draft is not None  # noqa: S101 -- Tasks are part of pipeline files
        problems = [*draft.problems(), *self.further_problems(draft)]
        if problems:
            raise _Seen(None, problems)
        before = form.initial.get("name") if change else None
        names = [draft.name if name == before else name for name in names_of(Task)]
        problems += wrong_names(self.section, names if change else [*names, draft.name])
        problems += problems_with_task(draft.name, draft.definition, before)
        raise _Seen(_preview(draft.definition, form.instance.backend), problems)


def _answer(shown: Preview | None, said: list[str]) -> HttpResponse:
    context = {"preview": shown, "said": said, "work_folder": WORK_FOLDER}
    return HttpResponse(render_to_string(PREVIEW, context))


def _preview_of(task: Task) -> Preview | None:
    """The preview of a stored task; none where it is not right by itself."""
    try:
        return _preview(task.to_definition(), task.backend)
    except ValidationError:
        return None


def _preview(task: TaskDefinition, backend: Backend) -> Preview | None:
    try:
        place = backend.to_definition()
    except ValidationError:
        return None
    wrong = any(not problem.warning for problem in check_task(task))
    return None if wrong else preview(task, place)


def _form_errors(context: dict[str, Any]) -> Iterator[str]:
    """What the fields of the form and of its rows say, each with the field's name."""
    form = context["adminform"].form
    yield from _errors_of(form, "")
    for rows in context["inline_admin_formsets"]:
        yield from rows.formset.non_form_errors()
        staying = [row for row in rows.formset.forms if row not in rows.formset.deleted_forms]
        for number, row in enumerate(staying, start=1):
            yield from _errors_of(row, f"{rows.opts.verbose_name} {number}: ")


def _errors_of(form: Any, where: str) -> Iterator[str]:
    for name, errors in form.errors.items():
        label = f"{form.fields[name].label or name}: " if name in form.fields else ""
        yield from (f"{where}{label}{error}" for error in errors)
