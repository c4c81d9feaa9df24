"""The reference of the HTTP service: routes and shapes from its OpenAPI document, and the kinds of problems."""

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from analytics_automated.config.environment import PREFIX
from generated_reference.tables import code, table

_METHODS = ("get", "post", "put", "patch", "delete")


def routes_reference() -> str:
    """A section per operation."""
    return "\n".join(_operation(*each) for each in operations())


def shapes_reference() -> str:
    """A section per shape of an answer."""
    shapes: Mapping[str, Any] = _document()["components"]["schemas"]
    return "\n".join(_shape(name, shape) for name, shape in shapes.items())


def problems_reference() -> str:
    """The kinds of problems."""
    _prepare_django()
    from analytics_automated.api.problems import BASE, KINDS

    rows = [(code(BASE + name), str(kind.status), kind.meaning) for name, kind in KINDS.items()]
    return table(["Type", "Status", "Meaning"], rows)


def operations() -> list[tuple[str, str, Mapping[str, Any]]]:
    """Method, path and description of every operation, in the order of the document."""
    return [
        (method.upper(), path, described)
        for path, methods in _document()["paths"].items()
        for method, described in methods.items()
        if method in _METHODS
    ]


@cache
def _document() -> Mapping[str, Any]:
    _prepare_django()
    from analytics_automated.api.service import api

    document: Mapping[str, Any] = api.get_openapi_schema(path_prefix="/api/")
    return document


def _prepare_django() -> None:
    """Set Django up, where nobody has, by the defaults alone and with a data folder that is gone afterwards."""
    from django.apps import apps

    if apps.ready:
        return
    with _no_settings(), tempfile.TemporaryDirectory(prefix="aa-docs-") as folder:
        os.environ[f"{PREFIX}DATA_DIR"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "analytics_automated.config.settings"
        import django

        django.setup()


@contextlib.contextmanager
def _no_settings() -> Iterator[None]:
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _operation(method: str, path: str, described: Mapping[str, Any]) -> str:
    parts = [
        f"### {method} {shown_path(path)}",
        f"{described['summary']}. {described.get('description', '')}".strip(),
    ]
    parameters = [each for each in described.get("parameters", []) if each["in"] == "query"]
    if parameters:
        rows = [
            (code(each["name"]), _type(each["schema"]), _default(each["schema"]), each.get("description", ""))
            for each in parameters
        ]
        parts.append(table(["Query", "Holds", "Default", "Meaning"], rows))
    answers = [(str(status), _answer(answer)) for status, answer in described["responses"].items()]
    parts.append(table(["Status", "Answer"], answers))
    return "\n\n".join(parts) + "\n"


def shown_path(path: str) -> str:
    """The path without the converters of its parts."""
    return re.sub(r"\{(?:\w+:)?(\w+)\}", r"{\1}", path)


def _answer(answer: Mapping[str, Any]) -> str:
    content = answer.get("content") or {}
    shown = [
        _type(each.get("schema") or {}) if media == "application/json" else media for media, each in content.items()
    ]
    return ", ".join(shown) or str(answer.get("description", ""))


def _shape(name: str, shape: Mapping[str, Any]) -> str:
    rows = [
        (code(field), _type(described), described.get("description", ""))
        for field, described in shape.get("properties", {}).items()
    ]
    return (
        f"(shape-{name.lower()})=\n### {name}\n\n{shape.get('description', '')}\n\n"
        f"{table(['Field', 'Holds', 'Meaning'], rows)}"
    )


def _default(schema: Mapping[str, Any]) -> str:
    default = schema.get("default")
    return "" if default in (None, "") else code(str(default))


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return f"[{name}](#shape-{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    kind = str(schema.get("format") or schema.get("type") or "anything")
    return {"null": "null", "binary": "the bytes"}.get(kind, kind)
