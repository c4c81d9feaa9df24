"""The conditions of a Job's steps against the Job: every name is there, and what is compared can be equal."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from analytics_automated.pipelines.condition_grammar import ConditionError, parse_condition
from analytics_automated.pipelines.conditions import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Constant,
    ExitCode,
    Input,
    Name,
    Not,
    Output,
    Parameter,
    names_in,
)
from analytics_automated.pipelines.definitions import ParameterDefinition, ParameterType, TaskDefinition
from analytics_automated.pipelines.problems import nearest


@dataclass(frozen=True, slots=True)
class Known:
    """What the condition of one step may ask for."""

    step: str
    parameters: Mapping[str, ParameterDefinition]
    """What callers may set, by public name."""
    inputs: Collection[str]
    steps: Mapping[str, TaskDefinition]
    """The tasks of all steps, by step."""
    before: Collection[str]
    """Steps that have surely ended."""
    scattered: Collection[str]
    unread: Collection[str] = ()
    """Names of parameters that have problems already."""


def condition_problems(text: str, known: Known) -> list[str]:
    """What is wrong with a condition, as sentences."""
    try:
        condition = parse_condition(text)
    except ConditionError as error:
        return [str(error)]
    unknown = [sentence for name in names_in(condition) if (sentence := _name_problem(name, known))]
    if unknown or any(isinstance(name, Parameter) and name.name in known.unread for name in names_in(condition)):
        return list(dict.fromkeys(unknown))
    return list(_truth_problems(condition, known))


def _name_problem(name: Name, known: Known) -> str | None:
    match name:
        case Parameter(parameter):
            if parameter in known.parameters or parameter in known.unread:
                return None
            return f"{parameter!r} is no parameter of this job{nearest(parameter, known.parameters)}"
        case Input(given):
            return None if given in known.inputs else f"{given!r} is no input of this job{nearest(given, known.inputs)}"
        case Output(step, output):
            if problem := _step_problem(step, known):
                return problem
            outputs = known.steps[step].outputs
            if output in outputs:
                return None
            near = nearest(output, [*outputs, "exit_code"])
            return f"the step {step!r} has no output {output!r}{near}"
        case ExitCode(step):
            if problem := _step_problem(step, known):
                return problem
            return f"{name}: a step that scatters has many exit codes" if step in known.scattered else None


def _step_problem(step: str, known: Known) -> str | None:
    if step not in known.steps:
        return f"{step!r} is no step of this job{nearest(step, [*known.steps, 'param', 'input'])}"
    if step not in known.before:
        return f"the step {step!r} has not surely ended before {known.step!r} starts"
    return None


def _truth_problems(condition: Condition, known: Known) -> Iterator[str]:
    """What is wrong with something that must hold or not hold."""
    match condition:
        case AllOf(conditions) | AnyOf(conditions):
            for each in conditions:
                yield from _truth_problems(each, known)
        case Not(inner):
            yield from _truth_problems(inner, known)
        case Comparison():
            yield from _comparison_problems(condition, known)
        case Parameter(name):
            definition = known.parameters[name]
            if not _is_absent_at_times(definition) and _kind(condition, known) != "truth":
                yield f"{condition} is always there: compare it, such as {condition} == …"
        case _ if _kind(condition, known) != "truth":
            yield f"{condition} by itself is no condition: compare it with something"


def _is_absent_at_times(definition: ParameterDefinition) -> bool:
    return definition.optional and definition.default is None


_KINDS = {
    ParameterType.STRING: "text",
    ParameterType.CHOICE: "text",
    ParameterType.INTEGER: "number",
    ParameterType.NUMBER: "number",
    ParameterType.BOOLEAN: "truth",
}
_SHOWN = {"text": "a text", "number": "a number", "truth": "true or false", "list": "a list"}


def _kind(operand: Condition, known: Known) -> str:
    match operand:
        case Constant(tuple()):
            return "list"
        case Constant(bool()):
            return "truth"
        case Constant(str()):
            return "text"
        case Constant() | ExitCode() | Output(measure="count" | "size"):
            return "number"
        case Parameter(name):
            definition = known.parameters[name]
            return "list" if definition.many else _KINDS[definition.kind]
    return "truth"


def _comparison_problems(comparison: Comparison, known: Known) -> Iterator[str]:
    left, comparator, right = comparison.left, comparison.comparator, comparison.right
    for operand in (left, right):
        if isinstance(operand, Comparison | AllOf | AnyOf | Not):
            yield from _truth_problems(operand, known)
    one, other = _kind(left, known), _kind(right, known)
    presences = [each for each in (left, right) if isinstance(each, Output | Input) and _kind(each, known) == "truth"]
    if presences and {one, other} != {"truth"}:
        (presence, *_) = presences
        measures = f": compare {presence}.count or {presence}.size" if isinstance(presence, Output) else ""
        yield f"{presence} says only whether it is there{measures}"
    elif comparator in {"in", "not in"}:
        yield from _member_problems(left, right, known)
    elif comparator in {"==", "!="}:
        if one != other:
            yield f"{_SHOWN[one]} and {_SHOWN[other]} are never equal: {_text(left)} {comparator} {_text(right)}"
        else:
            yield from _choice_problems(left, right, known)
            yield from _choice_problems(right, left, known)
    elif not one == other == "number":
        wrong = left if one != "number" else right
        yield f"{comparator} compares numbers, and {_text(wrong)} is {_SHOWN[_kind(wrong, known)]}"


def _member_problems(left: Condition, right: Condition, known: Known) -> Iterator[str]:
    one = _kind(left, known)
    match right:
        case Constant(tuple() as items):
            for item in items:
                kind = _kind(Constant(item), known)
                if kind != one:
                    yield f"{_SHOWN[one]} and {_SHOWN[kind]} are never equal: {_text(left)} in {right}"
                    return
                yield from _choice_problems(left, Constant(item), known)
        case Parameter(name) if known.parameters[name].many:
            kind = _KINDS[known.parameters[name].kind]
            if kind != one:
                yield f"{right} is a list of which each is {_SHOWN[kind]}, and {_text(left)} is {_SHOWN[one]}"
            else:
                yield from _choice_problems(right, left, known)
        case _ if not one == _kind(right, known) == "text":
            yield f"what stands behind `in` is a list, such as ['a', 'b'], and {_text(right)} is none"


def _choice_problems(asked: Condition, given: Condition, known: Known) -> Iterator[str]:
    """A text that is compared with a choice is one of the choices."""
    if not isinstance(asked, Parameter) or not isinstance(given, Constant) or not isinstance(given.value, str):
        return
    choices = known.parameters[asked.name].choices
    if choices is not None and given.value not in choices:
        near = nearest(given.value, choices) or f": {', '.join(choices)}"
        yield f"{given} is no choice of {asked}{near}"


def _text(operand: Condition) -> str:
    return "(…)" if isinstance(operand, Comparison | AllOf | AnyOf | Not) else str(operand)
