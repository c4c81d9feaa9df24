"""What a backend gives to an attempt, and which of its data a task needs."""

from typing import Any

import pytest

from analytics_automated.pipelines.definitions import BackendDefinition, TaskDefinition
from analytics_automated.pipelines.reference_data import mentioned_data, needed_data
from analytics_automated.runs.places import MissingData, Place, find_place

GB = 1_000_000_000


def task(**keys: Any) -> TaskDefinition:
    return TaskDefinition.model_validate(keys if "script" in keys else {"command": "tool", **keys})


def place(backend: dict[str, Any], **keys: Any) -> Place:
    return find_place(BackendDefinition.model_validate(backend), "cluster", task(**keys), 86_400)


@pytest.mark.parametrize(
    ("backend", "keys", "timeout"),
    [
        ({}, {}, 86_400),
        ({}, {"timeout": "1h"}, 3_600),
        ({"defaults": {"timeout": "2h"}}, {}, 7_200),
        ({"defaults": {"timeout": "2h"}}, {"timeout": "1h"}, 3_600),
        ({"limits": {"timeout": "30m"}}, {}, 1_800),
        ({"limits": {"timeout": "30m"}}, {"timeout": "1h"}, 1_800),
        ({"limits": {"timeout": "3h"}, "defaults": {"timeout": "2h"}}, {"timeout": "1h"}, 3_600),
        ({"limits": {"timeout": "1h"}, "defaults": {"timeout": "2h"}}, {}, 3_600),
    ],
)
def test_the_time_limit(backend: dict[str, Any], keys: dict[str, Any], timeout: float) -> None:
    assert place(backend, **keys).timeout == timeout


@pytest.mark.parametrize(
    ("backend", "keys", "cpus", "memory"),
    [
        ({}, {}, 1, GB),
        ({}, {"resources": {"cpus": 4}}, 4, GB),
        ({"defaults": {"resources": {"cpus": 2, "memory": "3GB"}}}, {}, 2, 3 * GB),
        ({"defaults": {"resources": {"cpus": 2, "memory": "3GB"}}}, {"resources": {"memory": "1GB"}}, 2, GB),
        ({"limits": {"resources": {"cpus": 2}}}, {"resources": {"cpus": 8, "memory": "9GB"}}, 2, 9 * GB),
        ({"limits": {"resources": {"memory": "500MB"}}}, {}, 1, GB // 2),
    ],
)
def test_resources(backend: dict[str, Any], keys: dict[str, Any], cpus: int, memory: int) -> None:
    found = place(backend, **keys)
    assert (found.cpus, found.memory) == (cpus, memory)


def test_setups_come_in_their_order_and_blank_ones_not_at_all() -> None:
    assert list(place({"setup": "a"}, setup="b").setups.items()) == [("backend", "a"), ("task", "b")]
    assert place({"setup": " \n"}).setups == {}


def test_missing_data_are_named_for_the_operator() -> None:
    with pytest.raises(MissingData, match="the backend 'cluster' has no data 'b', 'c'"):
        place({"data": {"a": "/a"}}, command="tool {data.a} {data.b} {data.c}/x")


def test_what_the_task_names_is_what_it_used() -> None:
    data = {"a": {"path": "/a", "version": "1"}, "b": "/b", "c": "/c"}
    found = place({"data": data}, command="tool {data.a}", environment={"B": "x={data.b}"})
    assert {name: each.path for name, each in found.used.items()} == {"a": "/a", "b": "/b"}
    assert list(found.data) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("script", "needed"),
    [
        ('blastp -db "$data_uniref90/u90"', ["uniref90"]),
        ("echo ${data_a} ${data_b%/} ${#data_c}", ["a", "b", "c"]),
        ("echo ${data_a:-none} ${data_b-} ${data_c:+x}", []),
        ("data_dir=$(mktemp -d); ls $data_dir", []),
        ("for data_file in *; do cat $data_file; done", []),
        ("while read -r data_line; do echo $data_line; done", []),
        ("export data_home=/x && cd $data_home && ls $data_real", ["real"]),
        ("my$data_x", ["x"]),
        ("$mydata_x $xdata_y data_z", []),
        ("# data_x is large\nls $data_x", ["x"]),
        ("source lib.sh; ls $data_x", []),
        ('eval "$(defaults)"; ls $data_x', []),
        ("getopts a data_x; ls $data_x", []),
        ("echo \\$data_x", []),
    ],
)
def test_data_that_a_shell_script_needs(script: str, needed: list[str]) -> None:
    assert needed_data(task(script=script)) == needed


@pytest.mark.parametrize(
    ("interpreter", "script", "needed"),
    [
        ("python", 'import os\nopen(os.environ["data_a"])\ndata_frame = 1\nos.environ.get("data_b", "x")', ["a"]),
        ("Rscript", 'read.csv(Sys.getenv("data_a")); data_frame <- data_b', ["a"]),
        ("perl", "print $ENV{data_a}; my $data_b = 1; print $data_b;", ["a"]),
        ("ruby", "puts ENV['data_a']", ["a"]),
    ],
)
def test_data_that_another_script_needs(interpreter: str, script: str, needed: list[str]) -> None:
    assert needed_data(task(script=script, interpreter=interpreter)) == needed


def test_data_that_the_setup_sets_are_the_tasks_own() -> None:
    assert needed_data(task(script="ls $data_x $data_y", setup="export data_x=/x")) == ["y"]


def test_software_that_is_data_needs_them() -> None:
    software = [{"name": "U", "type": "dataset", "data": "uniref90"}]
    assert needed_data(task(software=software)) == ["uniref90"]


def test_what_a_script_may_have_used_is_what_it_mentions() -> None:
    made = task(script='json["data.a"]; getenv("data_b", "x")', interpreter="python")
    assert mentioned_data(made, ["a", "b", "c"]) == ["a", "b"]


@pytest.mark.parametrize(
    ("backend", "keys", "most"),
    [
        ({}, {}, None),
        ({}, {"resources": {"cpus": 4}}, None),
        ({}, {"resources": {"memory": "2GB"}}, 2 * GB),
        ({"defaults": {"resources": {"memory": "3GB"}}}, {}, 3 * GB),
        ({"limits": {"resources": {"memory": "500MB"}}}, {}, GB // 2),
        ({"limits": {"resources": {"memory": "4GB"}}}, {"resources": {"memory": "8GB"}}, 4 * GB),
    ],
)
def test_memory_is_limited_only_where_somebody_named_any(
    backend: dict[str, Any], keys: dict[str, Any], most: int | None
) -> None:
    assert place(backend, **keys).most_memory == most


@pytest.mark.parametrize(
    ("rule", "asked", "given"), [("allow", True, True), ("allow", False, False), ("deny", True, False)]
)
def test_the_network_needs_a_task_that_asks_and_a_backend_that_allows(rule: str, asked: bool, given: bool) -> None:
    assert place({"network": rule}, network=asked).network is given
