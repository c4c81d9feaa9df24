"""Steps that run once per file: their items are made in bulk, and counted off one by one."""

import datetime as dt
from dataclasses import replace

from analytics_automated.pipelines.definitions.job import ScatterDefinition
from analytics_automated.pipelines.plans import Plan
from analytics_automated.runs.engine.ending import FAILURES
from analytics_automated.runs.engine.history import step_event
from analytics_automated.runs.file_names import item_name
from analytics_automated.runs.models import Event, Scatter, StepRun, Submission
from analytics_automated.runs.offers import Available, offers
from analytics_automated.runs.states import StepStatus, step_origins
from analytics_automated.runs.verdicts import Verdict
from analytics_automated.storage.statements import Columns, Statement

AT_ONCE = 1000
"""Rows in one statement."""

_STEP_RUN = Columns(StepRun, "runs_steprun")
_SCATTER = Columns(Scatter, "c")
_COUNTED = Statement(f"""
SELECT {_SCATTER} FROM runs_scatter c WHERE c.submission_id = %(submission)s AND c.step = %(step)s
""")  # noqa: S608 -- names of ours
_SAVE = Statement(f"""
UPDATE runs_scatter SET {", ".join(f"{name} = %({name})s" for name in Scatter.PROGRESS)} WHERE id = %(scatter)s
""")  # noqa: S608 -- names of ours
_RELEASE = Statement(f"""
UPDATE runs_steprun SET status = '{StepStatus.QUEUED}', waiting = 0, queued = %(now)s
WHERE id = (
    SELECT id FROM runs_steprun
    WHERE submission_id = %(submission)s AND step = %(step)s AND item > %(released)s
        AND status = '{StepStatus.PENDING}'
    ORDER BY item LIMIT 1
) RETURNING {_STEP_RUN}
""")  # noqa: S608 -- names of ours


def scatter(
    submission: Submission, step_run: StepRun, plan: Plan, now: dt.datetime, events: list[Event]
) -> list[StepRun] | Verdict:
    """Make one StepRun per file out of the one of a scattered step that waits for nothing more, and queue as many of
    them as may run at once: these are returned. Where there is nothing to take apart, or too much, how the step ends.

    The caller has locked the Submission, whose `unfinished` counts the new ones, too.
    """
    planned, task = plan.step(step_run.step), plan.task_of(step_run.step)
    definition = planned.scatter
    assert definition is not None  # noqa: S101 -- the caller has looked
    offered = offers(submission.pk, {source for sources in planned.inputs.values() for source in sources})
    needed = [name for name, each in task.inputs.items() if name == definition.over or not each.optional]
    for name in needed:
        if not any(source in offered for source in planned.inputs.get(name, [])):
            message = f"Step '{step_run.step}' was skipped: there is nothing for its input '{name}'."
            return Verdict(StepStatus.SKIPPED, message)
    files = next(offered[source] for source in planned.inputs[definition.over] if source in offered)
    if len(files) > definition.max_items:
        message = (
            f"Step '{step_run.step}' was not started: it would run once for each of {len(files):,} files, "
            f"and at most {definition.max_items:,} are allowed."
        )
        return Verdict(StepStatus.ERROR, message)
    return _make_items(submission, step_run, definition, files, now, events)


def _make_items(
    submission: Submission,
    step_run: StepRun,
    definition: ScatterDefinition,
    files: list[Available],
    now: dt.datetime,
    events: list[Event],
) -> list[StepRun]:
    width = min(definition.max_parallel, len(files))
    items = [
        StepRun.of(
            submission,
            step=step_run.step,
            position=step_run.position,
            task=step_run.task,
            backend=step_run.backend,
            item=index,
            item_name=item_name(index, len(files), file.file),
            item_blob=file.blob,
            status=StepStatus.QUEUED if index <= width else StepStatus.PENDING,
            waiting=0 if index <= width else 1,
            queued=now if index <= width else None,
        )
        for index, file in enumerate(files, 1)
    ]
    first, *others = items
    first.pk = step_run.pk  # the step's one row until now
    StepRun.objects.filter(pk=first.pk, status__in=step_origins(StepStatus.QUEUED, [StepStatus.PENDING])).update(
        item=first.item,
        item_name=first.item_name,
        item_blob=first.item_blob,
        status=first.status,
        queued=first.queued,
    )
    StepRun.objects.bulk_create(others, batch_size=AT_ONCE)
    Scatter.objects.create(submission=submission, step=step_run.step, total=len(items), released=width)
    submission.unfinished += len(others)
    queued = items[:width]
    events += (step_event(each, StepStatus.QUEUED, now) for each in queued)
    return queued


def end_item(
    submission: Submission, step_run: StepRun, plan: Plan, verdict: Verdict, now: dt.datetime, events: list[Event]
) -> tuple[Verdict | None, list[StepRun]]:
    """Count off an item that has ended. What that means for the step as a whole, if it means anything; and the next
    item, which is queued now, if one waited for its turn.

    The cost does not depend on how many items there are.
    """
    counted = _counted(submission, step_run.step)
    definition = plan.step(step_run.step).scatter
    assert definition is not None  # noqa: S101 -- only a scattered step has items
    counted.count(verdict.status)
    if step_run.started is not None:
        counted.started = min(counted.started or step_run.started, step_run.started)
    step_verdict: Verdict | None = None
    following: list[StepRun] = []
    if verdict.status in FAILURES:
        verdict = replace(verdict, message=f"{verdict.message} (item {step_run.item_name})")
        _note_failure(counted, step_run, verdict)
        if definition.on_item_failure == "fail":
            counted.status = counted.status or verdict.status
            step_verdict = verdict
    elif verdict.stops or verdict.status is StepStatus.CANCELLED:
        step_verdict = verdict
    if step_verdict is None and counted.unfinished and not submission.verdict:
        following = _release_next(counted, now, events)
    counted.close(now)
    if step_verdict is None and not counted.unfinished:
        step_verdict = _verdict_on_all(counted)
        counted.message = step_verdict.message
    _SAVE.change(scatter=counted.pk, **{name: getattr(counted, name) for name in Scatter.PROGRESS})
    return step_verdict, following


def _counted(submission: Submission, step: str) -> Scatter:
    (row,) = _COUNTED.rows(submission=submission.pk, step=step)
    return _SCATTER.read(row)


def _note_failure(counted: Scatter, step_run: StepRun, verdict: Verdict) -> None:
    if not counted.failure:
        counted.message, counted.cause, counted.exit_code = verdict.message, verdict.cause, step_run.exit_code
    if counted.failure != StepStatus.ERROR:
        counted.failure = verdict.status


def _verdict_on_all(counted: Scatter) -> Verdict:
    """How the step ended, none of whose items decided that alone."""
    status = StepStatus(counted.status)
    message = counted.message
    if counted.failed == counted.total:
        message = f"All {counted.total:,} items of step '{counted.step}' failed. The first: {message}"
    elif counted.failed:
        some = "item failed" if counted.failed == 1 else "items failed"
        message = f"{counted.failed:,} of {counted.total:,} {some}. The first: {message}"
    return Verdict(status, message, counted.cause)


def _release_next(counted: Scatter, now: dt.datetime, events: list[Event]) -> list[StepRun]:
    """Queue the next item that waits for its turn. Items are released in their order, so none is looked at twice."""
    if counted.released >= counted.total:
        return []
    assert StepStatus.PENDING in step_origins(StepStatus.QUEUED)  # noqa: S101 -- as the statement has it
    rows = _RELEASE.rows(submission=counted.submission_id, step=counted.step, released=counted.released, now=now)
    if not rows:
        counted.released = counted.total
        return []
    item = _STEP_RUN.read(rows[0])
    counted.released = item.item
    events.append(step_event(item, StepStatus.QUEUED, now))
    return [item]


def release_again(counted: Scatter, definition: ScatterDefinition, now: dt.datetime) -> list[StepRun]:
    """Queue as many of the waiting items of a scattered step that is started again as may run at once; these. None
    where all of them have ended meanwhile."""
    waiting = StepRun.objects.filter(
        submission_id=counted.submission_id, step=counted.step, status=StepStatus.PENDING, item__gt=0
    )
    queued = list(waiting.order_by("item")[: definition.max_parallel])
    for start in range(0, len(queued), AT_ONCE):
        keys = [each.pk for each in queued[start : start + AT_ONCE]]
        waiting.filter(pk__in=keys).update(status=StepStatus.QUEUED, waiting=0, queued=now)
    for each in queued:
        each.status, each.waiting, each.queued = StepStatus.QUEUED, 0, now
    counted.released = queued[-1].item if queued else counted.total
    return queued
