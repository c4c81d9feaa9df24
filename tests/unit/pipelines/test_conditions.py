"""Conditions of steps: what can be written, what it means, and what is refused."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics_automated.pipelines.checks.conditions import Known, condition_problems
from analytics_automated.pipelines.condition_grammar import DEEPEST, LONGEST, ConditionError, parse_condition
from analytics_automated.pipelines.conditions import (
    AllOf,
    AnyOf,
    Comparison,
    Constant,
    ExitCode,
    Facts,
    Input,
    Not,
    Output,
    Parameter,
    evaluate,
    names_in,
)
from analytics_automated.pipelines.definitions import ParameterDefinition, TaskDefinition

FACTS = Facts(
    parameters={"engine": "fast", "size": 3, "ratio": 0.5, "deep": True, "tags": ["a", "b"], "remark": None},
    inputs={"query"},
    outputs={("search", "hits"): (1, 120), ("split", "parts"): (4, 4000), ("split", "rest"): (0, 0)},
    exit_codes={"search": 2, "skipped": None},
)


# What can be written


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("param.engine", Parameter("engine")),
        ("input.query", Input("query")),
        ("search.hits", Output("search", "hits")),
        ("search.hits.count > 1", Comparison(Output("search", "hits", "count"), ">", Constant(1))),
        ("search.hits.size>=-1.5e2", Comparison(Output("search", "hits", "size"), ">=", Constant(-150.0))),
        ("search.exit_code == 2", Comparison(ExitCode("search"), "==", Constant(2))),
        ("param.engine != 'it\\'s'", Comparison(Parameter("engine"), "!=", Constant("it's"))),
        ("param.engine in [\"a\", 'b', ]", Comparison(Parameter("engine"), "in", Constant(("a", "b")))),
        ("param.engine not in []", Comparison(Parameter("engine"), "not in", Constant(()))),
        ("param.deep == true", Comparison(Parameter("deep"), "==", Constant(True))),
        ("not not input.query", Not(Not(Input("query")))),
        ("not 1 == 2", Not(Comparison(Constant(1), "==", Constant(2)))),
        ("input.a or input.b and input.c", AnyOf((Input("a"), AllOf((Input("b"), Input("c")))))),
        ("(input.a or input.b) and input.c", AllOf((AnyOf((Input("a"), Input("b"))), Input("c")))),
    ],
)
def test_what_can_be_written(text: str, condition: object) -> None:
    assert parse_condition(text) == condition
    assert parse_condition(f"  ({text})\n") == condition


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        ("param.size = 3", "has '=' where no such sign can stand: compare with =="),
        ("input.a && input.b", "has '&&' where no such sign can stand: write `and`"),
        ("input.a || input.b", "has '||' where no such sign can stand: write `or`"),
        ("!input.a", "has '!input.a' where no such sign can stand: write `not`"),
        ("$param_size > 3", "has '$param_siz' where no such sign can stand: a name stands by itself, such as param.X"),
        ("{param.size} > 3", "has '{param.siz' where no such sign can stand: a name stands without braces, such as param.X"),
        ("param.engine == 'fast", "has a text that does not end: 'fast"),
        ("param.engine == fast", "has 'fast', which is no name: a condition is made of"),
        ("param.deep == True", "has 'True': write true"),
        ("param.a.b", "has 'param.a.b': behind param. there is one name"),
        ("search.hits.length", "has 'search.hits.length': behind STEP.OUTPUT there is .count, .size or nothing"),
        ("search.exit_code.count", "has 'search.exit_code.count': behind exit_code there is nothing"),
        ("a.b.c.d", "has 'a.b.c.d', which is no name"),
        ("1 < 2 < 3", "compares three things at once: join two comparisons by `and`"),
        ("param.size >", "ends where a name or a literal should stand"),
        ("and input.a", "has 'and' where a name or a literal should stand"),
        ("input.a input.b", "goes on with 'input.b' where it should end, or have `and` or `or`"),
        ("(input.a", "has a ( that is not closed"),
        ("input.a)", "goes on with ')'"),
        ("param.engine in [fast]", "has a list with 'fast', which is no literal: texts stand in quotes"),
        ("param.engine in ['a' 'b']", "has a list that is not closed"),
        ("param.engine in ['a'", "has a list that is not closed"),
        ("param.engine not ['a']", "has `not` in front of '['"),
        ("1_000 > 3", "has '1_000' where no such sign can stand"),
        ("01 == 1", "has '01' where no such sign can stand"),
        ("(" * (DEEPEST + 1), f"is nested deeper than {DEEPEST} levels"),
        ("not " * (DEEPEST + 1) + "true", f"is nested deeper than {DEEPEST} levels"),
        ("true or " * LONGEST + "true", f"is longer than {LONGEST} characters"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_told_with_what_would_be_right(text: str, said: str) -> None:
    with pytest.raises(ConditionError) as refused:
        parse_condition(text)
    assert str(refused.value).startswith(said)


PIECES = ["param.size", "input.a", "a.b", "not ", " and ", " or ", " in ", *"=<>!()[]'\" ,.-01"]


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
def test_any_text_is_a_condition_or_refused(text: str) -> None:
    try:
        condition = parse_condition(text)
    except ConditionError:
        return
    assert evaluate(condition, Facts()) in {True, False}


# What it means


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("input.query", True),
        ("input.guide", False),
        ("not input.guide", True),
        ("search.hits", True),
        ("split.rest", False),
        ("never.ran", False),
        ("search.hits.size > 0", True),
        ("search.hits.size == 120", True),
        ("split.parts.count >= 4 and split.parts.size < 4001", True),
        ("never.ran.count == 0", True),
        ("search.exit_code == 2", True),
        ("search.exit_code in [0, 1]", False),
        ("skipped.exit_code == 0", False),
        ("skipped.exit_code != 0", True),
        ("skipped.exit_code < 1", False),
        ("skipped.exit_code not in [0]", True),
        ("param.engine == 'fast'", True),
        ("param.engine in ['exact', 'fast']", True),
        ("param.engine not in ['exact']", True),
        ("'as' in param.engine", True),
        ("'a' in param.tags", True),
        ("'c' in param.tags", False),
        ("param.size == 3.0", True),
        ("param.size == true", False),
        ("1 == true", False),
        ("param.ratio <= 0.5", True),
        ("param.deep", True),
        ("param.deep == false", False),
        ("param.remark", False),
        ("param.remark == 'x'", False),
        ("param.remark != 'x'", True),
        ("'x' in param.remark", False),
        ("input.guide or (input.query and not param.remark)", True),
        ("true", True),
        ("false", False),
        ("(input.query) == true", True),
    ],
)
def test_what_it_means(text: str, holds: bool) -> None:
    assert evaluate(parse_condition(text), FACTS) is holds


def test_the_names_of_a_condition_are_found_in_order() -> None:
    condition = parse_condition("not a.b or (param.c == 1 and input.d) and a.exit_code in [1]")
    assert list(names_in(condition)) == [Output("a", "b"), Parameter("c"), Input("d"), ExitCode("a")]


# Against a job


def parameter(**keys: Any) -> ParameterDefinition:
    return ParameterDefinition.model_validate(keys)


KNOWN = Known(
    step="draw",
    parameters={
        "engine": parameter(type="choice", choices=["fast", "exact"], default="fast"),
        "kinds": parameter(type="choice", choices=["red", "blue"], many=True, default=["red"]),
        "size": parameter(type="integer", default=3),
        "deep": parameter(type="boolean", default=False),
        "name": parameter(type="string", default="x"),
        "remark": parameter(type="string", optional=True),
    },
    inputs={"query"},
    steps={
        "search": TaskDefinition.model_validate({"command": "s", "outputs": {"hits": "hits.tsv"}}),
        "notes": TaskDefinition.model_validate({"command": "n", "outputs": {"note": "note.txt"}}),
        "later": TaskDefinition.model_validate({"command": "l", "outputs": {"end": "end.txt"}}),
    },
    before={"search", "notes"},
    scattered={"notes"},
    unread={"broken"},
)


@pytest.mark.parametrize(
    "text",
    [
        "param.engine == 'fast'",
        "'exact' == param.engine",
        "param.engine in ['fast']",
        "'red' in param.kinds",
        "'a' in param.name",
        "param.size > 2 and param.size == 3",
        "param.deep or not param.deep == true",
        "param.remark",
        "param.broken == 3",
        "input.query == true",
        "search.hits and search.hits.count == 1",
        "search.exit_code in [0, 2]",
        "notes.note.count > 3",
    ],
)
def test_what_a_job_can_ask(text: str) -> None:
    assert condition_problems(text, KNOWN) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("param.sise > 1", "'sise' is no parameter of this job (did you mean 'size'?)"),
        ("input.qury", "'qury' is no input of this job (did you mean 'query'?)"),
        ("serch.hits", "'serch' is no step of this job (did you mean 'search'?)"),
        ("params.size == 1", "'params' is no step of this job (did you mean 'param'?)"),
        ("search.hit", "the step 'search' has no output 'hit' (did you mean 'hits'?)"),
        ("search.exitcode == 1", "the step 'search' has no output 'exitcode' (did you mean 'exit_code'?)"),
        ("later.end", "the step 'later' has not surely ended before 'draw' starts"),
        ("later.exit_code == 1", "the step 'later' has not surely ended before 'draw' starts"),
        ("notes.exit_code == 1", "notes.exit_code: a step that scatters has many exit codes"),
        ("param.engine == 'fst'", "'fst' is no choice of param.engine (did you mean 'fast'?)"),
        ("param.engine not in ['fast', 'slow']", "'slow' is no choice of param.engine: fast, exact"),
        ("'green' in param.kinds", "'green' is no choice of param.kinds: red, blue"),
        ("param.size == '3'", "a number and a text are never equal: param.size == '3'"),
        ("param.size in ['3']", "a number and a text are never equal: param.size in ['3']"),
        ("param.deep == 1", "true or false and a number are never equal: param.deep == 1"),
        ("param.name < 'b'", "< compares numbers, and param.name is a text"),
        ("param.size > 'b'", "> compares numbers, and 'b' is a text"),
        ("param.size in 3", "what stands behind `in` is a list, such as ['a', 'b'], and 3 is none"),
        ("3 in param.kinds", "param.kinds is a list of which each is a text, and 3 is a number"),
        ("search.hits > 0", "search.hits says only whether it is there: compare search.hits.count or search.hits.size"),
        ("input.query == 'x'", "input.query says only whether it is there"),
        ("param.size", "param.size is always there: compare it, such as param.size == …"),
        ("not param.name", "param.name is always there: compare it, such as param.name == …"),
        ("search.exit_code", "search.exit_code by itself is no condition: compare it with something"),
        ("3 or true", "3 by itself is no condition: compare it with something"),
        ("(param.size) == true", "a number and true or false are never equal: param.size == true"),
        ("(not param.size) == true", "param.size is always there: compare it, such as param.size == …"),
    ],
)
def test_what_a_job_cannot_ask_is_told(text: str, said: str) -> None:
    assert condition_problems(text, KNOWN) == [said]


def test_every_unknown_name_is_told_once() -> None:
    assert condition_problems("param.sise > 1 or param.sise < 0 or input.x", KNOWN) == [
        "'sise' is no parameter of this job (did you mean 'size'?)",
        "'x' is no input of this job",
    ]
