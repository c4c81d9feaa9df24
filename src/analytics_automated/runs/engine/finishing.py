"""The end of an attempt, and what follows from it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from analytics_automated.executors.base import Outcome
from analytics_automated.pipelines.plans import Plan
from analytics_automated.runs.dispatch import wake_all
from analytics_automated.runs.engine.claiming import Claim
from analytics_automated.runs.engine.history import step_event, submission_event, write_history
from analytics_automated.runs.models import Attempt, Event, Result, StepRun, Submission
from analytics_automated.runs.states import (
    IllegalTransition,
    StepStatus,
    SubmissionStatus,
    step_origins,
    submission_origins,
)
from analytics_automated.runs.verdicts import Verdict
from analytics_automated.storage.models import Blob
from analytics_automated.storage.streams import StoredFile, remove

FAILURES = {StepStatus.ERROR: SubmissionStatus.ERROR, StepStatus.CRASH: SubmissionStatus.CRASH}


@dataclass(frozen=True, slots=True)
class Gathered:
    """A file that a step made and that is stored, but in no row yet."""

    output: str
    file: str
    media_type: str
    many: bool
    stored: StoredFile


def finish(claim: Claim, verdict: Verdict, outcome: Outcome | None, gathered: Sequence[Gathered] = ()) -> list[StepRun]:
    """Record how the attempt ended, with its Results, and do what follows: queue the steps that became ready, or
    end the Submission. Returns the steps that became ready: the caller goes on with the first that it may take,
    and wake-ups go out for the others.

    A worker that comes late, after its step was given away, changes nothing: its files are removed.
    """
    now = timezone.now()
    keys = [each.stored.key for each in gathered]
    with transaction.atomic():
        submission = Submission.objects.select_for_update(no_key=True).get(pk=claim.step_run.submission_id)
        if not _close(claim, verdict, outcome, now):
            transaction.on_commit(lambda: remove(keys), robust=True)
            return []
        unneeded = _keep(claim, gathered)
        events = [step_event(claim.step_run, verdict.status, now, verdict.message)]
        ready = follow(submission, claim.step_run, claim.plan, verdict, now, events)
        write_history(events)
        transaction.on_commit(lambda: remove(unneeded), robust=True)
        wake_all(ready, own_queues=claim.queues)
    return ready


def _close(claim: Claim, verdict: Verdict, outcome: Outcome | None, now: dt.datetime) -> bool:
    """Compare-and-set of the StepRun, with its Attempt; False where it is this worker's no more."""
    step_run = claim.step_run
    exit_code = outcome.exit_code if outcome else None
    mine = StepRun.objects.filter(
        pk=step_run.pk,
        attempt=step_run.attempt,
        status__in=step_origins(verdict.status, [StepStatus.RUNNING]),
    ).update(status=verdict.status, finished=now, exit_code=exit_code, cause=verdict.cause, message=verdict.message)
    _close_attempt(claim.attempt, verdict.cause, outcome, now)
    return bool(mine)


def _close_attempt(attempt: Attempt, cause: str, outcome: Outcome | None, now: dt.datetime) -> None:
    ended: dict[str, object] = {"finished": now, "cause": cause}
    if outcome is not None:
        ended |= {
            "cause": cause or outcome.cause.value,
            "exit_code": outcome.exit_code,
            "signal": outcome.signal,
            "detail": outcome.detail,
            "seconds": outcome.seconds,
            "cpu_seconds": outcome.cpu_seconds,
            "peak_memory": outcome.peak_memory,
            "stdout": outcome.stdout.text(),
            "stderr": outcome.stderr.text(),
        }
    Attempt.objects.filter(pk=attempt.pk).update(**ended)


def _keep(claim: Claim, gathered: Sequence[Gathered]) -> list[str]:
    """Write the Results; returns the keys of bytes that were there already."""
    blobs = Blob.objects.adopt(each.stored for each in gathered)
    public = claim.plan.public_results(claim.step_run.step)
    places: dict[str, int] = {}
    rows = []
    for each in gathered:
        place = places[each.output] = places.get(each.output, -1) + 1
        rows.append(
            Result(
                submission_id=claim.step_run.submission_id,
                step_run=claim.step_run,
                step=claim.step_run.step,
                output=each.output,
                position=place,
                name=public.get(each.output, ""),
                file=each.file,
                many=each.many,
                media_type=each.media_type,
                blob=blobs[each.stored.key],
            )
        )
    Result.objects.bulk_create(rows)
    return [each.stored.key for each in gathered if blobs[each.stored.key].key != each.stored.key]


def follow(
    submission: Submission,
    step_run: StepRun,
    plan: Plan,
    verdict: Verdict,
    now: dt.datetime,
    events: list[Event],
) -> list[StepRun]:
    """What the end of a step means for the others and for the whole. The caller has locked the Submission and
    written the StepRun; events are added to `events`. Returns the steps that became ready."""
    submission.unfinished -= 1
    ready: list[StepRun] = []
    if verdict.status in FAILURES:
        submission.unfinished -= _end_waiting(submission, StepStatus.CANCELLED, now, events)
        if not submission.verdict:
            submission.verdict = FAILURES[verdict.status]
            submission.message, submission.cause = verdict.message, verdict.cause
    elif verdict.stops:
        submission.unfinished -= _end_waiting(submission, StepStatus.SKIPPED, now, events)
        if not submission.stopped_step:
            submission.stopped_step = step_run.step
            submission.stopped_message = verdict.message
    elif not submission.verdict and not submission.stopped_step:
        ready = _release(submission, plan.followers(step_run.step), now, events)
    if submission.unfinished == 0:
        _end(submission, now, events)
    submission.save(
        update_fields=[
            *("unfinished", "verdict", "message", "cause", "stopped_step", "stopped_message"),
            *("status", "finished"),
        ]
    )
    return ready


def _end_waiting(submission: Submission, status: StepStatus, now: dt.datetime, events: list[Event]) -> int:
    """End the steps that have not started; returns how many there were."""
    waiting = list(
        StepRun.objects.select_for_update(no_key=True).filter(
            submission=submission,
            status__in=step_origins(status, [StepStatus.PENDING, StepStatus.QUEUED]),
        )
    )
    StepRun.objects.filter(pk__in=[each.pk for each in waiting]).update(status=status, finished=now)
    events += (step_event(each, status, now) for each in waiting)
    return len(waiting)


def _release(submission: Submission, followers: Sequence[str], now: dt.datetime, events: list[Event]) -> list[StepRun]:
    """Count this step off for those that wait for it; returns those that wait for nothing more."""
    if not followers:
        return []
    waiting = StepRun.objects.filter(submission=submission, step__in=followers, status=StepStatus.PENDING)
    waiting.update(waiting=F("waiting") - 1)
    ready = list(waiting.filter(waiting=0))
    StepRun.objects.filter(pk__in=[each.pk for each in ready], status=StepStatus.PENDING).update(
        status=StepStatus.QUEUED, queued=now
    )
    for each in ready:
        each.status, each.queued = StepStatus.QUEUED, now
    events += (step_event(each, StepStatus.QUEUED, now) for each in ready)
    return ready


def _end(submission: Submission, now: dt.datetime, events: list[Event]) -> None:
    """Give a Submission, all of whose steps ended, its last status."""
    to = SubmissionStatus(submission.verdict or SubmissionStatus.COMPLETE)
    if submission.status not in submission_origins(to):
        raise IllegalTransition(f"submission {submission.pk}: {submission.status} -> {to}")
    submission.status, submission.finished = to, now
    submission.message = submission.message or submission.stopped_message
    events.append(submission_event(submission, now, submission.message))


def skip(claim: Claim, message: str) -> list[StepRun]:
    """End a step that was taken up but lacks a required input: it is SKIPPED, and those behind it go on."""
    return finish(claim, Verdict(StepStatus.SKIPPED, message), None)


def give_back(claim: Claim, outcome: Outcome | None) -> None:
    """Put a step of a worker that stops back into the queue: at once QUEUED again, for any worker."""
    now = timezone.now()
    step_run = claim.step_run
    with transaction.atomic():
        mine = StepRun.objects.filter(
            pk=step_run.pk,
            attempt=step_run.attempt,
            status__in=step_origins(StepStatus.QUEUED, [StepStatus.RUNNING]),
        ).update(status=StepStatus.QUEUED, worker="", started=None)
        _close_attempt(claim.attempt, "cancelled", outcome, now)
        if mine:
            message = "Its worker was stopped; another one takes it up."
            write_history([step_event(step_run, StepStatus.QUEUED, now, message)])
            wake_all([step_run])
