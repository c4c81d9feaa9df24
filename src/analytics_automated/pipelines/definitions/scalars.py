"""The kinds of single values that a configuration holds, and the base of all definitions."""

import datetime
import math
import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Strict
from pydantic_core import PydanticCustomError

LARGEST_COUNT = 2**31 - 1
"""The largest number that an integer column of every database holds."""
NAME = r"[A-Za-z][A-Za-z0-9_]{0,63}"
JOB_NAME = r"[A-Za-z][A-Za-z0-9_.\-]{0,63}"


class Scalar(str):
    """A scalar of a pipeline file: its source text, with the value that YAML 1.2 gives it beside.

    Where text is meant the source text is taken, so `2.10`, `NO` and `1:30` stay what was typed.
    """

    __slots__ = ("value",)
    value: str | int | float | bool | None

    def __new__(cls, text: str, value: str | int | float | bool | None) -> "Scalar":
        """Source text and YAML value."""
        made = super().__new__(cls, text)
        made.value = value
        return made

    def __getnewargs__(self) -> tuple[str, str | int | float | bool | None]:  # type: ignore[override]  # str has one
        """What copies are made of."""
        return str(self), self.value


def plain(value: Any) -> Any:
    """The value as YAML 1.2 means it; what does not come from a file is returned as it is."""
    return value.value if isinstance(value, Scalar) else value


def plain_deep(value: Any) -> Any:
    """`plain`, through lists and mappings: for keys that hold free-form data. Raises `ValueError` for numbers that
    JSON does not have, as all data is kept as JSON."""
    if isinstance(value, dict):
        return {str(key): plain_deep(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_deep(item) for item in value]
    value = plain(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"holds {value}, which is no finite number")
    return value


def _text(value: Any) -> Any:
    if isinstance(value, Scalar):
        if value.value is None:
            raise ValueError("has no value")
        return str(value)
    return value


def _strings_only(value: str) -> str:
    if "\x00" in value:
        raise ValueError("holds a NUL character")
    if any("\ud800" <= sign <= "\udfff" for sign in value):
        raise ValueError("holds half of a character (a lone surrogate)")
    return value


def _words(value: str) -> str:
    if any(ord(c) < 32 or ord(c) == 127 for c in value):
        raise ValueError("holds a control character")
    return value


def _number(value: Any) -> int | float:
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticCustomError("float_type", "must be a number")
    if not math.isfinite(value):
        raise ValueError("must be a finite number")
    return value


class Rule:
    """A check of a value, with what of it a JSON Schema can say: `files.schema` finds it there."""

    def __init__(self, check: Callable[[Any], Any], **keywords: Any) -> None:
        self.check = check
        self.keywords = keywords

    def __call__(self, value: Any) -> Any:
        """The value; raises `ValueError` where it is not right."""
        return self.check(value)


def at_most(characters: int) -> AfterValidator:
    """Texts of at most so many characters, as a column of the database holds them."""

    def check(value: str) -> str:
        if len(value) > characters:
            raise ValueError(f"is longer than {characters} characters")
        return value

    return AfterValidator(Rule(check, maxLength=characters))


def _matches(pattern: str, what: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise ValueError(what)
        return value

    return AfterValidator(Rule(check, pattern=f"^(?:{pattern})$"))


def _filled(value: str) -> str:
    if not value:
        raise ValueError("is empty")
    return value


Text = Annotated[str, BeforeValidator(_text), Strict(), AfterValidator(_strings_only)]
"""Text of one or more lines, as typed."""
Word = Annotated[Text, AfterValidator(Rule(_words, pattern=r"^[^\x00-\x1f\x7f]*$"))]
"""Text on one line."""
FILLED = AfterValidator(Rule(_filled, minLength=1))
"""For keys that must say something."""
Line = Annotated[Word, at_most(255)]
"""A short text on one line."""
EMPTY_IS_NONE = AfterValidator(lambda value: value or None)
"""For keys where an empty text says the same as none: a page cannot tell the two apart."""
LineOrNone = Annotated[Line | None, EMPTY_IS_NONE]
TextOrNone = Annotated[Text | None, EMPTY_IS_NONE]
Integer = Annotated[int, BeforeValidator(plain), Strict()]
Number = Annotated[int | float, BeforeValidator(_number)]
Boolean = Annotated[bool, BeforeValidator(plain), Strict()]
Free = Annotated[Any, BeforeValidator(plain_deep)]
"""Data of any shape, checked elsewhere."""

_NAME_RULE = "is no name: letters, digits and _ (at most 64), a letter first"
Name = Annotated[Word, _matches(NAME, _NAME_RULE)]
PublicName = Annotated[
    Word,
    _matches(r"[A-Za-z][A-Za-z0-9_.\-]{0,128}", "is no name: letters, digits, _ - . (at most 129), a letter first"),
]
"""A name by which callers set a parameter: up to a step's and a parameter's together."""
JobName = Annotated[Word, _matches(JOB_NAME, "is no name: letters, digits, _ - . (at most 64), a letter first")]
VariableName = Annotated[
    Word,
    _matches(
        r"[A-Za-z_][A-Za-z0-9_]{0,254}",
        "is no variable name: letters, digits and _ (at most 255), no digit first",
    ),
]
QueueName = Annotated[Word, _matches(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,99}", "is no queue name: letters, digits, _ - .")]
Sha256 = Annotated[Word, _matches(r"[0-9a-f]{64}", "is no SHA-256: 64 of the signs 0-9 and a-f")]
SystemUser = Annotated[
    Word,
    _matches(r"[a-z_][a-z0-9_.\-]{0,31}", "is no system user: small letters, digits, _ - . (at most 32)"),
]
Reference = Annotated[
    Word, _matches(rf"{NAME}(\.{NAME})?", "names neither a job input nor a step's output (step.output)")
]
StepOutput = Annotated[Word, _matches(rf"{NAME}\.{NAME}", "is no step.output")]
StepParameter = Annotated[Word, _matches(rf"{NAME}\.{NAME}", "is no step.parameter")]


def _relative(value: str) -> str:
    parts = value.split("/")
    if not value or value.startswith("/"):
        raise ValueError("must be a path below the work folder, without a leading /")
    if value != "." and any(part in {"", ".", ".."} for part in parts):
        raise ValueError("must be a plain path below the work folder, without empty parts, '.' or '..'")
    if value.startswith("-"):
        raise ValueError("must not begin with '-', which commands read as an option")
    return value


_PART = r"(?!\.{1,2}(?:/|$))[^/\x00-\x1f\x7f]+"
_RELATIVE = rf"^(?:\.|(?!-){_PART}(?:/{_PART})*)$"
RelativePath = Annotated[Word, AfterValidator(Rule(_relative, pattern=_RELATIVE)), at_most(1000)]
"""A file or folder below the work folder."""


def _beside(value: str) -> str:
    if not value or value.startswith("/"):
        raise ValueError("must be a path from the pipeline file's folder, without a leading /")
    if any(part in {"", ".", ".."} for part in value.split("/")):
        raise ValueError("must be a plain path below the pipeline file's folder, without empty parts, '.' or '..'")
    return value


FilePath = Annotated[Word, AfterValidator(_beside)]
"""A file that lies beside the pipeline file."""


def _date(value: str) -> str:
    try:
        day = datetime.date.fromisoformat(value)
    except ValueError:
        day = None
    if day is None or day.isoformat() != value:
        raise ValueError("is no date: write year, month and day, such as 2026-12-01")
    return value


Date = Annotated[Word, AfterValidator(_date)]
"""A day, as ISO 8601 writes it."""


class Definition(BaseModel):
    """Base of all definitions: frozen, and unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=False)


def shorthand(key: str) -> BeforeValidator:
    """A validator that reads a lone scalar as a mapping with just `key`."""

    def expand(value: Any) -> Any:
        return {key: value} if isinstance(value, str) and not _is_nothing(value) else value

    return BeforeValidator(expand)


def one_or_more(value: Any) -> Any:
    """Read a lone item as a list of one."""
    return [value] if isinstance(value, str | dict) and not _is_nothing(value) else value


def _is_nothing(value: Any) -> bool:
    return isinstance(value, Scalar) and value.value is None
