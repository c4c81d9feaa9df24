"""What must hold of the rows of runs at any moment, whatever came before."""

from django.db.models import Count

from analytics_automated.runs.models import Attempt, Event, Result, StepRun, Submission
from analytics_automated.runs.states import TERMINAL_STEPS, StepStatus, SubmissionStatus

DONE = {StepStatus.COMPLETE, StepStatus.SKIPPED}


def broken() -> list[str]:
    """Every invariant that does not hold, in words."""
    found: list[str] = []
    for submission in Submission.objects.select_related("snapshot"):
        steps = {each.step: each for each in submission.step_runs.all()}
        found += (f"{submission.pk}: {said}" for said in _of_submission(submission, steps))
    doubled = Result.objects.values("step_run", "output", "position").annotate(n=Count("pk")).filter(n__gt=1)
    found += (f"a result is there twice: {each}" for each in doubled)
    found += (
        f"a result of a step that is {result.step_run.status}"
        for result in Result.objects.select_related("step_run").exclude(step_run__status=StepStatus.COMPLETE)
    )
    return found


def _of_submission(submission: Submission, steps: dict[str, StepRun]) -> list[str]:
    said = []
    live = [each for each in steps.values() if each.status not in TERMINAL_STEPS]
    if submission.unfinished != len(live):
        said.append(f"{submission.unfinished} unfinished by its counter, {len(live)} by its steps")
    if submission.is_terminal != (not live):
        said.append(f"{submission.status}, and {len(live)} steps have not ended")
    if submission.status == SubmissionStatus.COMPLETE and any(each.status not in DONE for each in steps.values()):
        said.append("COMPLETE, and a step is not")
    if submission.is_terminal != (submission.finished is not None):
        said.append("its end and its status disagree")
    plan = submission.snapshot.plan
    for each in steps.values():
        undone = [name for name in plan.step(each.step).needs if steps[name].status not in DONE]
        if each.status == StepStatus.PENDING and each.waiting != len(undone):
            said.append(f"{each.step} waits for {each.waiting} by its counter, for {undone} by its steps")
        if each.status in {StepStatus.QUEUED, StepStatus.RUNNING} and undone:
            said.append(f"{each.step} is {each.status}, before {undone}")
        open_attempts = list(
            Attempt.objects.filter(step_run=each, finished__isnull=True).values_list("number", flat=True)
        )
        if open_attempts != ([each.attempt] if each.status == StepStatus.RUNNING else []):
            said.append(f"{each.step} is {each.status} at attempt {each.attempt}, and open are {open_attempts}")
        if (each.leased_until is not None) != (each.status == StepStatus.RUNNING):
            said.append(f"{each.step} is {each.status} and leased until {each.leased_until}")
    last = Event.objects.filter(submission=submission, step="").order_by("-pk").first()
    if submission.deleted is None and (last is None or last.status != submission.status):
        said.append(f"{submission.status}, and its last event says {last.status if last else None}")
    return said
