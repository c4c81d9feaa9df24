"""JSON values fit a JSON Schema, which is checked with the configuration and bounded in time and memory."""

import json

import pytest
from pydantic import ValidationError

from analytics_automated.pipelines.validators.base import TooSlow
from analytics_automated.pipelines.validators.registry import build_validator

PEOPLE = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "pattern": r"^\p{Lu}", "maxLength": 9},
            "age": {"type": "integer", "minimum": 0, "exclusiveMaximum": 150},
            "group": {"enum": ["a", "b", None]},
            "score": {"type": ["number", "null"], "multipleOf": 0.01},
            "tags": {"type": "array", "uniqueItems": True, "maxItems": 3},
            "size": {"anyOf": [{"type": "integer"}, {"const": "large"}]},
            "one": {"oneOf": [{"minimum": 5}, {"maximum": 7}]},
        },
        "patternProperties": {"^x-": {"type": "string"}},
        "additionalProperties": False,
    },
}
TREE = {"$defs": {"node": {"type": "array", "items": {"$ref": "#/$defs/node"}}}, "$ref": "#/$defs/node"}


def said(verdict, schema, value, **options):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return verdict("json", {"schema": schema, **options}, data)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({}, None),
        (PEOPLE, [{"name": "Åsa", "age": 36, "group": None, "score": 0.07, "tags": [1, True, "1"]}]),
        (PEOPLE, [{"name": "Ada", "x-note": "free", "size": "large", "one": 3}, {"name": "B", "size": 4, "one": 8}]),
        (TREE, [[], [[]], [[[]]]]),
        ({"$id": "https://example.org/s", "$ref": "#a", "$defs": {"a": {"$anchor": "a", "type": "object"}}}, {}),
        (
            {
                "$schema": "http://json-schema.org/draft-07/schema#",
                "items": [{"type": "integer"}],
                "additionalItems": False,
            },
            [1],
        ),
        ({"$schema": "https://json-schema.org/draft/2019-09/schema", "items": {"$recursiveRef": "#"}}, [[], [1]]),
        ({"properties": {"$ref": {"type": "integer"}}}, {"$ref": 5}),
        ({"const": {"$ref": "https://example.org/"}}, {"$ref": "https://example.org/"}),
        ({"multipleOf": 7}, 7 * 10**300),
        ({"uniqueItems": True}, [1, True, "1", [1], [True], [1, 2], {"a": 1}, {"a": True}, None, 0, False]),
        ({"type": "string"}, "\ud800"),
    ],
)
def test_a_value_that_fits_is_good(verdict, schema, value):
    assert said(verdict, schema, value) is None


@pytest.mark.parametrize(
    ("value", "refusal"),
    [
        ({}, "The value must be of the type array."),
        ([], "The value must have at least 1 items."),
        ([5], "The value at '/0' must be of the type object; it is 5."),
        ([{}], "The value at '/0' must have the property 'name'."),
        ([{"name": "ada"}], r"The value at '/0/name' must match the pattern '^\p{Lu}'; it is 'ada'."),
        ([{"name": "Adaadaadaa"}], "The value at '/0/name' must have at most 9 characters; it is 'Adaadaadaa'."),
        ([{"name": "A"}, {"name": "A", "age": -1}], "The value at '/1/age' must be at least 0; it is -1."),
        ([{"name": "A", "age": 150}], "The value at '/0/age' must be less than 150; it is 150."),
        (
            [{"name": "A", "age": "x" * 99}],
            f"The value at '/0/age' must be of the type integer; it is '{'x' * 37}...'.",
        ),
        ([{"name": "A", "group": "c"}], """The value at '/0/group' must be one of '"a", "b", null'; it is 'c'."""),
        ([{"name": "A", "score": 0.075}], "The value at '/0/score' must be a multiple of 0.01; it is 0.075."),
        ([{"name": "A", "score": "x"}], "The value at '/0/score' must be of the type number or null; it is 'x'."),
        ([{"name": "A", "tags": [1, 1.0]}], "The value at '/0/tags' must not have an item twice."),
        ([{"name": "A", "tags": [[{"a": 1}], [{"a": 1}]]}], "The value at '/0/tags' must not have an item twice."),
        (
            [{"name": "A", "size": "x"}],
            "The value at '/0/size' must fit one of the schema's alternatives (anyOf); it is 'x'.",
        ),
        (
            [{"name": "A", "one": 6}],
            "The value at '/0/one' must fit exactly one of the schema's alternatives (oneOf), and fits 2; it is 6.",
        ),
        ([{"name": "A", "x-a": 5}], "The value at '/0/x-a' must be of the type string; it is 5."),
        ([{"name": "A", "b/c": 5}], "The value at '/0' has the property 'b/c', which is not allowed."),
        (b'[{"name": "A", "name": "B"}]', "An object has the name 'name' more than once."),
        (b'[{"name": "A", "age": 1e999}]', "The number '1e999' is too large."),
        (b"[%b]" % (b"9" * 401), f"The number '{'9' * 37}...' is too large."),
        (b"[1,]", "']' stands where a value is expected (line 1, column 4)."),
        (b"[NaN]", "'NaN' is no JSON value (line 1, column 2)."),
    ],
)
def test_what_does_not_fit_is_said_with_its_place(verdict, value, refusal):
    assert said(verdict, PEOPLE, value) == refusal


def test_other_keywords_are_named(verdict):
    assert said(verdict, {"not": {}}, 1) == "The value does not fit the schema's not; it is 1."
    assert said(verdict, {"properties": {"a": False}}, {"a": 1}) == "The value is not allowed by the schema; it is 1."
    assert said(verdict, {"properties": {"a/b": {"const": 2}}}, {"a/b": 1}) == (
        "The value at '/a~1b' does not fit the schema's const; it is 1."
    )


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ({"type": "strin"}, "not a JSON Schema: at /type: 'strin' is not valid under any of the given schemas"),
        ({"properties": []}, "not a JSON Schema: at /properties: [] is not of type 'object'"),
        ({"$schema": "http://json-schema.org/draft-04/schema#"}, "$schema must be one of"),
        ({"$schema": 4}, "$schema must be one of"),
        ({"$ref": "https://example.org/schema.json"}, "leads out of the schema: it must begin with #"),
        ({"items": {"$ref": "other.json#/$defs/a"}}, "leads out of the schema: it must begin with #"),
        ({"$defs": {"unused": {"$ref": "file:///etc/passwd"}}}, "leads out of the schema: it must begin with #"),
        ({"$dynamicRef": "https://example.org/#a"}, "leads out of the schema: it must begin with #"),
        ({"$ref": "#/$defs/nowhere"}, "$ref '#/$defs/nowhere' leads to nothing in the schema"),
        ({"$ref": "#nowhere"}, "$ref '#nowhere' leads to nothing in the schema"),
        ({"$defs": {"a": {"$id": "https://example.org/a"}}}, "only the whole schema may have an $id"),
        ({"$ref": "#"}, "the schema refers to itself without end"),
        ({"properties": {"x": {"allOf": [{"not": {"$ref": "#/properties/x"}}]}}}, "refers to itself without end"),
        ({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}, "refers to itself without end"),
        ({"pattern": "("}, "'(' is no regular expression: missing ) at position 1"),
        ({"pattern": "(?R)"}, "'(?R)' calls a part of itself by (?R), which may take memory without bound"),
        ({"patternProperties": {"(": {}}}, "'(' is no regular expression: missing ) at position 1"),
        ({"unevaluatedProperties": False}, "unevaluatedProperties cannot be checked in bounded time"),
        ({"items": {"unevaluatedItems": False}}, "unevaluatedItems cannot be checked in bounded time"),
    ],
)
def test_a_schema_that_is_wrong_is_refused_with_the_configuration(schema, problem):
    with pytest.raises(ValidationError) as caught:
        build_validator("json", {"schema": schema})
    (error,) = caught.value.errors()
    assert error["loc"] == ("schema",)
    assert problem in error["msg"]


def test_a_schema_without_end_is_refused():
    schema: dict[str, object] = {}
    for _ in range(3000):
        schema = {"items": schema}
    with pytest.raises(ValidationError, match="too deep inside itself"):
        build_validator("json", {"schema": schema})


@pytest.mark.parametrize(
    "options",
    [{"max_size": "1KB"}, {"schema": True}, {"schema": {}, "max_depth": 101}, {"schema": {}, "max_size": "1GB"}],
)
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(ValidationError):
        build_validator("json", options)


def test_a_file_that_is_too_large_to_be_held_is_not_read(verdict, endless, peak_below):
    with peak_below(1):
        assert verdict("json", {"schema": {}, "max_size": "1MB"}, endless(b"[", b"1," * 1000, 1000, b"1]")) == (
            "The file has 2000003 bytes; at most 1MB are allowed."
        )


def test_values_too_deep_for_the_schema_are_refused(verdict):
    assert said(verdict, TREE, b"[" * 60 + b"]" * 60) is None
    deep = {"$ref": "#/$defs/a0", "$defs": {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}]} for n in range(9)}}
    deep["$defs"]["a9"] = {"items": {"$ref": "#"}}
    assert said(verdict, deep, b"[" * 100 + b"]" * 100) == (
        "The values are too deep inside one another to be checked by the schema."
    )
    assert said(verdict, {}, b"[" * 101 + b"]" * 101).startswith("Objects and arrays are more than 100 deep")


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"pattern": "^(a|aa)+$"}, "a" * 100_000 + "b"),
        ({"patternProperties": {"^(a+)+$": {}}}, {"a" * 100_000 + "b": 1}),
        ({"patternProperties": {"^(a+)+$": {}}, "additionalProperties": False}, {"a" * 100_000 + "b": 1}),
        ({"propertyNames": {"pattern": "^(a+)+$"}}, {"a" * 100_000 + "b": 1}),
        (
            {
                "$ref": "#/$defs/a0",
                "$defs": {f"a{n}": {"anyOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 3} for n in range(30)} | {"a30": False},
            },
            1,
        ),
    ],
    ids=["pattern", "patternProperties", "additionalProperties", "propertyNames", "alternatives"],
)
def test_a_schema_that_takes_for_ever_is_ended_by_the_time_bound(verdict, schema, value):
    with pytest.raises(TooSlow):
        verdict("json", {"schema": schema}, json.dumps(value).encode(), seconds=0.5)


def test_many_different_items_are_compared_in_one_go(verdict):
    items = [number if number % 2 else str(number) for number in range(100_000)]
    assert said(verdict, {"uniqueItems": True}, items) is None


def test_the_faults_of_alternatives_are_not_collected(verdict, peak_below):
    schema = {"anyOf": [{"items": {"type": "string"}}, {"items": {"type": "null"}}, {"items": {"type": "integer"}}]}
    data = json.dumps([1] * 20_000).encode()
    with peak_below(20):  # each of 40,000 faults would take more than 1 KB
        assert verdict("json", {"schema": schema}, data) is None
