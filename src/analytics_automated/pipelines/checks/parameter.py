"""What must hold within one Parameter, and for a Task's Parameters on its command line."""

from collections.abc import Iterator

from analytics_automated.pipelines.commands import leading_parameters
from analytics_automated.pipelines.definitions import ParameterDefinition, ParameterType, TaskDefinition
from analytics_automated.pipelines.parameters import value_problems
from analytics_automated.pipelines.patterns import compile_pattern
from analytics_automated.pipelines.problems import Problem
from analytics_automated.pipelines.templates import TemplateError

NUMBERS = frozenset({ParameterType.INTEGER, ParameterType.NUMBER})


def check_parameter(name: str, parameter: ParameterDefinition) -> Iterator[Problem]:
    """What is wrong with one parameter; paths begin at the task (or job)."""
    path = ("parameters", name)
    if parameter.type is None and not parameter.stored:
        yield Problem(path, "needs a `type` (string, integer, number, boolean, choice) or a stored `value`")
        return
    if parameter.stored and parameter.default is not None:
        yield Problem((*path, "default"), "is of no use beside a stored `value`")
    if parameter.separator is not None and parameter.flag is None:
        yield Problem((*path, "separator"), "stands between `flag` and value, and there is no flag")
    if parameter.flag is not None and parameter.env_only:
        yield Problem((*path, "flag"), "is of no use with `env_only`")
    kind = parameter.kind
    fitting = {
        "minimum": kind in NUMBERS,
        "maximum": kind in NUMBERS,
        "pattern": kind is ParameterType.STRING,
        "max_length": kind is ParameterType.STRING,
        "allow_dash": kind is ParameterType.STRING or kind in NUMBERS,
        "choices": kind is ParameterType.CHOICE,
        "max_items": parameter.many,
    }
    for key, fits in fitting.items():
        value = getattr(parameter, key)
        if value is not None and value is not False and not fits:
            what = "a parameter with `many`" if key == "max_items" else f"a {_OWNERS[key]}"
            yield Problem((*path, key), f"belongs to {what}")
    if kind is ParameterType.CHOICE and not parameter.choices:
        yield Problem(path, "needs `choices`: a list, or each with its title")
        return
    if parameter.minimum is not None and parameter.maximum is not None and parameter.minimum > parameter.maximum:
        yield Problem((*path, "minimum"), "is above `maximum`")
    if parameter.pattern is not None:
        try:
            compile_pattern(parameter.pattern)
            compile_pattern(f"(?:{parameter.pattern})")
        except ValueError as error:
            yield Problem((*path, "pattern"), str(error))
            return
    for key in ("value", "default", "example"):
        value = getattr(parameter, key)
        if value is not None:
            yield from (problem.below(*path, key) for problem in value_problems(parameter, value))


_OWNERS = {
    "minimum": "number",
    "maximum": "number",
    "pattern": "string",
    "max_length": "string",
    "allow_dash": "string or number",
    "choices": "choice",
}


def negative_numbers(task: TaskDefinition) -> Iterator[Problem]:
    """A number that a word begins with is never negative, see `callers_definition`."""
    for name in leading_parameters(task):
        parameter = task.parameters[name]
        if parameter.kind not in NUMBERS or parameter.stored or parameter.allow_dash:
            continue
        for key in ("minimum", "maximum", "default", "example"):
            value = getattr(parameter, key)
            if any(
                isinstance(item, int | float) and item < 0 for item in (value if isinstance(value, list) else [value])
            ):
                message = "is negative, which the command would read as an option: set a `flag`, or `allow_dash: true`"
                yield Problem(("parameters", name, key), message)


def callers_definition(task: TaskDefinition, name: str) -> ParameterDefinition:
    """The parameter as callers may set it: a number that a word of the command begins with, and that may be
    neither negative nor has a flag in front, is at least 0, as `-5` would be read as an option."""
    parameter = task.parameters[name]
    if parameter.kind in NUMBERS and parameter.minimum is None and not parameter.allow_dash and _leads(task, name):
        return parameter.model_copy(update={"minimum": 0})
    return parameter


def _leads(task: TaskDefinition, name: str) -> bool:
    try:
        return name in leading_parameters(task)
    except TemplateError:
        return False


def is_callers_text(parameter: ParameterDefinition) -> bool:
    """True where a caller chooses the text freely."""
    return parameter.kind is ParameterType.STRING and not parameter.stored
