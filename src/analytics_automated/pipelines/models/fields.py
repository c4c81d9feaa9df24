"""Columns for structured keys."""

import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.db import models

if TYPE_CHECKING:
    _TextField = models.TextField[Any, Any]
else:
    _TextField = models.TextField


class OrderedJSONField(_TextField):
    """JSON that keeps the order of its keys, which PostgreSQL's jsonb does not: the order is the author's."""

    if TYPE_CHECKING:
        _pyi_private_set_type: Any
        _pyi_private_get_type: Any

    def from_db_value(self, value: str | None, *_: Any) -> Any:
        """What the text holds."""
        return None if value is None else json.loads(value)

    def get_prep_value(self, value: Any) -> str | None:
        """The text to store."""
        return None if value is None else json.dumps(value, ensure_ascii=False)

    def to_python(self, value: Any) -> Any:
        """Data as it is; forms hand it over parsed."""
        return value

    def value_to_string(self, obj: models.Model) -> str:
        """For fixtures."""
        return json.dumps(self.value_from_object(obj), ensure_ascii=False)

    def formfield(self, **kwargs: Any) -> Any:
        """A JSON form field."""
        return super().formfield(**{"form_class": forms.JSONField, "widget": forms.Textarea, **kwargs})
