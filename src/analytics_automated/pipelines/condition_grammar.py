"""Conditions of steps (`when`): their grammar.

    condition   = conjunction {"or" conjunction}
    conjunction = negation {"and" negation}
    negation    = "not" negation | comparison
    comparison  = operand [operator operand]
    operator    = "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not in"
    operand     = literal | list | name | "(" condition ")"
    list        = "[" [literal {"," literal}] "]"
    name        = "param." NAME | "input." NAME | STEP "." OUTPUT [".count" | ".size"] | STEP ".exit_code"

Literals are numbers (as JSON writes them), texts in single or double quotes (a backslash keeps the next sign), and
`true` and `false`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from analytics_automated.pipelines.conditions import (
    AllOf,
    AnyOf,
    Comparator,
    Comparison,
    Condition,
    Constant,
    ExitCode,
    Input,
    Literal,
    Not,
    Output,
    Parameter,
)
from analytics_automated.pipelines.definitions.scalars import NAME

LONGEST = 2000
"""Characters of a condition."""
DEEPEST = 30
"""Parentheses and `not` within each other."""


class ConditionError(ValueError):
    """A text that is no condition. The message says where and what would be right."""


def parse_condition(text: str) -> Condition:
    """Read a condition. Raises `ConditionError`."""
    if len(text) > LONGEST:
        raise ConditionError(f"is longer than {LONGEST} characters")
    return _Parser(_tokens(text)).whole()


_TOKEN = re.compile(
    r"""(?P<space>\s+)
    | (?P<text>"(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*')
    | (?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?(?![\w.]))
    | (?P<word>[A-Za-z_][\w.\-]*)
    | (?P<sign>==|!=|<=|>=|<|>|\(|\)|\[|\]|,)""",
    re.VERBOSE | re.ASCII | re.DOTALL,
)
_NAMES = re.compile(rf"{NAME}(?:\.{NAME}){{1,2}}")
_MISTAKEN = {
    "=": "compare with ==",
    "&": "write `and`",
    "|": "write `or`",
    "!": "write `not`",
    "$": "a name stands by itself, such as param.X",
    "{": "a name stands without braces, such as param.X",
}
_WORDS = frozenset({"and", "or", "not", "in"})
_HELP = "a condition is made of param.X, input.X, STEP.OUTPUT, STEP.exit_code and literals"


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            sign = text[place]
            if sign in "\"'":
                raise ConditionError(f"has a text that does not end: {text[place : place + 30]}")
            advice = _MISTAKEN.get(sign, _HELP)
            raise ConditionError(f"has {text[place : place + 10].split()[0]!r} where no such sign can stand: {advice}")
        place = match.end()
        if match.lastgroup != "space":
            found.append(_Token(str(match.lastgroup), match[0]))
    return [*found, _Token("end", "")]


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.place = 0
        self.depth = 0

    @property
    def next(self) -> _Token:
        return self.tokens[self.place]

    def take(self, *texts: str) -> str | None:
        """The next token, passed over, where it is one of these words or signs."""
        token = self.next
        if token.kind in {"word", "sign"} and token.text in texts:
            self.place += 1
            return token.text
        return None

    def whole(self) -> Condition:
        if self.next.kind == "end":
            raise ConditionError("is empty")
        condition = self.any_of()
        if self.next.kind != "end":
            raise ConditionError(f"goes on with {self.next.text!r} where it should end, or have `and` or `or`")
        return condition

    def any_of(self) -> Condition:
        conditions = [self.all_of()]
        while self.take("or"):
            conditions.append(self.all_of())
        return conditions[0] if len(conditions) == 1 else AnyOf(tuple(conditions))

    def all_of(self) -> Condition:
        conditions = [self.negation()]
        while self.take("and"):
            conditions.append(self.negation())
        return conditions[0] if len(conditions) == 1 else AllOf(tuple(conditions))

    def negation(self) -> Condition:
        if not self.take("not"):
            return self.comparison()
        with_in = self.deeper()
        negated = Not(self.negation())
        self.depth = with_in
        return negated

    def comparison(self) -> Condition:
        left = self.operand()
        comparator = self.comparator()
        if comparator is None:
            return left
        compared = Comparison(left, comparator, self.operand())
        if self.comparator() is not None:
            raise ConditionError("compares three things at once: join two comparisons by `and`")
        return compared

    def comparator(self) -> Comparator | None:
        if self.take("not"):
            if not self.take("in"):
                raise ConditionError(f"has `not` in front of {self.next.text!r} where only `not in` can stand")
            return "not in"
        return self.take("==", "!=", "<", "<=", ">", ">=", "in")  # type: ignore[return-value]  # one of the very words

    def operand(self) -> Condition:
        token = self.next
        if self.take("("):
            before = self.deeper()
            inner = self.any_of()
            self.depth = before
            if not self.take(")"):
                raise ConditionError("has a ( that is not closed")
            return inner
        if self.take("["):
            return Constant(tuple(self.items()))
        if token.kind in {"number", "text"} or token.text in {"true", "false"}:
            return Constant(self.literal())
        if token.kind == "word" and token.text not in _WORDS:
            self.place += 1
            return _name(token.text)
        before_end = "ends" if token.kind == "end" else f"has {token.text!r}"
        raise ConditionError(f"{before_end} where a name or a literal should stand")

    def items(self) -> Iterator[Literal]:
        while not self.take("]"):
            yield self.literal()
            if not self.take(",") and self.next.text != "]":
                raise ConditionError("has a list that is not closed: write [1, 2] or ['a', 'b']")

    def literal(self) -> Literal:
        token = self.next
        self.place += 1
        if token.kind == "number":
            return float(token.text) if set(token.text) & set(".eE") else int(token.text)
        if token.kind == "text":
            return re.sub(r"\\(.)", r"\1", token.text[1:-1], flags=re.DOTALL)
        if token.text in {"true", "false"}:
            return token.text == "true"
        shown = f"{token.text!r}, which is no" if token.text else "no"
        raise ConditionError(f"has a list with {shown} literal: texts stand in quotes")

    def deeper(self) -> int:
        """One level further in; returns the level before. Raises `ConditionError` where that is too deep."""
        before = self.depth
        self.depth += 1
        if self.depth > DEEPEST:
            raise ConditionError(f"is nested deeper than {DEEPEST} levels")
        return before


def _name(text: str) -> Condition:
    if text in {"True", "False"}:
        raise ConditionError(f"has {text!r}: write {text.lower()}")
    if not _NAMES.fullmatch(text):
        raise ConditionError(f"has {text!r}, which is no name: {_HELP}; texts stand in quotes")
    first, second, *rest = text.split(".")
    if first in {"param", "input"} and not rest:
        return Parameter(second) if first == "param" else Input(second)
    if first in {"param", "input"}:
        raise ConditionError(f"has {text!r}: behind {first}. there is one name")
    if second == "exit_code" and rest:
        raise ConditionError(f"has {text!r}: behind exit_code there is nothing")
    if second == "exit_code":
        return ExitCode(first)
    match rest:
        case []:
            return Output(first, second)
        case ["count"]:
            return Output(first, second, "count")
        case ["size"]:
            return Output(first, second, "size")
    raise ConditionError(f"has {text!r}: behind STEP.OUTPUT there is .count, .size or nothing")
