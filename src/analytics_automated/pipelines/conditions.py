"""Conditions of steps (`when`): what they are made of, and whether they hold.

`input.X` and `STEP.OUTPUT` by themselves are true where the files are there.
"""

import operator
import typing
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

from analytics_automated.pipelines.definitions.parameter import Value

Literal = str | int | float | bool
Comparator = typing.Literal["==", "!=", "<", "<=", ">", ">=", "in", "not in"]


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal, or a list of literals."""

    value: Literal | tuple[Literal, ...]

    def __str__(self) -> str:
        return _shown(self.value)


@dataclass(frozen=True, slots=True)
class Parameter:
    """`param.X`: the value under its public name; none where it is absent."""

    name: str

    def __str__(self) -> str:
        return f"param.{self.name}"


@dataclass(frozen=True, slots=True)
class Input:
    """`input.X`: whether the caller sent it."""

    name: str

    def __str__(self) -> str:
        return f"input.{self.name}"


@dataclass(frozen=True, slots=True)
class Output:
    """`STEP.OUTPUT`: whether it is there; with `count` or `size` how many files, or bytes in all, it has."""

    step: str
    output: str
    measure: typing.Literal["count", "size"] | None = None

    def __str__(self) -> str:
        return ".".join(part for part in (self.step, self.output, self.measure) if part)


@dataclass(frozen=True, slots=True)
class ExitCode:
    """`STEP.exit_code`: none where the step did not run."""

    step: str

    def __str__(self) -> str:
        return f"{self.step}.exit_code"


Name = Parameter | Input | Output | ExitCode


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two operands, compared. With something that is absent only `!=` and `not in` hold."""

    left: "Condition"
    comparator: Comparator
    right: "Condition"


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary."""

    condition: "Condition"


@dataclass(frozen=True, slots=True)
class AllOf:
    """`and`."""

    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """`or`."""

    conditions: tuple["Condition", ...]


Condition = Constant | Parameter | Input | Output | ExitCode | Comparison | Not | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known when a step could start."""

    parameters: Mapping[str, Value | None] = field(default_factory=dict)
    """By public name; none, or no entry, where absent."""
    inputs: Collection[str] = ()
    """Job inputs that the caller sent."""
    outputs: Mapping[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    """Files and bytes of each output, by step and output; no entry, or no files, where it is absent."""
    exit_codes: Mapping[str, int | None] = field(default_factory=dict)
    """By step; none, or no entry, where it did not run."""


def evaluate(condition: Condition, facts: Facts) -> bool:
    """Whether the condition holds."""
    match condition:
        case AllOf(conditions):
            return all(evaluate(each, facts) for each in conditions)
        case AnyOf(conditions):
            return any(evaluate(each, facts) for each in conditions)
        case Not(inner):
            return not evaluate(inner, facts)
        case Comparison(left, comparator, right):
            return _compare(_value(left, facts), comparator, _value(right, facts))
        case _:
            value = _value(condition, facts)
            return value is not None and value is not False


def _value(operand: Condition, facts: Facts) -> Value | tuple[Literal, ...] | None:
    match operand:
        case Constant(value):
            return value
        case Parameter(name):
            return facts.parameters.get(name)
        case Input(name):
            return name in facts.inputs
        case Output(step, output, measure):
            count, size = facts.outputs.get((step, output), (0, 0))
            return {"count": count, "size": size}[measure] if measure else count > 0
        case ExitCode(step):
            return facts.exit_codes.get(step)
        case _:
            return evaluate(operand, facts)


_ORDER: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _compare(
    left: Value | tuple[Literal, ...] | None, comparator: Comparator, right: Value | tuple[Literal, ...] | None
) -> bool:
    if comparator in {"==", "!="}:
        return (left is not None and _equal(left, right)) == (comparator == "==")
    if comparator in {"in", "not in"}:
        if left is None or right is None:
            found = False
        elif isinstance(right, str):
            found = isinstance(left, str) and left in right
        else:
            found = isinstance(right, list | tuple) and any(_equal(left, item) for item in right)
        return found == (comparator == "in")
    return _is_number(left) and _is_number(right) and _ORDER[comparator](left, right)


def _equal(left: object, right: object) -> bool:
    """Equal as JSON has it: `true` is not 1, and a list equals a list."""
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(_equal(*pair) for pair in zip(left, right, strict=True))
    return isinstance(left, bool) == isinstance(right, bool) and left == right


def _is_number(value: object) -> typing.TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def names_in(condition: Condition) -> Iterator[Name]:
    """All names that the condition asks for, in order."""
    match condition:
        case AllOf(conditions) | AnyOf(conditions):
            for each in conditions:
                yield from names_in(each)
        case Not(inner):
            yield from names_in(inner)
        case Comparison(left, _, right):
            yield from names_in(left)
            yield from names_in(right)
        case Constant():
            return
        case name:
            yield name


def _shown(value: Literal | tuple[Literal, ...]) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_shown(item) for item in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value)
