"""YAML 1.2 as data with source positions.

Scalars are resolved here by the core schema (YAML 1.2.2, section 10.3.2) from their source text, so that what
was typed is never lost and no library's habits (`NO`, `1:30`, `1_000`) come between.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from analytics_automated.pipelines.definitions.scalars import Scalar
from analytics_automated.pipelines.problems import Path, Problem

LARGEST = 4_000_000
"""Characters of a pipeline file."""
MOST_NODES = 200_000
"""Nodes of a file after its aliases are followed: what bounds 'billion laughs'."""
DEEPEST = 50
"""Nesting of a file."""

_NULL = re.compile(r"null|Null|NULL|~|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITY = re.compile(r"[-+]?\.(inf|Inf|INF)")
_NAN = re.compile(r"\.(nan|NaN|NAN)")
_STANDARD_TAG = "tag:yaml.org,2002:"

_PLACEHOLDER_FIRST = re.compile(
    r"^\s*(?:- +)?(?:[\w.-]+: *)?\{+(?:input|output|param|data|resources|scatter|submission)\."
    r"|^\s*[\w.-]+: *\{[^}]*\}\s+[^\s#,}]"
)
_COMMAND_IN_FLOW = re.compile(r"[{,]\s*command: *[^\"'\[{\s]")
BEGINS_WITH_BRACE = (
    "a value that begins with { is a mapping to YAML: put quotes around it, such as command: '{input.tool} x'"
)
COMMAND_IN_BRACES = (
    'inside {…} a command must be in quotes, such as {command: "cp {input.a} {output.b}"}, '
    "because its { and , mean something to YAML"
)


@dataclass
class Document:
    """A file's data, its scalars as `Scalar`, and where each part of it stands."""

    file: str
    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    """Line, from 1, of each key (of list items: of the item)."""
    problems: list[Problem] = field(default_factory=list)

    def line_of(self, path: Path) -> int | None:
        """The line of that path, or of the nearest thing around it."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return None

    def add(self, path: Path, message: str, line: int | None = None) -> None:
        """Note a problem."""
        self.problems.append(
            Problem(path, message, self.file, line if line is not None else self.line_of(path))
        )


def read_document(text: str, file: str) -> Document:
    """Read one YAML document. What is wrong is in `problems`; then `data` may be missing."""
    document = Document(file)
    if len(text) > LARGEST:
        document.add((), f"is larger than {LARGEST} characters", 1)
        return document
    reader = YAML(typ="safe", pure=True)
    reader.version = (1, 2)
    try:
        root = reader.compose(text)
    except (YAMLError, RecursionError) as error:
        _explain(document, text, error)
        return document
    if root is None:
        document.add((), "is empty", 1)
        return document
    try:
        document.data = _Builder(document).build(root, (), 0)
    except _TooMuchError as error:
        document.add((), str(error), 1)
    return document


class _TooMuchError(Exception):
    pass


class _Builder:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.nodes = 0

    def build(self, node: Node, path: Path, depth: int) -> Any:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise _TooMuchError(f"has more than {MOST_NODES} values, with its aliases followed")
        if depth > DEEPEST:
            raise _TooMuchError(f"is nested deeper than {DEEPEST} levels, or an alias holds itself")
        self.document.lines.setdefault(path, node.start_mark.line + 1)
        tag = str(node.tag or "")
        if tag and not tag.startswith(_STANDARD_TAG):
            self.document.add(path, f"has the tag {tag}, which means nothing here: leave it out")
        if isinstance(node, MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, SequenceNode):
            return [self.build(item, (*path, index), depth + 1) for index, item in enumerate(node.value)]
        assert isinstance(node, ScalarNode)  # noqa: S101 -- YAML has no fourth kind of node
        return Scalar(node.value, node.value if node.style else core_value(node.value))

    def _mapping(self, node: MappingNode, path: Path, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode):
                self.document.add(path, "has a key that is no text", line)
                continue
            key = str(key_node.value)
            if key in made:
                first = self.document.lines[(*path, key)]
                self.document.add((*path, key), f"is here twice (first in line {first})", line)
                continue
            self.document.lines[(*path, key)] = line
            made[key] = self.build(value_node, (*path, key), depth + 1)
        return made


def core_value(text: str) -> str | int | float | bool | None:
    """The value of a plain scalar by the core schema of YAML 1.2."""
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text):
        return True
    if _FALSE.fullmatch(text):
        return False
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) < 4000 else text
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    if _HEXADECIMAL.fullmatch(text):
        return int(text[2:], 16)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _INFINITY.fullmatch(text):
        return float(text.replace(".", "", 1))
    if _NAN.fullmatch(text):
        return float("nan")
    return text


def _explain(document: Document, text: str, error: Exception) -> None:
    """Turn what the parser says into a problem, with a sentence of its own for the commonest mistakes."""
    if not isinstance(error, MarkedYAMLError):
        document.add((), "is nested too deeply" if isinstance(error, RecursionError) else str(error), 1)
        return
    lines = text.splitlines()
    mark = error.problem_mark or error.context_mark
    number = mark.line if mark else 0
    near = [index for index in (number, number - 1) if 0 <= index < len(lines)]
    for index in near:
        if _COMMAND_IN_FLOW.search(lines[index]):
            document.add((), COMMAND_IN_BRACES, index + 1)
            return
        if _PLACEHOLDER_FIRST.search(lines[index]):
            document.add((), BEGINS_WITH_BRACE, index + 1)
            return
    said = ", ".join(part for part in (error.context, error.problem) if part)
    document.add((), f"is no YAML: {said}", number + 1)
