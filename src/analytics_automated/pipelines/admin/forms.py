"""Forms of configuration rows, made from their definitions, and the rows that belong to another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.db import models
from pydantic import BaseModel

from analytics_automated.pipelines.admin.described import (
    Part,
    effective,
    gathered,
    parts_of,
    spread,
    structure,
)
from analytics_automated.pipelines.admin.fields import (
    KeptField,
)
from analytics_automated.pipelines.models.fields import OrderedJSONField
from analytics_automated.pipelines.models.rows import DefinitionRow


@dataclass(frozen=True)
class Complaint:
    """What a form is told when its data was refused a moment ago."""

    field: str | None
    message: str


class ConfigurationForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes no type at run time
    """A form that takes what was typed as a pipeline file would, and shows why that was refused.

    Structured columns have a field for each of their keys, see `parts`.
    """

    parts: ClassVar[dict[str, list[Part]]] = {}
    """Of each structured column of which the form has fields."""
    complaints: Sequence[Complaint] = ()
    """Why the same data was refused a moment ago."""

    def __init__(self, *args: Any, complaints: Sequence[Complaint] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.complaints = [*self.complaints, *complaints]
        self._name_is_left = False
        for column, parts in self.parts.items():
            given = self.initial.get(column)
            stored = getattr(self.instance, column) if given is None else given
            self.initial = {**spread(parts, self.whole(column, stored)), **self.initial}

    def whole(self, column: str, stored: Any) -> Any:
        """A structured column with the defaults of its definition; none for none."""
        model = structure(self.definition.model_fields[column]) if self.definition else None
        return effective(model, stored) if model and stored is not None else stored

    definition: ClassVar[type[BaseModel] | None] = None
    """What the row holds the keys of."""

    def clean(self) -> dict[str, Any] | None:
        """What nobody touched stays as it is stored; parts become the columns that they are parts of."""
        cleaned = super().clean()
        for name, field in self.fields.items():
            if isinstance(field, KeptField) and name in self.cleaned_data and name not in self.changed_data:
                initial = self.get_initial_for_field(field, name)
                self.cleaned_data[name] = field.empty if initial is None else initial
        for column, parts in self.parts.items():
            if any(part.name in self.changed_data for part in parts):
                made = gathered(parts, self.cleaned_data)
                setattr(self.instance, column, made or self.column(column).get_default())
        for complaint in self.complaints:
            field_name = complaint.field if complaint.field in self.fields else None
            self.add_error(field_name, complaint.message)
        return cleaned

    def column(self, name: str) -> "models.Field[Any, Any]":
        """A column of the row."""
        column = self.instance._meta.get_field(name)
        assert isinstance(column, models.Field)  # noqa: S101 -- no relation is asked for
        return column

    def _get_validation_exclusions(self) -> set[str]:
        """Columns that Django does not judge: the definition does, in the words of pipeline files."""
        judged = set(self.instance.columns) if isinstance(self.instance, DefinitionRow) else set()
        named = {"name", "pipeline"} if self._name_is_left and judged else set()
        return {*super()._get_validation_exclusions(), *judged, *named}  # type: ignore[misc]  # not in the stubs

    def _post_clean(self) -> None:
        self._name_is_left = True
        super()._post_clean()  # type: ignore[misc]  # not in the stubs

    def validate_unique(self) -> None:
        """Django's: of a name it only judges whether it is taken."""
        self._name_is_left = False
        super().validate_unique()


def with_parts(form: Any, model: type[models.Model], pages: Any) -> Any:
    """The form with fields for the parts of the model's structured columns."""
    if pages.definition is None:
        return form
    structures = {
        column: kind
        for column, info in pages.definition.model_fields.items()
        if (kind := structure(info)) and isinstance(_column_or_none(model, column), OrderedJSONField)
    }
    parts = {column: list(parts_of(column, kind)) for column, kind in structures.items()}
    fields = {
        part.name: pages.dressed(part.name, part.field())
        for each in parts.values()
        for part in each
        if part.name not in form.base_fields
    }
    return type(form)(form.__name__, (form,), {**fields, "parts": parts, "definition": pages.definition})


def _column_or_none(model: type[models.Model], name: str) -> Any:
    return next((field for field in model._meta.get_fields() if field.name == name), None)


def first_field(form: Any) -> str | None:
    """The field by which a row is known."""
    return next((name for name in ("name", "path", "task", "title") if name in form.fields), None)
