"""What a Task would execute, beside its form: as it is stored, and while somebody types."""

from collections.abc import Iterator
from typing import Any

from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.loader import render_to_string
from django.urls import path, reverse
from pydantic import ValidationError

from analytics_automated.pipelines.admin.checking import ConfigurationAdmin
from analytics_automated.pipelines.checks.task import check_task
from analytics_automated.pipelines.definitions import TaskDefinition
from analytics_automated.pipelines.models import Backend, Task
from analytics_automated.pipelines.previews import WORK_FOLDER, Preview, preview
from analytics_automated.pipelines.problems import ConfigurationError

PREVIEW = "pipelines/admin/preview.html"


class _Seen(Exception):
    """Undoes what was saved to be looked at."""

    def __init__(self, shown: Preview | None, said: list[str]) -> None:
        super().__init__()
        self.shown = shown
        self.said = said


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
        """What the sent form would execute, or what is wrong with it.

        The form is saved as ever, looked at, and the transaction undone: what is told is what saving would tell.
        """
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        request.only_looking = True  # type: ignore[attr-defined]
        try:
            answer = self.changeform_view(request, object_id)
        except _Seen as seen:
            return _answer(seen.shown, seen.said)
        if not hasattr(answer, "context_data"):  # the row is gone: Django leads away
            return _answer(None, [f"there is no task with the key {unquote(object_id or '')!r} any more"])
        return _answer(None, list(_form_errors(answer.context_data)))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save the rows that belong to it; where somebody is only looking, undo all."""
        if not _only_looks(request):
            super().save_related(request, form, formsets, change)
            return
        said: list[str] = []
        try:
            super().save_related(request, form, formsets, change)
        except ConfigurationError as error:
            said = [str(problem) for problem in error.problems]
        draft = self.draft(form, formsets)
        readable = draft is not None and not any(draft.problems())
        raise _Seen(_preview(draft.definition, form.instance.backend) if draft and readable else None, said)

    def message_user(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Django's; who is only looking is told nothing on the next page."""
        if not _only_looks(request):
            super().message_user(request, *args, **kwargs)


def _only_looks(request: HttpRequest) -> bool:
    return getattr(request, "only_looking", False)


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
