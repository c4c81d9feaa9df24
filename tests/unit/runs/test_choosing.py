"""Which step goes next, and what it waits for."""

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.utils import timezone

from analytics_automated.executors.base import Cause, Outcome
from analytics_automated.pipelines.models import Backend, Job
from analytics_automated.runs import engine
from analytics_automated.runs.engine import Priorities, choosing
from analytics_automated.runs.models import StepRun, Submission
from analytics_automated.runs.outlook import reason_to_wait
from analytics_automated.runs.progress import step_progress
from analytics_automated.runs.states import StepStatus
from analytics_automated.runs.verdicts import Verdict

pytestmark = pytest.mark.django_db(transaction=True)
QUEUES = frozenset({"LOCALHOST"})
GOOD = Verdict(StepStatus.COMPLETE)
OUTCOME = Outcome(Cause.EXIT, exit_code=0)
Submit = Callable[..., Submission]


def best(**keys: Any) -> Submission | None:
    """Whose step the next worker takes up; it stays running."""
    claim = engine.claim_best("w", QUEUES, **keys)
    return claim.step_run.submission if claim else None


def turns() -> list[Submission]:
    """Whose steps are taken up, one after the other, while none ends."""
    return list(iter(best, None))


def waiting(submission: Submission) -> StepRun:
    return submission.step_runs.get(step="first")


@pytest.fixture(params=[(50, 1000), (1, 3), (1, 1)], ids=["few wait", "some wait", "many wait"])
def window(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all rows in view, and with so few that callers have to be gone through one by one."""
    monkeypatch.setattr(choosing, "WINDOW", request.param[0])
    monkeypatch.setattr(choosing, "HORIZON", request.param[1])
    monkeypatch.setattr("analytics_automated.runs.engine.claiming.CHOSEN", 1)


@pytest.mark.usefixtures("window")
def test_the_higher_priority_goes_first_however_young_it_is_and_whoever_sent_it(submit: Submit) -> None:
    usual = submit(caller=1)
    first = submit(caller=2, priority=5)
    second = submit(caller=2, priority=5)
    last = submit(caller=3, priority=-5)
    assert turns() == [first, second, usual, last]


@pytest.mark.usefixtures("window")
def test_of_one_priority_whoever_has_the_fewest_running_goes_first(submit: Submit) -> None:
    much = [submit(caller=1) for _ in range(4)]
    some = [submit(caller=2) for _ in range(2)]
    little = submit(caller=3)
    assert turns() == [much[0], some[0], little, much[1], some[1], much[2], much[3]]


@pytest.mark.usefixtures("window")
def test_what_has_ended_counts_no_more_for_its_caller(submit: Submit) -> None:
    much = [submit(caller=1) for _ in range(3)]
    submit(caller=2)
    claim = engine.claim_best("w", QUEUES)
    assert claim is not None
    engine.finish(claim, Verdict(StepStatus.ERROR, "It failed.", "exit"), OUTCOME)
    assert best() == much[1]


@pytest.mark.usefixtures("window")
def test_of_one_caller_the_oldest_submission_goes_first_with_all_its_steps(submit: Submit) -> None:
    old, young = submit(caller=1), submit(caller=1)
    claim = engine.claim_best("w", QUEUES)
    assert claim is not None
    engine.finish(claim, GOOD, OUTCOME)
    assert turns() == [old, old, young], "both steps that follow go before what is younger"


def test_steps_that_wait_for_their_next_try_are_passed_over(submit: Submit) -> None:
    submit()
    other = submit()
    StepRun.objects.filter(pk=StepRun.objects.order_by("pk").filter(status="QUEUED")[0].pk).update(
        not_before=timezone.now() + dt.timedelta(hours=1)
    )
    assert turns() == [other]


@pytest.mark.usefixtures("window")
def test_a_worker_takes_only_priorities_that_it_serves(submit: Submit) -> None:
    low, usual, high = submit(priority=-1), submit(), submit(priority=7)
    assert best(priorities=Priorities(least=8)) is None
    assert best(priorities=Priorities(most=-1)) == low
    assert best(priorities=Priorities(most=5)) == usual
    assert best(priorities=Priorities(least=1)) == high


def test_the_operator_changes_the_priority_of_what_is_in_progress(submit: Submit) -> None:
    first, second = submit(), submit()
    assert engine.prioritise([second.pk], 3) == 1
    assert best() == second
    second.refresh_from_db()
    assert second.priority == 3
    assert set(second.step_runs.values_list("priority", flat=True)) == {3}, "its later steps too"
    engine.cancel(first.pk)
    assert engine.prioritise([first.pk], 3) == 0, "it has ended"
    with pytest.raises(ValueError, match="from -1000 to 1000"):
        engine.prioritise([second.pk], 1001)


def test_reconcile_speaks_of_no_step_that_could_not_be_taken_up(submit: Submit, woken: list[int]) -> None:
    Backend.objects.filter(name="local").update(max_running=1)
    submit(priority=1)
    submit()
    StepRun.objects.update(queued=timezone.now() - dt.timedelta(minutes=1))
    woken.clear()
    assert engine.reconcile(QUEUES, 4, priorities=Priorities(least=2)) == 0
    assert engine.reconcile(QUEUES, 4, without=["local"]) == 0
    assert best() is not None
    assert engine.reconcile(QUEUES, 4) == 0, "its backend is full"
    Backend.objects.filter(name="local").update(max_running=None)
    assert engine.reconcile(QUEUES, 4) == 1
    assert len(woken) == 1


def test_a_backend_runs_no_more_steps_than_it_may(submit: Submit) -> None:
    Backend.objects.filter(name="local").update(max_running=2)
    submissions = [submit() for _ in range(3)]
    claim = engine.claim_best("w", QUEUES)
    assert claim is not None
    assert best() == submissions[1]
    assert best() is None
    assert engine.claim(waiting(submissions[2]).pk, "w", QUEUES) is None, "nor by name"
    submissions[2].refresh_from_db()
    assert submissions[2].status == "SUBMITTED"
    engine.finish(claim, Verdict(StepStatus.ERROR, "It failed.", "exit"), OUTCOME)
    assert best() == submissions[2]


@pytest.mark.usefixtures("window")
def test_a_job_begins_no_more_submissions_than_it_may_and_goes_on_with_what_it_began(submit: Submit, job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(limits={"max_running": 1})
    first, second = submit(), submit(priority=9)
    engine.prioritise([second.pk], -1)
    claim = engine.claim_best("w", QUEUES)
    assert claim is not None
    assert claim.step_run.submission == first
    assert best() is None
    assert engine.claim(waiting(second).pk, "w", QUEUES) is None, "nor by name"
    engine.finish(claim, GOOD, OUTCOME)
    assert [best(), best(), best()] == [first, first, None], "its next steps need no room"
    engine.cancel(first.pk)
    assert best() is None, "what runs of it has not ended yet"
    for step_run in StepRun.objects.filter(status="RUNNING"):
        engine.lose(step_run)
    assert best() == second


@pytest.mark.usefixtures("window")
def test_a_job_that_is_full_holds_up_nobody_else(submit: Submit, job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(limits={"max_running": 1})
    submissions = [submit(caller=1, priority=9) for _ in range(4)]
    another = Job.objects.create(name="another", snapshot=job.snapshot)
    Submission.objects.filter(pk=submissions[3].pk).update(job=another, job_name="another")
    StepRun.objects.filter(submission=submissions[3]).update(opens="another", priority=0)
    assert turns() == [submissions[0], submissions[3]]


def test_a_submission_that_is_started_again_needs_room_again(submit: Submit, job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(limits={"max_running": 1})
    first, second = submit(), submit()
    engine.cancel(first.pk)
    assert best() == second
    engine.retry(first.pk)
    assert best() is None


@pytest.mark.parametrize("limit", ["backend", "job"])
def test_a_limit_holds_however_many_workers_try_at_once(submit: Submit, job: Job, limit: str) -> None:
    if limit == "backend":
        Backend.objects.filter(name="local").update(max_running=3)
    else:
        Job.objects.filter(pk=job.pk).update(limits={"max_running": 3})
    for _ in range(8):
        submit()
    won: list[int] = []
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        while claim := engine.claim_best(threading.current_thread().name, QUEUES):
            won.append(claim.step_run.pk)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == len(set(won)) == 3
    assert Submission.objects.filter(status="RUNNING").count() == 3


def test_a_step_says_what_it_waits_for(submit: Submit, job: Job) -> None:
    from analytics_automated.runs.obstacles import Obstacle
    from analytics_automated.runs.outlook import tell

    submission = submit()
    step_run = waiting(submission)
    assert reason_to_wait(step_run) == "It waits for a worker that serves its backend."
    tell("w", ["local"], {"local": Obstacle.WORK_FULL})
    assert reason_to_wait(step_run) == "It waits: there is too little room where it would run."
    tell("another", ["local"], {})
    assert reason_to_wait(step_run) == "It waits for its turn."
    other = submit()
    best()
    Job.objects.filter(pk=job.pk).update(limits={"max_running": 1})
    assert reason_to_wait(waiting(other)) == "It waits, as its job runs as many submissions as it may."
    Backend.objects.filter(name="local").update(max_running=1)
    assert reason_to_wait(waiting(other)) == "It waits, as its backend runs as many steps as it may."
    StepRun.objects.filter(pk=waiting(other).pk).update(not_before=timezone.now() + dt.timedelta(hours=1))
    assert reason_to_wait(waiting(other)).startswith("It waits to be tried again at ")
    assert reason_to_wait(waiting(submission)) == "", "it runs"
    StepRun.objects.filter(pk=waiting(other).pk).update(not_before=None, backend="gone")
    assert reason_to_wait(waiting(other)) == "It waits: its backend is not there any more."


def test_a_poll_says_what_a_step_waits_for_that_waits_longer_than_a_moment(submit: Submit) -> None:
    submission = submit()
    assert {each.message for each in step_progress(submission)} == {""}, "it was queued just now"
    StepRun.objects.filter(status="QUEUED").update(queued=timezone.now() - dt.timedelta(seconds=2))
    reasons = {each.name: each.message for each in step_progress(submission) if each.message}
    assert reasons == {"first": "It waits for a worker that serves its backend."}, "the others are PENDING"
    best()
    assert {each.message for each in step_progress(submission)} == {""}


def test_the_operator_sees_what_a_step_waits_for_and_sets_priorities(submit: Submit, admin_client: Client) -> None:
    submission = submit()
    shown = admin_client.get(f"/admin/runs/steprun/{waiting(submission).pk}/change/").content.decode()
    assert "It waits for a worker that serves its backend." in shown
    for action, priority in (("go_first", 10), ("go_last", -10), ("go_in_turn", 0)):
        data = {"action": action, "_selected_action": [str(submission.pk)]}
        page = admin_client.post("/admin/runs/submission/", data, follow=True).content.decode()
        assert f"1 in progress have the priority {priority} now." in page
        assert waiting(submission).priority == priority


def test_who_may_only_look_sets_no_priority(submit: Submit, client: Client, django_user_model: Any) -> None:
    submission = submit()
    user = django_user_model.objects.create_user("looks", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_submission"))
    client.force_login(user)
    data = {"action": "go_first", "_selected_action": [str(submission.pk)]}
    assert client.post("/admin/runs/submission/", data, follow=True).status_code == 200
    assert waiting(submission).priority == 0
