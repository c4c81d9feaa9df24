"""What must hold within one Job, and the plan that comes of it."""

from typing import Any

import pytest

from analytics_automated.pipelines.checks.job import RESERVED_STEPS, plan_job
from analytics_automated.pipelines.checks.values import with_typed_values
from analytics_automated.pipelines.definitions import JobDefinition, TaskDefinition
from analytics_automated.pipelines.definitions.scalars import Scalar
from analytics_automated.pipelines.plans import Plan

STRING, INTEGER = {"type": "string"}, {"type": "integer"}


def tasks(**given: dict[str, Any]) -> dict[str, TaskDefinition]:
    return {name: TaskDefinition.model_validate({"script": "true", **keys}) for name, keys in given.items()}


COPY = tasks(copy={"inputs": {"data": "in.txt"}, "outputs": {"copied": "out.txt"}})
OPTIONS = tasks(
    draw={
        "parameters": {
            "colour": {"type": "choice", "choices": ["red", "blue"], "default": "red"},
            "size": INTEGER | {"default": 3, "minimum": 1, "title": "Size"},
            "label": STRING,
            "fixed": {"value": 5},
        }
    },
    paint={
        "parameters": {"colour": {"type": "choice", "choices": ["red", "blue"], "default": "blue"}, "size": INTEGER}
    },
)


def planned(known: dict[str, TaskDefinition], **keys: Any) -> tuple[Plan | None, list[str]]:
    plan, problems = plan_job("job", JobDefinition.model_validate(keys), known)
    assert (plan is None) is bool(problems)
    return plan, [str(problem) for problem in problems]


def said(known: dict[str, TaskDefinition], **keys: Any) -> list[str]:
    return planned(known, **keys)[1]


def plan_of(known: dict[str, TaskDefinition], **keys: Any) -> Plan:
    plan, problems = planned(known, **keys)
    assert problems == []
    assert plan is not None
    return plan


# Steps


def test_an_unknown_task_is_told_with_the_nearest() -> None:
    assert said(COPY, steps=["coppy"]) == ["steps[0].task: there is no task 'coppy' (did you mean 'copy'?)"]


def test_an_unknown_task_that_nothing_is_near_to_may_be_in_another_file() -> None:
    assert said(COPY, steps=["translate"]) == [
        "steps[0].task: there is no task 'translate': define it here, or in another file that is named with this one"
    ]


@pytest.mark.parametrize("name", sorted(RESERVED_STEPS | {"Input", "PARAM"}))
def test_reserved_words_are_no_step_names(name: str) -> None:
    message = f"steps[0].name: {name!r} is a reserved word: give the step another `name`"
    assert said(COPY, steps=[{"task": "copy", "name": name}]) == [message]
    assert said({name: COPY["copy"]}, steps=[name]) == [message]


def test_two_steps_of_one_name_are_an_error_without_regard_to_case() -> None:
    again = "give one of them a `name` of its own"
    assert said(COPY, steps=["copy", "copy"]) == [f"steps[1].task: two steps are called 'copy': {again}"]
    assert said(COPY, steps=["copy", {"task": "copy", "name": "COPY"}]) == [
        f"steps[1].name: two steps are called 'COPY': {again}"
    ]


def test_one_task_may_be_two_steps() -> None:
    plan = plan_of(COPY, steps=["copy", {"task": "copy", "name": "again", "inputs": {"data": "copy.copied"}}])
    assert [(step.name, step.task, step.needs, step.inputs) for step in plan.steps] == [
        ("copy", "copy", [], {"data": ["data"]}),
        ("again", "copy", ["copy"], {"data": ["copy.copied"]}),
    ]
    assert list(plan.tasks) == ["copy"]


# Inputs


def test_a_job_that_names_no_inputs_has_those_that_its_steps_leave_open() -> None:
    known = tasks(
        one={"inputs": {"a": "a", "b": {"file": "b", "optional": True}, "c": {"file": "c", "many": True}}},
    )
    inputs = plan_of(known, steps=["one"]).inputs
    assert {name: (each.optional, each.many) for name, each in inputs.items()} == {
        "a": (False, False),
        "b": (True, False),
        "c": (False, True),
    }


@pytest.mark.parametrize("order", [("needing", "tolerating"), ("tolerating", "needing")])
def test_an_open_input_is_as_strict_as_the_strictest_that_asks_for_it(order: tuple[str, str]) -> None:
    known = tasks(
        needing={"inputs": {"data": "a"}},
        tolerating={"inputs": {"data": {"file": "a", "optional": True, "many": True}}},
    )
    data = plan_of(known, steps=[{"task": name, "ordering": 1} for name in order]).inputs["data"]
    assert (data.optional, data.many) == (False, False)


def test_an_open_input_with_another_source_beside_it_may_be_left_out() -> None:
    steps = [
        "copy",
        {"task": "copy", "name": "again", "inputs": {"data": ["better", "copy.copied"]}},
    ]
    assert {name: each.optional for name, each in plan_of(COPY, steps=steps).inputs.items()} == {
        "data": False,
        "better": True,
    }


def test_an_input_that_no_step_uses_is_an_error() -> None:
    assert said(COPY, steps=["copy"], inputs={"data": {}, "more": {}}) == ["inputs.more: no step uses it"]


@pytest.mark.parametrize("name", ["name", "email", "webhook", "Email"])
def test_an_input_does_not_have_the_name_of_a_reserved_field(name: str) -> None:
    known = tasks(copy={"inputs": {name: "in.txt"}})
    reserved = f"the job's input {name!r} has the name of the reserved field {name.lower()!r}: give it another"
    (problem,) = said(known, steps=["copy"])
    assert problem.startswith(f"steps[0].inputs.{name}: {reserved}")
    (problem,) = said(known, steps=["copy"], inputs={name: {}})
    assert problem.startswith(f"inputs.{name}: {reserved}")


def test_input_data_is_a_good_name_for_an_input() -> None:
    assert said(tasks(copy={"inputs": {"input_data": "in.txt"}}), steps=["copy"]) == []


def test_inputs_do_not_differ_only_by_case() -> None:
    known = tasks(copy={"inputs": {"a": "in.txt", "A": "b.txt"}})
    (problem,) = said(known, steps=["copy"], inputs={"a": {}, "A": {}})
    assert problem.startswith("inputs.A: the job's input 'A' has the name of the input 'a'")


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"max_files": 2}, "inputs.data.max_files: belongs to an input with `many: true`"),
        ({"max_files": 1}, None),
        (
            {"validators": ["fsta"]},
            "inputs.data.validators[0].fsta: there is no validator 'fsta' (did you mean 'fasta'?)",
        ),
        (
            {"validators": [{"fasta": {"alphabt": "protein"}}]},
            "inputs.data.validators[0].fasta.alphabt: is no option of this validator (did you mean 'alphabet'?)",
        ),
        (
            {"validators": [{"fasta": {"alphabet": "greek"}}]},
            "inputs.data.validators[0].fasta.alphabet: must be 'protein', 'nucleotide' or 'any', not 'greek'",
        ),
        ({"validators": [{"size": {"max": "much"}}]}, "inputs.data.validators[0].size.max: 'much' is no size: "),
    ],
)
def test_inputs_are_checked(keys: dict[str, Any], problem: str | None) -> None:
    problems = said(COPY, steps=["copy"], inputs={"data": keys})
    assert [each[: len(problem or "")] for each in problems] == ([problem] if problem else [])


def test_a_validator_of_every_input_is_checked_even_where_the_steps_are_wrong() -> None:
    assert len(said(COPY, steps=["nothing"], validators=["nothing", {"fasta": {"x": 1}}])) == 3


# Parameters


def test_parameters_that_the_job_does_not_list_are_step_and_name() -> None:
    plan = plan_of(OPTIONS, steps=["draw", {"task": "paint", "parameters": {"colour": "red"}}])
    assert {name: each.sets for name, each in plan.parameters.items()} == {
        "draw_colour": ["draw.colour"],
        "draw_size": ["draw.size"],
        "draw_label": ["draw.label"],
        "paint_size": ["paint.size"],
    }


def test_a_public_parameter_has_a_name_a_title_and_a_default_of_its_own() -> None:
    size = {"sets": "draw.size", "title": "How large", "default": 7, "aliases": ["draw_size"]}
    plan = plan_of(OPTIONS, steps=["draw"], parameters={"size": size})
    definition = plan.parameters["size"].definition
    assert (definition.title, definition.default, definition.minimum) == ("How large", 7, 1)
    assert plan.public_name("draw_size") == "size"
    assert plan.values_for("draw", {"size": 9})["size"] == 9
    assert plan.values_for("draw", {})["fixed"] == 5


def test_what_an_author_says_of_a_public_parameter_holds_though_it_is_the_default_of_the_key() -> None:
    known = tasks(t={"parameters": {"x": STRING | {"advanced": True}}})
    plan = plan_of(known, steps=["t"], parameters={"x": {"sets": "t.x", "advanced": False}})
    assert plan.parameters["x"].definition.advanced is False


def test_one_public_parameter_may_set_several() -> None:
    plan = plan_of(
        OPTIONS,
        steps=["draw", "paint"],
        parameters={"colour": {"sets": ["draw.colour", "paint.colour"], "default": "red"}},
    )
    given = {"colour": "blue"}
    assert plan.values_for("draw", given)["colour"] == plan.values_for("paint", given)["colour"] == "blue"


def test_a_jobs_own_parameter_sets_nothing() -> None:
    own = {"type": "choice", "choices": ["fast", "exact"], "default": "fast"}
    plan = plan_of(COPY, steps=["copy"], parameters={"engine": own})
    assert plan.parameters["engine"].sets == []


PARAMETERS: list[tuple[dict[str, Any], str]] = [
    ({"x": {"title": "X"}}, "parameters.x: needs `sets: step.parameter`, or a `type` of its own"),
    ({"x": {"type": "integer", "value": 3}}, "parameters.x.value: belongs to a task's parameter"),
    ({"x": {"type": "integer", "default": "a"}}, "parameters.x.default: must be a whole number"),
    ({"x": {"type": "integer", "pattern": "a"}}, "parameters.x.pattern: belongs to a string"),
    ({"x": {"sets": "drow.size"}}, "parameters.x.sets: 'drow' is no step of this job (did you mean 'draw'?)"),
    ({"x": {"sets": "draw.siz"}}, "parameters.x.sets: the step 'draw' has no parameter 'siz' (did you mean 'size'?)"),
    ({"x": {"sets": "draw.fixed"}}, "parameters.x.sets: draw.fixed is stored in the task, so callers cannot set it"),
    ({"x": {"sets": "draw.size", "minimum": 2}}, "parameters.x.minimum: is the task's to say where the parameter `sets` it"),
    ({"x": {"sets": "draw.size", "type": "integer"}}, "parameters.x.type: is the task's to say"),
    ({"x": {"sets": "draw.size", "default": 0}}, "parameters.x.default: must be at least 1"),
    ({"x": {"sets": "draw.size", "example": "big"}}, "parameters.x.example: must be a whole number"),
    ({"x": {"sets": ["draw.size", "paint.size"]}}, "parameters.x.sets: sets parameters that do not accept the same values"),
    ({"x": {"sets": ["draw.size", "draw.label"]}}, "parameters.x.sets: sets parameters that do not accept the same values"),
    ({"x": {"sets": ["draw.colour", "paint.colour"]}}, "parameters.x.sets: sets parameters with different defaults: say which"),
    ({"x": {"sets": "draw.size"}, "y": {"sets": "draw.size"}}, "parameters.y.sets: draw.size is set by two parameters"),
    ({"name": {"sets": "draw.size"}}, "parameters.name: the public name 'name' is also that of the reserved field 'name'"),
    ({"input_data": {"sets": "draw.size"}}, "parameters.input_data: the public name 'input_data' is also that of the reserved"),
    ({"Email": {"sets": "draw.size"}}, "parameters.Email: the public name 'Email' is also that of the reserved field 'email'"),
    ({"data": {"sets": "draw.size"}}, "parameters.data: the public name 'data' is also that of the input 'data'"),
    ({"x": {"sets": "draw.size", "aliases": ["webhook"]}}, "parameters.x.aliases: the public name 'webhook' is also that of"),
    ({"x": {"sets": "draw.size", "aliases": ["X"]}}, "parameters.x.aliases: the public name 'X' is also that of the parameter 'x'"),
    ({"x": {"sets": "draw.size"}, "X": {"sets": "draw.label"}}, "parameters.X: the public name 'X' is also that of the parameter 'x'"),
    ({"draw_label": {"sets": "draw.size"}}, "parameters.draw_label: 'draw_label' is also the name under which callers set draw.label"),
    ({"x": {"sets": "draw.size", "aliases": ["draw_label"]}}, "steps[0]: callers set draw.label as 'draw_label', which is also the name of the parameter 'x'"),
]  # fmt: skip


@pytest.mark.parametrize(("parameters", "problem"), PARAMETERS, ids=[problem[:50] for _, problem in PARAMETERS])
def test_a_bad_public_parameter_is_told(parameters: dict[str, Any], problem: str) -> None:
    (found,) = said(OPTIONS | COPY, steps=["draw", "paint", "copy"], parameters=parameters)
    assert found.startswith(problem)


def test_names_that_steps_and_parameters_make_together_do_not_clash() -> None:
    known = tasks(a_b={"parameters": {"c": STRING}}, a={"parameters": {"b_c": STRING}})
    assert said(known, steps=["a_b", "a"]) == [
        "steps[1]: 'a_b_c' is also the name under which callers set a.b_c: choose another"
    ]


# Values that a job fixes


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"siz": 3}, "steps[0].parameters.siz: is no parameter of the task 'draw' (did you mean 'size'?)"),
        ({"fixed": 3}, "steps[0].parameters.fixed: is stored in the task 'draw', so a step cannot set it"),
        ({"size": 0}, "steps[0].parameters.size: must be at least 1"),
        ({"size": "3"}, "steps[0].parameters.size: must be a whole number"),
        ({"colour": "green"}, "steps[0].parameters.colour: must be one of red, blue"),
        ({"label": "-x"}, "steps[0].parameters.label: must not begin with '-'"),
        ({"label": None}, "steps[0].parameters.label: must be a text"),
        ({"label": {"a": 1}}, "steps[0].parameters.label: must be a text"),
    ],
)
def test_a_wrong_fixed_value_is_told(values: dict[str, Any], problem: str) -> None:
    assert said(OPTIONS, steps=[{"task": "draw", "parameters": values}]) == [problem]


def test_what_a_job_fixes_callers_do_not_set() -> None:
    plan = plan_of(OPTIONS, steps=[{"task": "draw", "parameters": {"size": 9, "label": "a"}}])
    assert list(plan.parameters) == ["draw_colour"]
    assert plan.values_for("draw", {"draw_colour": "blue"}) == {"colour": "blue", "size": 9, "label": "a", "fixed": 5}


def test_what_a_job_fixes_and_lets_callers_set_is_an_error() -> None:
    steps = [{"task": "draw", "parameters": {"size": 9}}]
    (problem,) = said(OPTIONS, steps=steps, parameters={"size": {"sets": "draw.size"}})
    assert problem.startswith("steps[0].parameters.size: is fixed here, and callers set it by a parameter of the job")


# Numbers that begin a word


def test_a_number_that_begins_a_word_is_not_negative_for_callers() -> None:
    known = {
        "t": TaskDefinition.model_validate(
            {
                "command": "tool {param.plain} {param.flagged} x{param.inside} {param.free} {param.bounded} {param.text}",
                "parameters": {
                    "plain": INTEGER,
                    "flagged": INTEGER | {"flag": "-n"},
                    "inside": INTEGER,
                    "free": INTEGER | {"allow_dash": True},
                    "bounded": INTEGER | {"minimum": 3},
                    "text": STRING,
                },
            }
        )
    }
    minima = {name: each.definition.minimum for name, each in plan_of(known, steps=["t"]).parameters.items()}
    assert minima == {"t_plain": 0, "t_flagged": None, "t_inside": None, "t_free": None, "t_bounded": 3, "t_text": None}
    assert said(known, steps=[{"task": "t", "parameters": {"plain": -1}}]) == [
        "steps[0].parameters.plain: must be at least 0"
    ]


# Results


def test_results_are_all_published_outputs_unless_said() -> None:
    known = tasks(
        a={
            "outputs": {
                "x": {"file": "x", "title": "X"},
                "y": {"file": "*.y", "many": True},
                "z": {"file": "z", "publish": False},
            }
        }
    )
    results = plan_of(known, steps=["a", {"task": "a", "name": "b"}]).results
    assert {name: (each.step, each.output, each.title, each.many) for name, each in results.items()} == {
        "a_x": ("a", "x", "X", False),
        "a_y": ("a", "y", None, True),
        "b_x": ("b", "x", "X", False),
        "b_y": ("b", "y", None, True),
    }


def test_results_are_those_that_the_job_names_under_its_names() -> None:
    known = tasks(a={"outputs": {"x": {"file": "x", "title": "X"}, "z": {"file": "z", "publish": False}}})
    results = plan_of(known, steps=["a"], results={"made": "a.x", "hidden": {"from": "a.z", "title": "Z"}}).results
    assert {name: (each.output, each.title) for name, each in results.items()} == {
        "made": ("x", "X"),
        "hidden": ("z", "Z"),
    }
    assert plan_of(known, steps=["a"], results={}).results == {}


@pytest.mark.parametrize(
    ("results", "problem"),
    [
        ({"r": "coppy.copied"}, "results.r: 'coppy' is no step of this job (did you mean 'copy'?)"),
        ({"r": "copy.copid"}, "results.r: the step 'copy' has no output 'copid' (did you mean 'copied'?)"),
        ({"r": "copy.copied", "s": "copy.copied"}, "results.s: copy.copied is already the result 'r'"),
        ({"r": "copy.copied", "R": "copy.copied"}, "results.R: differs from 'r' only by its case"),
    ],
)
def test_a_wrong_result_is_told(results: dict[str, Any], problem: str) -> None:
    assert said(COPY, steps=["copy"], results=results) == [problem]


def test_results_whose_names_would_clash_are_an_error() -> None:
    known = tasks(a_b={"outputs": {"c": "x"}}, a={"outputs": {"b_c": "x"}})
    assert said(known, steps=["a_b", "a"]) == [
        "steps[1]: a.b_c would be the result 'a_b_c', as a_b.c is: name them in the job's `results`"
    ]
    assert said(known, steps=["a_b", "a"], results={"c": "a_b.c", "bc": "a.b_c"}) == []


def test_everything_that_is_wrong_is_said_at_once() -> None:
    problems = said(
        COPY | OPTIONS,
        steps=[{"task": "copy", "inputs": {"dta": "x"}}, {"task": "draw", "parameters": {"siz": 1}}],
        inputs={"data": {"validators": ["fsta"]}, "more": {}},
        parameters={"x": {"sets": "draw.siz"}},
        results={"r": "copy.copid"},
    )
    assert {problem.partition(": ")[0] for problem in problems} == {
        "steps[0].inputs.dta",
        "steps[1].parameters.siz",
        "inputs.data.validators[0].fsta",
        "parameters.x.sets",
        "results.r",
    }


# Steps that scatter

PAGES = tasks(
    split={"outputs": {"pages": {"file": "pages/*", "many": True}}},
    each={
        "inputs": {"page": "page.txt", "rules": {"file": "rules", "optional": True}},
        "outputs": {"note": "note.txt"},
    },
    join={"inputs": {"notes": {"file": "notes", "many": True}}, "outputs": {"all": "all.txt"}},
)
EACH = {"task": "each", "inputs": {"page": "split.pages"}, "scatter": "page"}


def test_what_a_scattered_step_makes_is_many_for_steps_and_callers() -> None:
    plan = plan_of(PAGES, steps=["split", EACH, {"task": "join", "inputs": {"notes": "each.note"}}])
    assert plan.results["each_note"].many
    named = plan_of(PAGES, steps=["split", EACH], results={"notes": "each.note"})
    assert named.results["notes"].many
    once_more = {"task": "each", "name": "again", "inputs": {"page": "each.note"}}
    message = "is a single file, but each.note may be many: set `many: true` on the task's input"
    assert said(PAGES, steps=["split", EACH, once_more]) == [f"steps[2].inputs.page: {message}"]
    assert said(PAGES, steps=["split", EACH, once_more | {"scatter": "page"}]) == []


def test_an_input_that_only_scattered_steps_ask_for_takes_many_files() -> None:
    plan = plan_of(PAGES, steps=[{"task": "each", "scatter": "page"}])
    assert plan.inputs["page"].many
    assert said(PAGES, steps=[{"task": "each", "scatter": "page"}], inputs={"page": {}}) == [
        "steps[0].scatter.over: 'page' is fed from page, which is one file: there is nothing to take apart"
    ]


def test_an_optional_input_that_nothing_provides_is_not_scattered_over() -> None:
    steps = [{"task": "each", "scatter": "rules"}]
    assert said(PAGES, steps=steps, inputs={"page": {}}) == [
        "steps[0].scatter.over: nothing provides the input 'rules', so there is nothing to take apart"
    ]


# Calls


def test_values_of_examples_and_schedules_have_the_types_of_their_parameters() -> None:
    typed = tasks(t={"parameters": {"tag": {"type": "string", "default": "a"}, "size": INTEGER | {"default": 1}}})
    values = {"t_tag": Scalar("2.10", 2.1), "t_size": Scalar("3", 3), "mark": Scalar("NO", "NO")}
    job = {
        "steps": ["t"],
        "parameters": {"mark": {"type": "string", "optional": True}},
        "examples": [{"parameters": values}],
        "schedule": {"cron": "0 3 * * 1", "parameters": values},
    }
    made = with_typed_values(JobDefinition.model_validate(job), typed)
    assert made.schedule is not None
    assert made.examples[0].parameters == made.schedule.parameters == {"t_tag": "2.10", "t_size": 3, "mark": "NO"}
    assert said(typed, **job) == []


def test_a_parameter_may_be_given_by_an_alias_but_once() -> None:
    steps, aliased = ["draw"], {"size": {"sets": "draw.size", "aliases": ["big"]}}
    call = {"draw_label": "x", "big": 3}
    assert said(OPTIONS, steps=steps, parameters=aliased, examples=[{"parameters": call}]) == []
    assert said(OPTIONS, steps=steps, parameters=aliased, examples=[{"parameters": call | {"size": 4}}]) == [
        "examples[0].parameters.size: sets the same parameter as 'big'"
    ]


def test_an_input_of_many_takes_so_many_files() -> None:
    many = {"steps": [{"task": "join"}], "inputs": {"notes": {"many": True, "max_files": 2}}}
    assert said(PAGES, **many, examples=[{"inputs": {"notes": ["a", "b"]}}, {"inputs": {"notes": "a"}}]) == []
    assert said(PAGES, **many, examples=[{"inputs": {"notes": ["a", "b", "c"]}}]) == [
        "examples[0].inputs.notes: takes at most 2 files"
    ]


@pytest.mark.parametrize("cron", ["*/15 * * * *", "0 3 1,15 * *", "30 4 * jan-mar mon-fri", "0 0 29 2 *", "0 0 * * 7"])
def test_what_cron_takes_a_schedule_takes(cron: str) -> None:
    assert said(COPY, steps=["copy"], schedule={"cron": cron, "inputs": {"data": "a.txt"}}) == []


@pytest.mark.parametrize(
    "cron", ["", "@daily", "* * * * * *", "60 * * * *", "0 0 0 * *", "0 0 30 2 *", "0 0 * * 8", "a b c d e"]
)
def test_what_cron_does_not_take_is_refused(cron: str) -> None:
    (message,) = said(COPY, steps=["copy"], schedule={"cron": cron, "inputs": {"data": "a.txt"}})
    assert message.startswith("schedule.cron: ")
