"""Parameters as callers meet them: their JSON Schema, and the check of the values that they send.

The schema (JSON Schema 2020-12) is published and is what values are checked by, so that the two cannot differ.
"""

import json
import math
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

import regex
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from analytics_automated.pipelines.definitions import ParameterDefinition, ParameterType, Value
from analytics_automated.pipelines.problems import Problem, nearest
from analytics_automated.pipelines.refusals import Refusal

DEFAULT_MAX_LENGTH = 255
PATTERN_SECONDS = 0.5
"""Processor time of the process that an author's pattern may take on one value."""
ALL_PATTERNS_SECONDS = 2.0
"""Time that all patterns may take on the values of one request."""
_deadline: ContextVar[float] = ContextVar("deadline", default=math.inf)
PLAIN_TEXT = r"^[^\u0000-\u001f\u007f-\u009f]*$"
NO_DASH = r"^(?!-)[^\u0000-\u001f\u007f-\u009f]*$"
_OWN_PATTERNS = {pattern: re.compile(pattern) for pattern in (PLAIN_TEXT, NO_DASH)}
"""No value makes these slow, so they hold even where an author's have used up the time."""

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
"""The grammar of numbers of JSON (RFC 8259, section 6)."""


def schema_of(definition: ParameterDefinition) -> dict[str, Any]:
    """The JSON Schema of one parameter."""
    item = _item_schema(definition)
    schema: dict[str, Any] = item
    if definition.many:
        schema = {"type": "array", "items": item}
        if definition.max_items is not None:
            schema["maxItems"] = definition.max_items
        if not definition.optional and definition.default is None:
            schema["minItems"] = 1
    notes = {
        "title": definition.title,
        "description": definition.description,
        "default": definition.default,
        "examples": None if definition.example is None else [definition.example],
        "x-advanced": True if definition.advanced else None,
    }
    return schema | {key: note for key, note in notes.items() if note is not None}


def _item_schema(definition: ParameterDefinition) -> dict[str, Any]:
    match definition.kind:
        case ParameterType.STRING:
            schema: dict[str, Any] = {
                "type": "string",
                "maxLength": definition.max_length or DEFAULT_MAX_LENGTH,
                "pattern": PLAIN_TEXT if definition.allow_dash else NO_DASH,
            }
            if definition.pattern is not None:
                schema["allOf"] = [{"pattern": f"^(?:{definition.pattern})$"}]
        case ParameterType.CHOICE:
            choices = definition.choices or {}
            schema = {"type": "string", "enum": list(choices)}
            if any(choice != title for choice, title in choices.items()):
                schema["x-titles"] = dict(choices)
        case ParameterType.BOOLEAN:
            schema = {"type": "boolean"}
        case kind:
            schema = {"type": kind.value}
            bounds = {"minimum": definition.minimum, "maximum": definition.maximum}
            schema |= {key: bound for key, bound in bounds.items() if bound is not None}
    return schema


def schema_of_all(parameters: Mapping[str, ParameterDefinition]) -> dict[str, Any]:
    """The JSON Schema of an object with all these parameters."""
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {name: schema_of(definition) for name, definition in parameters.items()},
        "additionalProperties": False,
    }
    required = [name for name, definition in parameters.items() if is_required(definition)]
    return schema | ({"required": required} if required else {})


def is_required(definition: ParameterDefinition) -> bool:
    """True where the caller must send a value."""
    return definition.default is None and not definition.optional and not definition.stored


def parse_texts(definition: ParameterDefinition, texts: list[str]) -> Any:
    """What the texts of a form mean for this parameter; a text that means nothing stays as it is, and the
    check then refuses it."""
    if definition.many:
        return [_parse_text(definition.kind, text) for text in texts]
    return _parse_text(definition.kind, texts[0]) if len(texts) == 1 else texts


def _parse_text(kind: ParameterType, text: str) -> Any:
    if kind in {ParameterType.INTEGER, ParameterType.NUMBER} and len(text) < 400 and _NUMBER.fullmatch(text):
        return json.loads(text)
    if kind is ParameterType.BOOLEAN and text in {"true", "false"}:
        return text == "true"
    return text


def check_values(
    parameters: Mapping[str, ParameterDefinition], given: Mapping[str, Any]
) -> tuple[dict[str, Value], list[Refusal]]:
    """Check what a caller sent; the values with defaults filled in, and everything that is wrong."""
    values = {
        name: _whole(parameters[name], value) if name in parameters else value
        for name, value in given.items()
        if value is not None
    }
    token = _deadline.set(time.monotonic() + ALL_PATTERNS_SECONDS)
    try:
        errors = _errors(_checker(parameters), values)
    finally:
        _deadline.reset(token)
    refusals = [refusal for error in errors for refusal in _refusals(error, parameters)]
    defaults = {name: _whole(each, each.default) for name, each in parameters.items() if each.default is not None}
    complete = defaults | values
    return {name: complete[name] for name in parameters if name in complete}, refusals


def value_problems(definition: ParameterDefinition, value: Any) -> list[Problem]:
    """What is wrong with a value for this parameter; for defaults, stored values and the like. Paths begin at the
    value."""
    schema = schema_of(definition)
    if definition.stored:
        for part in (schema, schema.get("items", {})):
            if part.get("pattern") == NO_DASH:
                part["pattern"] = PLAIN_TEXT
    errors = _errors(_Checker(schema), _whole(definition, value))
    return [Problem(tuple(error.absolute_path), _sentence(error, definition)) for error in errors]


def _errors(checker: Any, value: Any) -> list[ValidationError]:
    """Everything that is wrong, each once: what is no text is not told to be no choice either."""
    errors = list(checker.iter_errors(value))
    strange = {tuple(error.absolute_path) for error in errors if error.validator == "type"}
    return [error for error in errors if error.validator == "type" or tuple(error.absolute_path) not in strange]


def _whole(definition: ParameterDefinition, value: Any) -> Any:
    """JSON Schema takes 1.0 for an integer: make it one. And -0.0 is 0.0, so that no 0 is written with a `-`."""
    if isinstance(value, list):
        return [_whole(definition, item) for item in value]
    if isinstance(value, float):
        if definition.kind is ParameterType.INTEGER and value.is_integer():
            return int(value)
        return 0.0 if value == 0 else value
    return value


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    """`pattern` with a time bound, so that no author's pattern can be made to hang by a value."""
    if not isinstance(instance, str):
        return
    own = _OWN_PATTERNS.get(pattern)
    if not (own.fullmatch(instance) if own else _matches_in_time(pattern, instance)):
        yield ValidationError(f"does not match {pattern}")


def _matches_in_time(pattern: str, text: str) -> bool:
    anchored = pattern[1:-1] if pattern.startswith("^") and pattern.endswith("$") else f"(?s:.*){pattern}(?s:.*)"
    seconds = min(PATTERN_SECONDS, _deadline.get() - time.monotonic())
    try:
        return seconds > 0 and regex.fullmatch(anchored, text, timeout=seconds) is not None
    except (TimeoutError, MemoryError, regex.error):  # what is no pattern is told as a problem of the configuration
        return False


def _finite(_validator: Any, kind: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """`type`, which also refuses numbers that JSON does not have."""
    if isinstance(instance, float) and not math.isfinite(instance):
        yield ValidationError("is no finite number")
        return
    yield from Draft202012Validator.VALIDATORS["type"](_validator, kind, instance, schema)


_extend: Any = extend  # it has no types
_Checker = _extend(Draft202012Validator, {"pattern": _pattern, "type": _finite})


def _checker(parameters: Mapping[str, ParameterDefinition]) -> Any:
    return _Checker(schema_of_all(parameters))


_CODES = {
    "minimum": "too_small",
    "maximum": "too_large",
    "maxLength": "too_long",
    "maxItems": "too_many",
    "minItems": "too_few",
    "enum": "not_a_choice",
    "pattern": "no_match",
    "type": "wrong_type",
}


def _refusals(error: ValidationError, parameters: Mapping[str, ParameterDefinition]) -> Iterable[Refusal]:
    instance: Any = error.instance
    expected: Any = error.validator_value
    if error.validator == "required":
        missing = [name for name in expected if name not in instance]
        # One error comes per missing name; its message begins with that name.
        name = next(name for name in missing if error.message.startswith(repr(name)))
        return [Refusal("parameters", name, "required", "is required")]
    if error.validator == "additionalProperties":
        unknown = [name for name in instance if name not in parameters]
        return [
            Refusal("parameters", name, "unknown", f"is no parameter of this job{nearest(name, parameters)}")
            for name in unknown
        ]
    name = str(error.absolute_path[0])
    limit = expected if error.validator not in {"pattern", "type"} else None
    code = _CODES.get(str(error.validator), "invalid")
    return [Refusal("parameters", name, code, _sentence(error, parameters[name]), limit)]


_TYPE_WORDS = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
}


def _sentence(error: ValidationError, definition: ParameterDefinition) -> str:
    limit: Any = error.validator_value
    match error.validator:
        case "minimum":
            return f"must be at least {limit}"
        case "maximum":
            return f"must be at most {limit}"
        case "maxLength":
            return f"must have at most {limit} characters"
        case "maxItems":
            return f"must have at most {limit} values"
        case "minItems":
            return f"must have at least {limit} value"
        case "enum":
            return f"must be one of {', '.join(str(choice) for choice in limit)}"
        case "type":
            return f"must be {_TYPE_WORDS[str(limit)]}"
        case "pattern" if limit == PLAIN_TEXT or (limit == NO_DASH and not str(error.instance).startswith("-")):
            return "must be text on one line, without control characters"
        case "pattern" if limit == NO_DASH:
            return "must not begin with '-'"
        case "pattern":
            return f"must match the pattern {definition.pattern}"
    return "is not valid"
