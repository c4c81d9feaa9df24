"""What the data model says of a file's data, as sentences for its author."""

import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from analytics_automated.pipelines.definitions.scalars import Scalar
from analytics_automated.pipelines.files.source import BEGINS_WITH_BRACE, COMMAND_IN_BRACES, PLACEHOLDER_KEY
from analytics_automated.pipelines.problems import Path, Problem, nearest

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "dict_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
    "list_type": "a list",
    "tuple_type": "a list",
}


def problems_of(
    errors: Sequence[ErrorDetails], model: type[BaseModel], data: Any, unknown: str = "is no key here"
) -> list[Problem]:
    """One problem per place. Paths begin at `data`; `unknown` is what is said of a key that the model has not."""
    expected: dict[Path, list[str]] = {}
    problems: list[Problem] = []
    for error in errors:
        path = _path(error, data)
        unquoted = _unquoted_placeholder(data, path)
        if unquoted is not None:
            problems.append(Problem(unquoted, BEGINS_WITH_BRACE))
        elif error["type"] in _EXPECTED:
            expected.setdefault(path, []).append(_EXPECTED[error["type"]])
        else:
            problems.append(Problem(path, _sentence(error, path, model, data, unknown)))
    # Where several kinds may stand, the one whose form the value has says best what is wrong with it.
    better = {tuple(problem.path[:length]) for problem in problems for length in range(len(problem.path) + 1)}
    better |= {path[:length] for path in expected for length in range(len(path))}
    for path, kinds in expected.items():
        if path in better:
            continue
        said = " or ".join(dict.fromkeys(kinds))
        problems.append(Problem(path, f"must be {said}, not {describe(at(data, path))}"))
    return list(dict.fromkeys(problems))


def _path(error: ErrorDetails, data: Any) -> Path:
    """The error's place in the data, without what pydantic adds for unions and keys."""
    path: list[str | int] = []
    here = data
    parts = [part for part in error["loc"] if part != "[key]"]
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        below = at(here, (part,))
        if below is None and not (isinstance(here, Mapping) and part in here):
            if not (last and error["type"] == "missing"):
                continue
        else:
            here = below
        path.append(str(part) if isinstance(part, str) else part)
    return tuple(path)


def at(data: Any, path: Path) -> Any:
    """What stands at that path; none where nothing does."""
    for part in path:
        if isinstance(data, Mapping):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data


def describe(value: Any) -> str:
    """What a value is, for people."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, Scalar):
        return "nothing" if value.value is None else repr(str(value) if len(value) < 60 else value[:57] + "...")
    return repr(value)


def _unquoted_placeholder(data: Any, path: Path) -> Path | None:
    """Where `{input.x}` without quotes was read as a mapping: at the path, around it, or in the list there."""
    for length in range(len(path) + 1):
        if _looks_like_placeholder(at(data, path[:length])):
            return path[:length]
    found = at(data, path)
    items = enumerate(found) if isinstance(found, list) else ()
    return next(((*path, index) for index, item in items if _looks_like_placeholder(item)), None)


def _looks_like_placeholder(value: Any) -> bool:
    return isinstance(value, Mapping) and any(
        PLACEHOLDER_KEY.fullmatch(str(key)) and _is_empty(item) for key, item in value.items()
    )


def _sentence(error: ErrorDetails, path: Path, model: type[BaseModel], data: Any, unknown: str) -> str:
    kind = error["type"]
    if kind == "extra_forbidden":
        known = known_keys(model, path[:-1])
        siblings = at(data, path[:-1])
        if isinstance(siblings, Mapping) and "command" in siblings and _is_empty(siblings[path[-1]]):
            return f"{unknown}: {COMMAND_IN_BRACES}"
        return unknown + (nearest(str(path[-1]), known) or (f"; known: {', '.join(known)}" if known else ""))
    if kind == "missing":
        return "is missing"
    if kind in {"literal_error", "enum"}:
        context = error.get("ctx", {})
        return f"must be {context.get('expected')}, not {describe(at(data, path))}"
    if kind == "value_error":
        return str(error["msg"]).removeprefix("Value error, ")
    if kind == "too_short":
        return "needs at least one entry"
    if kind in {"greater_than_equal", "less_than_equal"}:
        context = error.get("ctx", {})
        return f"must be at least {context['ge']}" if "ge" in context else f"must be at most {context['le']}"
    return str(error["msg"]).replace("Input should be", "must be")


def _is_empty(value: Any) -> bool:
    return isinstance(value, Scalar) and value.value is None


def known_keys(model: type[BaseModel], path: Path) -> list[str]:
    """The keys that a mapping at that path may hold; none where any are."""
    here: Any = model
    for part in path:
        here = _descend(here, part)
    found = next((kind for kind in alternatives(here) if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
    return [field.alias or name for name, field in found.model_fields.items()] if found else []


def alternatives(annotation: Any) -> list[Any]:
    """The members of a union, without `Annotated` around them."""
    if get_origin(annotation) is Annotated:
        return alternatives(get_args(annotation)[0])
    if get_origin(annotation) in {Union, types.UnionType}:
        return [kind for member in get_args(annotation) for kind in alternatives(member)]
    return [annotation]


def _descend(annotation: Any, part: str | int) -> Any:
    for kind in alternatives(annotation):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            for name, field in kind.model_fields.items():
                if part in {name, field.alias}:
                    return field.annotation
        if get_origin(kind) is dict:
            return get_args(kind)[1]
        if get_origin(kind) is list and isinstance(part, int):
            return get_args(kind)[0]
    return Any
