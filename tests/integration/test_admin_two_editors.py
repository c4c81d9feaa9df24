"""Two who change the same thing at the same time: the later one is told, and loses nothing of what was typed."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from analytics_automated.pipelines.configuration import exported, read_stored
from analytics_automated.pipelines.configuration.stored import as_data
from analytics_automated.pipelines.models import Job, Task
from integration.admin_pages import WORDS, apply_words, browser, text_of
from integration.page_forms import fields_of, row


@pytest.fixture(autouse=True)
def configured(db: None, tmp_path: Path) -> None:
    apply_words(tmp_path)


@pytest.fixture
def ben() -> Client:
    return browser(name="ben", superuser=True)


class Open:
    """The page of a thing, as somebody has it open."""

    def __init__(self, client: Client, thing: Any) -> None:
        kind = thing._meta.model_name
        self.client, self.form = client, f"{kind}_form"
        self.address = reverse(f"admin:pipelines_{kind}_change", args=[thing.pk])
        self.fields = fields_of(client.get(self.address), self.form)

    def save(self, **changes: str) -> Any:
        """Press Save; the page that comes back is open then."""
        response = self.client.post(self.address, self.fields | changes)
        if response.status_code == 200:
            self.fields = fields_of(response, self.form)
        return response


def clean() -> Task:
    return Task.objects.get(name="clean")


def test_the_later_of_two_is_told_who_changed_what_and_keeps_what_was_typed(ben: Client) -> None:
    page, other = Open(browser(name="cleo", superuser=True), clean()), Open(ben, clean())
    assert other.save(title="By Ben").status_code == 302
    response = page.save(description="By Cleo")
    said = text_of(response)
    assert "tasks.clean: was changed by ben, on the pages, since you opened it" in said
    assert "+ title: By Ben" in said
    assert page.fields["description"] == "By Cleo"
    assert (clean().title, clean().description) == ("By Ben", "")


def test_who_saves_again_has_the_last_word(ben: Client) -> None:
    page = Open(browser(name="cleo", superuser=True), clean())
    Open(ben, clean()).save(title="By Ben")
    page.save(description="By Cleo")
    assert page.save().status_code == 302
    assert (clean().title, clean().description) == ("", "By Cleo")


def test_a_third_change_is_told_as_well(ben: Client) -> None:
    page = Open(browser(name="cleo", superuser=True), clean())
    Open(ben, clean()).save(title="One")
    assert "+ title: One" in text_of(page.save(description="By Cleo"))
    Open(ben, clean()).save(title="Two")
    said = text_of(page.save())
    assert "- title: One + title: Two" in said
    assert clean().title == "Two"


def test_rows_that_a_file_wrote_anew_are_a_change_like_any_other(ben: Client, tmp_path: Path) -> None:
    before = as_data(clean().to_definition())
    page = Open(ben, clean())
    new = "inputs: {more: more.txt, text: in.txt}"
    apply_words(
        tmp_path, WORDS.replace("inputs: {text: in.txt}", new).replace("{input.text}", "{input.text} {input.more}")
    )
    said = text_of(page.save(**row("parameters", 1, default="false")))
    assert "tasks.clean: was changed by ada, by a file, since you opened it" in said
    assert "+ more: more.txt" in said
    assert "Select a valid choice" not in said
    assert page.fields["parameters-1-default"] == "false"
    assert page.save().status_code == 302
    before["parameters"]["quiet"]["default"] = False
    assert as_data(clean().to_definition()) == before


def test_steps_that_a_file_wrote_anew_are_replaced_by_those_that_were_typed(ben: Client, tmp_path: Path) -> None:
    before = as_data(Job.objects.get().to_definition())
    page = Open(ben, Job.objects.get())
    apply_words(tmp_path, WORDS.replace("steps: [{", "steps: [{task: clean, name: first, ordering: 0}, {"))
    assert "Select a valid choice" not in text_of(page.save(title="Mine"))
    assert page.save().status_code == 302
    assert as_data(Job.objects.get().to_definition()) == before | {"title": "Mine"}


def test_files_stay_where_the_last_word_does_not_touch_them(ben: Client, tmp_path: Path) -> None:
    count = Task.objects.get(name="count")
    page = Open(ben, count)
    apply_words(tmp_path, WORDS.replace("script: wc", "title: Theirs\n    script: wc"), table="new")
    page.save(title="Mine")
    assert page.save().status_code == 302
    assert [content.size for content in read_stored().files["tasks", "count"].values()] == [3]
    assert "title: Mine" in str(exported(read_stored()))


def test_what_only_the_tasks_of_a_job_became_is_no_change_of_the_job(ben: Client) -> None:
    page = Open(ben, Job.objects.get())
    Open(ben, clean()).save(command="tr -s {param.case} {param.quiet} {input.text}")
    assert page.save(title="Mine").status_code == 302


def test_a_line_of_another_thing_shows_nothing_of_it(ben: Client) -> None:
    page = Open(ben, clean())
    job = Open(ben, Job.objects.get()).fields["aa_seen"]
    said = text_of(page.save(aa_seen=job))
    assert "was changed by ada" in said
    assert "Count words" not in said
