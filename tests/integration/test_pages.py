"""The pages for people, and the pages of what happened: what they show, what they keep to themselves."""

import re
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse

import analytics_automated
from analytics_automated.pipelines.configuration import apply, verify_stored
from analytics_automated.pipelines.files.reader import Configuration, read_text
from analytics_automated.pipelines.models import Job
from analytics_automated.runs.models import (
    Attempt,
    Event,
    Result,
    Scatter,
    StepRun,
    Submission,
    SubmissionInput,
)
from analytics_automated.runs.states import StepStatus, SubmissionStatus
from analytics_automated.storage.models import Blob

FILE = """
format: 1
pipeline: words
tasks:
  clean:
    inputs: {text: in.txt}
    outputs: {words: words.txt}
    command: tr {param.what} {input.text}
    stdout: words
    parameters: {what: {type: string}}
  count:
    inputs: {words: words.txt}
    outputs: {numbers: {file: "*.number", many: true}}
    command: secret-program --password hunter2 {input.words}
jobs:
  words:
    title: Count <words> & more
    description: |
      First line.

      Second paragraph.
    version: "2.10"
    runnable: true
    inputs: {text: {title: Any text}}
    steps: [{task: clean}, {task: count}]
  draft: {title: Not yet, steps: [{task: clean}]}
"""
NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


@pytest.fixture
def configured(db: None) -> None:
    configuration = Configuration()
    read_text(FILE, "words.yaml", configuration)
    apply(configuration)


@pytest.fixture
def submission(configured: None) -> Submission:
    """One that runs: the first step is complete, the second is at its first attempt."""
    job = Job.objects.get(name="words")
    assert job.snapshot is not None
    made = Submission.objects.create(
        job=job,
        job_name="words",
        job_version="2.10",
        snapshot=job.snapshot,
        name="My <first> try",
        email="somebody@example.org",
        parameters={"clean_what": "a-z"},
        status=SubmissionStatus.RUNNING,
        unfinished=1,
        created=NOW,
        started=NOW,
    )
    blob = Blob.objects.create(sha256="ab" * 32, size=2_500, key="ab/opaque")
    SubmissionInput.objects.create(submission=made, name="text", file="mine.txt", blob=blob)
    clean = step_run(made, "clean", 0, StepStatus.COMPLETE)
    count = step_run(made, "count", 1, StepStatus.RUNNING)
    for each in (clean, count):
        Attempt.objects.create(
            step_run=each,
            number=1,
            worker="host-1",
            backend="local",
            queue="LOCALHOST",
            executor="local",
            work_folder="/data/work/7.1",
            argv=["secret-program", "--password", "hunter2", "a b"],
            started=NOW,
            exit_code=0,
            cause="exit",
            peak_memory=3_145_728,
            stdout="said out loud",
            stderr="whispered",
        )
    result(made, clean, blob, name="words", file="words.txt")
    result(made, clean, blob, name="", file="private.txt", output="private")
    Event.objects.create(submission=made, time=NOW, status="RUNNING", message="It runs.")
    return made


def step_run(submission: Submission, step: str, position: int, status: StepStatus) -> StepRun:
    return StepRun.objects.create(
        submission=submission,
        entered=NOW,
        step=step,
        position=position,
        task=step,
        backend="local",
        status=status,
        waiting=0,
        attempt=1,
        worker="host-1",
        started=NOW,
        finished=NOW + timedelta(seconds=1.5) if status == StepStatus.COMPLETE else None,
        message="Public words." if status == StepStatus.COMPLETE else "",
    )


def result(submission: Submission, made_by: StepRun, blob: Blob, **values: Any) -> Result:
    return Result.objects.create(
        submission=submission,
        step_run=made_by,
        blob=blob,
        step=made_by.step,
        media_type="text/plain",
        **{"output": "words", **values},
    )


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def test_the_start_page_lists_the_runnable_jobs_only(configured: None, client: Client) -> None:
    page = text_of(client, "/")
    assert "Count &lt;words&gt; &amp; more" in page
    assert 'href="/api/v1/jobs/words"' in page
    assert "<p>Second paragraph.</p>" in page
    assert "version 2.10" in page
    assert "Any text" in page
    assert "Not yet" not in page


def test_a_job_whose_configuration_is_incomplete_is_not_listed(configured: None, client: Client) -> None:
    Job.objects.filter(name="words").update(snapshot=None)
    assert "Count &lt;words&gt;" not in text_of(client, "/")


def test_the_start_page_says_what_to_type(configured: None, client: Client, settings: Any) -> None:
    page = text_of(client, "/")
    assert "--form text=@FILE" in page
    assert "--form clean_what=VALUE" in page
    assert "http://testserver/api/v1/jobs/words/submissions" in page


def test_an_empty_service_says_how_to_fill_it(db: None, client: Client) -> None:
    page = text_of(client, "/")
    assert "No job can be called yet." in page
    assert "aa apply" in page


def test_a_submissions_page_shows_what_its_caller_may_see(submission: Submission, client: Client) -> None:
    page = text_of(client, f"/submissions/{submission.pk}")
    for seen in (
        str(submission.pk),
        "My &lt;first&gt; try",
        "RUNNING",
        "COMPLETE",
        "Public words.",
        "words.txt",
    ):
        assert seen in page
    assert f'href="/api/v1/submissions/{submission.pk}/results/words"' in page
    assert "2.4\xa0KB" in page
    assert "1.50 s" in page


@pytest.mark.parametrize(
    "secret",
    ["hunter2", "/data/work", "host-1", "out loud", "whispered", "somebody@", "private.txt", "opaque"],
)
def test_a_submissions_page_keeps_the_inside_to_itself(submission: Submission, client: Client, secret: str) -> None:
    assert secret not in text_of(client, f"/submissions/{submission.pk}")


def test_a_submissions_page_asks_again_until_the_end(submission: Submission, client: Client) -> None:
    address = f"/submissions/{submission.pk}"
    assert '<meta http-equiv="refresh" content="30">' in text_of(client, address)
    for status in ("COMPLETE", "ERROR", "CRASH", "CANCELLED"):
        Submission.objects.update(status=status, finished=NOW + timedelta(minutes=1))
        assert "http-equiv" not in text_of(client, address)


def test_a_submissions_page_says_where_a_job_stopped(submission: Submission, client: Client) -> None:
    Submission.objects.update(status="COMPLETE", stopped_step="clean", stopped_message="No <word> was found.")
    page = text_of(client, f"/submissions/{submission.pk}")
    assert "<code>clean</code>: No &lt;word&gt; was found." in page


def test_the_runs_of_a_scattered_step_are_one_line(submission: Submission, client: Client) -> None:
    submission.step_runs.filter(step="count").update(item=1, item_name="1-a")
    for item, status in ((2, StepStatus.COMPLETE), (3, StepStatus.COMPLETE), (4, StepStatus.PENDING)):
        StepRun.objects.create(
            submission=submission, entered=NOW, step="count", item=item, position=1, task="count", backend="local",
            status=status, waiting=0, started=NOW, finished=NOW,
        )  # fmt: skip
    Scatter.objects.create(submission=submission, step="count", total=4, released=3, complete=2, started=NOW)
    page = text_of(client, f"/submissions/{submission.pk}")
    assert page.count('<th scope="row">count</th>') == 1
    assert "RUNNING</span> 2 of 4" in page


def test_files_of_one_result_have_links_of_their_own(submission: Submission, client: Client) -> None:
    count, blob = submission.step_runs.get(step="count"), Blob.objects.get()
    for position in range(2):
        file = f"a b/{position}#?.number"
        result(submission, count, blob, name="numbers", output="numbers", file=file, position=position, many=True)
    page = text_of(client, f"/submissions/{submission.pk}")
    assert f'href="/api/v1/submissions/{submission.pk}/results/numbers/a%20b/1%23%3F.number"' in page


def test_very_many_results_are_left_to_the_archive(submission: Submission, client: Client) -> None:
    count, blob = submission.step_runs.get(step="count"), Blob.objects.get()
    for position in range(120):
        result(submission, count, blob, name="n", output="n", file=f"{position}.n", position=position, many=True)
    page = text_of(client, f"/submissions/{submission.pk}")
    assert page.count("/results/") == 100
    assert f'href="/api/v1/submissions/{submission.pk}/results.zip"' in page
    assert "These are the first 100" in page


def test_the_page_needs_few_queries(submission: Submission, client: Client, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(3):
        client.get(f"/submissions/{submission.pk}")
    with django_assert_max_num_queries(1):
        client.get("/")


@pytest.mark.parametrize("address", [f"/submissions/{uuid.uuid4()}", "/submissions/nonsense", "/nothing"])
def test_what_is_not_there_is_a_page_that_says_so(db: None, client: Client, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


def test_a_failure_is_a_page_that_tells_nothing_of_the_inside(
    db: None, client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("hunter2")

    monkeypatch.setattr("analytics_automated.web.views._page", fail)
    client.raise_request_exception = False
    response = client.get("/")
    assert response.status_code == 500
    assert "The service failed" in response.content.decode()
    assert "hunter2" not in response.content.decode()
    assert "hunter2" in caplog.text


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_the_pages_take_nothing(submission: Submission, client: Client, method: str) -> None:
    for address in ("/", f"/submissions/{submission.pk}"):
        assert getattr(client, method)(address).status_code == 405


def test_the_pages_ask_no_other_host_and_hold_no_script(submission: Submission, client: Client) -> None:
    for address in ("/", f"/submissions/{submission.pk}", "/nothing"):
        response = client.get(address)
        page = response.content.decode()
        assert not re.findall(r"""(?:src|href|action|content)=["'](?:https?:)?//[^"']*""", page)
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", page)
    for address in ("/", f"/submissions/{submission.pk}"):
        assert client.get(address)["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
    sheet = Path(str(finders.find("web/a_a.css"))).read_text()
    assert "url(" not in sheet
    assert "@import" not in sheet


def test_a_submissions_page_is_never_kept_by_a_cache(submission: Submission, client: Client) -> None:
    assert "no-store" in client.get(f"/submissions/{submission.pk}")["Cache-Control"]


def test_the_files_of_the_pages_are_served(db: None, client: Client) -> None:
    page = text_of(client, "/")
    for address in re.findall(r'(?:src|href)="(/static/[^"]+)"', page):
        response = client.get(address)
        assert response.status_code == 200, address
        assert b"".join(response.streaming_content)
        response.close()


def test_every_template_and_static_file_lies_in_the_package() -> None:
    package = Path(analytics_automated.__file__).parent
    names = {path.name for path in package.rglob("*") if {"templates", "static"} & set(path.parts)}
    assert {
        "base.html",
        "start.html",
        "submission.html",
        "404.html",
        "500.html",
        "a_a.css",
        "icon.svg",
    } <= names


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create(username="operator", is_staff=True, is_superuser=True))
    return client


RUNS = [Submission, StepRun, Attempt, Result, Event, Blob]


@pytest.mark.parametrize("model", RUNS)
def test_what_happened_can_be_read_and_not_written(submission: Submission, operator: Client, model: Any) -> None:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    row = model.objects.first()
    assert operator.get(reverse(f"{name}_changelist")).status_code == 200
    assert operator.get(reverse(f"{name}_changelist"), {"q": str(submission.pk)[:13]}).status_code == 200
    assert operator.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200
    assert operator.post(reverse(f"{name}_change", args=[row.pk]), {"status": "COMPLETE"}).status_code == 403
    assert operator.get(reverse(f"{name}_add")).status_code == 403
    assert operator.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    operator.post(reverse(f"{name}_changelist"), action)
    assert model.objects.filter(pk=row.pk).exists()


def test_a_submission_is_found_by_its_id_its_name_and_its_status(submission: Submission, operator: Client) -> None:
    address = reverse("admin:runs_submission_changelist")
    for asked in (
        {"q": str(submission.pk)},
        {"q": str(submission.pk)[:13]},
        {"q": "first"},
        {"status": "RUNNING"},
    ):
        assert operator.get(address, asked).context["cl"].result_count == 1, asked
    for asked in ({"q": "nothing"}, {"q": str(uuid.uuid4())}, {"status": "ERROR"}):
        assert operator.get(address, asked).context["cl"].result_count == 0, asked


def test_the_operator_sees_all_of_a_submission_on_one_page(submission: Submission, operator: Client) -> None:
    page = text_of(operator, reverse("admin:runs_submission_change", args=[submission.pk]))
    for seen in (
        "secret-program --password hunter2 &#x27;a b&#x27;",
        "/data/work/7.1",
        "exit code 0",
        "3.0\xa0MB",
        "said out loud",
        "whispered",
        "private.txt",
        "mine.txt",
        "It runs.",
        "Public words.",
    ):
        assert seen in page, seen


def test_the_whole_lists_of_a_submission_are_a_click_away(submission: Submission, operator: Client) -> None:
    page = text_of(operator, reverse("admin:runs_submission_change", args=[submission.pk]))
    found = re.findall(r'<a href="([^"]*__exact=[^"]*)">All ', page)
    assert len(found) == 4
    for address in found:
        listed = operator.get(address.replace("&amp;", "&"))
        assert listed.status_code == 200
        assert listed.context["cl"].result_count in {1, 2}


def test_a_submission_outlives_its_job(submission: Submission, operator: Client) -> None:
    Job.objects.filter(name="words").delete()
    verify_stored()
    assert "words 2.10 (deleted since)" in text_of(
        operator, reverse("admin:runs_submission_change", args=[submission.pk])
    )
    assert "words" in text_of(operator, f"/submissions/{submission.pk}")


def test_a_submission_of_very_many_steps_still_has_a_page(submission: Submission, operator: Client) -> None:
    StepRun.objects.bulk_create(
        StepRun.of(
            submission, step="many", item=item, position=2, task="count", backend="local",
            status=StepStatus.QUEUED, waiting=0,
        )
        for item in range(500)
    )  # fmt: skip
    page = operator.get(reverse("admin:runs_submission_change", args=[submission.pk]))
    assert page.status_code == 200
    assert page.content.decode().count("many") < 500
