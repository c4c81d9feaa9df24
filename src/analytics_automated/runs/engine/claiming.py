"""Taking up a step."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from analytics_automated.pipelines.models import Backend, Snapshot
from analytics_automated.pipelines.plans import FORMAT, Plan
from analytics_automated.runs.engine.choosing import ALL_PRIORITIES, Priorities, choose
from analytics_automated.runs.engine.history import step_event, submission_event, write_history
from analytics_automated.runs.engine.holding import lease_length
from analytics_automated.runs.engine.limits import may_begin, may_take
from analytics_automated.runs.engine.serving import served
from analytics_automated.runs.models import Attempt, Event, StepRun, Submission
from analytics_automated.runs.states import StepStatus, SubmissionStatus, step_origins
from analytics_automated.storage.models import Blob
from analytics_automated.storage.statements import Columns, Insertion, Statement

MOST_ROUNDS = 10
"""Choices that are made when others are always faster."""
CHOSEN = 4
"""Steps of each choice that are tried for, one after the other."""

_STEP_RUN = Columns(StepRun, "s")
_SUBMISSION = Columns(Submission, "u")
_BLOB = Columns(Blob, "b")
_FIND = Statement(f"""
SELECT {_STEP_RUN}, {_SUBMISSION}, {_BLOB}, p.digest
FROM runs_steprun s JOIN runs_submission u ON u.id = s.submission_id JOIN pipelines_snapshot p ON p.id = u.snapshot_id
LEFT JOIN storage_blob b ON b.id = s.item_blob_id
WHERE s.id = %(step_run)s AND s.status = '{StepStatus.QUEUED}' AND s.format = {FORMAT}
    AND (s.not_before IS NULL OR s.not_before <= {{now}})
""")  # noqa: S608 -- names of ours
_TAKE = Statement("""
UPDATE runs_steprun
SET status = %(to)s, attempt = attempt + 1, worker = %(worker)s, started = %(now)s, opens = '',
    leased_until = {later[lease]}, not_before = NULL, progress = NULL, progress_text = ''
WHERE id = %(step_run)s AND status {among[origins]} AND attempt = %(attempt)s
""")
_UNBEGUN = f"id = %(submission)s AND status = '{SubmissionStatus.SUBMITTED}'"
_UNLIMITED = "NOT EXISTS (SELECT 1 FROM pipelines_job j WHERE j.name = job_name AND j.limits IS NOT NULL)"
_BEGIN_BY = "UPDATE runs_submission SET status = %(to)s, started = %(now)s WHERE "
_BEGIN = Statement(f"{_BEGIN_BY} {_UNBEGUN}")
_BEGIN_UNLIMITED = Statement(f"{_BEGIN_BY} {_UNBEGUN} AND {_UNLIMITED}")
_BEGIN_UNLIMITED_UNHELD = Statement(f"""
{_BEGIN_BY} id IN (SELECT id FROM runs_submission WHERE {_UNBEGUN} AND {_UNLIMITED} {{skip_locked}})
""")  # noqa: S608 -- names of ours
_UNHELD = Statement(f"SELECT id FROM runs_submission WHERE {_UNBEGUN} {{skip_locked}}")  # noqa: S608 -- names of ours
_OPENED = Statement("UPDATE runs_steprun SET opens = '' WHERE submission_id = %(submission)s AND opens <> ''")
_NEW_ATTEMPT = Insertion(Attempt)


@dataclass(frozen=True, slots=True)
class Claim:
    """A step that this worker, and no other, now runs."""

    step_run: StepRun
    """With its Submission; as it was written."""
    attempt: Attempt
    backend: Backend
    """With its Queue Type; as it is at this moment."""
    plan: Plan


def claim(step_run_id: int, worker: str, queues: Collection[str]) -> Claim | None:
    """Take up that step, whatever its rank, if it is ready, of one of these queues, and within all limits."""
    step_run = _found(step_run_id)
    if step_run is None:
        return None
    backend = next((each for each in served(queues) if each.name == step_run.backend), None)
    return _take(step_run, backend, worker, waits=True) if backend else None


def claim_best(
    worker: str,
    queues: Collection[str],
    *,
    priorities: Priorities = ALL_PRIORITIES,
    without: Collection[str] = (),
) -> Claim | None:
    """Take up the best ready step of these queues and priorities, but for Backends `without`; none where there is
    nothing to do."""
    for _ in range(MOST_ROUNDS):
        chosen = choose(served(queues, without), CHOSEN, priorities)
        if not chosen:
            return None
        for backend, step_run_id in chosen:
            step_run = _found(step_run_id)
            waits = step_run_id == chosen[-1][1]
            if step_run is not None and (taken := _take(step_run, backend, worker, waits=waits)):
                return taken
    return None


def _found(step_run_id: int) -> StepRun | None:
    """The step, if it is ready, with its Submission, the Snapshot of that, and the file of an item."""
    for row in _FIND.rows(step_run=step_run_id):
        step_run, submission = _STEP_RUN.read(row), _SUBMISSION.read(row[len(_STEP_RUN) :])
        step_run.item_blob = _BLOB.read(row[-1 - len(_BLOB) :]) if step_run.item_blob_id is not None else None
        submission.snapshot = Snapshot.kept(submission.snapshot_id, row[-1])
        step_run.submission = submission
        return step_run
    return None


def _take(step_run: StepRun, backend: Backend, worker: str, *, waits: bool) -> Claim | None:
    """Compare-and-set of the step, with what it begins; none, and nothing written, where another was faster or a limit
    is reached. Without `waits` it is also left to whoever is just about to begin its Submission."""
    submission = step_run.submission
    events: list[Event] = []
    with transaction.atomic():
        if not may_take(backend) or not _begin(submission, events, waits=waits):
            return None
        now = timezone.now()  # after the Submission's own beginning
        mine = _TAKE.change(
            step_run=step_run.pk,
            to=StepStatus.RUNNING.value,
            origins=[each.value for each in step_origins(StepStatus.RUNNING, [StepStatus.QUEUED])],
            attempt=step_run.attempt,
            worker=worker,
            now=now,
            lease=lease_length(),
        )
        if not mine:
            transaction.set_rollback(True)
            return None
        step_run.status, step_run.worker, step_run.started = StepStatus.RUNNING, worker, now
        step_run.attempt += 1
        attempt = Attempt(
            step_run=step_run,
            number=step_run.attempt,
            worker=worker,
            backend=backend.name,
            queue=backend.queue_type.name,
            executor=backend.queue_type.executor,
            started=now,
        )
        _NEW_ATTEMPT.write_one(attempt)
        events.append(step_event(step_run, StepStatus.RUNNING, now))
        write_history(events)
    return Claim(step_run, attempt, backend, submission.snapshot.plan)


def _begin(submission: Submission, events: list[Event], *, waits: bool) -> bool:
    """A Submission runs from its first claim on; False where that has to wait, or another worker is about it.

    It is locked before its StepRuns, in the claim's transaction.
    """
    if submission.status != SubmissionStatus.SUBMITTED:
        return True
    now = timezone.now()
    change = {"submission": submission.pk, "to": SubmissionStatus.RUNNING.value, "now": now}
    if not (_BEGIN_UNLIMITED if waits else _BEGIN_UNLIMITED_UNHELD).change(**change):
        if not may_begin(submission.job_name):
            return False
        if not waits and not _UNHELD.rows(submission=submission.pk):
            return False  # who holds it takes one of its steps, or ends it
        if not _BEGIN.change(**change):
            return True  # another step of it was taken up just before
    submission.status, submission.started = SubmissionStatus.RUNNING, now
    _OPENED.change(submission=submission.pk)
    events.append(submission_event(submission, now))
    return True
