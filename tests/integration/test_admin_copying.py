"""Copies of Tasks and Jobs on the pages."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from analytics_automated.pipelines.configuration.copying import free_name
from analytics_automated.pipelines.models import Change, Job, Task
from integration.admin_pages import WORDS, apply_words, browser, text_of
from integration.page_forms import fields_of


@pytest.fixture(autouse=True)
def configured(db: None, tmp_path: Path) -> None:
    apply_words(tmp_path)


@pytest.fixture
def operator() -> Client:
    return browser(name="operator", superuser=True)


def address(row: Any) -> str:
    return reverse(f"admin:pipelines_{row._meta.model_name}_copy", args=[row.pk])


def test_a_copy_of_a_task_has_all_its_rows_and_files(operator: Client) -> None:
    count = Task.objects.get(name="count")
    fields = fields_of(operator.get(address(count)), "copy_form")
    assert (fields["name"], fields["pipeline"]) == ("count_copy", "pages")
    response = operator.post(address(count), fields)
    copy = Task.objects.get(name="count_copy")
    assert response.headers["Location"] == reverse("admin:pipelines_task_change", args=[copy.pk])
    assert copy.to_definition() == count.to_definition()
    assert [(each.path, each.blob) for each in copy.files.all()] == [
        (each.path, each.blob) for each in count.files.all()
    ]
    assert copy.files.exists()


def test_a_copy_of_a_job_is_not_runnable(operator: Client) -> None:
    job = Job.objects.get()
    operator.post(address(job), {"name": "words-2.0", "pipeline": "mine"})
    copy = Job.objects.get(name="words-2.0")
    assert (copy.runnable, copy.pipeline) == (False, "mine")
    assert copy.to_definition() == job.to_definition().model_copy(update={"runnable": False})
    assert copy.snapshot is not None, "it could run as it is"
    assert copy.snapshot != job.snapshot


def test_a_copy_of_a_job_has_none_of_its_aliases(operator: Client, tmp_path: Path) -> None:
    apply_words(tmp_path, WORDS.replace("    runnable: true", "    aliases: [counting]"))
    operator.post(address(Job.objects.get()), {"name": "words2", "pipeline": "words"})
    assert Job.objects.get(name="words").aliases == ["counting"]
    assert Job.objects.get(name="words2").aliases == []


def test_a_copy_is_in_the_history_under_the_name_of_who_made_it(operator: Client) -> None:
    operator.post(address(Task.objects.get(name="clean")), {"name": "tidy", "pipeline": "words"})
    change = Change.objects.get(name="tidy")
    assert (change.who, change.door, change.kind) == ("operator", "pages", "created")
    assert LogEntry.objects.get().change_message == "Copied from clean."


def test_names_that_are_suggested_are_free() -> None:
    task = Task.objects.get(name="clean")
    Task.objects.create(name="CLEAN_copy", pipeline="words", backend=task.backend, command="true")
    assert free_name(task) == "clean_copy2"
    long = Task(name="x" * 64)
    assert free_name(long) == "x" * 59 + "_copy"


@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        (Task, {"name": "Count", "pipeline": "words"}, "tasks.Count: is there already, in this or another case"),
        (Task, {"name": "not a name", "pipeline": "words"}, "tasks.not a name: is no name"),
        (Task, {"name": "", "pipeline": "words"}, "This field is required."),
        (Task, {"name": "tidy", "pipeline": "my pipeline"}, "'my pipeline' is no name"),
        (Job, {"name": "Words", "pipeline": "words"}, "jobs.Words: is there already"),
    ],
)
def test_a_name_that_cannot_be_is_refused(operator: Client, kind: Any, fields: dict[str, str], said: str) -> None:
    before = Change.objects.count()
    shown = text_of(operator.post(address(kind.objects.order_by("name")[0]), fields))
    assert "It was not copied." in shown
    assert said in shown
    assert Change.objects.count() == before
    assert not LogEntry.objects.exists()


def test_who_may_not_add_is_neither_offered_a_copy_nor_given_one() -> None:
    task = Task.objects.get(name="clean")
    viewer = browser("view_task", "change_task")
    page = viewer.get(reverse("admin:pipelines_task_change", args=[task.pk]))
    assert address(task) not in page.content.decode()
    assert viewer.get(address(task)).status_code == 403
    assert viewer.post(address(task), {"name": "tidy", "pipeline": "words"}).status_code == 403
    adder = browser("add_task")
    assert adder.get(address(task)).status_code == 403
    assert not Task.objects.filter(name="tidy").exists()


def test_a_stranger_is_asked_to_sign_in(client: Client) -> None:
    assert client.get(address(Task.objects.get(name="clean"))).status_code == 302


def test_what_is_not_there_cannot_be_copied(operator: Client) -> None:
    assert operator.get(reverse("admin:pipelines_task_copy", args=[9999])).status_code == 404
