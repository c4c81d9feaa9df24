"""YAML 1.2 with positions: what was typed is kept, and nothing that a file holds can hurt."""

import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analytics_automated.pipelines.definitions.scalars import Scalar
from analytics_automated.pipelines.files.source import (
    BEGINS_WITH_BRACE,
    COMMAND_IN_BRACES,
    DEEPEST,
    LARGEST,
    MOST_NODES,
    Document,
    core_value,
    read_document,
)


def read(text: str) -> Document:
    return read_document(text, "p.yaml")


def complaints(text: str) -> list[tuple[int | None, str]]:
    return [(problem.line, problem.message) for problem in read(text).problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2.10", 2.1),
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("off", "off"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("true", True),
        ("False", False),
        ("tRUE", "tRUE"),
        ("null", None),
        ("~", None),
        ("", None),
        ("nULL", "nULL"),
        ("007", 7),
        ("+12", 12),
        ("-3", -3),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", "0b11"),
        ("1e-3", 0.001),
        ("1.", 1.0),
        (".5", 0.5),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("1e999", math.inf),
        (".", "."),
        ("1e", "1e"),
        ("2026-12-01", "2026-12-01"),
        ("12:30:45", "12:30:45"),
        ("=", "="),
        ("٣", "٣"),
        ("9" * 1000, int("9" * 1000)),
        ("9" * 1001, "9" * 1001),
        ("0x" + "f" * 1000, "0x" + "f" * 1000),
    ],
)
def test_a_plain_scalar_is_what_the_core_schema_of_yaml_1_2_says(text: str, value: object) -> None:
    document = read(f"key: {text}\n")
    assert document.problems == []
    scalar = document.data["key"]
    assert isinstance(scalar, Scalar)
    assert str(scalar) == text, "the source text is what was typed"
    assert (scalar.value, type(scalar.value)) == (value, type(value))


def test_nan_is_a_number_that_is_none() -> None:
    assert math.isnan(core_value(".nan"))  # type: ignore[arg-type]
    assert core_value("nan") == "nan"


@pytest.mark.parametrize("quoted", ["'5'", '"5"', "|-\n  5", ">-\n  5", "!!str 5"])
def test_what_is_quoted_is_text(quoted: str) -> None:
    assert read(f"key: {quoted}\n").data["key"].value == "5"


@pytest.mark.parametrize("tagged", ["!!int 5", "!!float 5", "!!null ''", "!!seq [a]", "!!map {a: b}"])
def test_the_tags_of_the_core_schema_are_taken(tagged: str) -> None:
    assert complaints(f"key: {tagged}\n") == []


@pytest.mark.parametrize(
    "tag", ["!custom", "!!python/object/apply:os.system", "!!binary", "!!set", "!<tag:example.org,2026:x>"]
)
@pytest.mark.parametrize("value", ["x", "[x]", "{x: y}"])
def test_any_other_tag_is_an_error_and_does_nothing(tag: str, value: str) -> None:
    (problem,) = read(f"a: 1\nkey: {tag} {value}\n").problems
    assert problem.where == "key"
    assert problem.line == 2
    assert problem.message.startswith("has the tag ")
    assert problem.message.endswith("which means nothing here: leave it out")


def test_every_key_and_item_has_its_line() -> None:
    document = read("a:\n  b: [x,\n    y]\n  c:\n    - d: 1\n      e: 2\n    - f\n")
    assert document.lines == {
        (): 1,
        ("a",): 1,
        ("a", "b"): 2,
        ("a", "b", 0): 2,
        ("a", "b", 1): 3,
        ("a", "c"): 4,
        ("a", "c", 0): 5,
        ("a", "c", 0, "d"): 5,
        ("a", "c", 0, "e"): 6,
        ("a", "c", 1): 7,
    }
    assert document.line_of(("a", "c", 0, "missing", "deeper")) == 5


def test_a_key_that_is_there_twice_is_an_error_that_names_the_first() -> None:
    document = read("a:\n  x: 1\n  y: 2\n  x: 3\n'a': 5\n")
    assert [(problem.where, problem.line, problem.message) for problem in document.problems] == [
        ("a.x", 4, "is here twice (first in line 2)"),
        ("a", 5, "is here twice (first in line 1)"),
    ]
    assert document.data["a"]["x"] == "1", "the rest of the file is read, so that all its errors come at once"


def test_keys_that_differ_by_case_are_two() -> None:
    assert complaints("a: 1\nA: 2\n") == []


@pytest.mark.parametrize("key", ["? [a]\n:", "? {a: b}\n:", "[a]:"])
def test_a_key_that_is_no_text_is_an_error(key: str) -> None:
    assert complaints(f"first: 1\n{key} x\n") == [(2, "has a key that is no text")]


def test_merge_keys_are_not_yaml_1_2() -> None:
    ((line, message),) = complaints("a: &a {x: 1}\nb:\n  <<: *a\n  y: 2\n")
    assert line == 3
    assert "YAML 1.2 merges no mappings" in message


def test_an_alias_is_the_whole_value_again() -> None:
    document = read("a: &shared {x: [1, 2]}\nb: *shared\nc: &shared 5\nd: *shared\n")
    assert document.problems == [], "an anchor may be named anew"
    assert document.data["b"] == document.data["a"]
    assert document.data["d"] == "5"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
            + "".join(f"a{i + 1}: &a{i + 1} [{','.join([f'*a{i}'] * 9)}]\n" for i in range(12)),
            f"has more than {MOST_NODES} values, with its aliases followed",
        ),
        ("a: &a [*a, *a]\n", f"is nested deeper than {DEEPEST} levels, or an alias holds itself"),
        ("a: &a {b: *a}\n", f"is nested deeper than {DEEPEST} levels, or an alias holds itself"),
        (
            f"a: &a {'y' * 100_000}\nb: [{','.join(['*a'] * 50)}]\n",
            f"has more than {LARGEST} characters, with its aliases followed",
        ),
        ("[" * 3000, f"is nested deeper than {DEEPEST} levels"),
        ("- " * 3000 + "x", f"is nested deeper than {DEEPEST} levels"),
        ("a: " + "{x: " * 3000, f"is nested deeper than {DEEPEST} levels"),
        ("x" * (LARGEST + 1), f"is larger than {LARGEST} characters"),
    ],
    ids=["billion laughs", "list in itself", "mapping in itself", "long text", "flow", "block", "mappings", "large"],
)
def test_what_would_grow_without_bound_is_refused(text: str, said: str) -> None:
    assert complaints(text) == [(1, said)]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb:\n  - 2\n  - &c\n    d: *c\n", 4),
        (f"a: 1\nb: &b {'y' * 100_000}\nc: [{','.join(['*b'] * 50)}]\n", 2),
        ("a: 1\nb: " + "[" * 3000, 2),
        ("a: 1\nb:\n" + "".join(f"{' ' * level}-\n" for level in range(80)), DEEPEST + 3),
    ],
    ids=["alias in itself", "long text", "flow", "block"],
)
def test_where_it_grows_without_bound_is_told(text: str, line: int) -> None:
    assert [number for number, _ in complaints(text)] == [line]


def test_what_is_within_the_bounds_is_read() -> None:
    text = "".join("  " * level + f"k{level}:\n" for level in range(DEEPEST)) + "  " * DEEPEST + "end\n"
    assert complaints(text) == []


@pytest.mark.parametrize("text", ["", "   \n", "# only a comment\n", "---\n"])
def test_a_file_without_anything_is_said_to_be_so(text: str) -> None:
    document = read(text)
    assert [problem.message for problem in document.problems] == (["is empty"] if document.data is None else [])
    assert not isinstance(document.data, dict)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: 'b\nc: d\n", 3, "is no YAML: while scanning a quoted scalar"),
        ("a: 1\n\tb: 2\n", 2, "is no YAML: while scanning for the next token, found character '\\t'"),
        ("a: b: c\n", 1, "is no YAML: mapping values are not allowed here"),
        ("a: *nobody\n", 1, "is no YAML: found undefined alias 'nobody'"),
        ("a: 1\n---\nb: 2\n", 2, "is no YAML: expected a single document"),
        ("a:\n  - 1\n b: 2\n", 3, "is no YAML: "),
        ("a: [1, 2\nb: 3\n", 2, "is no YAML: while parsing a flow sequence"),
        ("%YAML 2.0\n---\na: 1\n", 1, "is no YAML: found incompatible YAML document"),
        ("a: 1\nb: 2\nc: \x07\n", 3, "holds the character '\\x07', which YAML does not allow"),
        ('a: 1\nb: "x\\ud800"\n', 2, "holds half of a character (a lone surrogate, such as \\ud800)"),
        ('a: 1\n"k\\0": 2\n', 2, "has the key 'k\\x00', which holds a control character"),
        ('a: 1\n"k\\e[31m": 2\n', 2, "has the key 'k\\x1b[31m', which holds a control character"),
        ('a: 1\n"k\\udc00": 2\n', 2, "has the key 'k\\udc00', which holds a control character"),
    ],
)
def test_what_is_no_yaml_has_its_line(text: str, line: int, said: str) -> None:
    ((where, message),) = complaints(text)
    assert message.startswith(said)
    assert where == line


UNQUOTED_IN_BRACES = [
    "t: {inputs: {a: x}, command: cp {input.a} {output.b}}\n",
    "t: {command: cp {input.a} {output.b}, inputs: {a: x}}\n",
    "t: {..., command: cp {input.a} {output.b}}\n",
    "t: {command: {input.a} {output.b}}\n",
    "t: {command: awk '{print}' x}\n",
    "t: {script: cat {input.a}}\n",
    "t: {interpreter: tool {workdir}}\n",
    "t: {\n  inputs: {a: x},\n  command: cp {input.a} {output.b}\n}\n",
    "t: {\n  inputs: {a: x},\n  command: cp {input.a} {output.b},\n  outputs: {b: y}}\n",
    "t: {\n  command:\n    cp {input.a} {output.b},\n  outputs: {b: y}}\n",
    "t: {\n  command: cp\n    {input.a}\n    {output.b}}\n",
    "t: {environment: {A: x{param.a}}}\n",
    "t: {command: [cp, x{input.a}]}\n",
    "- {command: cp {input.a}}\n",
    "t: {command: tool -a, {input.a}}\n",
]


@pytest.mark.parametrize("text", UNQUOTED_IN_BRACES)
def test_an_unquoted_command_in_braces_has_a_sentence_of_its_own(text: str) -> None:
    (problem,) = read(f"first: 1\n{text}" if not text.startswith("-") else text).problems
    assert problem.message == COMMAND_IN_BRACES
    lines = ("first: 1\n" + text if not text.startswith("-") else text).splitlines()
    assert problem.line is not None
    assert "{" in lines[problem.line - 1]


BEGINNING_WITH_A_BRACE = [
    "command: {input.x} out\n",
    "command: {input.tool} {input.x}\n",
    "command:   {param.a}{param.b} x\n",
    "command:\n  {input.x} out\n",
    "command:\n  - cp\n  - {input.x} y\n",
    "environment:\n  X: {workdir}/x\n",
    "list:\n  - {workdir} x\n",
    "command: {anything} x\n",
    "command: {input.x} | sort\n",
]


@pytest.mark.parametrize("text", BEGINNING_WITH_A_BRACE)
def test_a_value_that_begins_with_a_brace_has_a_sentence_of_its_own(text: str) -> None:
    ((line, message),) = complaints(f"first: 1\n{text}last: 2\n")
    assert message == BEGINS_WITH_BRACE
    assert "{" in f"first: 1\n{text}".splitlines()[(line or 0) - 1]


@pytest.mark.parametrize(
    "text",
    [
        'command: "{input.x} out"\n',
        "command: cp {input.x} {output.y}\n",
        "command: awk '{print $1}' {input.x}\n",
        "command: >-\n  {input.x}\n  {output.y}\n",
        "t: {command: 'cp {input.a} {output.b}'}\n",
        "t: {command: [cp, '{input.a}']}\n",
        "choices: {a: b}\n",
    ],
)
def test_what_is_quoted_or_outside_of_braces_is_no_mistake(text: str) -> None:
    assert complaints(text) == []


def test_another_error_near_a_right_command_is_not_blamed_on_it() -> None:
    ((_, message),) = complaints("a:\n  command: cp {input.a} {output.b}\n  inputs: {x: [1, 2}\n")
    assert message.startswith("is no YAML: ")


@given(st.text(alphabet=st.sampled_from(list("ab:{}[],&*!|>-#'\"%@`? \n\t\\~0.")), max_size=60))
@example("&a")
@example("? ")
@example("!!str")
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    document = read(text)
    assert all(problem.line is not None and problem.message for problem in document.problems)
    assert document.problems or document.data is not None
