"""Steps that run once per file: how items are made, released and counted, without workers."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext

from analytics_automated.executors.base import Cause, Outcome
from analytics_automated.pipelines.models import Job
from analytics_automated.runs import engine
from analytics_automated.runs.engine import Gathered
from analytics_automated.runs.models import Event, Result, Scatter, StepRun, Submission
from analytics_automated.runs.progress import StepProgress, step_progress
from analytics_automated.runs.staging import find_inputs, stage
from analytics_automated.runs.states import StepStatus
from analytics_automated.runs.verdicts import Verdict
from analytics_automated.storage.models import Blob
from analytics_automated.storage.streams import store
from analytics_automated.storage.sweeping import sweep_blobs
from unit.runs.conftest import apply_text

pytestmark = pytest.mark.django_db(transaction=True)
QUEUES = frozenset({"LOCALHOST"})
GOOD = Verdict(StepStatus.COMPLETE)
BAD = Verdict(StepStatus.ERROR, "Step 'each' failed with exit code 1.", "exit")
STOP = Verdict(StepStatus.COMPLETE, "That is enough.", stops=True)
CRASHED = Verdict(StepStatus.CRASH, "Step 'each' could not be run by this service.", "setup")

PIPELINE = """
format: 1
pipeline: wide
tasks:
  each:
    inputs: {page: page.txt}
    outputs: {note: note.txt}
    command: cp {input.page} {output.note}
  join:
    inputs: {notes: {file: notes, many: true}}
    outputs: {all: all.txt}
    command: cat {input.notes}
    stdout: all
  beside:
    inputs: {page: {file: pages, many: true}}
    outputs: {sum: sum.txt}
    command: cat {input.page}
    stdout: sum
jobs:
  wide:
    runnable: true
    inputs: {page: {many: true}}
    steps:
      - {task: each, ordering: 1, scatter: {over: page}}
      - {task: beside, ordering: 1}
      - {task: join, ordering: 2, inputs: {notes: each.note}}
"""

Start = Callable[..., Submission]


@pytest.fixture
def start(db: None, woken: list[int]) -> Start:
    def make(
        files: int = 5, *, beside: bool = False, job: str = "", caller: int = 0, priority: int = 0, **scatter: Any
    ) -> Submission:
        settings = "".join(f", {name}: {value}" for name, value in scatter.items())
        text = PIPELINE.replace("{over: page}", f"{{over: page{settings}}}")
        if not beside:
            text = text.replace("      - {task: beside, ordering: 1}\n", "")
        apply_text(text.replace("    runnable: true\n", f"    runnable: true\n{job}"))
        row = Job.objects.get(name="wide")
        assert row.snapshot is not None
        given = [engine.NewInput("page", f"page {n}.txt", store([b"%d" % n], "test")) for n in range(1, files + 1)]
        rank = {"caller": caller, "priority": priority}
        return engine.submit(job=row, snapshot=row.snapshot, parameters={}, inputs=given, **rank).submission

    return make


def items(submission: Submission, status: str) -> list[int]:
    return list(submission.step_runs.filter(step="each", status=status).order_by("item").values_list("item", flat=True))


def take(submission: Submission, item: int, step: str = "each") -> engine.Claim:
    run = StepRun.objects.get(submission=submission, step=step, item=item)
    claim = engine.claim(run.pk, "w", QUEUES)
    assert claim is not None, f"item {item} is {run.status}"
    return claim


def finish(claim: engine.Claim, verdict: Verdict = GOOD) -> list[StepRun]:
    made = []
    if verdict.status is StepStatus.COMPLETE and claim.step_run.step == "each":
        made = [Gathered("note", "note.txt", "text/plain", False, store([b"%d" % claim.step_run.item], "1.1"))]
    code = 0 if verdict.status is StepStatus.COMPLETE else 1
    return engine.finish(claim, verdict, Outcome(Cause.EXIT, exit_code=code), made)


def end_all(submission: Submission, verdict: Verdict = GOOD) -> None:
    while waiting := items(submission, "QUEUED"):
        finish(take(submission, waiting[0]), verdict)


def shown(submission: Submission, step: str = "each") -> StepProgress:
    submission.refresh_from_db()
    return next(each for each in step_progress(submission) if each.name == step)


def statuses(submission: Submission) -> dict[str, str]:
    return {each.name: each.status for each in step_progress(submission)}


def assert_counters_are_right(submission: Submission) -> None:
    submission.refresh_from_db()
    ended = ["COMPLETE", "SKIPPED", "ERROR", "CRASH", "CANCELLED"]
    assert submission.unfinished == submission.step_runs.exclude(status__in=ended).count()
    for scatter in submission.scatters.all():
        runs = submission.step_runs.filter(step=scatter.step)
        assert scatter.total == runs.count()
        assert scatter.unfinished == runs.exclude(status__in=ended).count()
        assert scatter.complete == runs.filter(status="COMPLETE").count()
        assert scatter.failed == runs.filter(status__in=["ERROR", "CRASH"]).count()
        assert (scatter.finished is not None) == (scatter.unfinished == 0)


@pytest.fixture(autouse=True)
def counters_are_right(db: None) -> Iterator[None]:
    yield
    for submission in Submission.objects.all():
        assert_counters_are_right(submission)


# Making items


def test_only_as_many_items_are_queued_and_announced_as_may_run_at_once(start: Start, woken: list[int]) -> None:
    submission = start(5, max_parallel=2)
    assert items(submission, "QUEUED") == [1, 2]
    assert items(submission, "PENDING") == [3, 4, 5]
    assert woken == list(submission.step_runs.filter(status="QUEUED").values_list("pk", flat=True))
    assert submission.unfinished == 6
    assert list(Event.objects.filter(step="each").values_list("item", "status")) == [(1, "QUEUED"), (2, "QUEUED")]


def test_items_are_in_the_order_of_the_files_and_their_names_sort_so(start: Start) -> None:
    submission = start(11)
    names = list(submission.step_runs.filter(step="each").order_by("item").values_list("item_name", flat=True))
    assert names == [f"{n:02}-page {n}" for n in range(1, 12)]
    assert names == sorted(names)


def test_a_thousand_items_are_made_with_few_statements(start: Start) -> None:
    with CaptureQueriesContext(connection) as queries:
        start(1010)
    inserts = [each for each in queries.captured_queries if each["sql"].startswith('INSERT INTO "runs_steprun"')]
    assert len(inserts) < 60, "SQLite takes some dozens of rows in one, PostgreSQL all"


def test_what_waits_is_released_one_by_one_as_items_end(start: Start, woken: list[int]) -> None:
    submission = start(4, max_parallel=2)
    woken.clear()
    second, first = take(submission, 2), take(submission, 1)
    (third,) = finish(second)
    assert third.item == 3
    assert items(submission, "QUEUED") == [3]
    assert woken == [], "the worker looks by itself"
    finish(first)
    assert items(submission, "QUEUED") == [3, 4]
    finish(take(submission, 4))
    assert items(submission, "PENDING") == []
    assert shown(submission).status == "RUNNING"
    ready = finish(take(submission, 3))
    assert [each.step for each in ready] == ["join"]
    assert statuses(submission) == {"each": "COMPLETE", "join": "QUEUED"}


def test_the_cost_of_an_items_end_does_not_depend_on_how_many_there_are(start: Start) -> None:
    costs = []
    for files in (10, 400):
        submission = start(files, max_parallel=2)
        claims = take(submission, 1), take(submission, 2)
        finish(claims[0])
        with CaptureQueriesContext(connection) as queries:
            finish(claims[1])
        costs.append(len(queries.captured_queries))
        engine.cancel(submission.pk)
    assert costs[0] == costs[1]


def test_each_item_is_given_its_own_file(start: Start, tmp_path: Any) -> None:
    submission = start(3)
    claim = take(submission, 2)
    inputs = find_inputs(claim.plan, claim.step_run)
    assert stage(claim.plan, "each", inputs, tmp_path) == {"page": ["page.txt"]}
    assert (tmp_path / "page.txt").read_bytes() == b"2"


def test_what_items_made_lies_in_order_in_folders_of_their_own(start: Start, tmp_path: Any) -> None:
    submission = start(3)
    for item in (3, 1, 2):
        finish(take(submission, item))
    claim = take(submission, 0, "join")
    staged = stage(claim.plan, "join", find_inputs(claim.plan, claim.step_run), tmp_path)
    assert staged == {"notes": [f"notes/{n}-page {n}/note.txt" for n in (1, 2, 3)]}
    assert [(tmp_path / path).read_bytes() for path in staged["notes"] or ()] == [b"1", b"2", b"3"]
    assert [each.file for each in Result.objects.filter(step="each")] == [f"{n}-page {n}/note.txt" for n in (1, 2, 3)]
    assert all(each.many for each in Result.objects.filter(step="each"))


def test_a_step_that_may_not_take_so_many_fails_and_says_so(start: Start) -> None:
    submission = start(3, max_items=2, beside=True)
    submission.refresh_from_db()
    assert submission.status == "ERROR"
    message = "Step 'each' was not started: it would run once for each of 3 files, and at most 2 are allowed."
    assert submission.message == message
    assert statuses(submission) == {"each": "ERROR", "beside": "CANCELLED", "join": "CANCELLED"}
    assert engine.retry(submission.pk).status == "ERROR", "it is so again"


def test_a_step_that_scatters_over_nothing_is_skipped(start: Start) -> None:
    submission = start(0)
    submission.refresh_from_db()
    assert statuses(submission)["each"] == "SKIPPED"
    assert shown(submission).message == "Step 'each' was skipped: there is nothing for its input 'page'."
    assert statuses(submission)["join"] == "QUEUED", "it finds nothing, and is skipped when it is taken up"


# Failures


def test_one_failure_cancels_the_other_items_and_fails_the_step(start: Start) -> None:
    submission = start(5, max_parallel=2)
    first, second = take(submission, 1), take(submission, 2)
    finish(first, BAD)
    assert items(submission, "CANCELLED") == [3, 4, 5]
    held = engine.hold("w", {second.step_run.pk: second.step_run.attempt}, extend=False)
    assert held.cancelled == {second.step_run.pk}
    engine.end_stopped(second, Outcome(Cause.CANCELLED))
    submission.refresh_from_db()
    assert (submission.status, submission.cause) == ("ERROR", "exit")
    assert submission.message == "Step 'each' failed with exit code 1. (item 1-page 1)"
    step = shown(submission)
    assert (step.status, step.failed, step.ended, step.exit_code) == ("ERROR", 1, 5, 1)


@pytest.mark.parametrize("policy", ["cancel", "finish"])
def test_other_items_are_ended_whatever_becomes_of_other_steps(start: Start, policy: str) -> None:
    submission = start(2, beside=True, job=f"    on_failure: {policy}\n")
    first, second, other = take(submission, 1), take(submission, 2), take(submission, 0, "beside")
    finish(first, BAD)
    keys = {claim.step_run.pk: claim.step_run.attempt for claim in (second, other)}
    held = engine.hold("w", keys, extend=False)
    assert held.cancelled == ({second.step_run.pk} if policy == "finish" else set(keys))
    for claim in (second, other):
        if claim.step_run.pk in held.cancelled:
            engine.end_stopped(claim, Outcome(Cause.CANCELLED))
        else:
            finish(claim)
    submission.refresh_from_db()
    assert submission.status == "ERROR"
    assert statuses(submission)["beside"] == ("COMPLETE" if policy == "finish" else "CANCELLED")


def test_running_items_finish_where_another_step_fails_and_siblings_may(start: Start) -> None:
    submission = start(3, beside=True, max_parallel=1, job="    on_failure: finish\n")
    item, other = take(submission, 1), take(submission, 0, "beside")
    finish(other, BAD)
    assert items(submission, "CANCELLED") == [2, 3]
    assert engine.hold("w", {item.step_run.pk: 1}, extend=False).cancelled == set()
    finish(item)
    submission.refresh_from_db()
    assert submission.status == "ERROR"
    assert statuses(submission) == {"each": "CANCELLED", "beside": "ERROR", "join": "CANCELLED"}


def test_where_items_may_fail_the_step_goes_on_with_the_good_ones(start: Start, tmp_path: Any) -> None:
    submission = start(4, max_parallel=2, on_item_failure="continue")
    finish(take(submission, 1), BAD)
    finish(take(submission, 2))
    finish(take(submission, 3), CRASHED)
    finish(take(submission, 4))
    step = shown(submission)
    assert (step.status, step.complete, step.failed, step.total) == ("COMPLETE", 2, 2, 4)
    assert step.message == "2 of 4 items failed. The first: Step 'each' failed with exit code 1. (item 1-page 1)"
    claim = take(submission, 0, "join")
    inputs = find_inputs(claim.plan, claim.step_run)["notes"]
    assert [each.file for each in inputs or ()] == ["2-page 2/note.txt", "4-page 4/note.txt"]
    finish(claim)
    submission.refresh_from_db()
    assert (submission.status, submission.message) == ("COMPLETE", "")


@pytest.mark.parametrize(("verdict", "status"), [(BAD, "ERROR"), (CRASHED, "CRASH")])
def test_where_all_items_fail_the_step_has_failed(start: Start, verdict: Verdict, status: str) -> None:
    submission = start(2, on_item_failure="continue")
    end_all(submission, verdict)
    submission.refresh_from_db()
    assert submission.status == status
    assert submission.message == f"All 2 items of step 'each' failed. The first: {verdict.message} (item 1-page 1)"
    assert statuses(submission) == {"each": status, "join": "CANCELLED"}


def test_an_item_that_stops_ends_the_job_well(start: Start) -> None:
    submission = start(4, max_parallel=2)
    first, second = take(submission, 1), take(submission, 2)
    finish(first, STOP)
    assert items(submission, "SKIPPED") == [3, 4]
    finish(second)
    submission.refresh_from_db()
    assert (submission.status, submission.stopped_step) == ("COMPLETE", "each")
    assert submission.stopped_message == "That is enough."
    assert statuses(submission) == {"each": "COMPLETE", "join": "SKIPPED"}
    assert Result.objects.count() == 2


# What may come between


def test_items_are_tried_again_by_themselves(start: Start) -> None:
    submission = start(3, max_parallel=1)
    lost = take(submission, 1)
    StepRun.objects.filter(pk=lost.step_run.pk).update(leased_until=Now() - dt.timedelta(seconds=1))
    assert [each.item for each in engine.lose_expired()] == [1]
    run = submission.step_runs.get(item=1)
    assert (run.status, run.tries) == ("QUEUED", 1)
    assert items(submission, "QUEUED") == [1], "it keeps its place among those that may run"
    assert finish(lost) == []
    assert shown(submission).complete == 0


def test_an_item_that_is_given_back_is_queued_at_once(start: Start) -> None:
    submission = start(3, max_parallel=1)
    engine.end_stopped(take(submission, 1), Outcome(Cause.CANCELLED))
    assert items(submission, "QUEUED") == [1]
    assert items(submission, "PENDING") == [2, 3]


def test_an_item_that_is_lost_too_often_makes_room_for_the_next(start: Start, woken: list[int]) -> None:
    submission = start(2, max_parallel=1, on_item_failure="continue")
    for _ in range(4):
        engine.lose(take(submission, 1).step_run)
    assert items(submission, "QUEUED") == [2]
    assert woken[-1] == submission.step_runs.get(item=2).pk
    finish(take(submission, 2))
    assert shown(submission).status == "COMPLETE"


def test_a_wide_step_is_cancelled_at_once_but_for_what_runs(start: Start) -> None:
    submission = start(1000, max_parallel=2)
    claim = take(submission, 1)
    assert engine.cancel(submission.pk).status == "RUNNING"
    assert len(items(submission, "CANCELLED")) == 999
    engine.end_stopped(claim, Outcome(Cause.CANCELLED))
    submission.refresh_from_db()
    assert submission.status == "CANCELLED"
    assert (shown(submission).status, shown(submission).ended) == ("CANCELLED", 1000)


def test_cancelling_where_items_may_fail_is_no_failure(start: Start) -> None:
    submission = start(3, max_parallel=1, on_item_failure="continue")
    finish(take(submission, 1), BAD)
    assert engine.cancel(submission.pk).status == "CANCELLED"
    assert shown(submission).status == "CANCELLED"


def test_a_new_start_runs_only_the_failed_items_again(start: Start, woken: list[int]) -> None:
    submission = start(5, max_parallel=2)
    first, second = take(submission, 1), take(submission, 2)
    finish(first)
    finish(second, BAD)
    submission.refresh_from_db()
    assert submission.status == "ERROR"
    assert Scatter.objects.get().status == "ERROR"
    woken.clear()
    assert engine.retry(submission.pk).status == "SUBMITTED"
    assert_counters_are_right(submission)
    assert (items(submission, "COMPLETE"), items(submission, "QUEUED")) == ([1], [2, 3])
    assert items(submission, "PENDING") == [4, 5]
    assert len(woken) == 2
    end_all(submission)
    assert take(submission, 0, "join")
    submission.refresh_from_db()
    assert shown(submission).complete == 5


def test_items_that_were_allowed_to_fail_stay_so_when_a_later_step_is_started_again(start: Start) -> None:
    submission = start(2, on_item_failure="continue")
    finish(take(submission, 1), BAD)
    finish(take(submission, 2))
    finish(take(submission, 0, "join"), BAD)
    assert engine.retry(submission.pk).status == "SUBMITTED"
    assert items(submission, "ERROR") == [1]
    assert statuses(submission) == {"each": "COMPLETE", "join": "QUEUED"}


def test_a_cancelled_wide_step_is_started_again_from_where_it_was(start: Start) -> None:
    submission = start(4, max_parallel=1)
    finish(take(submission, 1))
    engine.cancel(submission.pk)
    engine.retry(submission.pk)
    assert (items(submission, "QUEUED"), items(submission, "PENDING")) == ([2], [3, 4])
    end_all(submission)
    assert shown(submission).status == "COMPLETE"


def test_where_one_item_failed_and_another_ended_the_job_a_new_start_begins_no_other_item(start: Start) -> None:
    submission = start(5, max_parallel=3)
    claims = [take(submission, item) for item in (1, 2, 3)]
    finish(claims[0], BAD)
    finish(claims[1], STOP)
    finish(claims[2], BAD)
    assert engine.retry(submission.pk).unfinished == 2
    assert (items(submission, "QUEUED"), items(submission, "SKIPPED")) == ([1, 3], [4, 5])
    end_all(submission)
    submission.refresh_from_db()
    assert (submission.status, submission.stopped_step) == ("COMPLETE", "each")
    assert statuses(submission) == {"each": "COMPLETE", "join": "SKIPPED"}


def test_a_deleted_submission_keeps_no_item_names_and_no_bytes(start: Start) -> None:
    submission = start(3)
    finish(take(submission, 1))
    engine.delete(submission.pk)
    assert set(submission.step_runs.values_list("item_name", "item_blob")) == {("", None)}
    sweep_blobs()
    assert Blob.objects.count() == 0


def test_a_poll_needs_few_queries_however_many_items_there_are(start: Start) -> None:
    submission = start(500, max_parallel=3)
    take(submission, 1), take(submission, 2)
    with CaptureQueriesContext(connection) as queries:
        step = step_progress(submission)[0]
    assert len(queries.captured_queries) == 3
    assert (step.status, step.running, step.total, step.ended) == ("RUNNING", 2, 500, 0)
    assert step.started is not None


def test_items_have_the_rank_of_their_submission(start: Start) -> None:
    submission = start(files=4, max_parallel=2, caller=7, priority=3)
    ranks = submission.step_runs.filter(step="each").values_list("caller", "priority", "entered", "opens")
    assert list(ranks) == [(7, 3, submission.created, "wide")] * 4
    assert engine.prioritise([submission.pk], 5) == 1
    take(submission, 1)
    ranks = submission.step_runs.filter(step="each").values_list("caller", "priority", "entered", "opens")
    assert list(ranks) == [(7, 5, submission.created, "")] * 4, "also of those that wait for their turn"


def test_a_wide_step_does_not_hold_up_another_caller(start: Start) -> None:
    wide, small = start(files=4, caller=1), start(files=1, caller=2)
    taken = [engine.claim_best("w", QUEUES) for _ in range(3)]
    assert [each and each.step_run.submission for each in taken] == [wide, small, wide]


def test_the_best_step_is_never_an_item_beyond_the_width(start: Start) -> None:
    submission = start(files=3, max_parallel=1)
    claim = engine.claim_best("w", QUEUES)
    assert claim is not None
    assert engine.claim_best("w", QUEUES) is None
    finish(claim)
    claim = engine.claim_best("w", QUEUES)
    assert claim is not None
    assert (claim.step_run.submission, claim.step_run.item) == (submission, 2)


def test_what_is_started_again_has_the_priority_that_its_submission_got_meanwhile(start: Start) -> None:
    submission = start(files=2, beside=True, job="    on_failure: finish\n")
    beside = take(submission, 0, "beside")
    finish(take(submission, 1), BAD)
    assert engine.prioritise([submission.pk], 4) == 1
    finish(beside)
    assert engine.retry(submission.pk).status == "SUBMITTED"
    again = submission.step_runs.exclude(status="COMPLETE").values_list("priority", "opens")
    assert set(again) == {(4, "wide")}


def test_a_poll_counts_the_items_each_time(start: Start) -> None:
    submission = start(3)
    address = f"/api/v1/submissions/{submission.pk}"

    def counts() -> list[int]:
        runs = Client().get(address).json()["steps"][0]["runs"]
        return [runs["complete"], runs["running"]]

    assert counts() == counts() == [0, 0]
    third = take(submission, 3)
    assert counts() == counts() == [0, 1]
    finish(third)
    assert counts() == counts() == [1, 0]
    end_all(submission)
    assert counts() == counts() == [3, 0]
