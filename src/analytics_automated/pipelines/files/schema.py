"""The JSON Schema (2020-12) of the pipeline file, by which editors complete and check what is typed.

It is made from the definitions that the reader uses, so that there is one source of every key. It sees a file as
plain YAML 1.2 data: where text is meant, the numbers and booleans that YAML takes some texts for are let in, as the
reader takes the source text. What only a check of the whole configuration can see is left to `aa check`.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonRef, JsonSchemaValue
from pydantic_core import core_schema

from analytics_automated.executors.registry import executor_class, executor_names
from analytics_automated.pipelines.checks.support import LATER_EXECUTORS
from analytics_automated.pipelines.definitions import (
    BackendDefinition,
    JobParameterDefinition,
    ParameterDefinition,
    ParameterType,
    PipelineDefinition,
    TaskDefinition,
)
from analytics_automated.pipelines.definitions.job import ValidatorUse
from analytics_automated.pipelines.definitions.parameter import TEXTUAL, VALUES
from analytics_automated.pipelines.definitions.scalars import Rule, Scalar
from analytics_automated.pipelines.quantities import DURATION_PATTERN, format_duration
from analytics_automated.pipelines.validators.registry import validator_class, validator_names

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TEXT = ["string", "number", "boolean"]
"""The JSON types of what YAML makes of a text without quotes."""
_BOUNDS = {"ge": "minimum", "le": "maximum"}


def pipeline_schema() -> dict[str, Any]:
    """The JSON Schema of a pipeline file, with the options of the validators and executors that are installed."""
    schema = _as_in_files(PipelineDefinition.model_json_schema(schema_generator=_Generator))
    definitions: dict[str, Any] = schema.pop("$defs")
    for definition in definitions.values():
        definition.pop("title", None)  # the name of a class
    definitions[TaskDefinition.__name__]["oneOf"] = [{"required": ["command"]}, {"required": ["script"]}]
    for model in (ParameterDefinition, JobParameterDefinition):
        definitions[model.__name__]["allOf"] = list(_values_by_type())
    _add_executors(definitions)
    _add_validators(definitions)
    owned = [{"required": [key], "properties": {key: {"minProperties": 1}}} for key in ("tasks", "jobs")]
    schema |= {"title": "A_A pipeline file", "if": {"anyOf": owned}, "then": {"required": ["pipeline"]}}
    return {"$schema": DIALECT, **schema, "$defs": dict(sorted(definitions.items()))}


class _Plain(GenerateJsonSchema):
    """Without what says nothing to an author: titles made of names, and defaults that are nothing."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 -- pydantic's signature
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        if made.get("default") in (None, [], {}) or isinstance(made["default"], dict):
            made.pop("default", None)
        return made


class _Generator(_Plain):
    """What the reader accepts, where pydantic by itself would say what it makes of that.

    The functions in front of a value say what else is taken for the same: they are asked, so that it cannot be told
    wrongly, and a new shorthand needs nothing here.
    """

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        read = schema["function"]["function"]
        word, words = _read_by(read, "x"), _read_by(read, ["x"])
        if type(_read_by(read, Scalar("1", 1))) is str:
            return {**inner, "type": _TEXT}
        if word is None and _read_by(read, 0.5) == 0.5:
            return {**{key: each for key, each in inner.items() if key != "anyOf"}, "type": "number"}
        if word == ["x"]:
            return {"anyOf": [inner["items"], inner]}
        if _read_by(read, {"x": {}}) == {"name": "x", "options": {}}:
            return inner  # see _add_validators
        if isinstance(word, dict) and len(word) == 1 and "$ref" in inner:
            whole = self.get_schema_from_definitions(JsonRef(inner["$ref"])) or {}
            return {"anyOf": [whole["properties"][next(iter(word))], inner]}
        if words == "x":
            return {"anyOf": [inner, {"type": "array", "items": {"type": _TEXT}, "minItems": 1}]}
        if words == {"x": "x"}:
            listed = {"type": "array", "items": inner["additionalProperties"], "uniqueItems": True}
            return {"anyOf": [inner, listed]}
        return inner

    def function_after_schema(self, schema: core_schema.AfterValidatorFunctionSchema) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        rule = schema["function"]["function"]
        if not isinstance(rule, Rule):
            return inner
        if "pattern" in rule.keywords and inner.get("type") == _TEXT:
            inner = {**inner, "type": _types_that_match(rule.keywords["pattern"])}
        return {**inner, **rule.keywords}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        # A key without a value is an error: what is not said is left out.
        return self.generate_inner(schema["schema"])

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        made: JsonSchemaValue = {"type": "object"}
        if "keys_schema" in schema:
            keys = self.generate_inner(schema["keys_schema"])
            rules = {keyword: keys[keyword] for keyword in ("pattern", "maxLength") if keyword in keys}
            made |= {"propertyNames": rules} if rules else {}
        values = self.generate_inner(schema["values_schema"]) if "values_schema" in schema else {}
        return made | ({"additionalProperties": values} if values else {})


def _read_by(read: Callable[..., Any], value: Any) -> Any:
    try:
        return read(value)
    except (ValueError, TypeError, AttributeError):
        return None


def _types_that_match(pattern: str) -> list[str] | str:
    """The types that a text of that pattern may have in YAML. Names are texts alone: one that is called `true` is
    not worth that editors propose it everywhere."""
    numbers = next((kind for kind, text in (("number", "1.5"), ("integer", "1")) if re.search(pattern, text)), None)
    if numbers is None:
        return "string"
    return ["string", numbers, *(["boolean"] if re.search(pattern, "true") else [])]


def _as_in_files(schema: Any) -> Any:
    """The schema with durations as files have them: always with a unit, while data from elsewhere may be seconds.
    And with the bounds of numbers under JSON Schema's names, which pydantic keeps only where no function is between.
    """
    if isinstance(schema, list):
        return [_as_in_files(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {_BOUNDS.get(key, key): _as_in_files(item) for key, item in schema.items()}
    text = next(iter(made.get("anyOf") or [{}]))
    if isinstance(text, dict) and text.get("pattern") == DURATION_PATTERN:
        del made["anyOf"]
        made |= text
        if "default" in made:
            made["default"] = format_duration(made["default"])
    return made


def _values_by_type() -> Iterator[dict[str, Any]]:
    """What a parameter's values are, by its type. Null says nothing."""
    for kind in ParameterType:
        types = _TEXT if kind in TEXTUAL else [kind.value]
        value = {"type": [*types, "array", "null"], "items": {"type": types}}
        then: dict[str, Any] = {"properties": dict.fromkeys(VALUES, value)}
        if kind is ParameterType.CHOICE:
            then["required"] = ["choices"]
        yield {"if": {"properties": {"type": {"const": kind.value}}, "required": ["type"]}, "then": then}


def _add_executors(definitions: dict[str, Any]) -> None:
    backend = definitions[BackendDefinition.__name__]
    executor = backend["properties"]["executor"]
    executor |= {"type": "string", "enum": sorted({*executor_names(), *LATER_EXECUTORS})}
    backend["allOf"] = []
    for name in executor_names():
        options = _options(executor_class(name).Options, f"executor.{name}", definitions)
        condition: dict[str, Any] = {"properties": {"executor": {"const": name}}}
        if name != executor["default"]:
            condition["required"] = ["executor"]
        backend["allOf"].append({"if": condition, "then": {"properties": {"options": options}}})


def _add_validators(definitions: dict[str, Any]) -> None:
    """A validator is its name, where it needs no options; its name with options; or both under keys of their own."""
    alone, by_name, spelt_out = [], {}, []
    for name in validator_names():
        validator = validator_class(name)
        options = _options(validator.Options, f"validator.{name}", definitions)
        by_name[name] = {"anyOf": [options, {"type": "null"}]} if _may_be_empty(validator.Options) else options
        by_name[name] |= {"description": _first_paragraph(validator)}
        alone += [name] if _may_be_empty(validator.Options) else []
        spelt_out.append(
            {
                "if": {"properties": {"name": {"const": name}}, "required": ["name"]},
                "then": {"properties": {"options": options}},
            }
        )
    use = definitions[ValidatorUse.__name__]
    mapping = {
        "type": "object",
        "properties": {**by_name, **use["properties"], "name": {"enum": list(validator_names())}},
        "additionalProperties": False,
        "minProperties": 1,
        "if": {"required": ["name"]},
        "then": {"propertyNames": {"enum": ["name", "options"]}, "allOf": spelt_out},
        "else": {"maxProperties": 1, "propertyNames": {"enum": list(validator_names())}},
    }
    definitions[ValidatorUse.__name__] = {"description": use["description"], "anyOf": [{"enum": alone}, mapping]}


def _first_paragraph(kind: type) -> str:
    return inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[0].replace("\n", " ")


def _may_be_empty(options: type[BaseModel]) -> bool:
    return _read_by(options.model_validate, {}) is not None


def _options(model: type[BaseModel], name: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of options, as pydantic gives it; what it refers to goes to `definitions` under names of its own."""
    schema = model.model_json_schema(ref_template=f"#/$defs/{name}.{{model}}", schema_generator=_Plain)
    definitions |= {f"{name}.{inner}": each for inner, each in schema.pop("$defs", {}).items()}
    schema.pop("title", None)
    definitions[name] = schema
    return {"$ref": f"#/$defs/{name}"}
