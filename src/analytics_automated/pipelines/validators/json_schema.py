"""JSON values against a JSON Schema, within a time bound."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from jsonschema import Draft7Validator, Draft201909Validator, Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import specification_with

from analytics_automated.pipelines.patterns import compile_pattern
from analytics_automated.pipelines.validators.base import CheckedStream, Invalid, excerpt
from analytics_automated.pipelines.validators.json_keywords import OWN_KEYWORDS, bounded, seconds_left

DRAFTS: Final[dict[str, Any]] = {
    "http://json-schema.org/draft-07/schema": Draft7Validator,
    "https://json-schema.org/draft/2019-09/schema": Draft201909Validator,
    "https://json-schema.org/draft/2020-12/schema": Draft202012Validator,
}
"""The drafts that a schema may be written in, by its `$schema`; without one it is 2020-12."""

_REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef")
_UNBOUNDED: Final = ("unevaluatedProperties", "unevaluatedItems")
"""Keywords whose check takes time with the square of what is checked."""
_LONGEST_MESSAGE: Final = 300
_LONGEST_NUMBER: Final = 400
"""Characters of a whole number, at most: more are beyond a float's range, and slow to convert."""


class DocumentSchema:
    """A JSON Schema that values are checked by, made once and used from many threads.

    Raises `ValueError` for what is no schema of a known draft, refers to something outside itself or to nothing,
    refers to itself without end, or has patterns that cannot be bounded.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        named = schema.get("$schema", Draft202012Validator.META_SCHEMA["$schema"])
        draft = DRAFTS.get(named.removesuffix("#")) if isinstance(named, str) else None
        if draft is None:
            raise ValueError(f"$schema must be one of {', '.join(DRAFTS)}")
        try:
            # Patterns are compiled below, by the package that matches them.
            draft.check_schema(schema, format_checker=FormatChecker(formats=()))
            _check_parts(schema, draft)
        except SchemaError as error:
            raise ValueError(f"not a JSON Schema: {_at(error)}{error.message[:_LONGEST_MESSAGE]}") from None
        except RecursionError:
            raise ValueError("the schema is too deep inside itself") from None
        self._checker = bounded(draft)(schema, registry=Registry())

    def check(self, stream: CheckedStream, value: Any) -> None:
        """Check the value. Raises `Invalid` with the first fault, and `TooSlow` past the stream's deadline."""
        token = seconds_left.set(stream.seconds_left)
        try:
            error = next(self._checker.iter_errors(value), None)
        except RecursionError:
            raise Invalid("The values are too deep inside one another to be checked by the schema.") from None
        finally:
            seconds_left.reset(token)
        if error is not None:
            raise Invalid(_sentence(error))


def read_document(stream: CheckedStream) -> Any:
    """The value of a JSON text that is well-formed, read whole. Raises `Invalid` for what has no one meaning.

    Those are names that are twice in an object, and numbers that are beyond the range of a float.
    """
    stream.seek(0)
    try:
        return json.loads(stream.read().decode(), object_pairs_hook=_object, parse_float=_float, parse_int=_integer)
    except RecursionError:
        raise Invalid("The values are too deep inside one another to be checked by the schema.") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = Counter(names).most_common(1)[0][0]
        raise Invalid(f"An object has the name {excerpt(twice)} more than once.")
    return made


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise Invalid(f"The number {excerpt(text)} is too large.")
    return number


def _integer(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise Invalid(f"The number {excerpt(text)} is too large.")
    return int(text)


def _check_parts(schema: Mapping[str, Any], draft: Any) -> None:
    """Look at each schema within the schema, wherever its draft has one. Raises `ValueError`."""
    specification = specification_with(draft.META_SCHEMA["$schema"])
    root: Any = specification.create_resource(schema)
    resolver = Registry().with_resource(root.id() or "", root).resolver(root.id() or "")
    waiting: list[Any] = [root]
    parts: list[Any] = []
    while waiting:
        part = waiting.pop()
        waiting += part.subresources()
        parts.append(part.contents)
        contents = part.contents
        if not isinstance(contents, Mapping):
            continue
        if part is not root and part.id() is not None:
            raise ValueError("only the whole schema may have an $id, and no part of it")
        for keyword in _REFERENCES:
            if keyword in contents:
                _check_reference(keyword, contents[keyword], resolver)
        for keyword in _UNBOUNDED:
            if keyword in contents:
                raise ValueError(f"{keyword} cannot be checked in bounded time: write additionalProperties or items")
        for pattern in [
            *contents.get("patternProperties", ()),
            *([contents["pattern"]] if "pattern" in contents else []),
        ]:
            try:
                compile_pattern(pattern)
            except ValueError as error:
                raise ValueError(f"{excerpt(pattern)} {error}") from None
    _check_circles(parts, resolver)


def _check_reference(keyword: str, reference: str, resolver: Any) -> None:
    if not reference.startswith("#"):
        raise ValueError(f"{keyword} {excerpt(reference, 100)} leads out of the schema: it must begin with #")
    try:
        resolver.lookup(reference)
    except Unresolvable:
        raise ValueError(f"{keyword} {excerpt(reference, 100)} leads to nothing in the schema") from None


def _check_circles(parts: Iterable[Any], resolver: Any) -> None:
    """Find schemas that apply themselves to the same value, again and again. Raises `ValueError`."""
    done: set[int] = set()
    under_way: set[int] = set()

    def follow(schema: Any) -> None:
        if id(schema) in done or not isinstance(schema, Mapping):
            return
        if id(schema) in under_way:
            raise ValueError("the schema refers to itself without end")
        under_way.add(id(schema))
        for other in _applied_in_place(schema, resolver):
            follow(other)
        under_way.remove(id(schema))
        done.add(id(schema))

    for part in parts:
        follow(part)


def _applied_in_place(schema: Mapping[str, Any], resolver: Any) -> Iterator[Any]:
    """The schemas that a schema applies to the very value that it is applied to."""
    for keyword in _REFERENCES:
        if keyword in schema:
            yield resolver.lookup(schema[keyword]).contents
    for keyword in ("allOf", "anyOf", "oneOf"):
        yield from schema.get(keyword, ())
    for keyword in ("not", "if", "then", "else"):
        if keyword in schema:
            yield schema[keyword]
    for keyword in ("dependentSchemas", "dependencies"):
        yield from schema.get(keyword, {}).values()


_SENTENCES: Final = {
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be more than {}",
    "exclusiveMaximum": "must be less than {}",
    "minLength": "must have at least {} characters",
    "maxLength": "must have at most {} characters",
    "minItems": "must have at least {} items",
    "maxItems": "must have at most {} items",
    "minProperties": "must have at least {} properties",
    "maxProperties": "must have at most {} properties",
}


def _sentence(error: ValidationError) -> str:
    """What is wrong with which value, without the whole of it."""
    keyword: Any = error.validator
    limit: Any = error.validator_value
    value: Any = error.instance
    if keyword in OWN_KEYWORDS:
        what = error.message
    elif keyword in _SENTENCES:
        what = _SENTENCES[keyword].format(limit)
    elif keyword == "type":
        what = f"must be of the type {' or '.join([limit] if isinstance(limit, str) else limit)}"
    elif keyword == "enum":
        what = f"must be one of {excerpt(json.dumps(limit, ensure_ascii=False)[1:-1], 200)}"
    elif keyword == "required":
        what = f"must have the property {excerpt(next(name for name in limit if name not in value))}"
    else:
        what = "is not allowed by the schema" if keyword is None else f"does not fit the schema's {keyword}"
    shown = "" if isinstance(value, dict | list) else f"; it is {_shown(value)}"
    place = _pointer(error)
    return f"The value{f' at {excerpt(place, 100)}' if place else ''} {what}{shown}."


def _shown(value: Any) -> str:
    return excerpt(value) if isinstance(value, str) else json.dumps(value)[:40]


def _at(error: SchemaError) -> str:
    place = _pointer(error)
    return f"at {place}: " if place else ""


def _pointer(error: ValidationError | SchemaError) -> str:
    """Where the value stands: a JSON Pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in error.absolute_path)
