"""Writes definitions as pipeline files, as a person would: shorthands, short mappings on one line, scripts as blocks.

What is written reads back as exactly the definitions that it was written from.
"""

import io
import re
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from analytics_automated.pipelines.definitions.pipeline import FORMAT
from analytics_automated.pipelines.files.shorthands import shortened
from analytics_automated.pipelines.files.source import core_value

WIDTH = 100
"""Columns of a line with a mapping or list on it."""
_NEVER_FOLDED = 1_000_000
"""More columns than any line has: what is one line of text for its author stays one."""
_BLOCK_KEYS = frozenset({"backends", "tasks", "jobs", "parameters", "steps"})
"""Mappings and lists that are written over lines, however short."""
_ESCAPED = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u2028\u2029\ufeff]")
"""What is written as an escape: what YAML cannot hold (YAML 1.2.2, section 5.1), and what a version of it reads as the
end of a line."""
_TAG = "tag:yaml.org,2002:"
_TEXT = f"{_TAG}str"


def pipeline_text(sections: Mapping[str, Mapping[str, Mapping[str, Any]]], pipeline: str | None = None) -> str:
    """A whole file: of each section the definitions by name, as dumped by their models."""
    document: dict[str, Any] = {"format": FORMAT}
    if pipeline is not None:
        document["pipeline"] = pipeline
    for section, entries in sections.items():
        if entries:
            document[section] = {name: shortened(section, data) for name, data in entries.items()}
    text = _serialized(_node(document, 0, top=True))
    return re.sub(r"(?m)^(?=(?:backends|tasks|jobs):)", "\n", text)


def definition_text(section: str, name: str, data: Mapping[str, Any] | None) -> str:
    """One definition, as it could stand in a file, with a line for each value, so that two can be compared; nothing
    for none."""
    return "" if data is None else _serialized(_node({section: {name: shortened(section, data)}}, _NEVER_FOLDED))


def value_text(data: Any) -> str:
    """Any data, as YAML with a line for each value."""
    return _serialized(_node(data, _NEVER_FOLDED))


def _serialized(node: Node) -> str:
    writer = YAML(typ="safe", pure=True)
    writer.version = (1, 2)
    writer.width = _NEVER_FOLDED
    writer.allow_unicode = True
    writer.brace_single_entry_mapping_in_flow_sequence = True
    writer.sequence_dash_offset = 2
    writer.sequence_indent = 4
    stream = io.StringIO()
    writer.serialize(node, stream)
    return stream.getvalue().removeprefix("%YAML 1.2\n---\n")


def _node(data: Any, depth: int, *, top: bool = False, key: str = "") -> Node:
    """The node of the data; `depth` is how many columns stand in front of it on its line."""
    if isinstance(data, Mapping):
        over_lines = key in _BLOCK_KEYS and all(isinstance(value, Mapping) for value in data.values())
        flow = not data or (not top and not over_lines and _fits(data, depth + len(key) + 2))
        pairs = [(_scalar(name), _node(value, depth + 2, key=str(name))) for name, value in data.items()]
        if key in {"backends", "tasks", "jobs"}:
            pairs = [(name, _opened(value)) for name, value in pairs]
        return MappingNode(f"{_TAG}map", pairs, flow_style=flow)
    if isinstance(data, list):
        flow = not data or (key not in _BLOCK_KEYS and _fits(data, depth + len(key) + 2))
        return SequenceNode(f"{_TAG}seq", [_node(item, depth + 4) for item in data], flow_style=flow)
    return _scalar(data)


def _opened(node: Node) -> Node:
    """What has a name in a file is written over lines."""
    if isinstance(node, MappingNode):
        node.flow_style = not node.value
    return node


def _fits(data: Any, column: int) -> bool:
    """True for what is small enough for one line."""
    length = _length(data)
    return length is not None and column + length <= WIDTH


def _length(data: Any, deepest: int = 2) -> int | None:
    """About how long it is on one line; none where it holds text of several lines, or is deep."""
    if isinstance(data, Mapping):
        data = [part for pair in data.items() for part in pair]
    if isinstance(data, list):
        lengths = [_length(item, deepest - 1) for item in data] if deepest else [None]
        return None if None in lengths else sum(length or 0 for length in lengths) + 2 * len(lengths) + 2
    if isinstance(data, str):
        return None if "\n" in data else len(data)
    return len(str(data))


def _scalar(value: Any) -> ScalarNode:
    if isinstance(value, str):
        return ScalarNode(_TEXT, value, style=_style(value))
    if value is None:
        return ScalarNode(f"{_TAG}null", "null")
    if isinstance(value, bool):
        return ScalarNode(f"{_TAG}bool", "true" if value else "false")
    return ScalarNode(f"{_TAG}{'int' if isinstance(value, int) else 'float'}", repr(value))


def _style(text: str) -> str | None:
    """Blocks for several lines, quotes for what is no text to YAML; else the emitter finds out."""
    if _ESCAPED.search(text):
        return '"'
    if "\n" in text and text.strip():
        return "|"
    # ruamel.yaml writes `{a: ?b}`, and does not read it.
    return None if text and not text.startswith(("?", ":")) and isinstance(core_value(text), str) else "'"
