"""The configuration pages: what is right is saved, what is wrong is refused with all problems and changes nothing."""

import html
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.contrib.staticfiles import finders
from django.core import serializers
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from pydantic import BaseModel

from analytics_automated.pipelines.admin.fields import YamlField
from analytics_automated.pipelines.configuration import apply, verify_stored
from analytics_automated.pipelines.definitions import (
    BackendDefinition,
    ExampleDefinition,
    JobDefinition,
    JobInputDefinition,
    JobParameterDefinition,
    ParameterDefinition,
    StepDefinition,
    TaskDefinition,
    TaskInputDefinition,
    TaskOutputDefinition,
)
from analytics_automated.pipelines.definitions.backend import DataDefinition
from analytics_automated.pipelines.definitions.job import ResultDefinition, ValidatorUse
from analytics_automated.pipelines.definitions.task import SoftwareDefinition
from analytics_automated.pipelines.files.reader import Configuration, read_text
from analytics_automated.pipelines.models import (
    Backend,
    BackendVariable,
    Change,
    Data,
    Environment,
    Example,
    Job,
    JobFile,
    JobInput,
    JobParameter,
    JobResult,
    Parameter,
    QueueType,
    Snapshot,
    Software,
    Step,
    Task,
    TaskFile,
    TaskInput,
    TaskOutput,
    Validator,
)
from analytics_automated.storage.models import Blob
from integration.page_forms import fields_of, row

FILE = """
format: 1
pipeline: words
backends:
  big: {executor: local, queue: large}
tasks:
  clean:
    inputs: {text: in.txt}
    outputs: {words: words.txt}
    command: tr {param.case} {input.text}
    stdout: words
    parameters:
      case: {type: choice, choices: {z: Zebra, a: Ünïcode}, default: z}
      mode: {type: string, flag: --mode, separator: "", default: "", env_only: false, optional: true}
    environment: {LC_ALL: C.UTF-8}
  count:
    inputs: {words: words.txt}
    outputs: {number: number.txt}
    script: |
      import os
      if True:
          open(os.environ["output_number"], "w").write("1")
    interpreter: python
jobs:
  words:
    title: Count words
    runnable: true
    inputs: {text: {title: Any text, validators: [{text: {}}]}}
    steps: [{task: clean, ordering: 1}, {task: count, ordering: 2}]
"""
FILE = FILE.replace("tr {param.case}", "tr {param.case} {param.mode}")


@pytest.fixture
def admin_client(db: None, client: Client) -> Client:
    """A browser of somebody who may do anything, without the time that a password's hash takes."""
    client.force_login(User.objects.create(username="operator", is_staff=True, is_superuser=True))
    return client


PAGES = [
    "auth_group",
    "auth_user",
    "pipelines_backend",
    "pipelines_job",
    "pipelines_queuetype",
    "pipelines_snapshot",
    "pipelines_task",
]


@pytest.fixture
def configured(db: None) -> None:
    configuration = Configuration()
    read_text(FILE, "words.yaml", configuration)
    apply(configuration)


class Page:
    """The page of a row, or of a new one, as somebody opened it."""

    def __init__(self, client: Client, model: str, pk: int | None = None) -> None:
        self.client, self.form = client, f"{model}_form"
        action = "add" if pk is None else "change"
        self.address = reverse(f"admin:pipelines_{model}_{action}", args=[] if pk is None else [pk])
        opened = client.get(self.address)
        assert opened.status_code == 200
        self.fields = fields_of(opened, self.form)

    def save(self, without: str = "", **changes: str) -> Any:
        """Change some fields, untick one, and press Save."""
        sent = self.fields | changes
        return self.client.post(self.address, {name: value for name, value in sent.items() if name != without})


@pytest.fixture
def page(configured: None, admin_client: Client) -> Callable[..., Page]:
    """Opens the page of a row, by its kind and name; without a name, of a new one."""
    kinds: dict[str, Any] = {"task": Task, "job": Job, "backend": Backend, "queuetype": QueueType}

    def open_page(model: str, name: str = "") -> Page:
        return Page(admin_client, model, kinds[model].objects.get(name=name).pk if name else None)

    return open_page


def everything() -> list[str]:
    """All configuration rows, to compare."""
    models = (
        *(Backend, QueueType, Data, BackendVariable, Task, TaskInput, TaskOutput, Parameter, Environment, Software),
        *(TaskFile, Job, JobInput, JobParameter, Step, Validator, JobResult, Example, JobFile, Snapshot, Blob, Change),
    )
    return [serializers.serialize("json", model.objects.order_by("pk")) for model in models]


def errors_on(response: Any) -> list[str]:
    """What the page says is wrong; the test fails where it says nothing."""
    assert response.status_code == 200, "it was saved"
    found = [str(error) for errors in response.context["errors"] for error in _flat(errors)]
    assert found
    text = html.unescape(response.content.decode())
    assert [error for error in found if error not in text] == [], "it is on the page"
    return found


def errors_at(response: Any, field: str) -> list[str]:
    """What is said at the field of that name."""
    forms = [response.context["adminform"].form]
    forms += [form for rows in response.context["inline_admin_formsets"] for form in rows.formset.forms]
    return [
        str(error)
        for form in forms
        for name in form.fields
        if form.add_prefix(name) == field
        for error in form[name].errors
    ]


def _flat(errors: Any) -> list[Any]:
    return [errors] if isinstance(errors, str) else list(errors)


@pytest.mark.parametrize("name", PAGES)
def test_every_list_page_opens(configured: None, admin_client: Client, name: str) -> None:
    assert admin_client.get(reverse(f"admin:{name}_changelist")).status_code == 200
    assert admin_client.get(reverse(f"admin:{name}_changelist"), {"q": "word"}).status_code == 200


@pytest.mark.parametrize("model", [Backend, QueueType, Task, Job, Snapshot])
def test_every_row_has_a_page(configured: None, admin_client: Client, model: Any) -> None:
    name = model._meta.model_name
    assert model.objects.exists()
    for each in model.objects.all():
        assert admin_client.get(reverse(f"admin:pipelines_{name}_change", args=[each.pk])).status_code == 200


@pytest.mark.parametrize("name", ["backend", "queuetype", "task", "job"])
def test_every_kind_of_row_can_be_added(configured: None, admin_client: Client, name: str) -> None:
    assert admin_client.get(reverse(f"admin:pipelines_{name}_add")).status_code == 200


def test_nobody_writes_snapshots(configured: None, admin_client: Client) -> None:
    snapshot = Snapshot.objects.get()
    assert admin_client.get(reverse("admin:pipelines_snapshot_add")).status_code == 403
    for action in ("change", "delete"):
        address = reverse(f"admin:pipelines_snapshot_{action}", args=[snapshot.pk])
        assert admin_client.post(address, {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(
    ("model", "name"), [("task", "clean"), ("task", "count"), ("job", "words"), ("backend", "big")]
)
def test_saving_a_page_as_it_is_changes_nothing(page: Callable[..., Page], model: str, name: str) -> None:
    before = everything()
    response = page(model, name).save()
    assert response.status_code == 302
    assert everything() == before


def test_structured_keys_are_shown_with_their_order_and_characters(configured: None, admin_client: Client) -> None:
    task = Task.objects.get(name="clean")
    shown = fields_of(admin_client.get(reverse("admin:pipelines_task_change", args=[task.pk])), "task_form")
    assert shown["parameters-0-choices"] == "z: Zebra\r\na: Ünïcode"
    assert shown["parameters-0-default"] == "z"
    assert (shown["parameters-0-value"], shown["parameters-0-separator"]) == ("", "")
    assert (shown["parameters-1-default"], shown["parameters-1-separator"]) == ("''", "''")


def test_a_changed_task_is_saved_and_its_jobs_get_new_snapshots(page: Callable[..., Page]) -> None:
    job = Job.objects.get()
    before = job.snapshot
    command = "tr -s {param.case} {param.mode} {input.text}"
    response = page("task", "clean").save(command=command)
    assert response.status_code == 302
    job.refresh_from_db()
    assert before is not None
    assert job.snapshot is not None
    assert job.snapshot.plan.tasks["clean"].command == command
    assert before.plan.tasks["clean"].command != command, "what was submitted before is not touched"
    assert LogEntry.objects.get().object_repr == "clean"


def test_the_order_of_keys_alone_is_a_change(page: Callable[..., Page]) -> None:
    turned = "a: Ünïcode\r\nz: Zebra"
    assert page("task", "clean").save(**row("parameters", 0, choices=turned)).status_code == 302
    assert list(Parameter.objects.get(name="case").choices) == ["a", "z"]


def test_none_and_the_empty_text_stay_apart(page: Callable[..., Page]) -> None:
    changes = row("parameters", 0, flag="-c", separator="=") | row("parameters", 1, separator="", default="")
    assert page("task", "clean").save(**changes).status_code == 302
    case, mode = Parameter.objects.order_by("position")
    assert (case.separator, mode.separator, mode.default) == ("=", None, None)


def test_a_script_keeps_its_blanks_and_gets_no_carriage_returns(page: Callable[..., Page]) -> None:
    script = "\n  import os\nopen(os.environ['output_number'], 'w')\n\n"
    page("task", "count").save(script=script.replace("\n", "\r\n"))
    assert Task.objects.get(name="count").script == script


def test_a_script_with_carriage_returns_keeps_them_where_nobody_touches_it(page: Callable[..., Page]) -> None:
    script = "import os\r\nopen(os.environ['output_number'], 'w')\r\n"
    Task.objects.filter(name="count").update(script=script)
    assert page("task", "count").save(title="Count").status_code == 302
    task = Task.objects.get(name="count")
    assert (task.script, task.title) == (script, "Count")


def test_a_whole_service_can_be_made_on_the_pages(page: Callable[..., Page]) -> None:
    response = page("task").save(
        name="upper",
        backend=str(Backend.objects.get(name="local").pk),
        command="tr {param.what} {input.text}",
        stdout="done",
        exit_codes_continue="2, 64-78",
        exit_codes_messages="2: Nothing was there.",
        timeout="30m",
        resources_memory="2GB",
        **{f"{rows}-TOTAL_FORMS": "1" for rows in ("inputs", "outputs", "parameters", "software")},
        **{"environment-TOTAL_FORMS": "2"},
        **row("inputs", 0, position="", name="text", file="in.txt"),
        **row("outputs", 0, position="", name="done", file="out.txt", publish="on"),
        **row("parameters", 0, position="", name="what", type="string", default="'007'", pattern="[a-z0-9-]+ ?"),
        **row("software", 0, name="tr", version="9.4", type="software"),
        **row("environment", 0, position="", name="B", value=" two blanks "),
        **row("environment", 1, position="", name="A", value="1"),
    )
    assert response.status_code == 302, errors_on(response)
    upper = Task.objects.get(name="upper")
    response = page("job").save(
        name="up-2.0",
        runnable="on",
        **{"steps-TOTAL_FORMS": "2", "validators-TOTAL_FORMS": "1"},
        **row("steps", 0, position="", task=str(upper.pk), name="second", inputs="text: first.done"),
        **row("steps", 1, position="0", task=str(upper.pk), name="first"),
        **row("validators", 0, position="", name="text", input="", options="max_lines: 9"),
    )
    assert response.status_code == 302
    job = Job.objects.get(name="up-2.0")
    assert job.snapshot is not None
    assert [step.name for step in job.snapshot.plan.steps] == ["first", "second"]
    assert [(each.name, each.options) for each in job.snapshot.plan.validators] == [("text", {"max_lines": 9})]
    assert (upper.pipeline, job.pipeline) == ("pages", "pages")
    assert upper.exit_codes == {"continue": ["2", "64-78"], "messages": {"2": "Nothing was there."}}
    assert (upper.timeout, upper.resources) == ("30m", {"memory": "2GB"})
    assert [(each.name, each.value) for each in upper.environment.all()] == [
        ("B", " two blanks "),
        ("A", "1"),
    ]
    assert (upper.parameters.get().pattern, upper.parameters.get().default) == ("[a-z0-9-]+ ?", "007")


WRONG_TASKS: list[tuple[dict[str, str], str]] = [
    (
        {"command": "tr {param.case} {param.mode} {input.txt}"},
        "tasks.clean.command: {input.txt} names no input",
    ),
    ({"command": "tr {param.case} {param.mode} {input.text} | sort"}, "tasks.clean.command: "),
    ({"command": ""}, "tasks.clean: needs either `command` or `script`, one of the two"),
    ({"stdout": "word"}, "tasks.clean.stdout: names no output of this task (did you mean 'words'?)"),
    ({"name": "clean it"}, "tasks.clean it: is no name: letters, digits and _ (at most 64), a letter first"),
    ({"name": "Count"}, "tasks.count: differs from 'Count', which is there, only by its case"),
    ({"timeout": "-1"}, "tasks.clean.timeout: '-1' is no duration"),
    ({"cache": "on"}, "tasks.clean.cache: `cache` is not supported by this version"),
    ({"retries_max": "many"}, "tasks.clean.retries.max: must be a whole number, not 'many'"),
    ({"resources_memory": "2 loads"}, "tasks.clean.resources.memory: '2 loads' is no size"),
    ({"exit_codes_stop": "3, 400"}, "tasks.clean.exit_codes.stop[1]: is neither an exit code (0 to 255) nor a range"),
    ({"exit_codes_messages": "3: a\r\n3: b"}, "3: is here twice (first in line 1) (line 2)"),
    ({"secrets": "TOKEN\r\nA KEY"}, "tasks.clean.secrets[1]: is no variable name"),
    ({"pipeline": "my own"}, "tasks.clean.pipeline: is no name: letters, digits and _ (at most 64), a letter first"),
    ({"missing_output": "panic"}, "tasks.clean.missing_output: must be 'fail', 'stop' or 'continue', not 'panic'"),
    ({"stdout": "word"} | row("outputs", 0, name="word"), "jobs.words.steps[1]"),
    (row("inputs", 0, file="../in.txt"), "tasks.clean.inputs.text.file: must be a plain path below the work folder"),
    (row("outputs", 0, file=""), "tasks.clean.outputs.words.file: is missing"),
    (row("inputs", 0, name="input text"), "tasks.clean.inputs.input text: is no name"),
    (row("parameters", 0, default="x"), "tasks.clean.parameters.case.default: "),
    (row("parameters", 0, max_items="two"), "tasks.clean.parameters.case.max_items: must be a whole number, not 'two'"),
    (row("parameters", 0, choices="[1, 2"), "is no YAML: while parsing a flow sequence"),
    (row("parameters", 0, minimum="1"), "tasks.clean.parameters.case.minimum: belongs to a number"),
    (row("parameters", 0, name="mode"), "tasks.clean.parameters.mode: is here twice"),
    (row("parameters", 0, separator="[5]"), "tasks.clean.parameters.case.separator: must be text, not a list"),
    (row("environment", 0, name="PATH"), "tasks.clean.environment.PATH: is set by A_A for every command"),
]


def test_a_wrong_task_is_refused_in_the_words_of_files(page: Callable[..., Page], subtests: pytest.Subtests) -> None:
    before, opened = everything(), page("task", "clean")
    for changes, said in WRONG_TASKS:
        with subtests.test(said=said):
            response = opened.save(**changes)
            assert any(said in error for error in errors_on(response)), errors_on(response)
            assert everything() == before
            typed = fields_of(response, opened.form)
            assert {name: typed.get(name) for name in changes} == changes
    assert not LogEntry.objects.exists()


WRONG_YAML: list[tuple[str, str]] = [
    ("{'a': 1", "is no YAML: while parsing a flow mapping"),
    ("a: 1\r\na: 2", "a: is here twice (first in line 1) (line 2)"),
    ("<<: {a: 1}", "YAML 1.2 merges no mappings"),
    ('{"a": "\\ud800"}', "holds half of a character"),
    ("[" * 1000, "is nested deeper than 50 levels"),
    ("a: !!python/object x", "has the tag"),
]


@pytest.mark.parametrize(("text", "said"), WRONG_YAML)
def test_wrong_yaml_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        YamlField(required=False, empty={}).clean(text)
    assert any(said in error for error in refused.value.messages), refused.value.messages


def test_wrong_yaml_stays_on_the_page_as_it_was_typed(page: Callable[..., Page]) -> None:
    before = everything()
    response = page("task", "clean").save(exit_codes_messages="3: [a")
    assert errors_on(response)[0].startswith("is no YAML: ")
    assert fields_of(response, "task_form")["exit_codes_messages"] == "3: [a"
    assert everything() == before


WRONG_JOBS: list[tuple[dict[str, str], str]] = [
    (row("steps", 0, DELETE="on"), "jobs.words.steps[0].inputs.words"),
    (
        row("steps", 0, parameters="cas: z"),
        "is no parameter of the task 'clean' (did you mean 'case'?)",
    ),
    (
        row("steps", 0, needs="count") | row("steps", 1, needs="clean"),
        "in a circle",
    ),
    (
        row("steps", 0, when="param.case == 1"),
        "jobs.words.steps[0].when: 'case' is no parameter of this job",
    ),
    (row("steps", 1, scatter_max_items="9"), "jobs.words.steps[1].scatter.over: is missing"),
    (row("validators", 0, options="lines: 3"), "is no option of this validator"),
    (row("validators", 0, input="texts"), "'texts' is no input of this page: name it under Inputs first"),
    ({"inputs-TOTAL_FORMS": "2"} | row("inputs", 1, name="more"), "jobs.words.inputs.more: no step uses it"),
    (row("inputs", 0, max_size="much"), "jobs.words.inputs.text.max_size: 'much' is no size"),
    (
        {"results-TOTAL_FORMS": "1"} | row("results", 0, name="n", source="count.numbr"),
        "has no output 'numbr' (did you mean 'number'?)",
    ),
    ({"access": "login"}, "jobs.words.access: `access` is not supported"),
    ({"access": "groups"}, "jobs.words.access: names no group: write public, login, or a list of groups"),
    ({"deprecated_since": "soon"}, "jobs.words.deprecated.since: is no date"),
    ({"schedule_timezone": "UTC"}, "jobs.words.schedule.cron: is missing"),
    (
        {"examples-TOTAL_FORMS": "1"} | row("examples", 0, inputs="text: hello.txt", expect_status="COMPLETE"),
        "jobs.words.examples[0].inputs.text: there is no file 'hello.txt': upload it under Files",
    ),
    ({"name": "a/b"}, "jobs.a/b: is no name: letters, digits, _ - . (at most 64), a letter first"),
]


def test_a_wrong_job_is_refused_in_the_words_of_files(page: Callable[..., Page], subtests: pytest.Subtests) -> None:
    before, opened = everything(), page("job", "words")
    for changes, said in WRONG_JOBS:
        with subtests.test(said=said):
            response = opened.save(**changes)
            assert any(said in error for error in errors_on(response)), errors_on(response)
            assert everything() == before
            typed = fields_of(response, opened.form)
            assert {name: typed.get(name) for name in changes} == changes


def test_all_problems_are_said_at_once(page: Callable[..., Page]) -> None:
    response = page("task", "clean").save(
        command="tr {input.a} {param.b} {param.case} {param.mode} {input.text}",
        stdin="c",
    )
    assert len(errors_on(response)) == 3


def test_a_problem_stands_at_the_field_that_it_is_about(page: Callable[..., Page]) -> None:
    wrong: list[tuple[str, str, dict[str, str], str]] = [
        ("task", "clean", {"command": "tr {param.case} {param.mode} {input.text} {input.txt}"}, "command"),
        ("task", "clean", {"retries_max": "-1"}, "retries_max"),
        ("task", "clean", row("inputs", 0, file="/in"), "inputs-0-file"),
        ("task", "clean", row("environment", 0, name="PATH"), "environment-0-name"),
        ("job", "words", row("steps", 0, parameters="cas: z"), "steps-0-parameters"),
        ("job", "words", row("steps", 1, inputs="words: clean.word"), "steps-1-inputs"),
        ("job", "words", row("validators", 0, options="lines: 3"), "validators-0-options"),
        ("backend", "big", {"root": "work"}, "root"),
        ("backend", "big", {"limits_resources_cpus": "0"}, "limits_resources_cpus"),
    ]
    for model, name, changes, field in wrong:
        response = page(model, name).save(**changes)
        found = errors_on(response)
        assert len(found) == 1, found
        assert errors_at(response, field) == found, field


def test_a_task_that_is_no_task_is_not_also_said_to_be_missing(page: Callable[..., Page]) -> None:
    response = page("task", "clean").save(**row("inputs", 0, file=""))
    assert errors_on(response) == ["tasks.clean.inputs.text.file: is missing"]


def test_a_job_that_is_not_runnable_must_be_right_too(page: Callable[..., Page]) -> None:
    wrong = {"results-TOTAL_FORMS": "1"} | row("results", 0, name="n", source="count.nothing")
    response = page("job", "words").save(without="runnable", **wrong)
    assert response.status_code == 200
    assert any("the step 'count' has no output 'nothing'" in problem for problem in response.context["problems"])
    assert Job.objects.get().runnable


def test_a_backend_is_edited_with_its_queue_type(page: Callable[..., Page]) -> None:
    big = Backend.objects.get(name="big")
    assert page("backend", "big").save(queue="larger").status_code == 302
    big.refresh_from_db()
    assert (big.queue_type.name, QueueType.objects.filter(name="large").exists()) == ("larger", False)
    assert page("backend").save(name="small").status_code == 302
    assert Backend.objects.get(name="small").queue_type.name == "small"


WRONG_BACKENDS: list[tuple[dict[str, str], str]] = [
    ({"queue": "LOCALHOST"}, "backends.big.queue: the queue 'LOCALHOST' is already that of the backend 'local'"),
    ({"queue": "a queue"}, "backends.big.queue: is no queue name"),
    (
        {"options": "partition: x"},
        "backends.big.options.partition: is no option of the executor 'local'",
    ),
    ({"root": "work"}, "backends.big.root: must be an absolute path"),
    ({"user": "Some Body"}, "backends.big.user: is no system user"),
    ({"max_running": "0"}, "backends.big.max_running: must be at least 1"),
    ({"limits_timeout": "long"}, "backends.big.limits.timeout: 'long' is no duration"),
    (
        {"data-TOTAL_FORMS": "1"} | row("data", 0, name="uniref90", version="1"),
        "backends.big.data.uniref90.path: is missing",
    ),
]


def test_a_wrong_backend_is_refused(page: Callable[..., Page], subtests: pytest.Subtests) -> None:
    before, opened = everything(), page("backend", "big")
    for changes, said in WRONG_BACKENDS:
        with subtests.test(said=said):
            response = opened.save(**changes)
            assert any(said in error for error in errors_on(response)), errors_on(response)
            assert everything() == before
            typed = fields_of(response, opened.form)
            assert {name: typed.get(name) for name in changes} == changes


def test_the_local_backend_can_be_neither_deleted_nor_renamed(page: Callable[..., Page], admin_client: Client) -> None:
    Task.objects.update(backend=Backend.objects.get(name="big"))
    local = Backend.objects.get(name="local")
    before = everything()
    said = "backends.local: always exists: it can be neither deleted nor renamed"
    assert said in errors_on(page("backend", "local").save(name="here"))
    deleted = admin_client.post(
        reverse("admin:pipelines_backend_delete", args=[local.pk]), {"post": "yes"}, follow=True
    )
    assert f"Refused: {said}" in deleted.content.decode()
    assert everything() == before


def test_many_backends_are_deleted_or_none(page: Callable[..., Page], admin_client: Client) -> None:
    Task.objects.update(backend=Backend.objects.get(name="big"))
    page("backend").save(name="spare")
    LogEntry.objects.all().delete()
    before = everything()
    address = reverse("admin:pipelines_backend_changelist")
    chosen = [row.pk for row in Backend.objects.filter(name__in=["local", "spare"])]
    data = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    assert "Refused: backends.local: always exists" in admin_client.post(address, data, follow=True).content.decode()
    assert everything() == before
    assert not LogEntry.objects.exists()
    data["_selected_action"] = [Backend.objects.get(name="spare").pk]
    admin_client.post(address, data)
    assert not Backend.objects.filter(name="spare").exists()
    assert not QueueType.objects.filter(name="spare").exists()


def test_what_is_in_use_cannot_be_deleted(configured: None, admin_client: Client) -> None:
    before = everything()
    for model, name in ((Task, "clean"), (Backend, "local")):
        pk = model.objects.get(name=name).pk  # type: ignore[attr-defined]
        address = reverse(f"admin:pipelines_{model._meta.model_name}_delete", args=[pk])
        response = admin_client.post(address, {"post": "yes"})
        assert response.status_code == 200
        assert "protected related objects" in response.content.decode()
    assert everything() == before


def test_a_job_and_then_its_task_can_be_deleted(configured: None, admin_client: Client) -> None:
    job, task = Job.objects.get(), Task.objects.get(name="count")
    admin_client.post(reverse("admin:pipelines_job_delete", args=[job.pk]), {"post": "yes"})
    admin_client.post(reverse("admin:pipelines_task_delete", args=[task.pk]), {"post": "yes"})
    assert (Job.objects.count(), [task.name for task in Task.objects.all()]) == (0, ["clean"])
    assert Snapshot.objects.exists(), "what was submitted keeps its snapshot"


def test_a_queue_type_is_checked_too(page: Callable[..., Page]) -> None:
    said = errors_on(page("queuetype", "large").save(executor="gone"))
    assert said == ["backends.big.executor: there is no executor 'gone'; installed: local, slurm"]
    assert errors_on(page("queuetype", "large").save(name="no queue")) == [
        "'no queue' is no queue name: letters, digits, _ - ."
    ]
    assert page("queuetype", "large").save(name="huge").status_code == 302
    verify_stored()


def test_the_owner_is_the_pages_unless_said(page: Callable[..., Page]) -> None:
    assert page("task").fields["pipeline"] == "pages"
    opened = page("task", "clean")
    assert opened.fields["pipeline"] == "words"
    assert opened.save(pipeline="mine").status_code == 302
    assert Task.objects.get(name="clean").pipeline == "mine"


def test_the_history_says_who_changed_what_on_the_pages(page: Callable[..., Page]) -> None:
    assert page("task", "clean").save(title="Clean").status_code == 302
    lines = Change.objects.filter(door="pages").order_by("name")
    assert [(line.who, line.section, line.name, line.kind) for line in lines] == [
        ("operator", "tasks", "clean", "changed"),
        ("operator", "jobs", "words", "renewed"),
    ]


def test_somebody_who_may_only_look_sees_everything_and_changes_nothing(configured: None, client: Client) -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(viewer)
    before = everything()
    for model in (Backend, QueueType, Task, Job, Snapshot):
        for each in model.objects.all():  # type: ignore[attr-defined]
            address = reverse(f"admin:pipelines_{model._meta.model_name}_change", args=[each.pk])
            assert client.get(address).status_code == 200
            assert client.post(address, {"name": "x"}).status_code == 403
    assert everything() == before


def test_who_may_change_tasks_may_change_their_rows_but_no_jobs(configured: None, client: Client) -> None:
    author = User.objects.create_user("author", is_staff=True)
    author.user_permissions.set(Permission.objects.filter(codename__in=["change_task", "view_job"]))
    client.force_login(author)
    opened = Page(client, "task", Task.objects.get(name="clean").pk)
    assert opened.save(**row("parameters", 0, title="Case")).status_code == 302
    assert Parameter.objects.get(name="case").title == "Case"
    address = reverse("admin:pipelines_job_change", args=[Job.objects.get().pk])
    shown = client.get(address)
    assert "Any text" in shown.content.decode()
    assert client.post(address, {"name": "x"}).status_code == 403
    assert client.get(reverse("admin:pipelines_task_add")).status_code == 403


def test_a_new_row_that_was_refused_is_not_there(page: Callable[..., Page]) -> None:
    before = everything()
    response = page("task").save(name="new", backend=str(Backend.objects.get(name="local").pk), command="cp {input.x}")
    assert errors_on(response) == ["tasks.new.command: {input.x} names no input of this task; known: none"]
    assert everything() == before
    assert fields_of(response, "task_form")["command"] == "cp {input.x}"


KEYS: list[tuple[str, str, type[BaseModel]]] = [
    ("backend", "", BackendDefinition),
    ("backend", "data", DataDefinition),
    ("task", "", TaskDefinition),
    ("task", "inputs", TaskInputDefinition),
    ("task", "outputs", TaskOutputDefinition),
    ("task", "parameters", ParameterDefinition),
    ("task", "software", SoftwareDefinition),
    ("job", "", JobDefinition),
    ("job", "inputs", JobInputDefinition),
    ("job", "parameters", JobParameterDefinition),
    ("job", "steps", StepDefinition),
    ("job", "validators", ValidatorUse),
    ("job", "results", ResultDefinition),
    ("job", "examples", ExampleDefinition),
]


@pytest.mark.parametrize(("model", "rows", "definition"), KEYS, ids=[each[2].__name__ for each in KEYS])
def test_every_key_of_a_file_has_a_field_with_its_description(
    admin_client: Client, model: str, rows: str, definition: type[BaseModel]
) -> None:
    page = admin_client.get(reverse(f"admin:pipelines_{model}_add"))
    shown = html.unescape(re.sub("</?code>", "`", page.content.decode()))
    formsets = {each.formset.prefix: each.formset for each in page.context["inline_admin_formsets"]}
    fields = formsets[rows].empty_form.fields if rows else page.context["adminform"].form.fields
    for key, info in definition.model_fields.items():
        parts = [name for name in fields if name == key or name.startswith(f"{key}_")]
        assert parts or key in formsets or (rows and key == "validators"), key
        for name in parts:
            field = formsets[rows].empty_form[name].html_name if rows else name
            assert f'name="{field}"' in page.content.decode(), field
            assert fields[name].help_text or key in {"name", "access"}, name
        if parts == [key] and key not in {"access", "name"} and info.description:
            assert info.description in shown, key


def test_the_sidebar_holds_what_somebody_may_see(admin_client: Client, client: Client) -> None:
    def groups(response: Any) -> dict[str, list[str]]:
        listed = response.context["sidebar_navigation"]
        return {group["title"]: [item["title"] for item in group["items"]] for group in listed}

    everything_there = groups(admin_client.get(reverse("admin:index")))
    assert list(everything_there) == ["Configuration", "What happened", "Accounts"]
    assert everything_there["Configuration"][:4] == ["Jobs", "Tasks", "Backends", "Queue types"]
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_job"))
    client.force_login(viewer)
    assert groups(client.get(reverse("admin:index"))) == {"Configuration": ["Jobs"]}


def test_an_account_is_made_on_its_pages(admin_client: Client) -> None:
    address = reverse("admin:auth_user_add")
    sent = fields_of(admin_client.get(address), "user_form")
    sent |= {"username": "someone", "password1": "a long enough secret", "password2": "a long enough secret"}
    assert admin_client.post(address, sent).status_code == 302
    assert User.objects.get(username="someone").check_password("a long enough secret")


def test_the_theme_brings_all_that_it_needs(configured: None, admin_client: Client) -> None:
    text = admin_client.get(reverse("admin:pipelines_task_add")).content.decode()
    assert not re.search(r"<script(?![^>]*src=)[^>]*>\s*[^\s<]", text), "no script stands in the page itself"
    for address in re.findall(r"""<(?:link[^>]*href|script[^>]*src)=["']/static/([^"']+)""", text):
        found = finders.find(address)
        assert found, address
        if address.endswith(".css"):
            asked = re.findall(r"""url\(["']?(?!data:)([^)"']+)""", Path(found).read_text())
            assert all((Path(found).parent / name).is_file() for name in asked), address


def test_the_pages_ask_no_other_host(configured: None, admin_client: Client) -> None:
    for address in (
        reverse("admin:index"),
        reverse("admin:pipelines_task_changelist"),
        reverse("admin:pipelines_task_change", args=[Task.objects.all()[0].pk]),
        reverse("admin:auth_user_add"),
        reverse("admin:runs_submission_changelist"),
    ):
        text = admin_client.get(address).content.decode()
        assert not re.findall(r"""(?:src|href|action)=["'](?:https?:)?//[^"']*""", text)


def test_stored_data_survives_the_page_byte_for_byte(page: Callable[..., Page]) -> None:
    odd = {"continue": ["2"], "messages": {"3": 'a "b" \\ </textarea> & é\u2028\n', "4": " \n\n x"}}
    Task.objects.filter(name="clean").update(exit_codes=odd, description=" a\r\n", secrets=[" A ", ""])
    before = everything()
    assert errors_on(page("task", "clean").save())[0].startswith("tasks.clean.secrets[0]: is no variable name")
    assert everything() == before
    Task.objects.filter(name="clean").update(secrets=[])
    verify_stored()
    before = everything()
    assert page("task", "clean").save().status_code == 302
    assert everything() == before
    assert page("task", "clean").save(exit_codes_stop="9").status_code == 302
    assert Task.objects.get(name="clean").exit_codes == {"stop": ["9"], **odd}
