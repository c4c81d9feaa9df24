"""The command beside the form of a Task, as it is stored and while somebody types."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import serializers
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from analytics_automated.pipelines.models import Backend, Change, Job, Parameter, Snapshot, Task
from analytics_automated.storage.streams import blob_storage
from integration.admin_pages import WORDS, apply_words, browser, text_of
from integration.page_forms import fields_of, row


@pytest.fixture(autouse=True)
def configured(db: None, tmp_path: Path) -> None:
    apply_words(tmp_path)


@pytest.fixture
def operator() -> Client:
    return browser(name="operator", superuser=True)


def everything() -> list[str]:
    models = (Backend, Task, Parameter, Job, Snapshot, Change)
    return [serializers.serialize("json", model.objects.order_by("pk")) for model in models]


def page_of(client: Client, name: str) -> Any:
    return client.get(reverse("admin:pipelines_task_change", args=[Task.objects.get(name=name).pk]))


def typed(client: Client, task: str, /, **changes: str) -> str:
    """What is answered to somebody who has changed these fields, and not saved."""
    fields = fields_of(page_of(client, task), "task_form") | changes
    response = client.post(reverse("admin:pipelines_task_preview", args=[Task.objects.get(name=task).pk]), fields)
    return text_of(response)


def test_the_page_shows_the_command_for_example_values(operator: Client) -> None:
    said = text_of(page_of(operator, "clean"))
    assert "tr z --quiet in.txt Without options: tr z in.txt" in said
    assert "Standard output goes to words.txt." in said


def test_the_page_of_a_script_shows_its_interpreter_and_variables(operator: Client) -> None:
    said = text_of(page_of(operator, "count"))
    assert "bash -euo pipefail SCRIPT" in said
    assert "input_words=/workdir/words.txt output_number=/workdir/number.txt" in said


def test_what_is_typed_is_shown_and_not_kept(operator: Client) -> None:
    before = everything()
    assert "tr -s z --quiet in.txt" in typed(operator, "clean", command="tr -s {param.case} {param.quiet} {input.text}")
    assert typed(operator, "clean", **row("parameters", 0, example='"a"')).startswith("tr a --quiet in.txt")
    assert everything() == before


def test_what_saving_would_refuse_is_said_in_the_same_words(operator: Client) -> None:
    before = everything()
    command = "tr {param.case} {param.quiet} {input.txt}"
    said = typed(operator, "clean", command=command)
    assert "tasks.clean.command: {input.txt} names no input of this task (did you mean 'text'?)" in said
    page = page_of(operator, "clean")
    saved = operator.post(page.request["PATH_INFO"], fields_of(page, "task_form") | {"command": command})
    assert "{input.txt} names no input of this task (did you mean 'text'?)" in text_of(saved)
    assert everything() == before


def test_who_types_keeps_nobody_from_saving(operator: Client) -> None:
    fields = fields_of(page_of(operator, "clean"), "task_form")
    address = reverse("admin:pipelines_task_preview", args=[Task.objects.get(name="clean").pk])
    for changes in ({"title": "x"}, {"name": "cleaner"}, {"command": "tr {input.txt}"}, {"backend": ""}):
        with CaptureQueriesContext(connection) as asked:
            assert operator.post(address, fields | changes).status_code == 200
        assert {query["sql"].split()[0] for query in asked} == {"SELECT"}, "neither a transaction nor a change"


def test_the_name_that_is_typed_is_looked_at_as_if_it_were_saved(operator: Client) -> None:
    assert typed(operator, "clean", name="cleaner").startswith("tr z --quiet in.txt")
    said = typed(operator, "count", name="CLEAN")
    assert "tasks.CLEAN: differs from 'clean', which is there, only by its case" in said
    assert "tasks.Clean" not in typed(operator, "clean", name="Clean")


def test_what_breaks_a_job_is_said_beside_the_command(operator: Client, tmp_path: Path) -> None:
    apply_words(tmp_path, WORDS.replace("task: clean,", "task: clean, parameters: {case: a},"))
    said = typed(operator, "clean", **row("parameters", 0, type="integer", choices="", default="1"))
    assert "jobs.words.steps[0].parameters.case: must be a whole number" in said
    assert "tr 1 --quiet in.txt" in said


def test_a_field_that_cannot_be_read_is_named(operator: Client) -> None:
    assert typed(operator, "clean", **row("parameters", 0, default="{")).startswith("parameter 1: Default: ")
    assert typed(operator, "clean", backend="").startswith("Backend: ")


def test_files_that_are_chosen_are_not_kept(operator: Client) -> None:
    def stored() -> set[str]:
        folders = blob_storage().listdir("")[0]
        return {f"{folder}/{name}" for folder in folders for name in blob_storage().listdir(folder)[1]}

    before, kept = everything(), stored()
    chosen = {"files-TOTAL_FORMS": "1", "files-0-path": "table.txt", "files-0-upload": SimpleUploadedFile("t", b".")}
    assert "tr z --quiet in.txt" in typed(operator, "clean", **chosen)  # type: ignore[arg-type]
    assert everything() == before
    assert stored() == kept


def test_a_new_task_is_previewed_before_there_is_one(operator: Client) -> None:
    opened = operator.get(reverse("admin:pipelines_task_add"))
    assert "Nothing yet: fill in the form." in text_of(opened)
    fields = fields_of(opened, "task_form")
    fields |= {
        "name": "new",
        "pipeline": "words",
        "backend": str(Backend.objects.get(name="local").pk),
        "command": "date -u",
    }
    said = text_of(operator.post(reverse("admin:pipelines_task_preview_new"), fields))
    assert said == "date -u"
    assert not Task.objects.filter(name="new").exists()


def test_who_previews_is_told_nothing_on_the_next_page(operator: Client) -> None:
    typed(operator, "count", script="cat $param_x; true")
    assert "Saved, but" not in text_of(operator.get(reverse("admin:index")))


def test_a_preview_of_a_task_that_is_gone_says_so(operator: Client) -> None:
    said = text_of(operator.post(reverse("admin:pipelines_task_preview", args=[9999]), {"name": "x"}))
    assert said == "there is no task with the key '9999' any more"


def test_previews_are_asked_for_by_post(operator: Client) -> None:
    assert operator.get(reverse("admin:pipelines_task_preview_new")).status_code == 405


def test_who_may_only_look_sees_the_stored_command_and_asks_for_no_other() -> None:
    viewer = browser("view_task", "view_backend", "view_job")
    page = page_of(viewer, "clean")
    assert "tr z --quiet in.txt" in text_of(page)
    assert "data-preview=" not in page.content.decode()
    for address in (
        reverse("admin:pipelines_task_preview", args=[Task.objects.get(name="clean").pk]),
        reverse("admin:pipelines_task_preview_new"),
    ):
        assert viewer.post(address, {"name": "x"}).status_code == 403


def test_a_stranger_is_asked_to_sign_in(client: Client) -> None:
    response = client.post(reverse("admin:pipelines_task_preview_new"), {"name": "x"})
    assert response.status_code == 302
    assert response.headers["Location"].startswith(reverse("admin:login"))


def test_a_preview_needs_the_token_of_the_page() -> None:
    browser(name="operator", superuser=True)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(username="operator"))
    assert strict.post(reverse("admin:pipelines_task_preview_new"), {"name": "x"}).status_code == 403


def test_the_page_runs_no_script_of_its_own(operator: Client) -> None:
    body = page_of(operator, "clean").content.decode()
    assert "pipelines/preview.js" in body
    assert "<script>" not in body
