"""The configuration pages: what is right is saved, what is wrong is refused with all problems and changes nothing."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core import serializers
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from analytics_automated.pipelines.admin.fields import StructureField
from analytics_automated.pipelines.configuration import apply, verify_stored
from analytics_automated.pipelines.files.reader import Configuration, read_text
from analytics_automated.pipelines.models import (
    Backend,
    Environment,
    Job,
    Parameter,
    QueueType,
    Snapshot,
    Step,
    Task,
    Validator,
)
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
    models = (Backend, QueueType, Task, Parameter, Environment, Job, Step, Validator, Snapshot)
    return [serializers.serialize("json", model.objects.order_by("pk")) for model in models]


def errors_on(response: Any) -> list[str]:
    """What the page says is wrong; the test fails where it says nothing."""
    assert response.status_code == 200, "it was saved"
    found = [str(error) for errors in response.context["errors"] for error in _flat(errors)]
    assert found
    assert all(re.search(r'class="errorlist', response.content.decode()) for _ in found)
    return found


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
    assert shown["parameters-0-choices"] == '{\r\n  "z": "Zebra",\r\n  "a": "Ünïcode"\r\n}'
    assert shown["parameters-0-default"] == '"z"'
    assert (shown["parameters-0-value"], shown["parameters-0-separator"]) == ("", "")
    assert (shown["parameters-1-default"], shown["parameters-1-separator"]) == ('""', '""')


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
    turned = '{"a": "Ünïcode", "z": "Zebra"}'
    page("task", "clean").save(**row("parameters", 0, choices=turned))
    assert list(Parameter.objects.get(name="case").choices) == ["a", "z"]


def test_none_and_the_empty_text_stay_apart(page: Callable[..., Page]) -> None:
    changes = row("parameters", 0, flag="-c", separator='"="') | row("parameters", 1, separator="", default="")
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
        inputs='{"text": {"file": "in.txt"}}',
        outputs='{"done": {"file": "out.txt"}}',
        stdout="done",
        **{"parameters-TOTAL_FORMS": "1", "environment-TOTAL_FORMS": "2"},
        **row("parameters", 0, position="", name="what", type="string", default='"a-z"', pattern="[a-z-]+ ?"),
        **row("environment", 0, position="", name="B", value=" two blanks "),
        **row("environment", 1, position="", name="A", value="1"),
    )
    assert response.status_code == 302
    upper = Task.objects.get(name="upper")
    response = page("job").save(
        name="up-2.0",
        runnable="on",
        **{"steps-TOTAL_FORMS": "2", "validators-TOTAL_FORMS": "1"},
        **row("steps", 0, position="", task=str(upper.pk), name="second", inputs='{"text": "first.done"}'),
        **row("steps", 1, position="0", task=str(upper.pk), name="first"),
        **row("validators", 0, position="", name="text", input="", options="{}"),
    )
    assert response.status_code == 302
    job = Job.objects.get(name="up-2.0")
    assert job.snapshot is not None
    assert [step.name for step in job.snapshot.plan.steps] == ["first", "second"]
    assert job.snapshot.plan.validators[0].name == "text"
    assert [(each.name, each.value) for each in upper.environment.all()] == [
        ("B", " two blanks "),
        ("A", "1"),
    ]
    assert upper.parameters.get().pattern == "[a-z-]+ ?"


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
    ({"timeout": "-1"}, "tasks.clean.timeout: a duration is never negative"),
    ({"further": '{"retry": 1}'}, "tasks.clean.retry: is no key here (did you mean 'retries'?)"),
    ({"further": '{"cache": true}'}, "tasks.clean.cache: `cache` is not supported by this version"),
    ({"further": '{"stdin": "text"}'}, "'stdin' has a place of its own on this page."),
    ({"outputs": '{"word": "words.txt"}', "stdout": "word"}, "jobs.words.steps[1]"),
    ({"inputs": '{"text": 5}'}, "tasks.clean.inputs.text: must be a mapping (key: value), not 5"),
    (row("parameters", 0, default='"x"'), "tasks.clean.parameters.case.default: "),
    (row("parameters", 0, minimum="1"), "tasks.clean.parameters.case.minimum: belongs to a number"),
    (row("parameters", 0, name="mode"), "Please correct the duplicate"),
    (row("parameters", 0, separator="5"), 'This must be text in double quotes, such as "=".'),
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


WRONG_JSON: list[tuple[str, str]] = [
    ("{'a': 1}", "This is no JSON: Expecting property name enclosed in double quotes (line 1, column 2)."),
    ('{"a": 1, "a": 2}', "it has the key 'a' twice"),
    ('{"a": NaN}', "NaN is no number"),
    ('{"a": 1e999}', "1e999 is too large a number"),
    ('{"a": "\\ud800"}', "half a character"),
    ("[" * 100_000, "This is no JSON"),
    ('["a"]', 'This must be a mapping, such as {"name": "value"}.'),
    ('"text"', "This must be a mapping"),
    ("1" * 5000, "This is no JSON that can be kept"),
]


@pytest.mark.parametrize(("text", "said"), WRONG_JSON)
def test_wrong_json_is_refused_with_its_place(text: str, said: str) -> None:
    field = StructureField(required=False, empty=dict)
    with pytest.raises(ValidationError) as refused:
        field.clean(text)
    assert any(said in error for error in refused.value.messages), refused.value.messages


def test_wrong_json_stays_on_the_page_as_it_was_typed(page: Callable[..., Page]) -> None:
    before = everything()
    response = page("task", "clean").save(outputs='{"words":  }')
    assert errors_on(response)[0].startswith("This is no JSON: Expecting value (line 1, column 12).")
    assert fields_of(response, "task_form")["outputs"] == '{"words":  }'
    assert everything() == before


WRONG_JOBS: list[tuple[dict[str, str], str]] = [
    (row("steps", 0, DELETE="on"), "jobs.words.steps[0].inputs.words"),
    (
        row("steps", 0, parameters='{"cas": "z"}'),
        "is no parameter of the task 'clean' (did you mean 'case'?)",
    ),
    (
        row("steps", 0, further='{"needs": ["count"]}') | row("steps", 1, further='{"needs": ["clean"]}'),
        "in a circle",
    ),
    (
        row("steps", 0, further='{"when": "param.case == 1"}'),
        "jobs.words.steps[0].when: a text and a number are never equal",
    ),
    (row("validators", 0, options='{"lines": 3}'), "is no option of this validator"),
    ({"inputs": '{"text": {}, "more": {}}'}, "jobs.words.inputs.more: no step uses it"),
    ({"inputs": '{"text": "in.txt"}'}, "This must be a mapping of mappings"),
    ({"inputs": '{"text": {"validators": ["text"]}}'}, "The validators of 'text' have rows of their own"),
    ({"results": '{"n": "count.numbr"}'}, "has no output 'numbr' (did you mean 'number'?)"),
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


def test_a_task_that_is_no_task_is_not_also_said_to_be_missing(page: Callable[..., Page]) -> None:
    response = page("task", "clean").save(inputs='{"text": 5}')
    assert errors_on(response) == ["tasks.clean.inputs.text: must be a mapping (key: value), not 5"]


def test_a_job_that_is_not_runnable_may_be_unfinished_and_says_what_is_missing(
    page: Callable[..., Page],
) -> None:
    job = Job.objects.get()
    response = page("job", "words").save(without="runnable", results='{"n": "count.nothing"}')
    assert response.status_code == 302
    job.refresh_from_db()
    assert (job.runnable, job.snapshot) == (False, None)
    said = [str(message) for message in response.wsgi_request._messages]
    assert any(
        message.startswith("Saved, but jobs.words.results.n: the step 'count' has no output") for message in said
    )


def test_a_backend_is_edited_with_its_queue_type(page: Callable[..., Page]) -> None:
    big = Backend.objects.get(name="big")
    assert page("backend", "big").save(queue="larger").status_code == 302
    big.refresh_from_db()
    assert (big.queue_type.name, QueueType.objects.filter(name="large").exists()) == ("larger", False)
    assert page("backend").save(name="small").status_code == 302
    assert Backend.objects.get(name="small").queue_type.name == "small"


WRONG_BACKENDS: list[tuple[dict[str, str], str]] = [
    ({"queue": "LOCALHOST"}, "the queue 'LOCALHOST' is already that of the backend 'local'"),
    ({"queue": "a queue"}, "'a queue' is no queue name"),
    (
        {"options": '{"partition": "x"}'},
        "backends.big.options.partition: is no option of the executor 'local'",
    ),
    ({"root": "work"}, "backends.big.root: must be an absolute path"),
    ({"further": '{"queue": "x"}'}, "'queue' has a place of its own on this page."),
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
    assert said == ["backends.big.executor: there is no executor 'gone'; installed: local"]
    assert errors_on(page("queuetype", "large").save(name="no queue")) == [
        "'no queue' is no queue name: letters, digits, _ - ."
    ]
    assert page("queuetype", "large").save(name="huge").status_code == 302
    verify_stored()


def test_the_owner_is_shown_and_cannot_be_typed(page: Callable[..., Page], admin_client: Client) -> None:
    task = Task.objects.get(name="clean")
    opened = admin_client.get(reverse("admin:pipelines_task_change", args=[task.pk]))
    assert "pipeline" not in fields_of(opened, "task_form")
    assert '<div class="readonly">words</div>' in opened.content.decode()
    page("task", "clean").save(pipeline="mine")
    task.refresh_from_db()
    assert task.pipeline == "words"


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


def test_a_new_row_that_was_refused_is_not_there(page: Callable[..., Page]) -> None:
    before = everything()
    response = page("task").save(name="new", backend=str(Backend.objects.get(name="local").pk), command="cp {input.x}")
    assert errors_on(response) == ["tasks.new.command: {input.x} names no input of this task; known: none"]
    assert everything() == before
    assert fields_of(response, "task_form")["command"] == "cp {input.x}"


def test_the_pages_ask_no_other_host(configured: None, admin_client: Client) -> None:
    for address in (
        reverse("admin:index"),
        reverse("admin:pipelines_task_change", args=[Task.objects.all()[0].pk]),
    ):
        text = admin_client.get(address).content.decode()
        assert not re.findall(r"""(?:src|href|action)=["'](?:https?:)?//[^"']*""", text)


def test_stored_data_survives_the_page_byte_for_byte(page: Callable[..., Page]) -> None:
    odd = {"messages": {"3": 'a "b" \\ </textarea> & é\u2028\n'}, "continue": ["2"]}
    pk = Task.objects.get(name="clean").pk
    assert page("task", "clean").save(exit_codes=json.dumps(odd, ensure_ascii=False)).status_code == 302
    before = everything()
    assert page("task", "clean").save().status_code == 302
    assert everything() == before
    assert Task.objects.get(pk=pk).exit_codes == odd
