"""The end of an attempt, and what follows from it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from analytics_automated.executors.base import Cause, Outcome
from analytics_automated.pipelines.plans import Plan
from analytics_automated.runs.dispatch import wake_all
from analytics_automated.runs.engine.claiming import Claim
from analytics_automated.runs.engine.ending import FAILURES
from analytics_automated.runs.engine.following import follow
from analytics_automated.runs.engine.history import step_event, write_history
from analytics_automated.runs.engine.locking import locked
from analytics_automated.runs.engine.retrying import next_try
from analytics_automated.runs.models import Attempt, Result, StepRun, Submission
from analytics_automated.runs.states import StepStatus, step_origins
from analytics_automated.runs.verdicts import Verdict
from analytics_automated.storage.models import Blob
from analytics_automated.storage.statements import Insertion, Statement
from analytics_automated.storage.streams import StoredFile, remove

_END = Statement("""
UPDATE runs_steprun
SET status = %(to)s, finished = %(now)s, leased_until = NULL, exit_code = %(exit_code)s, cause = %(cause)s,
    message = %(message)s
WHERE id = %(step_run)s AND attempt = %(attempt)s AND status {among[origins]}
""")
_CLOSE_ATTEMPT = Statement("""
UPDATE runs_attempt
SET finished = %(now)s, cause = %(cause)s, exit_code = %(exit_code)s, signal = %(signal)s, detail = %(detail)s,
    seconds = %(seconds)s, cpu_seconds = %(cpu_seconds)s, peak_memory = %(peak_memory)s, stdout = %(stdout)s,
    stderr = %(stderr)s
WHERE id = %(attempt)s AND finished IS NULL
""")
_NEW_RESULTS = Insertion(Result)


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
    end the Submission. Returns the steps that became ready, of which nobody is told yet: the caller takes up the best
    step that there is, and then announces those that it leaves to others (`dispatch.announce`).

    A failure that the task's `retries` mean is no end: the step is queued again, for then or later.

    A worker that comes late, after its step was given away, changes nothing: its files are removed.
    """
    now = timezone.now()
    keys = [each.stored.key for each in gathered]
    with transaction.atomic():
        submission = locked(claim.step_run.submission_id)
        exit_code = outcome.exit_code if outcome else None
        if try_again(submission, claim.step_run, claim.plan, verdict, exit_code, now):
            close_attempt(claim.attempt, verdict.cause, outcome, now)
            transaction.on_commit(lambda: remove(keys), robust=True)
            return []
        if not _close(claim, verdict, outcome, now):
            # Where this was done already, and only the answer to its commit was lost, rows name them.
            named = set(Blob.objects.filter(key__in=keys).values_list("key", flat=True))
            transaction.on_commit(lambda: remove(key for key in keys if key not in named), robust=True)
            return []
        unneeded = _keep(claim, gathered)
        events = [step_event(claim.step_run, verdict.status, now, verdict.message)]
        ready = follow(submission, claim.step_run, claim.plan, verdict, now, events)
        write_history(events)
        transaction.on_commit(lambda: remove(unneeded), robust=True)
    return ready


def _close(claim: Claim, verdict: Verdict, outcome: Outcome | None, now: dt.datetime) -> bool:
    """Compare-and-set of the StepRun, with its Attempt; False where it is this worker's no more."""
    step_run = claim.step_run
    step_run.exit_code = exit_code = outcome.exit_code if outcome else None
    mine = _END.change(
        step_run=step_run.pk,
        attempt=step_run.attempt,
        origins=[each.value for each in step_origins(verdict.status, [StepStatus.RUNNING])],
        to=verdict.status.value,
        now=now,
        exit_code=exit_code,
        cause=verdict.cause,
        message=verdict.message,
    )
    close_attempt(claim.attempt, verdict.cause, outcome, now)
    return bool(mine)


def close_attempt(attempt: Attempt, cause: str, outcome: Outcome | None, now: dt.datetime) -> None:
    """Record how an attempt ended."""
    if outcome is None:
        open_attempt = Attempt.objects.filter(pk=attempt.pk, finished__isnull=True)
        open_attempt.update(finished=now, cause=cause)  # one that was lost stays so
        return
    _CLOSE_ATTEMPT.change(
        attempt=attempt.pk,
        now=now,
        cause=cause or outcome.cause.value,
        exit_code=outcome.exit_code,
        signal=outcome.signal,
        detail=outcome.detail,
        seconds=outcome.seconds,
        cpu_seconds=outcome.cpu_seconds,
        peak_memory=outcome.peak_memory,
        stdout=outcome.stdout.text(),
        stderr=outcome.stderr.text(),
    )


def try_again(
    submission: Submission,
    step_run: StepRun,
    plan: Plan,
    verdict: Verdict,
    exit_code: int | None,
    now: dt.datetime,
) -> bool:
    """Queue a step again whose attempt failed, where its task's `retries` mean that; False where it is to end.

    The caller has locked the Submission. Nothing is tried again once that has its verdict.
    """
    if verdict.status not in FAILURES or submission.verdict:
        return False
    delay = next_try(plan.task_of(step_run.step), verdict.cause, exit_code, step_run.tries)
    if delay is None:
        return False
    delay = max(delay, verdict.pause)
    mine = StepRun.objects.filter(
        pk=step_run.pk, attempt=step_run.attempt, status__in=step_origins(StepStatus.QUEUED, [StepStatus.RUNNING])
    ).update(
        status=StepStatus.QUEUED,
        tries=F("tries") + 1,
        worker="",
        leased_until=None,
        started=None,
        queued=now,
        not_before=Now() + delay if delay else None,
    )
    if not mine:
        return False
    when = f" in {delay.total_seconds():.0f} s" if delay else ""
    write_history([step_event(step_run, StepStatus.QUEUED, now, f"{verdict.message} It is tried again{when}.")])
    if not delay:
        wake_all([step_run])
    return True


def _keep(claim: Claim, gathered: Sequence[Gathered]) -> list[str]:
    """Write the Results; returns the keys of bytes that were there already."""
    blobs = Blob.objects.adopt(each.stored for each in gathered)
    public = claim.plan.public_results(claim.step_run.step)
    folder = f"{claim.step_run.item_name}/" if claim.step_run.item else ""
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
                file=f"{folder}{each.file}",
                many=each.many or bool(folder),
                media_type=each.media_type,
                blob=blobs[each.stored.key],
            )
        )
    _NEW_RESULTS.write(rows)
    return [each.stored.key for each in gathered if blobs[each.stored.key].key != each.stored.key]


def skip(claim: Claim, message: str) -> list[StepRun]:
    """End a step that was taken up but lacks a required input: it is SKIPPED, and those behind it go on."""
    return finish(claim, Verdict(StepStatus.SKIPPED, message), None)


def end_stopped(
    claim: Claim,
    outcome: Outcome | None,
    message: str = "Its worker was stopped; another one takes it up.",
    pause: dt.timedelta = dt.timedelta(),
) -> list[StepRun]:
    """Record an attempt that its worker was told to end, or could not begin.

    Where the step is cancelled, that is its end. Else its worker stops, or has lost touch for too long, or has no room:
    the step is QUEUED again, for any worker, at once or after a `pause`, and the attempt counts for nothing. `message`
    says why.
    """
    now = timezone.now()
    step_run = claim.step_run
    with transaction.atomic():
        submission = locked(step_run.submission_id)
        origins = step_origins(StepStatus.QUEUED, [StepStatus.RUNNING])
        mine = StepRun.objects.filter(pk=step_run.pk, attempt=step_run.attempt, status__in=origins)
        if mine.filter(cancelling=True).exists():
            cancelled = f"Step '{step_run.step}' was cancelled."
            verdict = Verdict(StepStatus.CANCELLED, cancelled, Cause.CANCELLED.value, gathers=False)
            _close(claim, verdict, outcome, now)
            events = [step_event(step_run, verdict.status, now, verdict.message)]
            ready = follow(submission, step_run, claim.plan, verdict, now, events)
            write_history(events)
            return ready
        not_before = Now() + pause if pause else None
        given_back = mine.update(
            status=StepStatus.QUEUED, worker="", leased_until=None, started=None, queued=now, not_before=not_before
        )
        close_attempt(claim.attempt, Cause.CANCELLED.value, outcome, now)
        if given_back:
            write_history([step_event(step_run, StepStatus.QUEUED, now, message)])
            if not pause:
                wake_all([step_run])
    return []
