"""Public jobs without a sandbox: who has to decide, and about what."""

from typing import Any

import click
import pytest

from analytics_automated.cli.serving import _refuse_undecided
from analytics_automated.executors.confinement import sandbox
from analytics_automated.executors.confinement.sandbox import Sandbox
from analytics_automated.pipelines.configuration import apply
from analytics_automated.pipelines.definitions import BackendDefinition, JobDefinition, TaskDefinition
from analytics_automated.pipelines.files.reader import Configuration
from analytics_automated.runs.exposure import undecided

pytestmark = pytest.mark.django_db


@pytest.fixture
def no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_found", lambda: Sandbox(None, "bubblewrap is not there"))


def configured(*, runnable: bool = True, **backend: Any) -> None:
    made = Configuration()
    made.backends["here"] = BackendDefinition.model_validate(backend)
    made.tasks["task"] = TaskDefinition.model_validate({"backend": "here", "command": "tool"})
    made.jobs["job"] = JobDefinition.model_validate({"steps": [{"task": "task"}], "runnable": runnable})
    made.pipelines = {("tasks", "task"): "p", ("jobs", "job"): "p"}
    apply(made)


@pytest.mark.usefixtures("no_sandbox")
def test_a_public_job_on_a_backend_that_nobody_decided_about_is_named() -> None:
    configured()
    assert undecided(None) == {"here": ["job"]}
    assert undecided(["here"]) == {"here": ["job"]}
    assert undecided(["elsewhere"]) == {}


@pytest.mark.usefixtures("no_sandbox")
@pytest.mark.parametrize("decided", [{"sandbox": "off"}, {"sandbox": "required"}, {"runnable": False}])
def test_a_decision_or_no_public_job_is_enough(decided: dict[str, Any]) -> None:
    configured(**decided)
    assert undecided(None) == {}


def test_with_a_sandbox_there_is_nothing_to_decide() -> None:
    configured()
    assert undecided(None) == {}
    _refuse_undecided(None)


@pytest.mark.usefixtures("no_sandbox")
def test_the_worker_says_what_is_to_be_decided_and_ends_with_78() -> None:
    configured()
    with pytest.raises(click.ClickException) as refused:
        _refuse_undecided(None)
    assert refused.value.exit_code == 78
    assert "backend 'here': 'job'" in refused.value.message
    assert "bubblewrap is not there" in refused.value.message
    assert 'sandbox: "off"' in refused.value.message
