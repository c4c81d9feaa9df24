"""What must hold of the rows of runs at any moment, whatever came before."""

from django.db.models import Count

from analytics_automated.runs.models import Attempt, Event, Result, Scatter, StepRun, Submission
from analytics_automated.runs.states import TERMINAL_STEPS, StepStatus, SubmissionStatus

DONE = {StepStatus.COMPLETE, StepStatus.SKIPPED}


def broken() -> list[str]:
    """Every invariant that does not hold, in words."""
    found: list[str] = []
    for submission in Submission.objects.select_related("snapshot"):
        runs = list(submission.step_runs.all())
        scatters = list(submission.scatters.all())
        found += (f"{submission.pk}: {said}" for said in _of_submission(submission, runs, scatters))
        for scatter in scatters:
            counted = _of_scatter(scatter, [each.status for each in runs if each.step == scatter.step])
            found += (f"{submission.pk}: {said}" for said in counted)
    doubled = Result.objects.values("step_run", "output", "position").annotate(n=Count("pk")).filter(n__gt=1)
    found += (f"a result is there twice: {each}" for each in doubled)
    found += (
        f"a result of a step that is {result.step_run.status}"
        for result in Result.objects.select_related("step_run").exclude(step_run__status=StepStatus.COMPLETE)
    )
    return found


def _of_submission(submission: Submission, runs: list[StepRun], scatters: list[Scatter]) -> list[str]:
    said = []
    live = [each for each in runs if each.status not in TERMINAL_STEPS]
    statuses = {each.step: each.status for each in runs if not each.item}
    statuses |= {each.step: each.status for each in scatters}
    if submission.unfinished != len(live):
        said.append(f"{submission.unfinished} unfinished by its counter, {len(live)} by its steps")
    if submission.is_terminal != (not live):
        said.append(f"{submission.status}, and {len(live)} steps have not ended")
    if live and all(each.status == StepStatus.PENDING for each in live):
        said.append(f"nothing of it is ready or runs, and it waits for {sorted({each.step for each in live})}")
    if submission.status == SubmissionStatus.COMPLETE and not set(statuses.values()) <= DONE:
        said.append(f"COMPLETE, and its steps are {statuses}")
    if submission.is_terminal != (submission.finished is not None):
        said.append("its end and its status disagree")
    plan = submission.snapshot.plan
    for each in runs:
        undone = [name for name in plan.step(each.step).needs if statuses[name] not in DONE]
        waits_for = 1 if each.item else len(undone)
        if each.status == StepStatus.PENDING and each.waiting != waits_for:
            said.append(f"{each} waits for {each.waiting} by its counter, for {undone} by its steps")
        if each.status in {StepStatus.QUEUED, StepStatus.RUNNING} and undone:
            said.append(f"{each} is {each.status}, before {undone}")
        open_attempts = list(
            Attempt.objects.filter(step_run=each, finished__isnull=True).values_list("number", flat=True)
        )
        if open_attempts != ([each.attempt] if each.status == StepStatus.RUNNING else []):
            said.append(f"{each} is {each.status} at attempt {each.attempt}, and open are {open_attempts}")
        if (each.leased_until is not None) != (each.status == StepStatus.RUNNING):
            said.append(f"{each} is {each.status} and leased until {each.leased_until}")
    last = Event.objects.filter(submission=submission, step="").order_by("-pk").first()
    if submission.deleted is None and (last is None or last.status != submission.status):
        said.append(f"{submission.status}, and its last event says {last.status if last else None}")
    return said


def _of_scatter(scatter: Scatter, statuses: list[str]) -> list[str]:
    failures = {StepStatus.ERROR, StepStatus.CRASH}
    by_rows = {
        "total": len(statuses),
        "complete": statuses.count(StepStatus.COMPLETE),
        "skipped": statuses.count(StepStatus.SKIPPED),
        "cancelled": statuses.count(StepStatus.CANCELLED),
        "failed": sum(each in failures for each in statuses),
    }
    by_counter = {name: getattr(scatter, name) for name in by_rows}
    said = []
    if by_counter != by_rows:
        said.append(f"{scatter.step} has {by_counter} by its counters, {by_rows} by its items")
    if (scatter.finished is not None) != (scatter.unfinished == 0):
        said.append(f"{scatter.step} has {scatter.unfinished} items that have not ended, and its end disagrees")
    return said
