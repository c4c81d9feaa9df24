"""What the fields of a table's column may hold."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from analytics_automated.pipelines.validators.base import Options, excerpt

LONGEST_NUMBER: Final = 400
"""Characters of a number, at most: those of the largest float, and more."""

# The grammar of numbers of JSON (RFC 8259, section 6), as parameters have it, and fields of tables no other.
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")

_NUMERIC: Final = ("integer", "number")


def _texts(values: Any) -> Any:
    """Choices that YAML reads as whole numbers are texts, as typed; other values must be in quotes."""
    if not isinstance(values, list | tuple):
        return values
    return [str(value) if isinstance(value, int) and not isinstance(value, bool) else value for value in values]


Texts = Annotated[tuple[str, ...], BeforeValidator(_texts), Field(strict=False)]


class ColumnOptions(Options):
    """What is asked of one column; bounds are inclusive."""

    type: Literal["string", "integer", "number", "boolean", "choice"] = Field(
        "string",
        description=(
            "What each field holds. Numbers have JSON's grammar: no `+`, no `nan`, no leading zeros, a point for "
            "decimals. A boolean is `true` or `false`, in upper or lower case."
        ),
    )
    minimum: float | int | None = Field(None, description="Smallest number.")
    maximum: float | int | None = Field(None, description="Largest number.")
    max_length: int | None = Field(None, ge=0, description="Most characters of a string.")
    choices: Texts = Field((), description="The texts that a choice may be.")
    missing: Texts = Field(
        (),
        description='Texts that stand for no value, whatever the type, such as `["", NA]`. Unless said there are none.',
    )
    optional: bool = Field(False, description="May the column be absent?")

    @model_validator(mode="after")
    def _fit_the_type(self) -> Self:
        belongs = {
            "minimum": _NUMERIC,
            "maximum": _NUMERIC,
            "max_length": ("string",),
            "choices": ("choice",),
        }
        for option, kinds in belongs.items():
            if getattr(self, option) not in (None, ()) and self.type not in kinds:
                raise ValueError(f"{option} does not belong to the type {self.type}")
        if self.type == "choice" and not self.choices:
            raise ValueError("a choice needs choices")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"minimum ({self.minimum}) is more than maximum ({self.maximum})")
        return self


def column(value: Any) -> Any:
    """`integer` and `{type: integer}` are the same."""
    return {"type": value} if isinstance(value, str) else value


FieldCheck = Callable[[str], str | None]
"""What a field should be, where it is not that; else nothing."""


def field_check(options: ColumnOptions) -> FieldCheck | None:
    """The check of a column's fields; none where every field is good."""
    check = _typed_check(options)
    if check is None or not options.missing:
        return check
    missing = frozenset(options.missing)
    return lambda text: None if text in missing else check(text)


def _typed_check(options: ColumnOptions) -> FieldCheck | None:
    match options.type:
        case "integer":
            return _numeric_check(_INTEGER, int, "a whole number", options)
        case "number":
            return _numeric_check(_NUMBER, float, "a number", options)
        case "boolean":
            return lambda text: None if text.lower() in ("true", "false") else "true or false"
        case "choice":
            choices = frozenset(options.choices)
            expected = f"one of {excerpt(', '.join(options.choices), 200)}"
            return lambda text: None if text in choices else expected
        case _:
            longest = options.max_length
            if longest is None:
                return None
            return lambda text: None if len(text) <= longest else f"a text of at most {longest} characters"


def _numeric_check(
    grammar: re.Pattern[str], convert: Callable[[str], float], expected: str, options: ColumnOptions
) -> FieldCheck:
    low, high = options.minimum, options.maximum
    matches = grammar.fullmatch

    def check(text: str) -> str | None:
        if not matches(text) or len(text) > LONGEST_NUMBER:
            return expected
        if low is None and high is None:
            return None
        number = convert(text)
        if low is not None and number < low:
            return f"{expected} of at least {low}"
        return f"{expected} of at most {high}" if high is not None and number > high else None

    return check
