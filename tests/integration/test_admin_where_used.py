"""Where things are used, and what their deletion would break."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from analytics_automated.pipelines.models import Backend, Job, Step, Task
from integration.admin_pages import WORDS, apply_words, browser, text_of


@pytest.fixture(autouse=True)
def configured(db: None, tmp_path: Path) -> None:
    apply_words(tmp_path)


@pytest.fixture
def operator() -> Client:
    return browser(name="operator", superuser=True)


def page(client: Client, action: str, row: Any) -> str:
    return text_of(client.get(reverse(f"admin:pipelines_{row._meta.model_name}_{action}", args=[row.pk])))


def test_a_task_names_the_jobs_and_steps_that_use_it(operator: Client) -> None:
    task = Task.objects.get(name="clean")
    Step.objects.create(job=Job.objects.get(), task=task, name="again", position=9)
    assert "Used by job words: steps clean, again" in page(operator, "change", task)


def test_a_backend_names_its_tasks_and_the_jobs_that_need_it(operator: Client) -> None:
    said = page(operator, "change", Backend.objects.get(name="big"))
    assert "Used by task count job words: by its task count" in said


def test_a_job_names_those_that_point_to_it(operator: Client, tmp_path: Path) -> None:
    old = "  older:\n    steps: [clean]\n    deprecated: {since: 2026-01-01, successor: words}\n"
    apply_words(tmp_path, WORDS + old)
    said = page(operator, "change", Job.objects.get(name="words"))
    assert "job older: is deprecated, and names it as its successor Nobody has submitted to it." in said


def test_the_page_of_a_deletion_says_what_would_break(operator: Client) -> None:
    for row, use in (
        (Task.objects.get(name="clean"), "job words: step clean"),
        (Backend.objects.get(name="big"), "task count"),
    ):
        said = page(operator, "delete", row)
        assert f"What would break The {row._meta.verbose_name} cannot be deleted while these use it. {use}" in said
        address = reverse(f"admin:pipelines_{row._meta.model_name}_delete", args=[row.pk])
        operator.post(address, {"post": "yes"})
        row.refresh_from_db()


def test_the_backend_that_always_exists_says_so(operator: Client) -> None:
    assert "It always exists, and cannot be deleted." in page(operator, "delete", Backend.objects.get(name="local"))


def test_what_nothing_uses_may_go(operator: Client) -> None:
    job = Job.objects.get()
    assert "Nobody has submitted to it." in page(operator, "delete", job)
    operator.post(reverse("admin:pipelines_job_delete", args=[job.pk]), {"post": "yes"})
    assert "What would break Nothing: it is used by nothing." in page(
        operator, "delete", Task.objects.get(name="clean")
    )


def test_jobs_are_found_by_the_validators_that_they_use(operator: Client, tmp_path: Path) -> None:
    apply_words(
        tmp_path, WORDS.replace("    steps: [{task: clean,", "    validators: [text]\n    steps: [{task: clean,")
    )
    address = reverse("admin:pipelines_job_changelist")
    assert list(operator.get(address, {"validator": "text"}).context["cl"].queryset) == [Job.objects.get()]
    assert not operator.get(address, {"validator": "fasta"}).context["cl"].queryset.exists()
