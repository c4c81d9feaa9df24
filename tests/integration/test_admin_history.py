"""Who changed what, and the versions of a Job, on the pages."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from analytics_automated.pipelines.configuration import Options, apply
from analytics_automated.pipelines.files.reader import read_files
from analytics_automated.pipelines.models import Backend, Change, Job, Snapshot, Task
from analytics_automated.pipelines.problems import ConfigurationError
from analytics_automated.runs.models import Submission
from integration.admin_pages import WORDS, apply_words, browser, text_of, write_words
from integration.page_forms import fields_of


@pytest.fixture(autouse=True)
def configured(db: None, tmp_path: Path) -> None:
    apply_words(tmp_path)


@pytest.fixture
def operator() -> Client:
    return browser(name="operator", superuser=True)


def save(client: Client, row: Any, **changes: str) -> None:
    kind = row._meta.model_name
    page = client.get(reverse(f"admin:pipelines_{kind}_change", args=[row.pk]))
    saved = client.post(page.request["PATH_INFO"], fields_of(page, f"{kind}_form") | changes)
    assert saved.status_code == 302


def history(client: Client, row: Any) -> Any:
    return client.get(reverse(f"admin:pipelines_{row._meta.model_name}_history", args=[row.pk]))


def test_the_history_of_a_thing_says_who_changed_what_by_which_door(operator: Client) -> None:
    task = Task.objects.get(name="clean")
    save(operator, task, title="Clean the words")
    response = history(operator, task)
    said = text_of(response)
    assert ", operator, on the pages, pipeline words --- before +++ after" in said
    assert "+ title: Clean the words" in said
    assert ", ada, by a file, pipeline words" in said
    assert said.index("Changed") < said.index("Created")
    assert '<ins class="aa-line">+    title: Clean the words</ins>' in response.content.decode()


def test_a_job_whose_task_changed_shows_what_changed_in_its_plan(operator: Client) -> None:
    save(operator, Task.objects.get(name="clean"), command="tr -s {param.case} {param.quiet} {input.text}")
    said = text_of(history(operator, Job.objects.get()))
    assert "Renewed" in said
    assert "- command: tr {param.case} {param.quiet} {input.text} + command: tr -s" in said


def test_changed_files_are_told_by_their_digests(operator: Client, tmp_path: Path) -> None:
    apply_words(tmp_path, table="another table")
    assert "file helpers/table.txt: sha256 " in text_of(history(operator, Task.objects.get(name="count")))


def test_what_is_renamed_keeps_its_history(operator: Client) -> None:
    save(operator, Task.objects.get(name="clean"), title="One")
    save(operator, Task.objects.get(name="clean"), name="cleaner", title="Two")
    said = text_of(history(operator, Task.objects.get(name="cleaner")))
    assert "Renamed from clean" in said
    assert "- clean: - title: One + cleaner: + title: Two" in said
    assert "+ title: One" in said
    assert ", ada, by a file, pipeline words" in said
    assert "task clean deleted" not in listed(operator)
    assert "task cleaner renamed from clean" in listed(operator, q="clean")
    save(operator, Task.objects.get(name="cleaner"), title="Three")
    assert not Change.objects.filter(kind="deleted").exists(), "nor is it deleted by the next change"


def test_a_name_that_was_given_up_begins_anew(operator: Client, tmp_path: Path) -> None:
    save(operator, Task.objects.get(name="clean"), name="cleaner")
    apply_words(tmp_path)
    said = text_of(history(operator, Task.objects.get(name="clean")))
    assert (said.count("Created"), said.count("Renamed")) == (1, 0)
    said = text_of(history(operator, Task.objects.get(name="cleaner")))
    assert (said.count("Created"), said.count("Renamed")) == (1, 1)


def test_names_can_go_round(operator: Client) -> None:
    for old, new in (("clean", "x"), ("count", "clean"), ("x", "count"), ("count", "y"), ("y", "count")):
        save(operator, Task.objects.get(name=old), name=new)
    said = text_of(history(operator, Task.objects.get(name="count")))
    assert said.index("from y") < said.index("from count") < said.index("from x") < said.index("from clean")
    assert "from count" in text_of(history(operator, Task.objects.get(name="clean")))
    line = Change.objects.filter(renamed_from="x").get()
    assert "- x: + count:" in text_of(operator.get(reverse("admin:pipelines_change_change", args=[line.pk])))


def test_a_file_with_the_former_name_is_told_of_the_new_one(operator: Client, tmp_path: Path) -> None:
    save(operator, Task.objects.get(name="clean"), name="cleaner")
    with pytest.raises(ConfigurationError, match="was renamed to 'cleaner' on the pages by operator"):
        apply(read_files([write_words(tmp_path)]))
    renamed = WORDS.replace("clean:", "cleaner:").replace("task: clean,", "task: cleaner,")
    apply(read_files([write_words(tmp_path, renamed.replace("default: z", "default: a"))]))
    assert Task.objects.get(name="cleaner").to_definition().parameters["case"].default == "a"


def test_prune_does_not_take_what_was_renamed(operator: Client, tmp_path: Path) -> None:
    alone = WORDS.replace("jobs:", "  alone: {command: date}\njobs:")
    apply_words(tmp_path, alone)
    save(operator, Task.objects.get(name="alone"), name="lone")
    with pytest.raises(ConfigurationError, match=r"tasks\.lone: was changed on the pages by operator"):
        apply(read_files([write_words(tmp_path)]), Options(prune=True))


def test_a_long_history_has_pages(operator: Client, tmp_path: Path) -> None:
    for number in range(30):
        apply_words(tmp_path, WORDS.replace("title: Count words", f"title: Count {number}"))
    job = Job.objects.get()
    first = text_of(history(operator, job))
    assert "+ title: Count 29" in first
    assert "Created" not in first
    second = text_of(operator.get(reverse("admin:pipelines_job_history", args=[job.pk]), {"p": 2}))
    assert "- title: Count 3 + title: Count 4" in second, "the line before may stand on the next page"
    assert "Created" in second


def test_a_queue_type_has_the_history_of_its_page(operator: Client) -> None:
    queue = Backend.objects.get(name="big").queue_type
    assert history(operator, queue).status_code == 200


def test_who_may_see_a_thing_sees_its_history_and_nobody_else_does(client: Client) -> None:
    task = Task.objects.get(name="clean")
    viewer = browser("view_task")
    response = history(viewer, task)
    assert "by a file" in text_of(response)
    assert reverse("admin:pipelines_change_changelist") not in response.content.decode()
    assert history(browser("view_job"), task).status_code == 403
    assert history(client, task).status_code == 302


def listed(client: Client, **query: str) -> list[str]:
    response = client.get(reverse("admin:pipelines_change_changelist"), query)
    assert response.status_code == 200
    return [str(change) for change in response.context["cl"].queryset]


def test_all_lines_are_listed_by_section_kind_door_and_who(operator: Client) -> None:
    save(operator, Task.objects.get(name="clean"), title="Clean")
    assert listed(operator, section="tasks", kind__exact="changed") == ["task clean changed"]
    assert listed(operator, door__exact="pages", section="jobs") == ["job words renewed"]
    assert set(listed(operator, who__exact="ada")) == {
        "backend big created",
        "task clean created",
        "task count created",
        "job words created",
    }
    year = str(timezone.now().year)
    assert len(listed(operator, time__year=year, q="clean")) == 2


def test_deleted_things_are_found_with_what_they_were(operator: Client) -> None:
    operator.post(reverse("admin:pipelines_job_delete", args=[Job.objects.get().pk]), {"post": "yes"})
    assert listed(operator, kind__exact="deleted") == ["job words deleted"]
    line = Change.objects.get(kind="deleted")
    assert line.who == "operator"
    said = text_of(operator.get(reverse("admin:pipelines_change_change", args=[line.pk])))
    assert "job words (there is none of this name now)" in said
    assert "- title: Count words" in said
    assert "deleted; the difference shows what it was" in said
    created = Change.objects.get(name="words", kind="created")
    said = text_of(operator.get(reverse("admin:pipelines_change_change", args=[created.pk])))
    assert "jobs: words: title: Count words" in said


def test_a_line_shows_definition_files_and_plan(operator: Client) -> None:
    line = Change.objects.get(name="count")
    said = text_of(operator.get(reverse("admin:pipelines_change_change", args=[line.pk])))
    assert "script: wc -w" in said
    assert "helpers/table.txt:" in said
    line = Change.objects.get(name="words")
    page = operator.get(reverse("admin:pipelines_change_change", args=[line.pk])).content.decode()
    assert reverse("admin:pipelines_snapshot_change", args=[line.snapshot_id]) in page


def test_nobody_writes_history(operator: Client) -> None:
    line = Change.objects.all()[0]
    assert operator.get(reverse("admin:pipelines_change_add")).status_code == 403
    for action in ("change", "delete"):
        assert (
            operator.post(reverse(f"admin:pipelines_change_{action}", args=[line.pk]), {"post": "yes"}).status_code
            == 403
        )


def test_readers_of_history_see_the_sections_that_they_may_see() -> None:
    reader = browser("view_change", "view_task")
    assert {line.split()[0] for line in listed(reader)} == {"task"}
    hidden = Change.objects.get(name="words")
    assert reader.get(reverse("admin:pipelines_change_change", args=[hidden.pk])).status_code == 302
    assert browser("view_task").get(reverse("admin:pipelines_change_changelist")).status_code == 403


# Versions


def versions(client: Client, job: Job, **query: str) -> Any:
    return client.get(reverse("admin:pipelines_job_versions", args=[job.pk]), query)


def submit(job: Job, number: int) -> None:
    for _ in range(number):
        Submission.objects.create(
            id=uuid.uuid4(),
            job=job,
            job_name=job.name,
            snapshot_id=job.snapshot_id,
            unfinished=0,
            created=timezone.now(),
        )


def test_versions_are_listed_with_their_submissions_and_the_latest_two_compared(
    operator: Client, tmp_path: Path
) -> None:
    submit(Job.objects.get(), 3)
    old = Snapshot.objects.get()
    apply_words(tmp_path, WORDS.replace('version: "1"', 'version: "2"'), table="another")
    job = Job.objects.get()
    submit(job, 1)
    response = versions(operator, job)
    said = text_of(response)
    assert f"ada 2 {job.snapshot} 1 current" in said
    assert f"ada 1 {old} 3" in said
    assert f"From {old} to {job.snapshot} --- {old} +++ {job.snapshot}" in said
    assert "-version: '1' +version: '2'" in said
    assert said.count("sha256:") == 2, "the file by its digest, before and after"
    assert "<del" in response.content.decode()


def test_any_two_versions_are_compared(operator: Client, tmp_path: Path) -> None:
    digests = [Snapshot.objects.get().digest]
    for number in (2, 3):
        apply_words(tmp_path, WORDS.replace('version: "1"', f'version: "{number}"'))
        digests.append(Job.objects.get().snapshot.digest)  # type: ignore[union-attr]
    job = Job.objects.get()
    said = text_of(versions(operator, job, **{"from": digests[2], "to": digests[0]}))
    assert "-version: '3' +version: '1'" in said
    assert "They are the same." in text_of(versions(operator, job, **{"from": digests[1], "to": digests[1]}))
    assert versions(operator, job, **{"from": "nonsense", "to": "nonsense"}).status_code == 200


def test_what_is_renamed_keeps_its_versions(operator: Client) -> None:
    submit(Job.objects.get(), 3)
    save(operator, Job.objects.get(), name="sentences", version="2")
    found = versions(operator, Job.objects.get()).context["versions"]
    seen = [(each["version"].version, each["version"].current, each["version"].submissions) for each in found]
    assert seen == [("2", True, 0), ("1", False, 3)]


def test_a_version_that_came_back_is_one_version(operator: Client, tmp_path: Path) -> None:
    apply_words(tmp_path, WORDS.replace('version: "1"', 'version: "2"'))
    apply_words(tmp_path)
    found = versions(operator, Job.objects.get()).context["versions"]
    assert [(each["version"].version, each["version"].current) for each in found] == [("1", True), ("2", False)]


def test_a_job_that_never_could_run_has_no_version(operator: Client, tmp_path: Path) -> None:
    apply_words(tmp_path, WORDS + "  draft:\n    steps: [count]\n    aliases: [x]\n")
    draft = Job.objects.get(name="draft")
    Change.objects.filter(name="draft").update(snapshot=None)
    assert "It has had no plan yet" in text_of(versions(operator, draft))


def test_who_may_see_a_job_sees_its_versions_and_nobody_else_does(client: Client) -> None:
    job = Job.objects.get()
    assert versions(browser("view_job"), job).status_code == 200
    assert versions(browser("view_task"), job).status_code == 403
    assert versions(client, job).status_code == 302


def test_a_snapshot_shows_its_plan_as_yaml(operator: Client) -> None:
    snapshot = Snapshot.objects.get()
    body = operator.get(reverse("admin:pipelines_snapshot_change", args=[snapshot.pk])).content.decode()
    assert "\njob: words\n" in body
    assert "text: in.txt\n" in body, "as a pipeline file has it"
