"""Parameters as callers meet them: the published schema, and the check of what they send."""

import json
import math
import time
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from analytics_automated.pipelines import parameters
from analytics_automated.pipelines.checks.parameter import check_parameter
from analytics_automated.pipelines.definitions import ParameterDefinition
from analytics_automated.pipelines.parameters import (
    check_values,
    is_required,
    parse_texts,
    schema_of,
    schema_of_all,
    value_problems,
)
from analytics_automated.pipelines.refusals import Refusal


def define(**keys: Any) -> ParameterDefinition:
    definition = ParameterDefinition.model_validate(keys)
    assert list(check_parameter("x", definition)) == []
    return definition


def check(definition: ParameterDefinition, value: Any) -> tuple[Any, list[tuple[str, str]]]:
    """The value as it is taken, and code and message of each refusal."""
    values, refusals = check_values({"x": definition}, {"x": value})
    return values.get("x"), [(refusal.code, refusal.message) for refusal in refusals]


def accepts(definition: ParameterDefinition, value: Any) -> bool:
    return check(definition, value)[1] == []


# The schema


def test_the_schema_says_all_that_is_checked() -> None:
    assert schema_of(
        define(type="integer", minimum=1, maximum=9, default=3, title="Size", description="How large")
    ) == {
        "type": "integer",
        "minimum": 1,
        "maximum": 9,
        "default": 3,
        "title": "Size",
        "description": "How large",
    }
    assert schema_of(define(type="choice", choices={"a": "First", "b": "b"}, advanced=True)) == {
        "type": "string",
        "enum": ["a", "b"],
        "x-titles": {"a": "First", "b": "b"},
        "x-advanced": True,
    }
    assert schema_of(define(type="choice", choices=["a"])) == {"type": "string", "enum": ["a"]}
    assert schema_of(define(type="boolean", example=True)) == {"type": "boolean", "examples": [True]}
    assert schema_of(define(type="number", many=True, max_items=2, optional=True)) == {
        "type": "array",
        "items": {"type": "number"},
        "maxItems": 2,
    }
    assert schema_of(define(type="integer", many=True))["minItems"] == 1
    text = schema_of(define(type="string", pattern="a|b", max_length=7))
    assert (text["maxLength"], text["allOf"]) == (7, [{"pattern": "^(?:a|b)$"}])
    assert schema_of(define(type="string"))["maxLength"] == 255


def test_the_schema_of_all_requires_what_has_no_default() -> None:
    known = {
        "needed": define(type="string"),
        "given": define(type="string", default="a"),
        "optional": define(type="string", optional=True),
        "falsy": define(type="boolean", default=False),
    }
    schema = schema_of_all(known)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["required"] == ["needed"]
    assert schema["additionalProperties"] is False
    assert [name for name, each in known.items() if is_required(each)] == ["needed"]
    assert "required" not in schema_of_all({"x": define(type="string", optional=True)})


# What is taken


CASES: list[tuple[dict[str, Any], list[Any], list[tuple[Any, str]]]] = [
    (
        {"type": "integer"},
        [0, 5, -5, 10**30, 2.0],
        [(1.5, "wrong_type"), ("5", "wrong_type"), (True, "wrong_type"), ([1], "wrong_type"), ({}, "wrong_type"),
         (math.inf, "wrong_type"), (math.nan, "wrong_type")],
    ),
    ({"type": "integer", "minimum": 1, "maximum": 3}, [1, 3, 2.0], [(0, "too_small"), (4, "too_large")]),
    (
        {"type": "number"},
        [0, 1.5, -1e300, 10**30],
        [(math.inf, "wrong_type"), (-math.inf, "wrong_type"), (math.nan, "wrong_type"), ("1", "wrong_type"), (False, "wrong_type")],
    ),
    ({"type": "number", "minimum": 0.5}, [0.5], [(0.4999, "too_small")]),
    ({"type": "boolean"}, [True, False], [(1, "wrong_type"), (0, "wrong_type"), ("true", "wrong_type")]),
    ({"type": "choice", "choices": ["a", "2.10"]}, ["a", "2.10"], [("A", "not_a_choice"), ("", "not_a_choice"), (2.1, "wrong_type")]),
    (
        {"type": "string"},
        ["", " ", "a b", "é", "\u202e", "日本", "a-b", "$(id)", "x" * 255, "\U0001f9ec" * 255],
        [("x" * 256, "too_long"), ("-", "no_match"), ("-rf", "no_match"), ("--", "no_match"), ("a\n", "no_match"),
         ("\ta", "no_match"), ("\x00", "no_match"), ("\x1b[0m", "no_match"), ("\x7f", "no_match"), ("\x85", "no_match"), (5, "wrong_type")],
    ),
    ({"type": "string", "allow_dash": True}, ["-", "-rf", "a"], [("-a\n", "no_match")]),
    ({"type": "string", "max_length": 2}, ["ab"], [("abc", "too_long")]),
    (
        {"type": "string", "pattern": "a+|b"},
        ["a", "aaa", "b"],
        [("ab", "no_match"), ("xa", "no_match"), ("bx", "no_match"), ("", "no_match"), ("a\n", "no_match")],
    ),
    ({"type": "string", "pattern": "^a$"}, ["a"], [("ba", "no_match"), ("a\n", "no_match")]),
    ({"type": "string", "pattern": "a.c"}, ["abc"], [("a\u0085c", "no_match")]),
    ({"type": "string", "pattern": r"\p{Lu}\d{2}"}, ["É12"], [("é12", "no_match")]),
    (
        {"type": "integer", "many": True, "max_items": 2},
        [[1], [1, 2], [1.0]],
        [([], "too_few"), ([1, 2, 3], "too_many"), (1, "wrong_type"), ([1, "a"], "wrong_type"), ([[1]], "wrong_type")],
    ),
    ({"type": "integer", "many": True, "optional": True}, [[], [1]], []),
    ({"type": "boolean", "many": True}, [[True, False]], [([1], "wrong_type")]),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "taken", "refused"), CASES, ids=[json.dumps(keys) for keys, _, _ in CASES])
def test_a_value_is_taken_or_refused_by_its_kind(
    keys: dict[str, Any], taken: list[Any], refused: list[tuple[Any, str]]
) -> None:
    definition = define(**keys)
    for value in taken:
        assert check(definition, value) == (value, [])
    for value, code in refused:
        assert {found for found, _ in check(definition, value)[1]} == {code}, value


def test_an_integer_that_was_written_with_a_point_is_a_whole_number() -> None:
    value, _ = check(define(type="integer"), 2.0)
    assert (value, type(value)) == (2, int)
    value, _ = check(define(type="integer", many=True), [2.0, 3])
    assert [type(each) for each in value] == [int, int]


def test_no_zero_is_negative() -> None:
    value, _ = check(define(type="number", minimum=0), -0.0)
    assert str(value) == "0.0"
    values, _ = check_values({"x": define(type="number", default=-0.0)}, {})
    assert str(values["x"]) == "0.0"


def test_every_refusal_says_where_what_and_how_much() -> None:
    known = {
        "size": define(type="integer", maximum=3),
        "label": define(type="string", pattern="[a-z]+"),
        "sites": define(type="integer", many=True, max_items=2),
    }
    _, refusals = check_values(known, {"size": 4, "label": "A-Z", "sites": [1, 2, "a"], "lable": "x"})
    assert {(each.name, each.code): each for each in refusals} == {
        ("size", "too_large"): Refusal("parameters", "size", "too_large", "must be at most 3", 3),
        ("label", "no_match"): Refusal("parameters", "label", "no_match", "must match the pattern [a-z]+"),
        ("sites", "too_many"): Refusal("parameters", "sites", "too_many", "must have at most 2 values", 2),
        ("sites", "wrong_type"): Refusal("parameters", "sites", "wrong_type", "must be a whole number"),
        ("lable", "unknown"): Refusal(
            "parameters", "lable", "unknown", "is no parameter of this job (did you mean 'label'?)"
        ),
    }


def test_everything_that_is_missing_is_told() -> None:
    known = {"a": define(type="string"), "ab": define(type="string"), "b": define(type="string", optional=True)}
    _, refusals = check_values(known, {})
    assert [(each.name, each.code) for each in refusals] == [("a", "required"), ("ab", "required")]


def test_null_is_no_value() -> None:
    known = {"a": define(type="integer", default=3), "b": define(type="integer", optional=True)}
    assert check_values(known, {"a": None, "b": None}) == ({"a": 3}, [])


def test_defaults_are_filled_in_and_the_order_is_the_authors() -> None:
    known = {
        "z": define(type="integer", default=1),
        "a": define(type="boolean", default=False),
        "m": define(type="string"),
    }
    values, refusals = check_values(known, {"m": "x", "z": 5})
    assert (list(values.items()), refusals) == ([("z", 5), ("a", False), ("m", "x")], [])


@pytest.mark.parametrize(
    ("keys", "text", "value"),
    [
        ({"type": "integer"}, "5", 5),
        ({"type": "integer"}, "-5", -5),
        ({"type": "integer"}, "-0", 0),
        ({"type": "integer"}, "1e2", 100),
        ({"type": "number"}, "1E-3", 0.001),
        ({"type": "number"}, "0.5", 0.5),
        ({"type": "boolean"}, "true", True),
        ({"type": "boolean"}, "false", False),
        ({"type": "string"}, "5", "5"),
        ({"type": "choice", "choices": ["5"]}, "5", "5"),
    ],
)
def test_the_text_of_a_form_is_read_by_the_kind(keys: dict[str, Any], text: str, value: Any) -> None:
    definition = define(**keys)
    taken, refusals = check(definition, parse_texts(definition, [text]))
    assert (taken, type(taken), refusals) == (value, type(value), [])
    many = define(**keys, many=True)
    assert check(many, parse_texts(many, [text, text])) == ([value, value], [])


@pytest.mark.parametrize(
    "text",
    ["1_000", "nan", "NaN", "inf", "Infinity", "-inf", "+1", ".5", "1.", "01", "0x1F", " 1", "1 ", "1\n", "1,5", "1e", "",
     "٣", "1e400", "9" * 500, "true", "--1", "1e5e5"],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["integer", "number"])
def test_numbers_have_jsons_grammar(kind: str, text: str) -> None:
    definition = define(type=kind)
    assert [code for code, _ in check(definition, parse_texts(definition, [text]))[1]] == ["wrong_type"]


@pytest.mark.parametrize("text", ["True", "FALSE", "yes", "on", "1", "0", ""])
def test_a_boolean_is_true_or_false(text: str) -> None:
    definition = define(type="boolean")
    assert not accepts(definition, parse_texts(definition, [text]))


@pytest.mark.parametrize("texts", [[], ["1", "2"]])
def test_a_single_parameter_that_is_sent_otherwise_than_once_is_refused(texts: list[str]) -> None:
    definition = define(type="integer")
    assert not accepts(definition, parse_texts(definition, texts))


def test_a_pattern_cannot_be_made_to_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parameters, "PATTERN_SECONDS", 0.05)
    monkeypatch.setattr(parameters, "ALL_PATTERNS_SECONDS", 0.2)
    definition = define(type="string", pattern="(a|aa|b)+c", many=True)
    before = time.process_time()
    _, refusals = check(definition, ["ab" * 100 + "!"] * 500)
    assert len(refusals) == 500
    assert time.process_time() - before < 5, "one value after another would take 25 s"


def test_a_stored_value_may_begin_with_a_dash() -> None:
    assert value_problems(ParameterDefinition(value="-rf"), "-rf") == []
    assert [str(each) for each in value_problems(define(type="string"), "-rf")] == ["must not begin with '-'"]


# Properties


PATTERNS = ["[a-z]+", "a|b", "[^ ]*", "(?:ab){1,3}", r"\w+"]
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["-x", "true", "1e3", "a", "-", "\n", "a\n", "\x85", "2.0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)


@st.composite
def definitions(draw: st.DrawFn) -> ParameterDefinition:
    kind = draw(st.sampled_from(["string", "integer", "number", "boolean", "choice"]))
    keys: dict[str, Any] = {"type": kind, "many": draw(st.booleans()), "optional": draw(st.booleans())}
    if keys["many"] and draw(st.booleans()):
        keys["max_items"] = draw(st.integers(1, 3))
    if kind == "string":
        keys |= draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "pattern": st.sampled_from(PATTERNS),
                    "max_length": st.integers(1, 9),
                    "allow_dash": st.booleans(),
                },
            )
        )
    elif kind == "choice":
        keys["choices"] = draw(st.lists(st.sampled_from(["a", "true", "1e3", "-x", "é"]), min_size=1, unique=True))
    elif kind != "boolean":
        bounds = st.integers(-5, 5) if kind == "integer" else st.floats(-5, 5)
        keys |= draw(st.fixed_dictionaries({}, optional={"minimum": bounds, "maximum": bounds}))
    definition = ParameterDefinition.model_validate(keys)
    assume(not list(check_parameter("x", definition)))
    return definition


@given(
    known=st.dictionaries(st.sampled_from("abc"), definitions()),
    sent=st.dictionaries(st.sampled_from("abcd"), json_values),
)
@settings(max_examples=300, deadline=None)
def test_whatever_is_accepted_fits_the_published_schema(
    known: dict[str, ParameterDefinition], sent: dict[str, Any]
) -> None:
    schema = schema_of_all(known)
    Draft202012Validator.check_schema(schema)
    values, refusals = check_values(known, sent)
    for refusal in refusals:
        assert refusal.name is not None
        assert refusal.message
        json.dumps(refusal.as_json())
    if refusals:
        return
    assert list(Draft202012Validator(schema).iter_errors(values)) == []
    assert values.keys() <= known.keys()
    again = json.loads(json.dumps(values, allow_nan=False))
    assert check_values(known, again) == (values, [])


@given(
    definition=definitions(),
    texts=st.lists(st.text(max_size=8) | st.sampled_from(["1", "-2.5", "true", "1e400"]), max_size=3),
)
@settings(max_examples=200, deadline=None)
def test_the_texts_of_a_form_are_taken_or_refused_and_never_raise(
    definition: ParameterDefinition, texts: list[str]
) -> None:
    value = parse_texts(definition, texts)
    values, refusals = check_values({"x": definition}, {"x": value})
    if not refusals:
        assert list(Draft202012Validator(schema_of(definition)).iter_errors(values["x"])) == []
