"""Polls: what is kept of them is what would be made anew, at every moment of a submission's life."""

import datetime as dt
import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.utils import timezone

from analytics_automated.api import polling
from analytics_automated.api.addresses import Addresses
from analytics_automated.api.representations import read_state
from analytics_automated.api.schemas import SubmissionState
from analytics_automated.executors.base import Cause, Outcome
from analytics_automated.runs import engine, progress
from analytics_automated.runs.engine import Gathered
from analytics_automated.runs.models import Submission
from analytics_automated.runs.states import StepStatus
from analytics_automated.runs.verdicts import Verdict
from analytics_automated.storage.streams import store

pytestmark = pytest.mark.django_db(transaction=True)
QUEUES = frozenset({"LOCALHOST"})
GOOD = Verdict(StepStatus.COMPLETE)
BAD = Verdict(StepStatus.ERROR, "Step 'x' failed with exit code 1.", "exit")
OUTCOME = Outcome(Cause.EXIT, exit_code=0, seconds=0.1)
ONE_QUERY = 1
Submit = Callable[..., Submission]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long this test takes, nobody asks why a step waits, and what is kept stays."""
    monkeypatch.setattr(progress, "MOMENT", dt.timedelta(hours=1))
    monkeypatch.setattr(polling, "REASON_SECONDS", 3600.0)


def path(submission: Submission) -> str:
    return f"/api/v1/submissions/{submission.pk}"


def made_anew(submission: Submission, host: str = "localhost") -> str:
    """The answer as the schema gives it, past everything that is kept."""
    request: HttpRequest = RequestFactory(headers={"host": host}).get("/")
    row = Submission.objects.select_related("snapshot").get(pk=submission.pk)
    return read_state(row, Addresses(request)).model_dump_json(by_alias=True)


def poll(submission: Submission, host: str = "localhost") -> str:
    response = Client(headers={"host": host}).get(path(submission))
    assert response.status_code == 200
    return response.content.decode()


def take(submission: Submission, step: str) -> engine.Claim:
    claim = engine.claim(submission.step_runs.get(step=step).pk, "w", QUEUES)
    assert claim is not None
    return claim


def end(submission: Submission, step: str, output: str, verdict: Verdict = GOOD) -> None:
    made = [Gathered(output, f"{output}.txt", "text/plain", False, store([step.encode()], "1.1"))]
    engine.finish(take(submission, step), verdict, OUTCOME, made if verdict is GOOD else [])


def life(submission: Submission) -> Iterator[str]:
    """Everything that may become of a submission, one change after the other."""
    yield "submitted"
    claim = take(submission, "first")
    yield "running"
    engine.tell_progress(claim.step_run.pk, claim.step_run.attempt, 0.25, "a quarter")
    yield "progress"
    engine.tell_progress(claim.step_run.pk, claim.step_run.attempt, 0.5, "half")
    yield "more progress"
    engine.end_stopped(claim, None)
    yield "given back"
    end(submission, "first", "one")
    yield "the first is complete"
    end(submission, "left", "two")
    yield "one of two is complete"
    end(submission, "right", "three", BAD)
    yield "failed"
    engine.retry(submission.pk)
    yield "started again"
    engine.cancel(submission.pk)
    yield "cancelled"
    engine.retry(submission.pk)
    yield "started once more"
    end(submission, "right", "three")
    end(submission, "last", "end")
    yield "complete"


def test_each_poll_shows_what_is_whatever_was_kept(patient: None, submit: Submit) -> None:
    submission, seen = submit(), []
    for _ in life(submission):
        expected = made_anew(submission)
        assert [json.loads(poll(submission)), json.loads(poll(submission))] == [json.loads(expected)] * 2
        assert poll(submission) == expected
        SubmissionState.model_validate_json(expected)
        seen.append(json.loads(expected)["status"])
    assert (seen[0], seen[-1], len(set(seen))) == ("SUBMITTED", "COMPLETE", 5)


def test_a_poll_asks_once_while_nothing_changes(patient: None, submit: Submit, django_assert_num_queries: Any) -> None:
    submission = submit()
    for moment in life(submission):
        poll(submission)
        if "progress" not in moment:
            with django_assert_num_queries(ONE_QUERY):
                poll(submission)


def test_why_a_step_waits_is_told_though_nothing_of_it_changes(submit: Submit, monkeypatch: pytest.MonkeyPatch) -> None:
    def told(submission: Submission) -> str:
        return str(json.loads(poll(submission))["steps"][0]["message"])

    monkeypatch.setattr(progress, "MOMENT", dt.timedelta(hours=1))
    monkeypatch.setattr(polling, "REASON_SECONDS", 0.0)
    submission = submit()
    assert told(submission) == ""
    monkeypatch.setattr(progress, "MOMENT", dt.timedelta(0))
    assert told(submission) == "It waits for a worker that serves its backend."


def test_what_was_deleted_is_gone_at_once(submit: Submit) -> None:
    submission = submit()
    poll(submission)
    engine.delete(submission.pk)
    assert Client().get(path(submission)).status_code == 410
    assert Client().get(f"/api/v1/submissions/{uuid.uuid4()}").status_code == 404


def test_addresses_are_those_by_which_the_caller_asked(patient: None, submit: Submit) -> None:
    submission = submit()
    for host in ("localhost", "127.0.0.1:8000", "localhost"):
        assert poll(submission, host) == made_anew(submission, host)
        assert f'"self":"http://{host}/' in poll(submission, host)


def test_the_pause_between_polls_grows_though_nothing_changes(submit: Submit, monkeypatch: pytest.MonkeyPatch) -> None:
    submission = submit()
    assert json.loads(poll(submission))["poll_after"] == 1

    class Later:
        @staticmethod
        def now() -> dt.datetime:
            return timezone.now() + dt.timedelta(seconds=100)

    monkeypatch.setattr(progress, "timezone", Later)
    response = Client().get(path(submission))
    assert response.json()["poll_after"] == 10
    assert response.headers["Retry-After"] == "10"


def test_whoever_has_the_answer_gets_none(patient: None, submit: Submit) -> None:
    submission = submit()
    etag = Client().get(path(submission)).headers["ETag"]
    for _ in range(2):
        known = Client().get(path(submission), headers={"If-None-Match": etag})
        assert (known.status_code, known.content, known.headers["ETag"]) == (304, b"", etag)
        assert known.headers["Retry-After"] == "1"


def test_only_the_latest_answers_are_kept(
    patient: None, submit: Submit, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    first, second = submit(), submit()
    size = len(poll(first))
    monkeypatch.setattr(polling, "MOST_BYTES", size + size // 2)
    poll(second)
    with django_assert_num_queries(ONE_QUERY):
        poll(second)
    assert polling._answers._bytes <= polling.MOST_BYTES
    assert len(polling._answers._kept) == 1
    assert poll(first) == made_anew(first)
