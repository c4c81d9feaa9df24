"""Pages of rows whose keys a definition describes, and the rows that belong to another."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.options import BaseModelAdmin, InlineModelAdmin
from django.contrib.auth import get_permission_codename
from django.core.exceptions import NON_FIELD_ERRORS
from django.db import models
from django.forms.formsets import DELETION_FIELD_NAME
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from pydantic import BaseModel

from analytics_automated.pipelines.admin.described import as_help, field_for, help_of
from analytics_automated.pipelines.admin.fields import (
    CodeArea,
    CommandArea,
    KeptField,
    TextArea,
    VerbatimField,
    yaml_text,
)
from analytics_automated.pipelines.admin.forms import Complaint, ConfigurationForm, first_field, with_parts
from analytics_automated.pipelines.admin.theme import NumberInput
from analytics_automated.pipelines.models.fields import OrderedJSONField


class DescribedRows(BaseModelAdmin):  # type: ignore[type-arg]
    """Pages of rows whose keys a definition describes: kinds of fields, help texts, and what is wrong come from it."""

    definition: type[BaseModel] | None = None
    code: Sequence[str] = ()
    """Texts that are programs."""
    areas: Sequence[str] = ()
    """Texts of several lines that are for people."""
    instead: Mapping[str, type[KeptField]] = {}
    """Fields of another kind than the definition would make, by name."""
    notes: Mapping[str, str] = {}
    """What a page adds to a key's description."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.form = with_parts(self.form, self.model, self)
        structured = [each.name for each in self.model._meta.get_fields() if isinstance(each, OrderedJSONField)]
        self.shown = [f"{name}_shown" for name in structured]
        for name in structured:
            setattr(self, f"{name}_shown", _showing(name))

    def dressed(self, name: str, field: forms.Field) -> forms.Field:
        """A field as this page has it."""
        if (kind := self.instead.get(name)) is not None and isinstance(field, KeptField):
            field = kind(required=field.required, label=field.label, help_text=field.help_text, empty=field.empty)
        if name in self.code:
            field.widget = CommandArea() if name == "command" else CodeArea()
        elif name in self.areas:
            field.widget = TextArea()
        if name in self.notes:
            field.help_text = format_html("{} {}", field.help_text, as_help(self.notes[name]))
        return field

    def formfield_for_dbfield(self, db_field: "models.Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        """The form field of a column."""
        info = self.definition.model_fields.get(db_field.name) if self.definition else None
        if db_field.name == "name":
            said = help_of(info) if info else db_field.help_text
            required = info is None or info.is_required()
            return self.dressed("name", VerbatimField(strip=True, required=required, help_text=said))
        if info is None and db_field.name in getattr(self.model, "columns", ()):
            return self.dressed(db_field.name, VerbatimField(required=False, help_text=db_field.help_text))
        if info is None or db_field.is_relation:
            field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
            if info is not None and field is not None:
                field.help_text = as_help(info.description or "")
            return field if field is None else self.dressed(db_field.name, field)
        if isinstance(db_field, models.BooleanField) and db_field.null:
            field = super().formfield_for_dbfield(db_field, request, **kwargs)
            field.help_text = help_of(info)
            return self.dressed(db_field.name, field)
        empty = db_field.get_default() if isinstance(db_field, OrderedJSONField) else None
        field = field_for(info, empty=empty, label=_label(db_field), initial=db_field.get_default())
        return self.dressed(db_field.name, field)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Django's; structured columns are their parts, and for who may only look, text."""
        fieldsets = super().get_fieldsets(request, obj)
        may_edit = self._may_edit(request, obj)
        return [
            (title, {**options, "fields": [part for line in options["fields"] for part in self._line(line, may_edit)]})
            for title, options in fieldsets
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Django's, with the texts of structured columns for who may only look."""
        names = super().get_readonly_fields(request, obj)
        return names if self._may_edit(request, obj) else (*names, *self.shown)

    def _may_edit(self, request: HttpRequest, obj: Any) -> bool:
        if isinstance(self, InlineModelAdmin):
            return self.has_change_permission(request, obj) or self.has_add_permission(request, obj)
        return self.has_change_permission(request, obj) if obj else self.has_add_permission(request)

    def _line(self, line: Any, may_edit: bool) -> list[Any]:
        names = [line] if isinstance(line, str) else list(line)
        if not may_edit:
            return [tuple(f"{name}_shown" if f"{name}_shown" in self.shown else name for name in names)]
        parts = getattr(self.form, "parts", {})
        if len(names) == 1 and names[0] in parts:
            return list(self._lines([part.name for part in parts[names[0]]]))
        return [tuple(names) if len(names) > 1 else names[0]]

    def _lines(self, names: list[str]) -> Iterator[Any]:
        """Short fields stand side by side."""
        for wide, group in groupby(names, lambda name: isinstance(self.form.base_fields[name].widget, TextArea)):
            line, most = list(group), 2 if wide else 4
            yield from (tuple(line[place : place + most]) for place in range(0, len(line), most))


def _label(column: "models.Field[Any, Any]") -> str:
    return str(column.verbose_name).capitalize()


def _showing(name: str) -> Any:
    @admin.display(description=name.replace("_", " "))
    def shown(row: Any) -> str | SafeString:
        value = getattr(row, name)
        return "-" if value in (None, "", [], {}) else format_html('<pre class="aa-code">{}</pre>', yaml_text(value))

    return shown


class RowsInOrder(BaseInlineFormSet):  # type: ignore[type-arg]
    """Rows with a `position`; those that name none come last, in the order of the page."""

    def __init__(self, *args: Any, complaints: Mapping[int, Sequence[Complaint]] | None = None, **kwargs: Any) -> None:
        self.complaints = complaints or {}
        super().__init__(*args, **kwargs)

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        """Django's; each form is told what is said of it."""
        kwargs: dict[str, Any] = super().get_form_kwargs(index)
        said = self.complaints.get(index, ()) if index is not None else ()
        return {**kwargs, "complaints": said} if said else kwargs

    def clean(self) -> None:
        """Give a place to the rows that name none."""
        super().clean()
        rows = self.rows()
        places = [form.cleaned_data.get("position") for form in rows if form.is_valid()]
        following = max((place for place in places if place is not None), default=-1) + 1
        for form in rows:
            if form.is_valid() and form.cleaned_data.get("position") is None:
                form.instance.position = following
                following += 1

    def validate_unique(self) -> None:
        """Django's; of a row that is there twice, that is said at its name, in the words of pipeline files."""
        with suppress(forms.ValidationError):  # which says it of no row
            super().validate_unique()
        for place, form in enumerate(self.rows()):
            if form.errors.pop(NON_FIELD_ERRORS, None):
                form.add_error(first_field(form), self.said_twice(place, form))

    def said_twice(self, place: int, form: Any) -> str:  # noqa: ARG002
        """What is said of a row whose name another has."""
        return f"{self.path}.{form.instance.name}: is here twice"

    @property
    def path(self) -> str:
        """Where a pipeline file would have the rows."""
        return f"{self.instance._meta.verbose_name_plural}.{self.instance.name}.{self.prefix}"

    def rows(self) -> list[Any]:
        """The forms of rows that will be there."""
        return [
            form
            for form in self.forms
            if (form.instance.pk or form.has_changed())
            and not getattr(form, "cleaned_data", {}).get(DELETION_FIELD_NAME)
        ]


class OwnRows(DescribedRows, InlineModelAdmin):  # type: ignore[type-arg]
    """Rows that belong to another: parameters of a task, steps of a job."""

    form = ConfigurationForm
    formset = RowsInOrder
    extra = 0
    ordering_field = "position"
    """Rows can be dragged."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Rows are part of what they belong to: who may change that may change them."""
        return self._may_write(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """See above."""
        return self._may_write(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """See above."""
        return self._may_write(request, obj)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """See above."""
        return self.has_change_permission(request, obj) or self._may(request, "view")

    def _may_write(self, request: HttpRequest, obj: Any) -> bool:
        # Without a thing Django asks in general, be it of a new one or of rows that it has not chosen yet.
        return self._may(request, "change") or (obj is None and self._may(request, "add"))

    def _may(self, request: HttpRequest, action: str) -> bool:
        owner = self.parent_model._meta
        return request.user.has_perm(f"{owner.app_label}.{get_permission_codename(action, owner)}")

    def formfield_for_dbfield(self, db_field: "models.Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        """The form field of a column; a row need not name its place."""
        if db_field.name == "position":
            widget = NumberInput(attrs={"class": "aa-place", "min": 0})
            return forms.IntegerField(required=False, min_value=0, widget=widget, max_value=2**31 - 1)
        return super().formfield_for_dbfield(db_field, request, **kwargs)
