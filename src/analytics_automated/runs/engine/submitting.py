"""A new Submission."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from analytics_automated.pipelines.models import Job, Snapshot
from analytics_automated.runs.dispatch import wake_all
from analytics_automated.runs.engine.ending import settle
from analytics_automated.runs.engine.history import step_event, submission_event, write_history
from analytics_automated.runs.engine.limits import check_caller, hold_caller
from analytics_automated.runs.engine.readiness import arrive
from analytics_automated.runs.models import StepRun, Submission, SubmissionInput
from analytics_automated.runs.states import StepStatus, SubmissionStatus
from analytics_automated.storage.models import Blob
from analytics_automated.storage.statements import Insertion
from analytics_automated.storage.streams import StoredFile, remove

_NEW_SUBMISSION = Insertion(Submission)
_NEW_INPUT = Insertion(SubmissionInput)
_NEW_STEP_RUN = Insertion(StepRun)


@dataclass(frozen=True, slots=True)
class NewInput:
    """A user's file that is stored: which input it is for, its own name, and where its bytes are."""

    name: str
    file: str
    stored: StoredFile | Blob
    """Fresh bytes, or a blob that is there already."""


class BytesGone(Exception):
    """Bytes that were to be named once more have just been removed."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """A Submission that was written, with its rows."""

    submission: Submission
    inputs: Sequence[SubmissionInput]
    step_runs: Sequence[StepRun]
    """One of each step."""


def submit(
    *,
    job: Job,
    snapshot: Snapshot,
    parameters: Mapping[str, Any],
    inputs: Sequence[NewInput],
    submission_id: uuid.UUID | None = None,
    caller: int = 0,
    priority: int = 0,
    name: str = "",
    email: str = "",
    webhook: str = "",
) -> Submitted:
    """Write a Submission whose data was checked, with its StepRuns and first Events, in one transaction; after
    the commit the steps that are ready are made known to workers.

    `caller` is what `runs.callers` makes of whoever sent it, or 0 for nobody in particular, whom no limit concerns.
    Steps of a higher `priority` go first.

    Raises `TooMany`, and `BytesGone` where a blob is not there any more. Where it raises, no row is left; the stored
    bytes are still the caller's to remove.
    """
    plan = snapshot.plan
    now = timezone.now()
    submission = Submission(
        id=submission_id or uuid.uuid4(),
        job=job,
        job_name=plan.job,
        job_version=plan.version or "",
        snapshot=snapshot,
        caller=caller,
        priority=priority,
        name=name,
        email=email,
        webhook=webhook,
        parameters=dict(parameters),
        status=SubmissionStatus.SUBMITTED,
        unfinished=len(plan.steps),
        created=now,
    )
    step_runs = [
        StepRun.of(
            submission,
            step=step.name,
            position=position,
            task=step.task,
            backend=plan.tasks[step.task].backend,
            status=StepStatus.PENDING if step.needs or not step.is_plain else StepStatus.QUEUED,
            waiting=len(step.needs),
            queued=None if step.needs or not step.is_plain else now,
        )
        for position, step in enumerate(plan.steps)
    ]
    ready = [step_run for step_run in step_runs if step_run.status == StepStatus.QUEUED]
    fresh = [each.stored for each in inputs if isinstance(each.stored, StoredFile)]
    with transaction.atomic():
        hold_caller(caller, job)
        check_caller(caller, job)
        if not Blob.objects.hold(each.stored for each in inputs if isinstance(each.stored, Blob)):
            raise BytesGone
        blobs = Blob.objects.adopt(fresh)
        _NEW_SUBMISSION.write([submission])
        submission._state.adding = False
        places: dict[str, int] = {}
        rows = []
        for each in inputs:
            place = places[each.name] = places.get(each.name, -1) + 1
            blob = blobs[each.stored.key] if isinstance(each.stored, StoredFile) else each.stored
            row = SubmissionInput(submission=submission, name=each.name, position=place, file=each.file, blob=blob)
            rows.append(row)
        _NEW_INPUT.write(rows)
        _NEW_STEP_RUN.write_counted(step_runs)
        events = [submission_event(submission, now), *(step_event(each, StepStatus.QUEUED, now) for each in ready)]
        if gated := [each for each in step_runs if each.status == StepStatus.PENDING and not each.waiting]:
            ready += arrive(submission, plan, gated, now, events)
            settle(submission, now, events)
            step_runs = list(submission.step_runs.heads())
        write_history(events)
        wake_all(ready if not submission.verdict else [])
        doubled = [file.key for file in fresh if blobs[file.key].key != file.key]
        transaction.on_commit(lambda: remove(doubled), robust=True)
    return Submitted(submission, rows, step_runs)
