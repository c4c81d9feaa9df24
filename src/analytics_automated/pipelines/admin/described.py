"""Form fields made from definitions: what a key holds decides the field, and its description is the help text."""

import enum
import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from django import forms
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from analytics_automated.pipelines.admin.fields import (
    ChecksField,
    ChoiceField,
    LinesField,
    ScalarField,
    ValueArea,
    VerbatimField,
    YamlField,
)
from analytics_automated.pipelines.admin.theme import CheckboxInput
from analytics_automated.pipelines.files.sentences import alternatives

NOTHING: tuple[Any, ...] = (None, "", [], {})
"""What an empty box says."""


@dataclass(frozen=True)
class Part:
    """One key below a structured column, such as `max` of `retries`."""

    column: str
    keys: tuple[str, ...]
    """Below the column, as a pipeline file has them."""
    info: FieldInfo
    default: Any = None
    """What holds where nothing is said, as a pipeline file would have it."""

    @property
    def name(self) -> str:
        """The name of its form field."""
        return "_".join((self.column, *self.keys))

    @property
    def label(self) -> str:
        """What stands in front of its field."""
        return " ".join((self.column, *self.keys)).replace("_", " ").capitalize()

    def field(self) -> forms.Field:
        """Its form field."""
        field = field_for(self.info, blank=True, label=self.label, required=False)
        if self.default not in NOTHING:
            said = ", ".join(self.default) if isinstance(self.default, list) else self.default
            field.help_text = mark_safe(f"{field.help_text} Unless said: <code>{escape(said)}</code>.")  # noqa: S308
        return field


def parts_of(column: str, model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[Part]:
    """The keys of a structured column, those of what is nested in it as well."""
    defaults = model.model_construct().model_dump(mode="json", by_alias=True)
    for key, info in model.model_fields.items():
        keys = (*above, info.alias or key)
        nested = structure(info)
        if nested is None:
            yield Part(column, keys, info, defaults.get(keys[-1]))
        else:
            yield from parts_of(column, nested, keys)


def structure(info: FieldInfo) -> type[BaseModel] | None:
    """The model that a key holds; none where it holds something else, or one model of several."""
    kinds = [kind for kind in alternatives(info.annotation) if kind is not types.NoneType]
    alone = kinds[0] if len(kinds) == 1 else None
    return alone if isinstance(alone, type) and issubclass(alone, BaseModel) else None


def field_for(info: FieldInfo, *, empty: Any = None, blank: bool = False, **kwargs: Any) -> forms.Field:
    """The form field for what a key holds. `empty` is what an empty box says; `blank` offers to choose nothing of a
    few words though there is a default."""
    kwargs = {"required": info.is_required(), "help_text": help_of(info), **kwargs}
    kinds = [kind for kind in alternatives(info.annotation) if kind is not types.NoneType]
    origins = {get_origin(kind) for kind in kinds}
    if words := [word for kind in kinds for word in _words(kind)]:
        has_default = info.default not in (None, PydanticUndefined)
        return ChoiceField(choices=words, blank="---------" if blank or not has_default else None, **kwargs)
    if list in origins and len(kinds) == 1:
        (inner,) = get_args(kinds[0])
        words = [word for kind in alternatives(inner) for word in _words(kind)]
        if words:
            return ChecksField(choices=words, empty=empty, **kwargs)
        return LinesField(empty=empty, **kwargs)
    if dict in origins or list in origins:
        return YamlField(empty=empty, **kwargs)
    if Any in kinds:
        return YamlField(empty=empty, widget=ValueArea, **kwargs)
    if bool in kinds:
        return forms.BooleanField(widget=CheckboxInput, **{**kwargs, "required": False})
    if str in kinds:
        return VerbatimField(**kwargs)
    return ScalarField(empty=empty, **kwargs)


def _words(kind: Any) -> tuple[str, ...]:
    """The words that a key may hold, where they are fixed."""
    if get_origin(kind) is Literal:
        return tuple(str(word) for word in get_args(kind))
    if isinstance(kind, type) and issubclass(kind, enum.StrEnum):
        return tuple(each.value for each in kind)
    return ()


def help_of(info: FieldInfo) -> SafeString:
    """The key's description."""
    description = info.description or next((each.description for each in _inner(info) if each.description), "")
    return as_help(description)


def _inner(info: FieldInfo) -> Iterator[FieldInfo]:
    """Descriptions that stand within `Annotated`."""
    for kind in get_args(info.annotation):
        yield from (each for each in getattr(kind, "__metadata__", ()) if isinstance(each, FieldInfo))


def as_help(text: str) -> SafeString:
    """A text of ours with `code` in it, for a page."""
    return mark_safe(re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text)))  # noqa: S308 -- escaped before


def spread(parts: list[Part], value: Any) -> dict[str, Any]:
    """The values of the form fields of a structured column, defaults included where it says something."""
    if value is None or not parts:
        return {}
    return {part.name: _at(value, part.keys) for part in parts}


def effective(model: type[BaseModel], value: Any) -> Any:
    """A stored structure with its defaults; as it is where it is none of that kind."""
    try:
        return model.model_validate(value).model_dump(mode="json", by_alias=True)
    except ValidationError:
        return value


def _at(value: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def gathered(parts: list[Part], values: Mapping[str, Any]) -> dict[str, Any]:
    """The structure that the form fields say; empty ones say nothing."""
    made: dict[str, Any] = {}
    for part in parts:
        value = values.get(part.name)
        if value in NOTHING:
            continue
        here = made
        for key in part.keys[:-1]:
            here = here.setdefault(key, {})
        here[part.keys[-1]] = value
    return made
