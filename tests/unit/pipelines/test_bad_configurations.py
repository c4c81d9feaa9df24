"""Every wrong configuration of the table is refused, in its line, with its message, and with nothing else."""

from collections import Counter

import pytest

from analytics_automated.pipelines.checks.configuration import check_configuration
from analytics_automated.pipelines.configuration import apply
from analytics_automated.pipelines.files.configuration import Configuration
from analytics_automated.pipelines.files.reader import read_text
from analytics_automated.pipelines.models import Job, Task
from analytics_automated.pipelines.problems import ConfigurationError, Problem
from bad_configurations import BAD, Bad

each_bad = pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.id)


def read(bad: Bad) -> Configuration:
    configuration = Configuration()
    read_text(bad.text, "p.yaml", configuration)
    return configuration


def told(problems: list[Problem]) -> list[tuple[int | None, str, str]]:
    return [(each.line, each.where, each.message) for each in problems]


@each_bad
def test_a_file_is_refused_in_its_line(bad: Bad) -> None:
    configuration = read(bad)
    checked = check_configuration(
        configuration.backends, configuration.tasks, configuration.jobs, unreadable=configuration.unreadable
    )
    problems = configuration.in_order([*configuration.problems, *checked.problems])
    assert told(problems) == [(bad.line, bad.where, bad.message)]
    assert not any(problem.warning for problem in problems)


@pytest.mark.django_db
@each_bad
def test_nothing_of_it_reaches_the_database(bad: Bad) -> None:
    with pytest.raises(ConfigurationError) as refused:
        apply(read(bad))
    assert (bad.line, bad.where, bad.message) in told(refused.value.problems)
    assert not Task.objects.exists()
    assert not Job.objects.exists()


def test_the_table_is_large_and_about_everything() -> None:
    assert len({bad.id for bad in BAD}) == len(BAD)
    assert len([bad for bad in BAD if bad.pages]) >= 62
    counts = Counter(bad.section for bad in BAD if bad.pages)
    assert counts.keys() == {"backends", "tasks", "jobs"}
    assert min(counts.values()) >= 10
