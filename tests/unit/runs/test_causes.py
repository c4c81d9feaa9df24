"""Each way in which an attempt ends badly, as callers and operators read of it: the cause, and words."""

from collections.abc import Callable

import pytest
from django.test import Client

from analytics_automated.executors.base import Cause, Outcome
from analytics_automated.runs import engine
from analytics_automated.runs.models import Attempt, Outlook, StepRun, Submission
from analytics_automated.runs.verdicts import judge, judge_missing
from unit.runs.conftest import PIPELINE, apply_text

pytestmark = pytest.mark.django_db(transaction=True)
QUEUES = frozenset({"LOCALHOST"})
OUTCOMES = {
    Cause.EXIT: Outcome(Cause.EXIT, exit_code=3),
    Cause.SIGNAL: Outcome(Cause.SIGNAL, signal=11),
    Cause.TIMEOUT: Outcome(Cause.TIMEOUT, signal=15),
    Cause.MEMORY: Outcome(Cause.MEMORY, signal=9),
}
ENDS = {
    Cause.EXIT: ("ERROR", "Step 'first' failed with exit code 3."),
    Cause.SIGNAL: ("ERROR", "Step 'first' was ended by the signal SIGSEGV."),
    Cause.TIMEOUT: ("ERROR", "Step 'first' ran longer than its time limit of 1m."),
    Cause.MEMORY: ("ERROR", "Step 'first' was ended, as it needed more memory than there was for it."),
    Cause.MISSING_OUTPUT: ("ERROR", "Step 'first' did not make its output 'one'."),
    Cause.LOST: ("CRASH", "Step 'first' was lost by this service."),
    Cause.BACKEND_UNAVAILABLE: (
        "CRASH",
        "Step 'first' could not be run: the backend that it needs is no longer there.",
    ),
    Cause.CANCELLED: ("CANCELLED", "Step 'first' was cancelled."),
}


def bring_about(cause: Cause, submission: Submission) -> None:
    if cause is Cause.BACKEND_UNAVAILABLE:
        StepRun.objects.update(backend="gone")
        engine.crash_homeless()
        Outlook.objects.update(since="2000-01-01T00:00:00Z")
        engine.crash_homeless()
        return
    claim = engine.claim_best("w", QUEUES)
    assert claim is not None
    task = claim.plan.task_of("first")
    match cause:
        case Cause.MISSING_OUTPUT:
            verdict = judge_missing(task, "first", ["one"])
            assert verdict is not None
            engine.finish(claim, verdict, Outcome(Cause.EXIT, exit_code=0))
        case Cause.LOST:
            engine.lose(claim.step_run)
        case Cause.CANCELLED:
            engine.cancel(submission.pk)
            engine.end_stopped(claim, Outcome(Cause.CANCELLED, signal=15))
        case _:
            engine.finish(claim, judge(task, "first", OUTCOMES[cause], 60.0), OUTCOMES[cause])


@pytest.mark.parametrize("cause", list(Cause))
def test_a_cause_is_shown_as_itself_and_in_words_wherever_one_looks(
    submit: Callable[..., Submission], client: Client, admin_client: Client, cause: Cause
) -> None:
    apply_text(
        PIPELINE.replace(
            'command: "cp {input.data} {output.one}"', 'command: "cp {input.data} {output.one}", retries: {max: 0}'
        )
    )
    submission = submit()
    bring_about(cause, submission)
    status, words = ENDS[cause]
    address = f"/api/v1/submissions/{submission.pk}"
    shown = client.get(address).json()
    said = "It was cancelled." if cause is Cause.CANCELLED else words
    assert (shown["status"], shown["cause"], shown["message"]) == (status, cause, said)
    step = shown["steps"][0]
    assert (step["status"], step["message"]) == (status, words)
    (run,) = client.get(f"{address}/steps/first/runs").json()["runs"]
    assert (run["status"], run["cause"], run["message"]) == (status, cause, words)
    events = client.get(f"{address}/events").json()["events"]
    assert [each["message"] for each in events if each["step"] == "first" and each["status"] == status] == [words]
    row = StepRun.objects.get(submission=submission, step="first")
    pages = [f"/admin/runs/submission/{submission.pk}/change/", f"/admin/runs/steprun/{row.pk}/change/"]
    for page in pages:
        text = admin_client.get(page).content.decode()
        assert words.replace("'", "&#x27;") in text
        assert cause.value in text
    for attempt in Attempt.objects.all():
        assert attempt.cause == cause
        assert cause.value in admin_client.get(f"/admin/runs/attempt/{attempt.pk}/change/").content.decode()
