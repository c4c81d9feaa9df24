"""One option of a Task."""

import enum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from analytics_automated.pipelines.definitions.scalars import (
    EMPTY_IS_NONE,
    LARGEST_COUNT,
    Boolean,
    Definition,
    Integer,
    Line,
    Number,
    Scalar,
    Text,
    Word,
    at_most,
    plain,
)

Value = str | int | float | bool | list[str] | list[int] | list[float] | list[bool]
"""A parameter's value. Absent is none, which is no value."""


class ParameterType(enum.StrEnum):
    """The kinds of parameters."""

    STRING = "string"
    """Text on one line, without control characters."""
    INTEGER = "integer"
    """A whole number."""
    NUMBER = "number"
    """A number as JSON writes it: no `nan`, no `inf`, no `_`."""
    BOOLEAN = "boolean"
    """`true` or `false`."""
    CHOICE = "choice"
    """One of a list of texts."""


TEXTUAL = frozenset({ParameterType.STRING, ParameterType.CHOICE})
"""Types whose values are texts."""


def _choices(value: Any) -> Any:
    """A list of choices is a mapping of each to itself."""
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        texts = [str(item) for item in value]
        if len(set(texts)) < len(texts):
            raise ValueError("names a choice twice")
        return dict(zip(texts, value, strict=True))
    if isinstance(value, list | tuple):
        raise ValueError("must be a list of texts, or a mapping of each to its title")
    return value


VALUES = ("value", "default", "example")
"""The keys of a parameter that hold a value of it."""


def typed(value: Any, kind: str) -> Any:
    """A value of a file as a parameter of that type has it: text as typed where it is a text, else what YAML means.

    What does not come from a file is returned as it is.
    """
    if isinstance(value, list | tuple):
        return [typed(item, kind) for item in value]
    if isinstance(value, dict):  # which no parameter has, and the checks say so
        return {str(name): typed(item, kind) for name, item in value.items()}
    if isinstance(value, Scalar):
        return str(value) if kind in TEXTUAL and value.value is not None else plain(value)
    return value


class ParameterDefinition(Definition):
    """One option of a Task: typed, with a default or a fixed value, and how it is put on the command line."""

    type: ParameterType | None = Field(None, description="What values it has; needed where there is no `value`.")
    value: Any = Field(None, description="A fixed (stored) value: callers cannot set it.")
    default: Any = Field(None, description="The value when the caller sends none.")
    optional: Boolean = Field(False, description="May be absent though it has no default.")
    many: Boolean = Field(False, description="A list of values.")
    max_items: Integer | None = Field(None, ge=1, le=LARGEST_COUNT, description="Most values in the list.")
    flag: Annotated[Line | None, EMPTY_IS_NONE] = Field(
        None, description="The option in front of the value on the command line."
    )
    separator: (
        Annotated[Word, at_most(16), Field(description="Between flag and value in one word: `=` or nothing.")] | None
    ) = None
    minimum: Number | None = Field(None, description="Smallest number.")
    maximum: Number | None = Field(None, description="Largest number.")
    pattern: Annotated[Annotated[Word, at_most(1000)] | None, EMPTY_IS_NONE] = Field(
        None, description="Regular expression that the whole text matches."
    )
    max_length: Integer | None = Field(
        None, ge=1, le=LARGEST_COUNT, description="Most characters of a text; 255 unless said."
    )
    allow_dash: Boolean = Field(False, description="A text may begin with `-`.")
    choices: Annotated[dict[Word, Word], BeforeValidator(_choices)] | None = Field(
        None, description="The choices: a list, or each with its title."
    )
    env_only: Boolean = Field(False, description="Not on the command line, only in the environment.")
    title: Annotated[Line | None, EMPTY_IS_NONE] = Field(None, description="What people see.")
    description: Annotated[Text | None, EMPTY_IS_NONE] = Field(None, description="Help for people.")
    example: Any = Field(None, description="An example value for people.")
    advanced: Boolean = Field(False, description="Folded away in forms.")

    @model_validator(mode="before")
    @classmethod
    def _values_by_type(cls, data: Any) -> Any:
        """Read the values as the type has them. Null says nothing, like a key that is not there."""
        if not isinstance(data, dict):
            return data
        kind = data.get("type")
        given = {key: data[key] for key in VALUES if key in data}
        if kind is not None or not data.get("sets"):
            given = {key: typed(value, str(kind)) for key, value in given.items()}
        absent = {key for key, value in given.items() if plain(value) is None}
        return {key: value for key, value in (data | given).items() if key not in absent}

    @property
    def stored(self) -> bool:
        """True where the value is fixed, so that callers cannot set it."""
        return self.value is not None

    @property
    def kind(self) -> ParameterType:
        """The type; that of the stored value where none is named."""
        if self.type is not None:
            return self.type
        value = self.value[0] if isinstance(self.value, list) and self.value else self.value
        if isinstance(value, bool):
            return ParameterType.BOOLEAN
        if isinstance(value, int):
            return ParameterType.INTEGER
        if isinstance(value, float):
            return ParameterType.NUMBER
        return ParameterType.STRING
