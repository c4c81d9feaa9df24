"""Keys whose feature is still to come: read and kept, and refused only where a runnable job needs them."""

from typing import Any

import pytest

from analytics_automated.pipelines.checks.configuration import check_configuration
from analytics_automated.pipelines.checks.support import WORDS
from analytics_automated.pipelines.configuration import apply, read_stored, verify_stored
from analytics_automated.pipelines.definitions import BackendDefinition, JobDefinition, TaskDefinition
from analytics_automated.pipelines.definitions.resources import ResourcesDefinition
from analytics_automated.pipelines.files.reader import Configuration
from analytics_automated.pipelines.models import Job
from analytics_automated.pipelines.problems import ConfigurationError

BACKEND: list[dict[str, Any]] = [
    {"container": "apptainer"},
    {"user": "analysis"},
    {"executor": "grid_engine"},
]
TASK: list[dict[str, Any]] = [
    {"container": {"image": "blast.sif"}},
    {"cache": True},
    {"resources": {"gpus": 1}},
]
JOB: list[dict[str, Any]] = [
    {"access": "login"},
    {"access": ["staff"]},
    {"retention": "30d"},
    {"schedule": {"cron": "0 3 * * 1", "overlap": "allow"}},
]
CASES = [
    *(("backends", keys) for keys in BACKEND),
    *(("tasks", keys) for keys in TASK),
    *(("jobs", keys) for keys in JOB),
]


def around(section: str, keys: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """What else must be there for the keys to be right."""
    text = str(keys).replace("{{", "(")
    if "container" in keys and section == "tasks":
        return [("backends", {"container": "apptainer"})]
    if "{data." in text:
        return [("backends", {"data": {"uniref90": "/data/uniref90"}})]
    if "schedule" in keys:
        return [("jobs", {"inputs": {"data": {"many": True, "optional": True}}})]
    return []


def configuration(section: str, keys: dict[str, Any], *, runnable: bool) -> Configuration:
    given: dict[str, dict[str, Any]] = {
        "backends": {},
        "tasks": {
            "backend": "backend",
            "command": "tool",
            "inputs": {"data": {"file": "data", "many": True, "env_only": True}},
        },
        "jobs": {"steps": [{"task": "task"}], "runnable": runnable},
    }
    for where, others in around(section, keys):
        given[where] |= others
    given[section] |= keys
    made = Configuration()
    made.backends["backend"] = BackendDefinition.model_validate(given["backends"])
    made.tasks["task"] = TaskDefinition.model_validate(given["tasks"])
    made.jobs["job"] = JobDefinition.model_validate(given["jobs"])
    made.pipelines = {("tasks", "task"): "p", ("jobs", "job"): "p"}
    return made


def messages(made: Configuration) -> list[str]:
    return [str(problem) for problem in check_configuration(made.backends, made.tasks, made.jobs).problems]


@pytest.mark.parametrize(("section", "keys"), CASES, ids=str)
def test_a_runnable_job_that_needs_it_is_refused_with_the_words(section: str, keys: dict[str, Any]) -> None:
    told = messages(configuration(section, keys, runnable=True))
    assert WORDS == "not supported by this version"
    assert all(WORDS in message for message in told)
    place = {"backends": "backends.backend.", "tasks": "tasks.task.", "jobs": "jobs.job."}[section]
    (message,) = (each for each in told if each.startswith(place))
    assert section == "jobs" or message.endswith(", and the runnable job 'job' needs it")


@pytest.mark.django_db
@pytest.mark.parametrize(("section", "keys"), CASES, ids=str)
def test_for_a_job_that_is_not_runnable_it_is_kept(section: str, keys: dict[str, Any]) -> None:
    made = configuration(section, keys, runnable=False)
    assert messages(made) == []
    apply(made)
    stored = read_stored()
    assert stored.problems == []
    assert stored.backends["backend"] == made.backends["backend"]
    assert stored.tasks["task"] == made.tasks["task"]
    assert stored.jobs["job"] == made.jobs["job"]


@pytest.mark.django_db
def test_a_kept_job_cannot_be_made_runnable_by_a_page() -> None:
    apply(configuration("jobs", {"access": "login"}, runnable=False))
    Job.objects.update(runnable=True)
    with pytest.raises(ConfigurationError, match=WORDS):
        verify_stored()


def test_everything_that_a_job_needs_is_said_at_once() -> None:
    made = configuration("jobs", {"access": "login", "retention": "1d"}, runnable=True)
    made.tasks["task"] = made.tasks["task"].model_copy(update={"cache": True, "resources": ResourcesDefinition(gpus=1)})
    made.backends["backend"] = BackendDefinition(user="analysis")
    assert len(messages(made)) == 5


@pytest.mark.parametrize(
    ("section", "keys"),
    [
        ("backends", {"sandbox": "off"}),
        ("backends", {"sandbox": "auto"}),
        ("backends", {"sandbox": "required"}),
        ("backends", {"network": "allow"}),
        ("backends", {"network": "deny"}),
        ("backends", {"options": {"processes": "none", "output": "20GB", "cpu_time": 3600, "readable": ["/data"]}}),
        ("backends", {"queue": "fast", "root": "/scratch/aa"}),
        ("tasks", {"files": [], "cache": False, "resources": {"cpus": 4, "memory": "2GB", "gpus": 0}}),
        ("tasks", {"timeout": "5m", "software": [{"name": "BLAST+", "version": "2.15"}]}),
        ("tasks", {"command": "tool {resources.cpus} {submission.id} {workdir}"}),
        ("tasks", {"command": "tool {{data.x}} {{scatter.stem}}"}),
        ("jobs", {"access": "public", "contact": "a", "citation": "b", "licence": "c", "terms": "d", "version": "1"}),
        ("jobs", {"examples": [{"inputs": {"data": "a.txt"}}], "deprecated": {"since": "2026-12-01"}}),
    ],
)
def test_what_this_version_has_is_not_refused(section: str, keys: dict[str, Any]) -> None:
    assert messages(configuration(section, keys, runnable=True)) == []


@pytest.mark.parametrize(
    ("section", "keys", "said"),
    [
        ("backends", {"executor": "slrum"}, "backends.backend.executor: there is no executor 'slrum' (did you mean 'slurm'?)"),
        ("backends", {"root": "relative"}, "backends.backend.root: must be an absolute path"),
        ("backends", {"options": {"partition": "main"}}, "backends.backend.options.partition: is no option of the executor 'local'; known: cpu_time, processes, open_files, file_size, output, "
                "readable"),
        ("tasks", {"container": "{param.x}"}, "tasks.task.container.image: {param.x} names no parameter of this task; known: none"),
    ],
)  # fmt: skip
def test_keys_are_checked_whoever_needs_them(section: str, keys: dict[str, Any], said: str) -> None:
    assert said in messages(configuration(section, keys, runnable=False))


def test_options_of_an_executor_that_is_still_to_come_are_kept_unchecked() -> None:
    made = configuration("backends", {"executor": "grid_engine", "options": {"queue": "main"}}, runnable=False)
    assert messages(made) == []


def test_two_backends_do_not_share_a_queue() -> None:
    problems = check_configuration(
        {"a": BackendDefinition(queue="q"), "b": BackendDefinition(queue="q")}, {}, {}
    ).problems
    assert [str(each) for each in problems] == ["backends.b.queue: the queue 'q' is already that of the backend 'a'"]
    (problem,) = check_configuration({"a": BackendDefinition(queue="LOCALHOST")}, {}, {}).problems
    assert str(problem) == "backends.a.queue: the queue 'LOCALHOST' is already that of the backend 'local'"


def test_a_backend_that_is_not_there_is_an_error_and_only_a_warning_where_others_may_define_it() -> None:
    tasks = {"t": TaskDefinition(command="tool", backend="clustr")}
    (problem,) = check_configuration({"cluster": BackendDefinition()}, tasks, {}).problems
    assert (str(problem), problem.warning) == (
        "tasks.t.backend: there is no backend 'clustr' (did you mean 'cluster'?)",
        False,
    )
    (problem,) = check_configuration({}, tasks, {}, all_backends=False).problems
    assert problem.warning
    assert "it must be there when they are applied" in problem.message
