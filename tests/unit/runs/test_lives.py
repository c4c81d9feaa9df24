"""What may come between a step's start and its end: leases, retries, cancellation, deletion, and a new start."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.apps import apps
from django.db.models.functions import Now
from django.utils import timezone

from analytics_automated.executors.base import Cause, Log, Outcome
from analytics_automated.pipelines.definitions.task import RetriesDefinition, TaskDefinition
from analytics_automated.pipelines.refusals import Refused
from analytics_automated.runs import engine, execution
from analytics_automated.runs.engine import Gathered, following, losing
from analytics_automated.runs.engine.retrying import next_try
from analytics_automated.runs.intake import Intake
from analytics_automated.runs.models import Attempt, Event, Result, StepRun, Submission, SubmissionInput
from analytics_automated.runs.resubmitting import resubmit
from analytics_automated.runs.states import StepStatus
from analytics_automated.runs.verdicts import Verdict
from analytics_automated.runs.workdirs import work_folder
from analytics_automated.storage.models import Blob
from analytics_automated.storage.streams import store
from unit.runs.conftest import PIPELINE, apply_text
from unit.runs.invariants import broken

pytestmark = pytest.mark.django_db(transaction=True)
QUEUES = frozenset({"LOCALHOST"})
GOOD = Verdict(StepStatus.COMPLETE)
BAD = Verdict(StepStatus.ERROR, "Step 'x' failed with exit code 1.", "exit")
STOP = Verdict(StepStatus.COMPLETE, "enough", stops=True)
ENDED = Outcome(Cause.CANCELLED)

Submit = Callable[..., Submission]


def take(submission: Submission, step: str, worker: str = "w") -> engine.Claim:
    claim = engine.claim(StepRun.objects.get(submission=submission, step=step).pk, worker, QUEUES)
    assert claim is not None
    return claim


def finish(claim: engine.Claim, verdict: Verdict = GOOD, *outputs: str) -> None:
    made = [
        Gathered(output, f"{output}.txt", "text/plain", False, store([output.encode()], "1.1")) for output in outputs
    ]
    engine.finish(claim, verdict, Outcome(Cause.EXIT, exit_code=1 if verdict is BAD else 0), made)


def statuses(submission: Submission) -> dict[str, str]:
    return dict(submission.step_runs.values_list("step", "status"))


def held(claim: engine.Claim, *, extend: bool = False, worker: str = "w") -> engine.Held:
    return engine.hold(worker, {claim.step_run.pk: claim.step_run.attempt}, extend=extend)


def expire(claim: engine.Claim) -> None:
    StepRun.objects.filter(pk=claim.step_run.pk).update(leased_until=Now() - dt.timedelta(seconds=1))


# Leases


def test_a_worker_that_wakes_without_its_step_and_folder_breaks_off_in_silence(
    submit: Submit, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    claim = take(submit(), "first")
    folder = work_folder(claim.backend, claim.step_run.attempt_name)

    def sleep_long(*_: object) -> None:
        """What others do while it is frozen."""
        expire(claim)
        assert engine.lose_expired() == [claim.step_run]
        folder.remove()
        folder.script.write_bytes(b"")

    monkeypatch.setattr(execution, "prepare", sleep_long)
    before = Event.objects.count() + 1
    execution.run(claim, lambda _running: None)
    step_run = StepRun.objects.get(pk=claim.step_run.pk)
    assert (step_run.status, step_run.attempt, step_run.tries) == ("QUEUED", 1, 1)
    assert Event.objects.count() == before, "that it was lost, and no more"
    assert [record.levelname for record in caplog.records if record.name == execution.__name__] == ["WARNING"]


def test_a_claim_is_a_lease_that_its_worker_extends(submit: Submit) -> None:
    claim = take(submit(), "first")
    first = StepRun.objects.get(pk=claim.step_run.pk).leased_until
    assert first is not None
    assert first > timezone.now() + dt.timedelta(seconds=20)
    expire(claim)
    assert held(claim, extend=True) == engine.Held(frozenset(), frozenset())
    assert engine.lose_expired() == []


def test_an_expired_lease_gives_the_step_away_and_the_late_worker_learns_of_it(submit: Submit) -> None:
    submission = submit()
    late = take(submission, "first")
    expire(late)
    assert [step_run.step for step_run in engine.lose_expired()] == ["first"]
    assert held(late, extend=True).lost == {late.step_run.pk}
    again = take(submission, "first", "other")
    assert held(late, extend=True).lost == {late.step_run.pk}
    assert held(again, worker="other") == engine.Held(frozenset(), frozenset())
    finish(late, GOOD, "one")
    assert Result.objects.count() == 0
    assert Attempt.objects.get(number=1).cause == "lost"


def test_a_lease_that_was_extended_just_in_time_holds(submit: Submit, monkeypatch: pytest.MonkeyPatch) -> None:
    submission = submit()
    claim = take(submission, "first")
    expire(claim)
    lose = losing.lose

    def late(step_run: StepRun, *, only_expired: bool) -> bool:
        held(claim, extend=True)
        return lose(step_run, only_expired=only_expired)

    monkeypatch.setattr(losing, "lose", late)
    assert engine.lose_expired() == []
    finish(claim, GOOD, "one")
    assert statuses(submission)["first"] == "COMPLETE"


def test_what_was_cancelled_while_it_was_found_to_be_lost_is_cancelled(submit: Submit) -> None:
    submission = submit()
    claim = take(submission, "first")
    found = StepRun.objects.get(pk=claim.step_run.pk)
    engine.cancel(submission.pk)
    assert engine.lose(found)
    assert statuses(submission)["first"] == "CANCELLED"


def test_a_lease_is_not_extended_by_another_worker(submit: Submit) -> None:
    claim = take(submit(), "first")
    expire(claim)
    held(claim, extend=True, worker="other")
    assert len(engine.lose_expired()) == 1


# Retries


def retried(text: str) -> TaskDefinition:
    return TaskDefinition(
        command="x", retries=RetriesDefinition.model_validate({"on": text.split(), "max": 2, "delay": 4, "backoff": 3})
    )


@pytest.mark.parametrize(
    ("on", "cause", "code", "again"),
    [
        ("exit", "exit", 7, True),
        ("exit:7", "exit", 7, True),
        ("exit:7", "exit", 8, False),
        ("exit:64-78", "exit", 70, True),
        ("timeout memory", "memory", None, True),
        ("exit:137", "memory", 137, True),
        ("exit", "memory", 137, False),
        ("exit:0", "missing_output", 0, False),
        ("timeout", "signal", None, False),
        ("lost", "lost", None, True),
        ("missing_output", "missing_output", 0, True),
    ],
)
def test_a_failure_is_tried_again_where_its_cause_is_named(on: str, cause: str, code: int | None, again: bool) -> None:
    assert (next_try(retried(on), cause, code, 0) is not None) == again


def test_the_delay_grows_from_try_to_try_and_varies_a_little() -> None:
    for tries, seconds in ((0, 4), (1, 12)):
        delays = [next_try(retried("exit"), "exit", 1, tries) for _ in range(50)]
        assert all(delay is not None and seconds <= delay.total_seconds() <= seconds * 1.1 for delay in delays)
        assert len(set(delays)) > 1
    assert next_try(retried("exit"), "exit", 1, 2) is None


def test_a_delay_has_a_bound_however_often_it_grew() -> None:
    task = TaskDefinition(command="x", retries=RetriesDefinition(max=100, on=["exit"], delay=60, backoff=1e300))
    assert next_try(task, "exit", 1, 90) <= dt.timedelta(days=1.1)


def test_without_retries_only_what_the_system_failed_is_tried_again() -> None:
    plain = TaskDefinition(command="x")
    assert [next_try(plain, cause, 1, 0) for cause in ("exit", "signal", "timeout", "memory", "missing_output")] == [
        None
    ] * 5
    assert next_try(plain, "lost", None, 2) == next_try(plain, "backend_unavailable", None, 0) == dt.timedelta()
    assert next_try(plain, "lost", None, 3) is None


def test_a_step_that_is_tried_again_waits_and_then_goes_on_as_if_nothing_had_been(
    submit: Submit, woken: list[int]
) -> None:
    apply_text(
        PIPELINE.replace(
            'command: "cp {input.data} {output.one}"',
            'command: "cp {input.data} {output.one}", retries: {on: [exit], delay: 1h}',
        )
    )
    submission = submit()
    finish(take(submission, "first"), BAD)
    row = submission.step_runs.get(step="first")
    assert (row.status, row.tries, row.message) == ("QUEUED", 1, "")
    assert engine.claim(row.pk, "w", QUEUES) is None, "it is not due"
    assert engine.claim_best("w", QUEUES) is None
    assert Attempt.objects.get().cause == "exit"
    assert (
        Event.objects.order_by("-pk")
        .first()
        .message.startswith("Step 'x' failed with exit code 1. It is tried again in 3")
    )
    assert woken == [row.pk], "nobody is woken for what is not due"
    StepRun.objects.update(not_before=Now())
    finish(take(submission, "first"), GOOD, "one")
    assert statuses(submission)["left"] == "QUEUED"


def test_the_last_try_ends_the_step(submit: Submit) -> None:
    apply_text(
        PIPELINE.replace(
            'command: "cp {input.data} {output.one}"',
            'command: "cp {input.data} {output.one}", retries: {on: [exit], max: 1}',
        )
    )
    submission = submit()
    finish(take(submission, "first"), BAD)
    finish(take(submission, "first"), BAD)
    submission.refresh_from_db()
    assert (submission.status, submission.message) == ("ERROR", BAD.message)


# Cancellation


def test_what_waits_is_cancelled_at_once(submit: Submit) -> None:
    submission = submit()
    assert engine.cancel(submission.pk).status == "CANCELLED"
    assert set(statuses(submission).values()) == {"CANCELLED"}
    assert engine.claim_best("w", QUEUES) is None
    assert engine.cancel(submission.pk).status == "CANCELLED", "twice is once"


def test_what_runs_is_cancelled_once_its_worker_has_ended_it(submit: Submit) -> None:
    submission = submit()
    claim = take(submission, "first")
    assert engine.cancel(submission.pk).status == "RUNNING"
    assert statuses(submission) == {"first": "RUNNING", "left": "CANCELLED", "right": "CANCELLED", "last": "CANCELLED"}
    assert held(claim).cancelled == {claim.step_run.pk}
    assert engine.end_stopped(claim, ENDED) == []
    submission.refresh_from_db()
    assert (submission.status, submission.cause, submission.message) == ("CANCELLED", "cancelled", "It was cancelled.")
    assert Attempt.objects.get().cause == "cancelled"


def test_what_ended_by_itself_before_its_worker_heard_is_complete_in_a_cancelled_submission(submit: Submit) -> None:
    submission = submit()
    claim = take(submission, "first")
    engine.cancel(submission.pk)
    finish(claim, GOOD, "one")
    submission.refresh_from_db()
    assert submission.status == "CANCELLED"
    assert statuses(submission)["first"] == "COMPLETE"


def test_a_cancelled_step_whose_worker_is_lost_is_not_tried_again(submit: Submit) -> None:
    submission = submit()
    claim = take(submission, "first")
    engine.cancel(submission.pk)
    expire(claim)
    engine.lose_expired()
    submission.refresh_from_db()
    assert (submission.status, statuses(submission)["first"]) == ("CANCELLED", "CANCELLED")


def test_a_failure_after_the_cancellation_is_not_tried_again(submit: Submit) -> None:
    submission = submit()
    claim = take(submission, "first")
    engine.cancel(submission.pk)
    engine.finish(claim, Verdict(StepStatus.CRASH, "x", "backend_unavailable"), None)
    submission.refresh_from_db()
    assert submission.status == "CANCELLED"


def test_a_failure_ends_running_siblings_unless_they_are_to_finish(submit: Submit) -> None:
    for keep in (False, True):
        if keep:
            apply_text(PIPELINE.replace("    runnable: true", "    runnable: true\n    on_failure: finish"))
        submission = submit()
        finish(take(submission, "first"), GOOD, "one")
        left, right = take(submission, "left"), take(submission, "right")
        finish(left, BAD)
        assert held(right).cancelled == (frozenset() if keep else {right.step_run.pk})
        if keep:
            finish(right, GOOD, "three")
        else:
            engine.end_stopped(right, ENDED)
        submission.refresh_from_db()
        assert (submission.status, submission.message) == ("ERROR", BAD.message)
        assert statuses(submission)["right"] == ("COMPLETE" if keep else "CANCELLED")


# A new start


def test_a_failed_submission_goes_on_from_its_failed_steps(submit: Submit, woken: list[int]) -> None:
    submission = submit()
    finish(take(submission, "first"), GOOD, "one")
    finish(take(submission, "left"), BAD)
    submission.refresh_from_db()
    assert submission.status == "ERROR"
    woken.clear()
    assert engine.retry(submission.pk).status == "SUBMITTED"
    assert statuses(submission) == {"first": "COMPLETE", "left": "QUEUED", "right": "QUEUED", "last": "PENDING"}
    assert set(woken) == set(submission.step_runs.filter(status="QUEUED").values_list("pk", flat=True))
    finish(take(submission, "left"), GOOD, "two")
    finish(take(submission, "right"), GOOD, "three")
    finish(take(submission, "last"), GOOD, "end")
    submission.refresh_from_db()
    assert (submission.status, submission.message, submission.unfinished) == ("COMPLETE", "", 0)
    assert Attempt.objects.filter(step_run__step="left").count() == 2


@pytest.mark.parametrize("end", ["run", "complete", "delete"])
def test_what_runs_is_complete_or_was_deleted_is_not_started_again(submit: Submit, end: str) -> None:
    submission = submit()
    if end == "complete":
        finish(take(submission, "first"), Verdict(StepStatus.COMPLETE, "enough", stops=True))
    elif end == "delete":
        engine.delete(submission.pk)
    with pytest.raises(engine.NotResumable):
        engine.retry(submission.pk)


def test_what_was_cancelled_when_all_was_done_is_complete_when_it_is_started_again(submit: Submit) -> None:
    submission = submit()
    for step, output in (("first", "one"), ("left", "two"), ("right", "three")):
        finish(take(submission, step), GOOD, output)
    last = take(submission, "last")
    engine.cancel(submission.pk)
    finish(last, GOOD, "end")  # just before its worker learns of that
    submission.refresh_from_db()
    assert (submission.status, set(statuses(submission).values())) == ("CANCELLED", {"COMPLETE"})
    assert engine.retry(submission.pk).status == "COMPLETE"
    submission.refresh_from_db()
    assert (submission.status, submission.unfinished) == ("COMPLETE", 0)
    assert broken() == []


@pytest.mark.parametrize("on_failure", ["cancel", "finish"])
@pytest.mark.parametrize("first", ["left", "right"])
def test_a_job_that_one_step_ended_and_another_failed_begins_nothing_more_when_it_is_started_again(
    submit: Submit, on_failure: str, first: str
) -> None:
    apply_text(PIPELINE.replace("    runnable: true", f"    runnable: true\n    on_failure: {on_failure}"))
    submission = submit()
    finish(take(submission, "first"), GOOD, "one")
    claims = {name: take(submission, name) for name in ("left", "right")}
    for name in (first, *({"left", "right"} - {first})):
        finish(claims[name], BAD) if name == "left" else finish(claims[name], STOP, "three")
    assert engine.retry(submission.pk).unfinished == 1
    assert statuses(submission) == {"first": "COMPLETE", "left": "QUEUED", "right": "COMPLETE", "last": "SKIPPED"}
    finish(take(submission, "left"), GOOD, "two")
    submission.refresh_from_db()
    assert (submission.status, submission.stopped_step, submission.message) == ("COMPLETE", "right", "enough")
    assert broken() == []


# Deletion


def test_deleting_leaves_an_anonymous_row_and_no_bytes(submit: Submit) -> None:
    submission = submit(b"mine alone", name="mine", email="me@example.org")
    finish(take(submission, "first"), GOOD, "one")
    engine.delete(submission.pk)
    submission.refresh_from_db()
    assert (submission.status, submission.name, submission.email, submission.parameters) == ("CANCELLED", "", "", {})
    assert submission.deleted is not None
    assert submission.erased
    for model in (SubmissionInput, Result, Event, Blob):
        assert model._default_manager.count() == 0
    assert statuses(submission)["first"] == "COMPLETE"
    engine.delete(submission.pk)


@pytest.mark.parametrize("end", ["ended", "complete", "lost"])
def test_what_runs_is_ended_and_then_erased_at_once(submit: Submit, end: str) -> None:
    submission = submit(b"mine", name="mine")
    claim = take(submission, "first")
    engine.delete(submission.pk)
    assert SubmissionInput.objects.count() == 1
    assert engine.erase_deleted() == 0
    if end == "ended":
        engine.end_stopped(claim, ENDED)
    elif end == "complete":
        finish(claim, GOOD, "one")
    else:
        expire(claim)
        engine.lose_expired()
    submission.refresh_from_db()
    assert (submission.status, submission.name, submission.erased) == ("CANCELLED", "", True)
    assert (SubmissionInput.objects.count(), Result.objects.count(), Blob.objects.count()) == (0, 0, 0)
    assert engine.erase_deleted() == 0


def test_what_was_not_erased_at_once_is_erased_later(submit: Submit, monkeypatch: pytest.MonkeyPatch) -> None:
    submission = submit(b"mine")
    claim = take(submission, "first")
    engine.delete(submission.pk)
    monkeypatch.setattr(following, "erase", lambda _: None)
    engine.end_stopped(claim, ENDED)
    assert SubmissionInput.objects.count() == 1
    assert engine.erase_deleted() == 1
    assert (SubmissionInput.objects.count(), Blob.objects.count()) == (0, 0)


def test_a_late_worker_writes_nothing_into_an_attempt_that_was_lost_and_erased(submit: Submit) -> None:
    submission = submit(b"mine")
    claim = take(submission, "first")

    def deleted_just_now(_: execution.Running) -> None:
        expire(claim)
        engine.lose_expired()
        engine.delete(submission.pk)

    execution.run(claim, deleted_just_now)
    left = Attempt.objects.get()
    assert (left.cause, left.argv, left.work_folder, left.stdout) == ("lost", [], "", "")
    assert Blob.objects.count() == 0


@pytest.mark.parametrize("when", ["before it is read", "before it is checked", "before it is written"])
def test_what_is_deleted_while_it_is_submitted_again_is_refused_and_nothing_is_left(
    submit: Submit, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    submission = submit(b"mine")
    if when == "before it is read":
        engine.delete(submission.pk)
    elif when == "before it is checked":
        check = Intake.submit
        monkeypatch.setattr(
            Intake, "submit", lambda intake, *args: (engine.delete(submission.pk), check(intake, *args))[1]
        )
    else:
        write = engine.submit
        monkeypatch.setattr(engine, "submit", lambda **given: (engine.delete(submission.pk), write(**given))[1])
    with pytest.raises((engine.NotResumable, Refused)):
        resubmit(submission, 0)
    assert Submission.objects.get().erased
    assert Blob.objects.count() == 0


def test_nothing_personal_is_left_in_any_row(submit: Submit) -> None:
    submission = submit(b"mine", name="Ada's", email="ada@example.org", webhook="https://ada.example.org/", caller=815)
    Submission.objects.update(parameters={"word": "Ada's own"})
    for said in ("out Ada", "err Ada"):
        claim = take(submission, "first")
        Attempt.objects.filter(pk=claim.attempt.pk).update(
            argv=["cp", "Ada"], environment=["ADA"], work_folder="/Ada", data={"u": "Ada"}, setup_output="Ada"
        )
        outcome = Outcome(Cause.EXIT, exit_code=1, detail="Ada", stdout=Log(said.encode()), stderr=Log(said.encode()))
        engine.finish(claim, Verdict(StepStatus.ERROR, "Ada failed", "exit"), outcome)
        engine.tell_progress(claim.step_run.pk, 1, 0.5, "Ada")
        if said.startswith("out"):
            engine.retry(submission.pk)
    engine.delete(submission.pk)
    for model in apps.get_app_config("runs").get_models():
        for row in model._default_manager.values():
            assert "ada" not in str(row).lower(), model
            assert "815" not in str({name: value for name, value in row.items() if name == "caller"}), model
    assert list(Attempt.objects.values_list("cause", "exit_code")) == [("exit", 1)] * 2, "statistics stay"


def test_bytes_that_others_name_stay(submit: Submit) -> None:
    one, other = submit(b"shared"), submit(b"shared")
    engine.delete(one.pk)
    assert other.inputs.get().blob.size == 6
    engine.delete(other.pk)
    assert Blob.objects.count() == 0
