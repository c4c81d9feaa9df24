"""A task on its backend, and the names of jobs together, where not everything is known."""

from typing import Any

import pytest

from analytics_automated.pipelines.checks.configuration import check_configuration
from analytics_automated.pipelines.definitions import BackendDefinition, JobDefinition, TaskDefinition
from analytics_automated.pipelines.problems import Problem

BACKEND = BackendDefinition.model_validate({"data": {"uniref90": "/data/uniref90"}})


def told(task: dict[str, Any], *, backends: dict[str, BackendDefinition] | None = None, **keys: Any) -> list[Problem]:
    tasks = {"t": TaskDefinition.model_validate(task)}
    return check_configuration(backends or {"b": BACKEND}, tasks, {}, **keys).problems


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        ({"command": "tool {data.pdb}/x"}, "command"),
        ({"command": "tool", "environment": {"DB": "{data.pdb}"}}, "environment.DB"),
        ({"command": "tool", "container": {"image": "{data.pdb}/image.sif"}}, "container.image"),
    ],
)
def test_data_of_the_backend_may_stand_wherever_placeholders_do(keys: dict[str, Any], where: str) -> None:
    right = BackendDefinition.model_validate({"data": {"pdb": "/data/pdb"}, "container": "podman"})
    assert told({"backend": "b", **keys}, backends={"b": right}) == []
    other = BackendDefinition.model_validate({"data": {"pdb70": "/data/pdb70"}, "container": "podman"})
    (problem,) = told({"backend": "b", **keys}, backends={"b": other})
    message = "{data.pdb} names no data of the backend 'b' (did you mean 'pdb70'?)"
    assert str(problem) == f"tasks.t.{where}: {message}"


def test_a_script_is_warned_of_data_that_there_is_not() -> None:
    script = 'cat "$data_uniref90"\necho "${data_uniref}"\n'
    (problem,) = told({"backend": "b", "script": script})
    assert problem.warning
    message = "$data_uniref in line 2 of the script names no data of the backend 'b' (did you mean 'uniref90'?)"
    assert str(problem) == f"warning: tasks.t.script: {message}"


@pytest.mark.parametrize("script", ['data_mine=1\necho "$data_mine"', 'for data_x in a b; do echo "$data_x"; done'])
def test_a_scripts_own_variables_are_no_data(script: str) -> None:
    assert told({"backend": "b", "script": script}) == []


def test_scripts_of_other_languages_are_not_searched() -> None:
    assert told({"backend": "b", "script": "$data_frame <- 1", "interpreter": "Rscript"}) == []


def test_what_the_local_backend_lacks_is_a_warning_where_it_may_be_defined_elsewhere() -> None:
    task = {"command": "tool {data.db}", "container": "image.sif"}
    here = told(task)
    assert [str(each.where) for each in here] == ["tasks.t.command", "tasks.t.container"]
    assert not any(each.warning for each in here)
    assert all(each.warning for each in told(task, all_backends=False))


def test_a_backend_that_cannot_be_read_is_not_held_against_its_tasks() -> None:
    assert told({"command": "tool {data.db}", "backend": "x"}, unreadable={("backends", "x")}) == []
    assert told({"command": "tool {data.db}"}, unreadable={("backends", "local")}) == []


def test_a_task_that_names_no_time_asks_for_none() -> None:
    backend = BackendDefinition.model_validate({"limits": {"timeout": "1h", "resources": {"cpus": 2}}})
    assert told({"command": "tool", "backend": "b"}, backends={"b": backend}) == []
    exactly = {"command": "tool", "backend": "b", "timeout": "60m", "resources": {"cpus": 2}}
    assert told(exactly, backends={"b": backend}) == []


def test_a_successor_may_be_in_other_files() -> None:
    tasks = {"t": TaskDefinition(command="tool")}
    old = {"steps": ["t"], "deprecated": {"since": "2026-01-31", "successor": "new"}}
    jobs = {"old": JobDefinition.model_validate(old)}
    (problem,) = check_configuration({}, tasks, jobs, all_backends=False).problems
    assert problem.warning
    assert problem.message == "there is no job 'new' in these files; it must be there when they are applied"
    assert check_configuration({}, tasks, jobs, unreadable={("jobs", "new")}).problems == []
    jobs["new"] = JobDefinition.model_validate({"steps": ["t"]})
    assert check_configuration({}, tasks, jobs).problems == []


def successors(runnable: bool = True, **names: str | None) -> list[str]:
    """What is said of jobs, each with its successor; `last` alone is as `runnable` as is said."""
    jobs = {}
    for name, successor in names.items():
        deprecated = {"since": "2026-01-31", "successor": successor} if successor else None
        job = {"steps": ["t"], "runnable": runnable or name != "last", "deprecated": deprecated}
        jobs[name] = JobDefinition.model_validate(job)
    tasks = {"t": TaskDefinition.model_validate({"command": "tool", "outputs": {"out": "out.txt"}})}
    return [str(problem) for problem in check_configuration({}, tasks, jobs).problems]


def test_successors_that_lead_back_are_errors() -> None:
    assert successors(a="b", b="c", c=None) == []
    assert successors(a="b", b="c", c="b") == [
        "jobs.b.deprecated.successor: leads back to this job (b → c → b): one of them must be the one to use",
        "jobs.c.deprecated.successor: leads back to this job (c → b → c): one of them must be the one to use",
    ]


def test_a_successor_that_is_not_runnable_is_worth_a_warning() -> None:
    assert successors(old="last", last=None) == []
    assert successors(runnable=False, old="last", last=None) == [
        "warning: jobs.old.deprecated.successor: is the job 'last', which is not runnable, so that nobody can use it"
    ]
