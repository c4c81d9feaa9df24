"""What a field may hold, in words, from its annotation."""

import enum
import types
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import AfterValidator, BaseModel, BeforeValidator, ByteSize, SecretStr
from pydantic.fields import FieldInfo

from analytics_automated.config.environment import Networks, Texts
from analytics_automated.pipelines.definitions import scalars
from analytics_automated.pipelines.definitions.task import ExitRange
from analytics_automated.pipelines.quantities import Delay, Duration, Size, format_duration, format_size
from generated_reference.tables import code

HEADERS = ("Key", "Holds", "Default", "Meaning")
"""Of the columns of `field_row`."""
Reference = Callable[[type[BaseModel]], str]
"""How a page speaks of a mapping with keys of its own."""

NAMED: dict[Any, str] = {
    scalars.Text: "text",
    scalars.Word: "line of text",
    scalars.Line: "short text",
    scalars.Integer: "whole number",
    scalars.Number: "number",
    scalars.Boolean: "`true` or `false`",
    scalars.Free: "anything",
    scalars.Name: "name",
    scalars.JobName: "job name",
    scalars.VariableName: "variable name",
    scalars.PublicName: "public name",
    scalars.SystemUser: "system user",
    scalars.Sha256: "SHA-256 in hexadecimal",
    scalars.Date: "date",
    scalars.FilePath: "path beside the file",
    scalars.QueueName: "queue name",
    scalars.Reference: "`input` or `step.output`",
    scalars.StepOutput: "`step.output`",
    scalars.StepParameter: "`step.parameter`",
    scalars.RelativePath: "relative path",
    ExitRange: "exit code or range",
    Size: "size",
    Duration: "duration",
    Delay: "duration",
    Texts: "list, by commas",
    Networks: "list of addresses or networks, by commas",
}
"""Kinds of values that have a name of their own."""
_PLAIN: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "`true` or `false`",
    Path: "path",
    ByteSize: "size, such as `500MB`",
    SecretStr: "text (a secret)",
    Any: "anything",
    object: "anything",
}


def kind_of(annotation: Any, refer: Reference = lambda _: "mapping") -> str:
    """What values of the annotation are, in words."""
    return _with_shorter_forms(*_known(annotation, refer))


def default_of(field: FieldInfo, annotation: Any) -> str:
    """The default as one would type it; empty where there is none, `required` where a value must be given."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value in (None, [], {}, ()) or isinstance(value, BaseModel):
        return ""
    if _is_one_of(annotation, Duration, Delay):
        value = format_duration(value)
    elif _is_one_of(annotation, Size):
        value = format_size(value)
    elif isinstance(value, bool):
        value = str(value).lower()
    elif isinstance(value, list | tuple):
        value = ",".join(str(each) for each in value)
    elif isinstance(value, enum.Enum):
        value = value.value
    return code(str(value))


def description_of(field: FieldInfo, annotation: Any) -> str:
    """What the field is for, with the bounds of a number; empty where nobody says it."""
    inner = (each for part in get_args(annotation) for each in getattr(part, "__metadata__", ()))
    nested = (each.description for each in inner if isinstance(each, FieldInfo))
    said = field.description or next((each for each in nested if each), "")
    return " ".join(part for part in (said, _bounds(field), _longest(annotation)) if part) if said else ""


def _bounds(field: FieldInfo) -> str:
    low = next((each.ge for each in field.metadata if isinstance(each, Ge)), None)
    high = next((each.le for each in field.metadata if isinstance(each, Le) and each.le != scalars.LARGEST_COUNT), None)
    if low is not None and high is not None:
        return f"From {low} to {high}."
    if low is not None:
        return f"At least {low}."
    return f"At most {high}." if high is not None else ""


def _longest(annotation: Any) -> str:
    """How long a text may be, where its kind does not say so by itself."""
    if _is_union(get_origin(annotation)):
        return next((found for each in get_args(annotation) if (found := _longest(each))), "")
    if get_origin(annotation) is not Annotated:
        return ""
    limits = [rule["maxLength"] for rule in _rules(_known(annotation, lambda _: "")[1]) if "maxLength" in rule]
    return f"At most {min(limits)} characters." if limits else _longest(get_args(annotation)[0])


def field_row(key: str, field: FieldInfo, annotation: Any, refer: Reference = lambda _: "mapping") -> list[str]:
    """What a reference says of a field: its key, what it holds, its default, and what it is for."""
    return [
        code(key),
        kind_of(annotation, refer),
        default_of(field, annotation),
        description_of(field, annotation),
    ]


def choices_of(annotation: Any) -> list[Any]:
    """The values of a `Literal`; none where it is something else."""
    base = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    return list(get_args(base)) if get_origin(base) is Literal else []


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models that values of the annotation are, or hold."""
    if isinstance(annotation, type) and not get_args(annotation):
        return [annotation] if issubclass(annotation, BaseModel) else []
    arguments = get_args(annotation)
    parts = arguments[:1] if get_origin(annotation) is Annotated else arguments
    return [model for part in parts for model in models_in(part)]


def steps_in(annotation: Any) -> str:
    """What stands between a key and the keys of the models in it: `.NAME` for a mapping, `[]` for a list."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is dict:
        return ".NAME" + steps_in(arguments[1])
    if origin is list:
        return "[]" + steps_in(arguments[0])
    inner = [arguments[0]] if origin is Annotated else arguments if _is_union(origin) else []
    return next((found for each in inner if models_in(each) and (found := steps_in(each))), "")


def rules_of(annotation: Any) -> list[dict[str, Any]]:
    """What a JSON Schema says of a kind of value: the keywords of its rules, in order."""
    return _rules(get_args(annotation)[1:]) if get_origin(annotation) is Annotated else []


def _rules(metadata: Iterable[Any]) -> list[dict[str, Any]]:
    found = (each.func for each in metadata if isinstance(each, AfterValidator))
    return [function.keywords for function in found if isinstance(function, scalars.Rule)]


def _is_union(origin: Any) -> bool:
    return origin in {Union, types.UnionType}


def _is_one_of(annotation: Any, *names: Any) -> bool:
    parts = get_args(annotation) if _is_union(get_origin(annotation)) else [annotation]
    return any(_split(part, name) is not None for part in parts for name in names)


def _split(annotation: Any, name: Any) -> tuple[Any, ...] | None:
    """The metadata beyond those of a named kind; none where the annotation is not of that kind."""
    base, *metadata = get_args(annotation) if get_origin(annotation) is Annotated else (annotation,)
    own_base, *own = get_args(name)
    is_kind = base == own_base and metadata[: len(own)] == own
    return tuple(metadata[len(own) :]) if is_kind else None


def _known(annotation: Any, refer: Reference) -> tuple[str, tuple[Any, ...]]:
    """The words for an annotation, and what of its metadata they do not say."""
    matches = [
        (len(get_args(name)), words, rest)
        for name, words in NAMED.items()
        if (rest := _split(annotation, name)) is not None
    ]
    if matches:
        _, words, rest = max(matches, key=lambda match: match[0])
        return words, rest
    if get_origin(annotation) is Annotated:
        base, *metadata = get_args(annotation)
        return _known(base, refer)[0], tuple(metadata)
    return _composed(annotation, refer), ()


def _composed(annotation: Any, refer: Reference) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if _is_union(origin):
        parts = [kind_of(each, refer) for each in arguments if each is not type(None)]
        return " or ".join(dict.fromkeys(parts))
    if origin is Literal:
        return _listed(arguments)
    if origin is list or (origin is tuple and arguments[1:] == (...,)):
        return f"list of {kind_of(arguments[0], refer)}"
    if origin is dict:
        return f"mapping of {kind_of(arguments[0], refer)} to {kind_of(arguments[1], refer)}"
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return _listed(each.value for each in annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return refer(annotation)
    return _PLAIN[annotation]


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(code(str(value)) for value in values)


def _with_shorter_forms(words: str, metadata: Iterable[Any]) -> str:
    """Add what the reader takes for the same: found by asking it, so that it cannot be told wrongly."""
    for function in (each.func for each in metadata if isinstance(each, BeforeValidator)):
        from_text, from_list = _read_by(function, "x"), _read_by(function, ["x"])
        if from_text == ["x"]:
            words += ", or just one"
        elif isinstance(from_text, dict) and len(from_text) == 1:
            words += f", or just its {code(next(iter(from_text)))}"
        if from_list == "x":
            words += " or a list of words"
        elif from_list == {"x": "x"}:
            words += " or a list"
    return words


def _read_by(function: Any, value: Any) -> Any:
    try:
        return function(value)
    except (ValueError, TypeError, AttributeError):
        return None
