"""YAML 1.2 as data with source positions.

Scalars are resolved here by the core schema (YAML 1.2.2, section 10.3.2) from their source text, so that what
was typed is never lost and no library's habits (`NO`, `1:30`, `1_000`) come between.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import MaxDepthExceededError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from analytics_automated.pipelines.definitions.scalars import Scalar
from analytics_automated.pipelines.problems import Path, Problem
from analytics_automated.pipelines.templates import KINDS

LARGEST = 4_000_000
"""Characters of a pipeline file, before and after its aliases are followed."""
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
_LONGEST_INTEGER = 1000
"""Digits; Python neither reads nor writes integers of any length."""
_TEXT_TAG = "tag:yaml.org,2002:str"
_CORE_TAGS = frozenset(
    {_TEXT_TAG, *(f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "seq", "map"))}
)
_HALF_CHARACTER = re.compile(r"[\ud800-\udfff]")
_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f]")

_AS_FAR_BACK = 2000
"""Characters before an error in which its cause is looked for."""
PLACEHOLDER_KEY = re.compile(rf"(?:(?:{'|'.join(KINDS)})\.[\w.-]*|workdir)")
"""The only key of the mapping that `{input.x}` without quotes is to YAML."""
_PLACEHOLDER = rf"\{{+{PLACEHOLDER_KEY.pattern}"
_KEYED = r"(?:- +)*(?:[\w.-]+ *: +)?"
_VALUE_IN_BRACES = re.compile(
    rf"^\s*{_KEYED}{_PLACEHOLDER}|[{{,]\s*[\w.-]+ *: *{_PLACEHOLDER}|^\s*{_KEYED}\{{[^}}]*\}}\s+[^\s#,}}]"
)
_COMMAND_IN_FLOW = re.compile(
    r"(?:^|[{,])\s*(?:command|script|interpreter|setup) *:\s+(?![\"'\[{])[^\n]*(?:\n(?![^\n]*: )[^\n]*)*$"
)
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
        self.problems.append(Problem(path, message, self.file, line if line is not None else self.line_of(path)))


def read_document(text: str, file: str) -> Document:
    """Read one YAML document. What is wrong is in `problems`; then `data` may be missing."""
    document = Document(file)
    if len(text) > LARGEST:
        document.add((), f"is larger than {LARGEST} characters", 1)
        return document
    reader = YAML(typ="safe", pure=True)
    reader.version = (1, 2)
    reader.max_depth = DEEPEST + 1
    reader.composer.warn_double_anchors = False  # an anchor may be named anew (YAML 1.2.2, section 3.2.2.2)
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
        document.add((), str(error), error.line)
    return document


class _TooMuchError(Exception):
    """A bound that the node in this line breaks; an alias stands for the node that it names."""

    def __init__(self, message: str, node: Node) -> None:
        super().__init__(message)
        self.line = node.start_mark.line + 1


class _Builder:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.nodes = 0
        self.characters = 0

    def build(self, node: Node, path: Path, depth: int) -> Any:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise _TooMuchError(f"has more than {MOST_NODES} values, with its aliases followed", node)
        if depth > DEEPEST:
            raise _TooMuchError(f"is nested deeper than {DEEPEST} levels, or an alias holds itself", node)
        self.document.lines.setdefault(path, node.start_mark.line + 1)
        tag = str(node.tag or "") if _has_tag(node) else ""
        if tag and tag not in _CORE_TAGS:
            self.document.add(path, f"has the tag {tag}, which means nothing here: leave it out")
        if isinstance(node, MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, SequenceNode):
            return [self.build(item, (*path, index), depth + 1) for index, item in enumerate(node.value)]
        assert isinstance(node, ScalarNode)  # noqa: S101 -- YAML has no fourth kind of node
        return self._scalar(node, is_text=bool(node.style) or tag == _TEXT_TAG, path=path)

    def _scalar(self, node: ScalarNode, *, is_text: bool, path: Path) -> Scalar:
        text: str = node.value
        self.characters += len(text)
        if self.characters > LARGEST:
            raise _TooMuchError(f"has more than {LARGEST} characters, with its aliases followed", node)
        if _HALF_CHARACTER.search(text):
            self.document.add(path, "holds half of a character (a lone surrogate, such as \\ud800)")
            text = _HALF_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", text)
        return Scalar(text, text if is_text else core_value(text))

    def _mapping(self, node: MappingNode, path: Path, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = str(key_node.value)
            if wrong := _wrong_key(key_node, key, in_braces=bool(node.flow_style)):
                self.document.add(path, wrong, line)
            elif key in made:
                first = self.document.lines[(*path, key)]
                self.document.add((*path, key), f"is here twice (first in line {first})", line)
            else:
                self.document.lines[(*path, key)] = line
                made[key] = self.build(value_node, (*path, key), depth + 1)
        return made


def _has_tag(node: Node) -> bool:
    """True where the file itself says the tag: only the parser gives a tag its handles."""
    return getattr(node.ctag, "handles", None) is not None


def _wrong_key(node: Node, key: str, *, in_braces: bool) -> str | None:
    if isinstance(node, MappingNode) and in_braces:
        return COMMAND_IN_BRACES if _is_placeholder(node) else "has a key that is no text"
    if not isinstance(node, ScalarNode):
        return "has a key that is no text"
    if _CONTROL_CHARACTER.search(key) or _HALF_CHARACTER.search(key):
        return f"has the key {key!a}, which holds a control character"
    if key == "<<" and not node.style:
        return "has the key <<, and YAML 1.2 merges no mappings: write the keys out, or use an alias as a whole value"
    return None


def _is_placeholder(node: MappingNode) -> bool:
    return any(isinstance(key, ScalarNode) and PLACEHOLDER_KEY.fullmatch(key.value) for key, _ in node.value)


def core_value(text: str) -> str | int | float | bool | None:
    """The value of a plain scalar by the core schema of YAML 1.2."""
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text):
        return True
    if _FALSE.fullmatch(text):
        return False
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) <= _LONGEST_INTEGER else text
    if _OCTAL.fullmatch(text) and len(text) <= _LONGEST_INTEGER:
        return int(text[2:], 8)
    if _HEXADECIMAL.fullmatch(text) and len(text) <= _LONGEST_INTEGER:
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
    if isinstance(error, RecursionError | MaxDepthExceededError):
        line = _line(error) if isinstance(error, MarkedYAMLError) else 1
        document.add((), f"is nested deeper than {DEEPEST} levels", line)
    elif isinstance(error, ReaderError):
        line = text.count("\n", 0, error.position) + 1
        document.add((), f"holds the character {chr(error.character)!a}, which YAML does not allow", line)
    elif isinstance(error, MarkedYAMLError):
        line, sentence = _common_mistake(text, error) or (_line(error), None)
        said = ", ".join(part for part in (error.context, error.problem) if part)
        document.add((), sentence or f"is no YAML: {said}", line)
    else:
        document.add((), f"is no YAML: {error}", 1)


def _line(error: MarkedYAMLError) -> int:
    mark = error.problem_mark or error.context_mark
    return mark.line + 1 if mark else 1


def _common_mistake(text: str, error: MarkedYAMLError) -> tuple[int, str] | None:
    """Line and sentence, where it is one of the two commonest."""
    if error.problem_mark is None:
        return None
    place = error.problem_mark.index
    if error.context_mark is not None and "flow" in str(error.context):
        before = text[max(error.context_mark.index, place - _AS_FAR_BACK) : place]
        # What a key of the mapping around has begun, and what breaks off here.
        if _COMMAND_IN_FLOW.search(before) or re.match(_PLACEHOLDER, text[place:]):
            return _line(error), COMMAND_IN_BRACES
    lines = text.splitlines()
    for index in (error.problem_mark.line, error.problem_mark.line - 1):
        if 0 <= index < len(lines) and _VALUE_IN_BRACES.search(lines[index]):
            return index + 1, BEGINS_WITH_BRACE
    return None
