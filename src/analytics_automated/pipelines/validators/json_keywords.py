"""The keywords of JSON Schema, each within a time bound."""

import functools
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from fractions import Fraction
from typing import Any, Final

import regex
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from analytics_automated.pipelines.validators.base import TooSlow, excerpt, too_much_memory

seconds_left: ContextVar[Callable[[], float]] = ContextVar("seconds_left")
"""Asked at every keyword: the seconds that are left, or `TooSlow`."""

_extend: Any = extend  # it has no types

Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]


@functools.cache
def bounded(draft: Any) -> Any:
    """The draft's class of checkers, where every keyword looks at the time that is left."""
    keywords = {name: _timed(keyword) for name, keyword in (dict(draft.VALIDATORS) | OWN_KEYWORDS).items()}
    return _extend(draft, keywords)


def _timed(keyword: Keyword) -> Keyword:
    def check(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        seconds_left.get()()
        yield from keyword(validator, value, instance, schema) or ()

    return check


def _found(pattern: str, text: str) -> bool:
    try:
        return regex.search(pattern, text, timeout=seconds_left.get()()) is not None
    except TimeoutError:
        raise TooSlow from None
    except MemoryError:
        raise too_much_memory(pattern) from None


def _pattern(validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "string") and not _found(pattern, instance):
        yield ValidationError(f"must match the pattern {excerpt(pattern, 100)}")


def _pattern_properties(validator: Any, patterns: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "object"):
        for pattern, schema in patterns.items():
            for name, value in instance.items():
                if _found(pattern, name):
                    yield from validator.descend(value, schema, path=name, schema_path=pattern)


def _additional_properties(validator: Any, allowed: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for name, value in instance.items():
        if name in known or any(_found(pattern, name) for pattern in patterns):
            continue
        if allowed is False:
            yield ValidationError(f"has the property {excerpt(name)}, which is not allowed")
        else:
            yield from validator.descend(value, allowed, path=name)


def _unique_items(validator: Any, wanted: bool, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if wanted and validator.is_type(instance, "array"):
        seen: set[Any] = set()
        for item in instance:
            seconds_left.get()()
            key = _key(item)
            if key in seen:
                yield ValidationError("must not have an item twice")
                return
            seen.add(key)


def _key(value: Any) -> Any:
    """What is equal for equal values of JSON: 1 is 1.0, and neither is true."""
    if isinstance(value, dict):
        return "object", frozenset((name, _key(item)) for name, item in value.items())
    if isinstance(value, list):
        return "array", tuple(_key(item) for item in value)
    return (type(value), value) if isinstance(value, bool) else value


def _multiple_of(validator: Any, factor: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    # Of the numbers as they are written: 0.07 is a multiple of 0.01, which floats do not know.
    if validator.is_type(instance, "number") and (Fraction(str(instance)) / Fraction(str(factor))).denominator != 1:
        yield ValidationError(f"must be a multiple of {factor}")


def _any_of(validator: Any, schemas: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    # Without the faults of every alternative, which would be many more than there are values.
    if not any(validator.evolve(schema=schema).is_valid(instance) for schema in schemas):
        yield ValidationError("must fit one of the schema's alternatives (anyOf)")


def _one_of(validator: Any, schemas: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    fitting = sum(validator.evolve(schema=schema).is_valid(instance) for schema in schemas)
    if fitting != 1:
        yield ValidationError(
            f"must fit exactly one of the schema's alternatives (oneOf), and fits {fitting or 'none'}"
        )


OWN_KEYWORDS: Final[dict[str, Any]] = {
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "uniqueItems": _unique_items,
    "multipleOf": _multiple_of,
    "anyOf": _any_of,
    "oneOf": _one_of,
}
"""Keywords in place of the library's: those of patterns, and those that took time or memory without bound. Their
messages follow the words 'the value'."""
