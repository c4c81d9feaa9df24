"""The engine's transitions, one by one, without workers."""

import datetime as dt
from collections.abc import Callable

import pytest
from celery import current_app
from django.utils import timezone

from analytics_automated.executors.base import Cause, Outcome
from analytics_automated.pipelines.models import Backend, Job
from analytics_automated.runs import engine
from analytics_automated.runs.engine import Gathered
from analytics_automated.runs.models import Attempt, Event, Result, StepRun, Submission
from analytics_automated.runs.states import (
    STEP_TRANSITIONS,
    SUBMISSION_TRANSITIONS,
    IllegalTransition,
    StepStatus,
    SubmissionStatus,
    step_origins,
)
from analytics_automated.runs.verdicts import Verdict
from analytics_automated.storage.models import Blob
from analytics_automated.storage.streams import blob_storage, store

pytestmark = pytest.mark.django_db(transaction=True)
QUEUES = frozenset({"LOCALHOST"})
GOOD = Verdict(StepStatus.COMPLETE)
BAD = Verdict(StepStatus.ERROR, "Step 'x' failed with exit code 1.", "exit")
OUTCOME = Outcome(Cause.EXIT, exit_code=0, seconds=0.1)


def take(submission: Submission, step: str, worker: str = "w") -> engine.Claim:
    claim = engine.claim(StepRun.objects.get(submission=submission, step=step).pk, worker, QUEUES)
    assert claim is not None
    return claim


def made(output: str, data: bytes = b"made") -> list[Gathered]:
    return [Gathered(output, f"{output}.txt", "text/plain", False, store([data], "1.1"))]


def statuses(submission: Submission) -> dict[str, str]:
    return dict(submission.step_runs.values_list("step", "status"))


def stored_files() -> set[str]:
    storage = blob_storage()
    return {f"{folder}/{name}" for folder in storage.listdir("")[0] for name in storage.listdir(folder)[1]}


def test_a_submission_starts_with_its_first_steps_queued_and_the_others_waiting(submit, woken) -> None:
    submission = submit()
    assert statuses(submission) == {"first": "QUEUED", "left": "PENDING", "right": "PENDING", "last": "PENDING"}
    assert submission.unfinished == 4
    assert woken == [submission.step_runs.get(step="first").pk]
    assert list(submission.events.values_list("step", "status")) == [("", "SUBMITTED"), ("first", "QUEUED")]


def test_a_step_is_claimed_once_however_often_it_is_tried(submit) -> None:
    submission = submit()
    claim = take(submission, "first")
    assert engine.claim(claim.step_run.pk, "other", QUEUES) is None
    assert engine.claim_best("other", QUEUES) is None
    submission.refresh_from_db()
    assert submission.status == "RUNNING"
    attempt = Attempt.objects.get()
    assert (attempt.number, attempt.worker, attempt.queue, attempt.executor) == (1, "w", "LOCALHOST", "local")


def test_a_stale_look_at_a_step_cannot_claim_it(submit) -> None:
    submission = submit()
    pk = submission.step_runs.get(step="first").pk
    StepRun.objects.filter(pk=pk).update(status="RUNNING", attempt=1)
    assert engine.claim(pk, "w", QUEUES) is None


def test_a_worker_takes_nothing_from_queues_that_it_does_not_serve(submit) -> None:
    submit()
    assert engine.claim_best("w", frozenset({"elsewhere"})) is None


def test_a_worker_leaves_a_step_alone_whose_snapshot_has_another_format(submit) -> None:
    submit()
    StepRun.objects.update(format=99)
    assert engine.claim_best("w", QUEUES) is None


def test_a_worker_leaves_a_running_step_alone_whose_snapshot_has_another_format(submit) -> None:
    claim = take(submit(), "first")
    StepRun.objects.update(format=99, leased_until=timezone.now() - dt.timedelta(minutes=1))
    assert list(engine.running_steps()) == []
    assert engine.lose_expired() == []
    StepRun.objects.update(format=1)
    assert engine.lose_expired() == [claim.step_run]


def test_the_oldest_ready_step_is_the_best(submit) -> None:
    old, new = submit(), submit()
    StepRun.objects.filter(submission=new).update(queued=timezone.now())
    claim = engine.claim_best("w", QUEUES)
    assert claim is not None
    assert claim.step_run.submission_id == old.pk


def test_a_diamond_runs_to_its_end(submit, woken) -> None:
    submission = submit()
    ready = engine.finish(take(submission, "first"), GOOD, OUTCOME, made("one"))
    assert [step_run.step for step_run in ready] == ["left", "right"]
    assert woken[1:] == [], "the worker looks itself, and then says what it leaves to others"
    left, right = take(submission, "left"), take(submission, "right")
    assert engine.finish(left, GOOD, OUTCOME, made("two", b"2")) == []
    assert statuses(submission)["last"] == "PENDING"
    assert [each.step for each in engine.finish(right, GOOD, OUTCOME, made("three", b"3"))] == ["last"]
    engine.finish(take(submission, "last"), GOOD, OUTCOME, made("end"))
    submission.refresh_from_db()
    assert submission.status == "COMPLETE"
    assert submission.finished is not None
    assert set(Result.objects.values_list("name", flat=True)) == {"first_one", "left_two", "right_three", "last_end"}


def test_a_failure_cancels_what_has_not_started_and_ends_when_its_siblings_have(submit) -> None:
    submission = submit()
    engine.finish(take(submission, "first"), GOOD, OUTCOME, made("one"))
    left, right = take(submission, "left"), take(submission, "right")
    engine.finish(left, BAD, OUTCOME)
    submission.refresh_from_db()
    assert submission.status == "RUNNING"
    engine.finish(right, GOOD, OUTCOME, made("three"))
    submission.refresh_from_db()
    assert submission.status == "ERROR"
    assert (submission.message, submission.cause) == (BAD.message, "exit")
    assert statuses(submission) == {"first": "COMPLETE", "left": "ERROR", "right": "COMPLETE", "last": "CANCELLED"}
    assert Result.objects.filter(submission=submission).count() == 2


def test_a_stop_skips_what_comes_later_and_the_submission_is_complete(submit) -> None:
    submission = submit()
    verdict = Verdict(StepStatus.COMPLETE, "Nothing was found.", stops=True)
    engine.finish(take(submission, "first"), verdict, OUTCOME, made("one"))
    submission.refresh_from_db()
    assert submission.status == "COMPLETE"
    assert (submission.stopped_step, submission.stopped_message) == ("first", "Nothing was found.")
    assert statuses(submission) == {"first": "COMPLETE", "left": "SKIPPED", "right": "SKIPPED", "last": "SKIPPED"}


def test_a_skipped_step_lets_those_behind_it_go_on(submit) -> None:
    submission = submit()
    ready = engine.skip(take(submission, "first"), "There is nothing for it.")
    assert [step_run.step for step_run in ready] == ["left", "right"]
    assert statuses(submission)["first"] == "SKIPPED"


def test_a_late_worker_cannot_finish_a_step_that_was_given_away(submit) -> None:
    submission = submit()
    late = take(submission, "first")
    assert engine.lose(late.step_run)
    again = take(submission, "first", "other")
    assert again.step_run.attempt == 2
    before = stored_files()
    assert engine.finish(late, GOOD, OUTCOME, made("one", b"late")) == []
    assert stored_files() == before, "what it had stored is removed"
    assert Result.objects.count() == 0
    engine.finish(again, GOOD, OUTCOME, made("one", b"right"))
    assert Result.objects.get().blob.size == 5


def test_a_step_that_is_lost_too_often_crashes_its_submission(submit) -> None:
    submission = submit()
    for _ in range(4):
        engine.lose(take(submission, "first").step_run)
    submission.refresh_from_db()
    assert submission.status == "CRASH"
    assert submission.cause == "lost"
    assert Attempt.objects.filter(cause="lost").count() == 4


def test_a_step_that_is_given_back_is_queued_at_once(submit, woken) -> None:
    submission = submit()
    claim = take(submission, "first")
    assert engine.end_stopped(claim, Outcome(Cause.CANCELLED)) == []
    assert statuses(submission)["first"] == "QUEUED"
    assert woken == [claim.step_run.pk] * 2
    assert take(submission, "first").step_run.attempt == 2


def test_reconcile_wakes_no_more_workers_than_there_are_slots(submit, woken) -> None:
    for _ in range(3):
        submit()
    woken.clear()
    assert engine.reconcile(QUEUES, 2) == 0, "their messages are still under way"
    StepRun.objects.update(queued=timezone.now() - timezone.timedelta(minutes=1))
    assert engine.reconcile(QUEUES, 2) == 2
    assert len(woken) == 2
    assert engine.reconcile(QUEUES, 0) == 0
    assert engine.reconcile(frozenset({"elsewhere"}), 5) == 0


def test_a_step_whose_backend_is_gone_for_too_long_crashes(submit, settings) -> None:
    settings.AA = settings.AA.model_copy(update={"backend_patience": 0})
    submission = submit()
    StepRun.objects.update(backend="gone")
    assert engine.crash_homeless() == 1
    submission.refresh_from_db()
    assert submission.status == "CRASH"
    assert submission.cause == "backend_unavailable"
    assert set(statuses(submission).values()) == {"CRASH", "CANCELLED"}


def test_equal_bytes_are_kept_once(submit) -> None:
    first, second = submit(b"same"), submit(b"same")
    assert first.inputs.get().blob == second.inputs.get().blob
    assert Blob.objects.filter(size=4).count() == 1
    assert sum("test" in key for key in stored_files()) >= 1
    blob = Blob.objects.get(size=4)
    assert blob_storage().exists(blob.key)


def test_a_broker_that_is_down_does_not_lose_a_submission(submit, monkeypatch: pytest.MonkeyPatch) -> None:
    from analytics_automated.runs import dispatch
    from analytics_automated.runs.broker import Broker

    def send_task(*_: object, **__: object) -> None:
        raise ConnectionError("no broker")

    monkeypatch.setattr(dispatch, "broker", Broker())
    monkeypatch.setattr(current_app, "send_task", send_task)
    submission = submit()
    assert statuses(submission)["first"] == "QUEUED"


def test_every_event_stands_beside_its_change(submit) -> None:
    submission = submit()
    engine.finish(take(submission, "first"), BAD, OUTCOME)
    told = list(Event.objects.filter(submission=submission).values_list("step", "status"))
    assert told == [
        ("", "SUBMITTED"), ("first", "QUEUED"), ("", "RUNNING"), ("first", "RUNNING"), ("first", "ERROR"),
        ("left", "CANCELLED"), ("right", "CANCELLED"), ("last", "CANCELLED"), ("", "ERROR"),
    ]  # fmt: skip


def test_what_was_submitted_is_not_touched_by_a_change_or_deletion_of_the_job(submit, job: Job) -> None:
    submission = submit()
    job.delete()
    claim = take(submission, "first")
    assert claim.plan.job == "diamond"
    engine.finish(claim, GOOD, OUTCOME, made("one"))
    assert statuses(submission)["left"] == "QUEUED"


def test_a_deleted_backend_leaves_queued_steps_to_reconcile(submit) -> None:
    submission = submit()
    StepRun.objects.update(backend="gone")
    assert engine.claim_best("w", QUEUES) is None
    assert not Backend.objects.filter(name="gone").exists()
    assert statuses(submission)["first"] == "QUEUED"


def test_terminal_states_lead_at_most_to_a_new_start_and_every_state_can_be_reached() -> None:
    reached = {to for following in STEP_TRANSITIONS.values() for to in following}
    assert reached | {StepStatus.PENDING, StepStatus.QUEUED} == set(StepStatus)
    assert set().union(*SUBMISSION_TRANSITIONS.values()) | {SubmissionStatus.SUBMITTED} == set(SubmissionStatus)
    for status in ("COMPLETE", "SKIPPED"):
        assert STEP_TRANSITIONS[StepStatus(status)] == frozenset()
    for status in ("ERROR", "CRASH", "CANCELLED"):
        assert STEP_TRANSITIONS[StepStatus(status)] == {StepStatus.PENDING, StepStatus.QUEUED}


def test_an_illegal_transition_cannot_be_written() -> None:
    with pytest.raises(IllegalTransition):
        step_origins(StepStatus.RUNNING, [StepStatus.COMPLETE])


def test_two_workers_that_race_for_a_step_get_it_once(submit: Callable[..., Submission]) -> None:
    import threading

    from django.db import connection

    for _ in range(5):
        submit()
    won: list[int] = []

    def work() -> None:
        while claim := engine.claim_best(threading.current_thread().name, QUEUES):
            won.append(claim.step_run.pk)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == len(set(won)) == 5


def test_what_was_recorded_already_keeps_its_files_when_it_is_recorded_again(submit) -> None:
    """The answer to a commit may be lost; the worker then does the same again."""
    submission = submit()
    claim = take(submission, "first")
    gathered = made("one", b"recorded once")
    engine.finish(claim, GOOD, OUTCOME, gathered)
    assert engine.finish(claim, GOOD, OUTCOME, gathered) == []
    assert gathered[0].stored.key in stored_files()
    assert Result.objects.filter(submission=submission).count() == 1
