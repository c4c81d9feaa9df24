"""Data of pipeline files as YAML text, every key and item on a line of its own, so that a line names one thing."""

import json
from collections.abc import Iterator
from typing import Any

from analytics_automated.pipelines.files.source import Document, core_value
from analytics_automated.pipelines.problems import Path as KeyPath


def written(data: Any) -> tuple[str, dict[KeyPath, int]]:
    """The text, and the line of every part as the reader finds it."""
    lines: list[str] = []
    places: dict[KeyPath, int] = {(): 1}
    _write(data, (), 0, lines, places)
    return "\n".join(lines) + "\n", places


def parsed(data: Any, file: str = "p.yaml") -> Document:
    """What `read_document` makes of the text of this data."""
    return Document(file, data, written(data)[1])


def every_path(data: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    """The paths of all keys and items."""
    for key, value in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        yield (*path, key)
        yield from every_path(value, (*path, key))


def _write(data: Any, path: KeyPath, depth: int, lines: list[str], places: dict[KeyPath, int]) -> None:
    indent = "  " * depth
    for key, value in data.items() if isinstance(data, dict) else enumerate(data):
        here = (*path, key)
        lead = f"{indent}-" if isinstance(data, list) else f"{indent}{_key(key)}:"
        inline = not isinstance(value, dict | list) or not value
        lines.append(f"{lead} {_flow(value)}".rstrip() if inline else lead)
        places[here] = len(lines)
        if not inline:
            if isinstance(data, list):  # the reader takes an item to begin with what is in it
                places[here] += 1
            _write(value, here, depth + 1, lines, places)


def _key(key: str) -> str:
    plain = key.isidentifier() and core_value(key) == key
    return key if plain else json.dumps(key, ensure_ascii=False)


def _flow(value: Any) -> str:
    if isinstance(value, dict | list):
        return "{}" if isinstance(value, dict) else "[]"
    if value.value is None:
        return str(value)
    return str(value) if not isinstance(value.value, str) else json.dumps(str(value), ensure_ascii=False)
