"""Forms of configuration rows, and the rows that belong to another."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.admin.options import BaseModelAdmin, InlineModelAdmin
from django.db import models
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from pydantic import BaseModel

from analytics_automated.pipelines.admin.fields import CodeArea, StructureField, TextArea, VerbatimField
from analytics_automated.pipelines.models.fields import OrderedJSONField
from analytics_automated.pipelines.problems import Problem


class ConfigurationForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes no type at run time
    """A form that shows the problems for which a change was refused, with what was typed."""

    problems: Sequence[Problem] = ()
    """Why the same data was refused a moment ago."""
    definition: type[BaseModel] | None = None
    """What `further` holds further keys of."""
    elsewhere: frozenset[str] = frozenset()
    """Keys of the definition that have a place on the page under another name than their column's."""

    def clean(self) -> dict[str, Any] | None:
        """Text that nobody touched stays as it is stored, whatever line ends it has."""
        cleaned = super().clean()
        for name, field in self.fields.items():
            if isinstance(field, VerbatimField) and name in self.cleaned_data and name not in self.changed_data:
                self.cleaned_data[name] = self.get_initial_for_field(field, name) or ""
        for problem in self.problems:
            self.add_error(None, str(problem))
        return cleaned


class PlainWriting(BaseModelAdmin):  # type: ignore[type-arg]
    """Texts and structured keys come back from the page as the author wrote them."""

    code: Sequence[str] = ()
    """Texts that are programs."""
    verbatim: Sequence[str] = ()
    """One-line texts whose blanks mean something."""

    def formfield_for_dbfield(self, db_field: "models.Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        """The form field of a column."""
        if isinstance(db_field, OrderedJSONField):
            empty = db_field.default if db_field.has_default() else None
            kwargs = {"form_class": StructureField, "widget": CodeArea, "empty": empty, **kwargs}
        elif db_field.name in self.code:
            kwargs = {"form_class": VerbatimField, "widget": CodeArea, **kwargs}
        elif isinstance(db_field, models.TextField):
            kwargs = {"form_class": VerbatimField, "widget": TextArea, **kwargs}
        elif db_field.name in self.verbatim:
            kwargs = {"form_class": VerbatimField, **kwargs}
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class RowsInOrder(BaseInlineFormSet):  # type: ignore[type-arg]
    """Rows with a `position`; those that name none come last, in the order of the page."""

    def clean(self) -> None:
        """Give a place to the rows that name none."""
        super().clean()
        rows = [
            form for form in self.forms if form.is_valid() and form.cleaned_data and not form.cleaned_data.get("DELETE")
        ]
        places = [form.cleaned_data.get("position") for form in rows]
        following = max((place for place in places if place is not None), default=-1) + 1
        for form, place in zip(rows, places, strict=True):
            if place is None:
                form.instance.position = following
                following += 1


COLUMN = {"class": "aa-code aa-column"}
"""What makes a text area fit into a column of a table."""


class OwnRows(PlainWriting, InlineModelAdmin):  # type: ignore[type-arg]
    """Rows that belong to another: parameters of a task, steps of a job."""

    form = ConfigurationForm
    formset = RowsInOrder
    extra = 0

    def formfield_for_dbfield(self, db_field: "models.Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        """The form field of a column; a row need not name its place."""
        if db_field.name == "position":
            widget = forms.NumberInput(attrs={"class": "aa-place", "min": 0})
            kwargs = {"required": False, "initial": None, "widget": widget, **kwargs}
        return super().formfield_for_dbfield(db_field, request, **kwargs)
