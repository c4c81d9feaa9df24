"""Steps that a scheduler has."""

import datetime as dt

import pytest
from django.utils import timezone

from analytics_automated.executors.base import Cause, Outcome
from analytics_automated.runs import engine
from analytics_automated.runs.engine import Claim
from analytics_automated.runs.models import Attempt, Event, StepRun, Submission
from analytics_automated.runs.states import StepStatus
from analytics_automated.runs.verdicts import Verdict

pytestmark = pytest.mark.django_db
QUEUES = ["LOCALHOST"]


@pytest.fixture
def claim(submit) -> Claim:
    submit()
    taken = engine.claim_best("me", QUEUES)
    assert taken is not None
    return taken


def row(claim: Claim) -> StepRun:
    return StepRun.objects.get(pk=claim.step_run.pk)


def expire(claim: Claim) -> None:
    StepRun.objects.filter(pk=claim.step_run.pk).update(leased_until=timezone.now() - dt.timedelta(minutes=1))


def test_a_step_that_was_handed_over_is_queued_and_nobody_takes_it_up(claim):
    assert engine.hand_over(claim, "17 /state")
    step = row(claim)
    assert (step.status, step.taken, step.worker, step.leased_until) == ("QUEUED", True, "", None)
    assert engine.claim_best("another", QUEUES) is None
    assert engine.lose_expired() == []
    (held,) = engine.handed_over("local")
    assert (held.handle, held.is_running, held.is_to_end) == ("17 /state", False, False)


def test_it_runs_once_its_scheduler_says_so_and_ends_as_any_other(claim):
    engine.hand_over(claim, "17 /state")
    assert engine.begin(claim.step_run.pk, 1)
    assert not engine.begin(claim.step_run.pk, 1), "it runs already"
    back = engine.take_back(claim.step_run.pk, 1, claim.backend)
    assert back is not None
    engine.finish(back, Verdict(StepStatus.COMPLETE), Outcome(Cause.EXIT, exit_code=0))
    step = row(claim)
    assert (step.status, step.taken) == ("COMPLETE", False)
    assert engine.take_back(claim.step_run.pk, 1, claim.backend) is None
    assert engine.finish(back, Verdict(StepStatus.ERROR), None) == [], "who comes late writes nothing"
    assert row(claim).status == "COMPLETE"
    told = Event.objects.filter(step=step.step).order_by("pk").values_list("status", flat=True)
    assert list(told) == ["QUEUED", "RUNNING", "QUEUED", "RUNNING", "COMPLETE"]


def test_a_cancel_before_it_runs_waits_for_the_scheduler(claim):
    engine.hand_over(claim, "17 /state")
    engine.cancel(claim.step_run.submission_id)
    assert row(claim).status == "QUEUED"
    assert Submission.objects.get().status == "RUNNING"
    assert [each.is_to_end for each in engine.handed_over("local")] == [True]
    back = engine.take_back(claim.step_run.pk, 1, claim.backend)
    assert back is not None
    engine.end_stopped(back, Outcome(Cause.CANCELLED))
    assert (row(claim).status, row(claim).taken) == ("CANCELLED", False)
    assert Submission.objects.get().status == "CANCELLED"


def test_a_step_whose_worker_died_before_it_could_say_so_is_adopted(claim):
    expire(claim)
    (found,) = engine.unsaved(["local"])
    assert engine.adopt(found, "17 /state")
    assert [each.handle for each in engine.handed_over("local")] == ["17 /state"]
    assert engine.hand_over(claim, "17 /state"), "the worker was only slow, and means the same command"
    assert not engine.hand_over(claim, "18 /state"), "another command is not this step's"
    assert Attempt.objects.get().handle == "17 /state"


def test_a_worker_whose_step_was_given_away_hands_nothing_over(claim):
    expire(claim)
    assert engine.lose_expired() == [claim.step_run]
    assert not engine.hand_over(claim, "17 /state")
    assert engine.handed_over("local") == []
