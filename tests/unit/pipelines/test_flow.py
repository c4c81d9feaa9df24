"""Order and data flow: who waits for whom, and where every input comes from."""

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics_automated.pipelines.checks.flow import Flow, resolve_flow
from analytics_automated.pipelines.definitions import JobDefinition, TaskDefinition


def task(inputs: dict[str, Any] | str = "", outputs: dict[str, Any] | str = "") -> TaskDefinition:
    """A task; inputs and outputs by name, such as `"a b? c*"`: `?` for optional, `*` for many."""

    def files(names: dict[str, Any] | str, ending: str) -> dict[str, Any]:
        if isinstance(names, dict):
            return names
        return {
            name.rstrip("?*"): {
                "file": f"{name.rstrip('?*')}{'*' if '*' in name and ending == '.out' else ''}{ending}",
                "optional": "?" in name,
                "many": "*" in name,
            }
            for name in names.split()
        }

    return TaskDefinition.model_validate(
        {"script": "true", "inputs": files(inputs, ".in"), "outputs": files(outputs, ".out")}
    )


def flow(tasks: dict[str, TaskDefinition], steps: list[Any], **keys: Any) -> Flow:
    return resolve_flow(JobDefinition.model_validate({"steps": steps, **keys}), tasks)


def problems(found: Flow) -> list[str]:
    return [str(problem) for problem in found.problems]


PASS = {name: task("data", "data") for name in "abcdefgh"}
SOURCE, SINK = task("", "data"), task("data", "")


@pytest.mark.parametrize(
    ("orderings", "needs"),
    [
        ([None, None, None], {"a": [], "b": ["a"], "c": ["b"]}),
        ([1, 2, 3], {"a": [], "b": ["a"], "c": ["b"]}),
        ([1, 1, 2], {"a": [], "b": [], "c": ["a", "b"]}),
        ([1, 2, 2], {"a": [], "b": ["a"], "c": ["a"]}),
        ([10, 70, 70], {"a": [], "b": ["a"], "c": ["a"]}),
        ([3, 2, 1], {"c": [], "b": ["c"], "a": ["b"]}),
        ([5, None, 1], {"c": [], "a": ["c"], "b": ["a"]}),
        ([None, 1, None], {"a": [], "b": [], "c": ["a", "b"]}),
        ([0, 0, 0], {"a": [], "b": [], "c": []}),
        ([None, None, 2], {"a": [], "b": ["a"], "c": ["a"]}),
    ],
)
def test_equal_orderings_run_side_by_side_and_the_next_waits_for_all_of_the_one_before(
    orderings: list[int | None], needs: dict[str, list[str]]
) -> None:
    steps = [
        {"task": name} | ({} if at is None else {"ordering": at}) for name, at in zip("abc", orderings, strict=True)
    ]
    tasks = dict.fromkeys("abc", task())
    found = flow(tasks, steps)
    assert found.needs == needs
    assert list(found.needs) == list(needs), "steps come in the order in which they run"


def test_needs_make_the_graph_explicit() -> None:
    tasks = dict.fromkeys("abcd", task())
    steps = [
        {"task": "a"},
        {"task": "b", "needs": []},
        {"task": "c", "needs": ["a", "a"]},
        {"task": "d", "needs": ["c", "b"]},
    ]
    assert flow(tasks, steps).needs == {"a": [], "b": [], "c": ["a"], "d": ["c", "b"]}


def test_a_need_that_is_no_step_is_an_error() -> None:
    tasks = dict.fromkeys(["search", "draw"], task())
    found = flow(tasks, [{"task": "search"}, {"task": "draw", "needs": ["serch"]}])
    assert problems(found) == ["steps[1].needs[0]: 'serch' is no step of this job (did you mean 'search'?)"]


@pytest.mark.parametrize(
    ("needs", "circle"),
    [
        ({"a": ["a"]}, "steps[0]: waits for itself in a circle: a -> a"),
        ({"a": ["b"], "b": ["a"]}, "a -> b -> a"),
        ({"a": ["c"], "b": ["a"], "c": ["b"]}, "a -> c -> b -> a"),
        ({"a": [], "b": ["a", "d"], "c": ["b"], "d": ["c"]}, "b -> d -> c -> b"),
    ],
)
def test_a_circle_is_an_error_that_names_it(needs: dict[str, list[str]], circle: str) -> None:
    found = flow(PASS, [{"task": name, "needs": each} for name, each in needs.items()])
    (problem,) = problems(found)
    assert "waits for itself in a circle: " in problem
    said = problem.split("circle: ")[1].split(" -> ")
    expected = circle.split("circle: ")[-1].split(" -> ")
    assert said[0] == said[-1]
    assert set(said) == set(expected)
    assert all(after in needs[before] for before, after in itertools.pairwise(said))


def test_a_step_in_a_circle_made_by_orderings_and_needs_is_found() -> None:
    found = flow(PASS, [{"task": "a", "ordering": 1, "needs": ["b"]}, {"task": "b", "ordering": 2}])
    assert len(found.problems) == 1


@pytest.mark.parametrize("steps", [1200])
def test_a_long_chain_of_steps_is_resolved(steps: int) -> None:
    listed = [{"task": "a", "name": f"s{number}"} for number in range(steps)]
    found = flow(PASS, listed)
    assert found.problems == []
    assert found.sources[f"s{steps - 1}"] == {"data": [f"s{steps - 2}.data"]}


def test_a_wide_graph_is_resolved_without_walking_every_path() -> None:
    tasks = {"first": task("", "x"), "a": task("", "y"), "last": task("x", "")}
    steps = [
        {"task": "first"},
        *({"task": "a", "name": f"s{n}", "ordering": 2 + n // 8} for n in range(160)),
        {"task": "last"},
    ]
    found = flow(tasks, steps)
    assert found.sources["last"] == {"x": ["first.x"]}
    assert len(found.needs["last"]) == 8


# Where inputs come from


def test_an_input_is_the_output_of_that_name_of_the_nearest_step_before() -> None:
    found = flow(PASS, [{"task": name} for name in "abc"])
    assert found.problems == []
    assert found.sources == {"a": {"data": ["data"]}, "b": {"data": ["a.data"]}, "c": {"data": ["b.data"]}}


def test_a_step_further_back_provides_where_a_nearer_one_does_not() -> None:
    tasks = {"a": SOURCE, "b": task("", "other"), "c": SINK}
    assert flow(tasks, [{"task": name} for name in "abc"]).sources["c"] == {"data": ["a.data"]}


def test_a_step_provides_before_a_job_input_does() -> None:
    tasks = {"a": SOURCE, "b": SINK}
    found = flow(tasks, [{"task": "a"}, {"task": "b"}], inputs={"data": {}})
    assert found.sources["b"] == {"data": ["a.data"]}
    assert found.open_inputs == {}


def test_a_step_that_runs_beside_provides_nothing() -> None:
    found = flow(PASS, [{"task": "a", "ordering": 1}, {"task": "b", "ordering": 1}])
    assert found.sources == {"a": {"data": ["data"]}, "b": {"data": ["data"]}}


def test_a_step_does_not_feed_itself() -> None:
    assert flow(PASS, [{"task": "a"}]).sources == {"a": {"data": ["data"]}}


def test_two_equally_near_are_an_error() -> None:
    steps = [{"task": "a", "ordering": 1}, {"task": "b", "ordering": 1}, {"task": "c", "ordering": 2}]
    assert problems(flow(PASS, steps)) == [
        "steps[2].inputs.data: could come from a.data or b.data, which are equally near: say which in the step's `inputs`"
    ]


def test_a_nearer_one_decides_between_two_that_are_equally_near() -> None:
    steps = [{"task": "a", "ordering": 1}, {"task": "b", "ordering": 1}, {"task": "c", "ordering": 2, "inputs": {"data": "a.data"}},
             {"task": "d", "ordering": 3}]  # fmt: skip
    found = flow(PASS, steps)
    assert found.problems == []
    assert found.sources["d"] == {"data": ["c.data"]}


def test_equally_near_in_a_graph_counts_the_shortest_way() -> None:
    tasks = {"a": SOURCE, "b": task("", "data"), "c": task(), "d": SINK}
    steps = [
        {"task": "a", "needs": []},
        {"task": "b", "needs": []},
        {"task": "c", "needs": ["b"]},
        {"task": "d", "needs": ["a", "c"]},
    ]
    assert flow(tasks, steps).sources["d"] == {"data": ["a.data"]}


def test_nothing_that_provides_is_an_error_with_the_inputs_that_there_are() -> None:
    found = flow({"a": SINK}, [{"task": "a"}], inputs={"x": {}, "y": {}})
    assert problems(found) == [
        "steps[0].inputs.data: is provided by nothing: no step before 'a' has an output 'data', and the job has no input "
        "of that name (its inputs: x, y). Bind it in the step's `inputs`"
    ]


def test_an_optional_input_may_be_provided_by_nothing() -> None:
    found = flow({"a": task("data?")}, [{"task": "a"}], inputs={})
    assert (problems(found), found.sources) == ([], {"a": {}})


# Bindings


def test_a_binding_names_a_step_or_a_job_input_or_several() -> None:
    steps = [{"task": "a"}, {"task": "b", "inputs": {"data": ["extra", "a.data", "more"]}}]
    found = flow(PASS, steps, inputs={"data": {}, "extra": {}, "more": {}})
    assert found.problems == []
    assert found.sources["b"] == {"data": ["extra", "a.data", "more"]}


@pytest.mark.parametrize(
    ("bound", "said"),
    [
        ("c.data", "steps[1].inputs.data: 'c' is no step of this job"),
        ("first.dat", "steps[1].inputs.data: the step 'first' has no output 'dat' (did you mean 'data'?)"),
        ("second.data", "steps[1].inputs.data: the step 'second' has not surely ended before 'second' starts"),
        ("beside.data", "steps[1].inputs.data: the step 'beside' has not surely ended before 'second' starts"),
        ("sequnce", "steps[1].inputs.data: 'sequnce' is no input of this job (did you mean 'sequence'?)"),
        ("first", "steps[1].inputs.data: 'first' is a step: write first.OUTPUT, with one of its outputs (data)"),
        (["first.data", "nothing.x"], "steps[1].inputs.data: 'nothing' is no step of this job"),
    ],
)
def test_a_wrong_binding_is_an_error(bound: Any, said: str) -> None:
    tasks = {name: task("", "data") for name in ("first", "beside")} | {"second": PASS["a"]}
    steps = [
        {"task": "first"},
        {"task": "second", "ordering": 2, "inputs": {"data": bound}},
        {"task": "beside", "ordering": 2},
    ]
    assert problems(flow(tasks, steps, inputs={"sequence": {}}))[0] == said


def test_a_binding_of_an_input_that_the_task_does_not_have_is_an_error() -> None:
    found = flow(PASS, [{"task": "a", "inputs": {"dta": "data"}}])
    assert problems(found) == ["steps[0].inputs.dta: is no input of the task 'a' (did you mean 'data'?)"]


def test_a_step_name_is_a_job_input_where_the_job_says_so() -> None:
    found = flow(PASS, [{"task": "a"}, {"task": "b", "inputs": {"data": "a"}}], inputs={"data": {}, "a": {}})
    assert found.problems == []


# Many and single


@pytest.mark.parametrize(
    ("steps", "inputs", "said"),
    [
        ([{"task": "many"}, {"task": "one"}], {}, "steps[1].inputs.data: is a single file, but many.data may be many"),
        ([{"task": "one"}], {"data": {"many": True}}, "steps[0].inputs.data: is a single file, but data may be many"),
        (
            [{"task": "one", "inputs": {"data": "set"}}],
            {"set": {"many": True}},
            "steps[0].inputs.data: is a single file, but set may be many: set `many: true` on the task's input",
        ),
    ],
)
def test_several_files_do_not_fit_into_one(steps: list[Any], inputs: dict[str, Any], said: str) -> None:
    tasks = {"many": task("", "data*"), "one": SINK}
    (problem,) = problems(flow(tasks, steps, inputs=inputs))
    assert problem.startswith(said)


def test_one_file_fits_where_several_may_come() -> None:
    tasks = {"one": SOURCE, "many": task("data*")}
    assert flow(tasks, [{"task": "one"}, {"task": "many"}]).problems == []


names = st.sampled_from("abcdefgh")


@given(
    steps=st.lists(
        st.fixed_dictionaries(
            {"task": names},
            optional={
                "ordering": st.integers(0, 4),
                "needs": st.lists(names, max_size=3),
                "inputs": st.just({"data": "x"}),
            },
        ),
        min_size=1,
        max_size=8,
        unique_by=lambda step: step["task"],
    )
)
@settings(max_examples=200, deadline=None)
def test_whatever_is_resolved_can_run(steps: list[dict[str, Any]]) -> None:
    found = flow(PASS, steps)
    if found.problems:
        return
    done: set[str] = set()
    for label, needs in found.needs.items():
        assert set(needs) <= done, "every step comes after those that it waits for"
        for sources in found.sources[label].values():
            assert all(source in {"data", "x"} or source.partition(".")[0] in done for source in sources)
        done.add(label)
    assert done == {step["task"] for step in steps}
