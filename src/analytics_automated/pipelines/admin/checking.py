"""Changes by pages: made, checked as a whole, and undone where they would leave something wrong."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from analytics_automated.pipelines.admin.differences import shown_difference
from analytics_automated.pipelines.admin.draft import Draft, names_of
from analytics_automated.pipelines.admin.exporting import Exports
from analytics_automated.pipelines.admin.forms import Complaint, ConfigurationForm
from analytics_automated.pipelines.admin.history import ShowsHistory
from analytics_automated.pipelines.admin.rivals import INSTEAD, SEEN, Rival, rebase, rival_of, seen_line
from analytics_automated.pipelines.admin.rows import DescribedRows
from analytics_automated.pipelines.admin.theme import ModelAdmin
from analytics_automated.pipelines.admin.uploads import Uploads
from analytics_automated.pipelines.admin.where_used import SaysWhereUsed
from analytics_automated.pipelines.checks.configuration import LOCAL_BACKEND, check_configuration
from analytics_automated.pipelines.configuration import read_stored, verify_stored
from analytics_automated.pipelines.configuration.stored import Key
from analytics_automated.pipelines.configuration.verifying import lock_configuration
from analytics_automated.pipelines.models import Backend, Job, Task
from analytics_automated.pipelines.problems import ConfigurationError, Problem

_NAMED: dict[str, type[models.Model]] = {"backends": Backend, "tasks": Task, "jobs": Job}
"""What has a name in pipeline files, by section."""


class _Refusal(ConfigurationError):
    """A change that was refused, with what to say and where on its page."""

    def __init__(self, problems: list[Problem], draft: Draft | None, rival: Rival | None = None) -> None:
        super().__init__(problems)
        self.rival = rival
        """The change that it would have undone."""
        if draft is not None:
            self.own, self.of_rows = draft.complaints(problems)
        else:
            self.own, self.of_rows = [Complaint(None, str(problem)) for problem in problems], {}


class ConfigurationAdmin(Exports, ShowsHistory, SaysWhereUsed, DescribedRows, ModelAdmin):
    """Pages of one kind of configuration.

    Every change is made in one transaction, behind a lock, so that who changes something at the same time waits. First
    its shape is looked at, as that of a file is; then it is saved and the whole configuration checked. Where that finds
    problems the transaction is undone, and the form is shown again with them and all that was typed. So it is where
    somebody else has changed the same thing since the page was opened; saved again, it has the last word.
    """

    form = ConfigurationForm
    save_on_top = True
    list_per_page = 50
    warn_unsaved_form = True
    compressed_fields = False

    class Media:
        js = ("pipelines/rows.js",)

    def verify(
        self, request: HttpRequest, known: Sequence[Problem] = (), renamed: Mapping[Key, str] | None = None
    ) -> None:
        """Check all, renew the snapshots and write history, in which things are `renamed` that had these names before.
        Raises `ConfigurationError`, which undoes the change, with what is known to be wrong already."""
        problems = [*known]
        for section, model in _NAMED.items():
            problems += wrong_names(section, names_of(model))
        try:
            verify_stored(request.user.get_username(), renamed)
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
        """Django's; after a refusal the form is made again, and is told what is wrong with it."""
        if request.method != "POST":
            # Before the row is read: what is changed in between is then found to be new.
            request.seen = self._seen(request, object_id)  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)
        request.seen = request.POST.get(SEEN, "")  # type: ignore[attr-defined]
        may_save = self.has_change_permission(request) or self.has_add_permission(request)
        # Bytes are stored before the lock is taken, as that may take its time.
        with Uploads(request.FILES if may_save else None) as uploads:
            request.uploads = uploads  # type: ignore[attr-defined]
            try:
                with transaction.atomic():
                    lock_configuration()
                    self._refuse_rivals(request, object_id)
                    return super().changeform_view(request, object_id, form_url, extra_context)
            except ConfigurationError as error:
                uploads.release()
                request.refusal = error  # type: ignore[attr-defined]
                if isinstance(error, _Refusal) and error.rival is not None:
                    self._rebase(request, object_id, error.rival)
                return super().changeform_view(request, object_id, form_url, extra_context)

    def _seen(self, request: HttpRequest, object_id: str | None) -> str:
        row = self.get_object(request, unquote(object_id)) if object_id and self.section else None
        return "" if row is None else seen_line(self.section, row.name)

    def _refuse_rivals(self, request: HttpRequest, object_id: str | None) -> None:
        """Raises `ConfigurationError` where the form is of what is no longer so."""
        row = self.get_object(request, unquote(object_id)) if object_id and self.section else None
        if row is None or not self.has_change_permission(request, row):
            return
        rival = rival_of(self.section, row.name, request.POST.get(SEEN, ""))
        if rival is not None:
            raise _Refusal([Problem((self.section, row.name), rival.message)], None, rival)

    def _rebase(self, request: HttpRequest, object_id: str | None, rival: Rival) -> None:
        """Let the form be one of what is there now, with all that was typed."""
        request.seen = str(rival.latest.pk)  # type: ignore[attr-defined]
        request.instead = True  # type: ignore[attr-defined]
        row = self.get_object(request, unquote(object_id or ""))
        for formset, _ in self.get_formsets_with_inlines(request, row) if row is not None else ():
            there = formset.model._default_manager.filter(**{formset.fk.name: row})
            names = {str(each.pk): getattr(each, "name", None) or getattr(each, "path", "") or "" for each in there}
            rebase(request, formset.get_default_prefix(), names)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form; with what is wrong, where the same data was just refused."""
        form = super().get_form(request, obj, change=change, **kwargs)
        refusal = getattr(request, "refusal", None)
        return form if refusal is None else type(form.__name__, (form,), {"complaints": refusal.own})

    def get_formset_kwargs(self, request: HttpRequest, obj: Any, inline: Any, prefix: str) -> dict[str, Any]:
        """Django's; rows are told what is wrong with them."""
        kwargs: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        refusal = getattr(request, "refusal", None)
        said = refusal.of_rows.get(prefix) if refusal is not None else None
        return {**kwargs, "complaints": said} if said else kwargs

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Django's, with all problems in one list: some stand in other tabs of the page."""
        said = [[each] if isinstance(each, str) else each for each in context.get("errors") or ()]
        rival = getattr(getattr(request, "refusal", None), "rival", None)
        more = {
            "problems": list(dict.fromkeys(str(each) for part in said for each in part)),
            "seen": getattr(request, "seen", ""),
            "instead": getattr(request, "instead", INSTEAD in request.POST),
            "rival_difference": shown_difference(rival.difference) if rival is not None else "",
        }
        return super().render_change_form(request, {**context, **more}, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Nothing yet: see `save_related`, which knows the rows too."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Look at what was typed as a whole, save it, and check the whole configuration."""
        draft = self.draft(form, formsets)
        try:
            if draft is not None:
                if problems := [*draft.problems(), *self.further_problems(draft)]:
                    raise ConfigurationError(problems)
                draft.take()
            self.save_checked(request, form.instance, form, change)
            if INSTEAD in request.POST:
                _leave_only_typed(formsets)
            getattr(request, "uploads").adopt(formsets)  # noqa: B009 -- set above, on no type of Django's
            super().save_related(request, form, formsets, change)
            late = list(self.late_problems(draft)) if draft is not None else []
            self.verify(request, late, _renamed(draft) if change else None)
        except ConfigurationError as error:
            raise _Refusal(error.problems, draft) from None
        for problem in _remarks(self.section, str(form.instance)):
            self.message_user(request, f"Saved, but {problem}", messages.WARNING)

    def draft(self, form: Any, formsets: Any) -> Draft | None:
        """What the page would make of it; none for what is no part of pipeline files."""
        return Draft(self.section, form, formsets) if self.section else None

    def further_problems(self, draft: Draft) -> Iterator[Problem]:  # noqa: ARG002
        """What else is wrong with the shape of it, in the eyes of one kind of page."""
        yield from ()

    def late_problems(self, draft: Draft) -> Iterator[Problem]:  # noqa: ARG002
        """What is wrong with it, but only said together with what the checks of the whole configuration say."""
        yield from ()

    def save_checked(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save the row itself, whose shape is right."""
        super().save_model(request, obj, form, change)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        """Django's; a deletion that was refused leads back to its page."""
        if request.method != "POST":
            return super().delete_view(request, object_id, extra_context)
        try:
            with transaction.atomic():
                lock_configuration()
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
                lock_configuration()
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


def _renamed(draft: Draft | None) -> dict[Key, str] | None:
    """The thing with the name that it had until now, where it gets another."""
    former = draft.form.initial.get("name") if draft is not None else None
    return {(draft.section, draft.name): former} if draft is not None and former not in (None, draft.name) else None


def _leave_only_typed(formsets: Sequence[Any]) -> None:
    """Delete the rows that others have added since."""
    for formset in formsets:
        formset.get_queryset().exclude(pk__in=[form.instance.pk for form in formset.initial_forms]).delete()


def wrong_names(section: str, names: Iterable[str]) -> Iterator[Problem]:
    """Names, the oldest first, that differ only by case, and the loss of the backend that always exists."""
    taken: dict[str, str] = {}
    for name in names:
        other = taken.setdefault(name.lower(), name)
        if other != name:
            yield Problem((section, name), f"differs from {other!r}, which is there, only by its case")
    if section == "backends" and taken.get(LOCAL_BACKEND) != LOCAL_BACKEND:
        yield Problem((section, LOCAL_BACKEND), "always exists: it can be neither deleted nor renamed")


def _remarks(section: str, name: str) -> list[Problem]:
    """What is worth knowing, and does not forbid a change."""
    stored = read_stored()
    checked = check_configuration(stored.backends, stored.tasks, stored.jobs)
    return [problem for problem in checked.problems if problem.path[:2] == (section, name)]
