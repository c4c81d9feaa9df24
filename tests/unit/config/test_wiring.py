"""What holds the parts together."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from analytics_automated.worker.identity import is_gone, worker_name


@pytest.mark.django_db
def test_the_migrations_are_complete() -> None:
    call_command("makemigrations", "--check", "--dry-run", stdout=StringIO())


def test_djangos_own_checks_find_nothing() -> None:
    call_command("check", stdout=StringIO(), stderr=StringIO())


def test_the_examples_are_right() -> None:
    from analytics_automated.pipelines.checks.configuration import check_configuration
    from analytics_automated.pipelines.files.reader import read_files

    for path in sorted(Path(__file__).parents[3].joinpath("examples").glob("*.yaml")):
        read = read_files([path])
        checked = check_configuration(read.backends, read.tasks, read.jobs)
        assert [str(problem) for problem in [*read.problems, *checked.problems]] == []
        assert set(checked.plans) == set(read.jobs)


def test_a_worker_is_gone_only_where_that_is_sure() -> None:
    mine = worker_name()
    host, machine, pid, started = mine.split(":")
    assert not is_gone(mine)
    assert is_gone(f"{host}:{machine}:{pid}:{int(started) - 1}"), "another process had that id"
    assert is_gone(f"{host}:{machine}:4194304:1")
    assert not is_gone(f"{host}:elsewhere:4194304:1"), "another machine's process cannot be seen from here"
    assert not is_gone("nonsense")


def test_where_all_workers_are_on_one_machine_those_before_its_start_are_gone() -> None:
    host, machine, pid, started = worker_name().split(":")
    earlier = f"{host}:00000000-{machine.partition('-')[2]}:{pid}:{started}"
    assert is_gone(earlier, one_machine=True)
    assert not is_gone(earlier)
    assert not is_gone(worker_name(), one_machine=True)
    assert not is_gone(f"{host}:{machine}0:{pid}:{started}", one_machine=True), "another container of this machine"
