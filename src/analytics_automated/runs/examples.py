"""A Job's examples, run here and now: by the engine and the executors that serve callers, in this process."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

from django.db.models import Q

from analytics_automated.pipelines.comparison import difference, holds
from analytics_automated.pipelines.definitions.call import ExampleDefinition, ExpectedResult
from analytics_automated.pipelines.models import Job, QueueType
from analytics_automated.pipelines.refusals import Refused
from analytics_automated.runs import engine, execution
from analytics_automated.runs.intake import Intake
from analytics_automated.runs.models import Attempt, Result, Submission
from analytics_automated.runs.states import StepStatus
from analytics_automated.storage.models import Blob
from analytics_automated.storage.streams import open_stored, read_chunks

_PAUSE = 0.1
"""Seconds between two looks for a step that is to be tried again."""
LAST_LINES = 20
"""Lines of a failed step's logs that are shown."""


@dataclass
class Trial:
    """What came of an example."""

    faults: list[str] = field(default_factory=list)
    """What is not as expected; empty: all is."""
    logs: list[str] = field(default_factory=list)
    """What failed steps wrote, for the author."""
    seconds: float = 0.0
    """From the first step's start to the end."""


def try_example(job: Job, example: ExampleDefinition) -> Trial:
    """Submit the example as a caller would, run all its steps in this process, and compare what came of it.

    Only for an installation that serves nobody else: whatever is ready is run.
    """
    assert job.snapshot is not None  # noqa: S101 -- the caller has checked the configuration
    shipped = {each.path: each.blob for each in job.files.select_related("blob")}
    intake = Intake(job.snapshot.plan)
    try:
        for name in example.inputs:
            for file in example.files(name):
                with open_stored(shipped[file].key) as stream:
                    intake.store_input(name, file.rpartition("/")[2], read_chunks(stream))
        for name, value in example.parameters.items():
            intake.add_parameter(name, value)
        submission = intake.submit(job, job.snapshot).submission
    except Refused as refused:
        return Trial([f"is refused: {refusal.name}: {refusal.message}" for refusal in refused.refusals])
    finally:
        intake.discard()
    _run_to_the_end(submission)
    return _judged(submission, example, shipped)


def _run_to_the_end(submission: Submission) -> None:
    """Run ready steps, one after the other, until the submission has ended; what is tried again later is waited for.
    Interrupted, it ends the command that runs."""
    queues = list(QueueType.objects.values_list("name", flat=True))
    running: list[execution.Running] = []
    try:
        while not submission.is_terminal:
            while claim := engine.claim_best(f"examples-{os.getpid()}", queues):
                execution.run(claim, running.append)
                running.clear()
            submission.refresh_from_db()
            if not submission.is_terminal:
                time.sleep(_PAUSE)
    except KeyboardInterrupt:
        for each in running:
            each.executor.cancel([each.handle])
            each.executor.wait(each.handle)
        raise


def _judged(submission: Submission, example: ExampleDefinition, shipped: dict[str, Blob]) -> Trial:
    trial = Trial()
    expect = example.expect
    if submission.status != expect.status:
        said = f": {submission.message}" if submission.message else ""
        trial.faults.append(f"is {submission.status}, not {expect.status}{said}")
        trial.logs += _logs(submission)
    if expect.stopped is not None and submission.stopped_step != expect.stopped:
        where = f"stopped at {submission.stopped_step!r}" if submission.stopped_step else "did not stop"
        trial.faults.append(f"{where}, and not at {expect.stopped!r}")
    told = submission.message or submission.stopped_message
    if expect.message is not None and expect.message not in told:
        trial.faults.append(f"says {told!r}, which does not hold {expect.message!r}")
    for name, expected in expect.expected.items():
        files = list(Result.objects.filter(submission=submission, name=name).select_related("blob"))
        trial.faults += (f"result {name}: {fault}" for fault in _result_faults(files, expected, shipped))
    if submission.started and submission.finished:
        trial.seconds = (submission.finished - submission.started).total_seconds()
    return trial


def _result_faults(files: list[Result], expected: ExpectedResult, shipped: dict[str, Blob]) -> Iterator[str]:
    if not files:
        yield "is not there"
        return
    says_something = expected.sha256 or expected.file is not None or expected.contains is not None
    if len(files) > 1 and says_something:
        yield f"is {len(files)} files, and one is expected"
        return
    blob = files[0].blob
    if expected.sha256 is not None and blob.sha256 != expected.sha256.lower():
        yield f"has the SHA-256 {blob.sha256}, not {expected.sha256}"
    with ExitStack() as stack:
        if expected.file is not None:
            right = shipped[expected.file]
            if (blob.sha256, blob.size) != (right.sha256, right.size):
                made, meant = (stack.enter_context(open_stored(each.key)) for each in (blob, right))
                if found := difference(made, meant, expected.tolerance):
                    yield f"differs from {expected.file}: {found}"
        if expected.contains is not None:
            made = stack.enter_context(open_stored(blob.key))
            if not holds(made, expected.contains.encode()):
                yield f"does not hold {expected.contains!r}"


def _logs(submission: Submission) -> Iterator[str]:
    failed = Q(step_run__status__in=[StepStatus.ERROR, StepStatus.CRASH])
    for attempt in Attempt.objects.filter(failed, step_run__submission=submission).select_related("step_run"):
        for stream, text in (("stderr", attempt.stderr), ("stdout", attempt.stdout), ("system", attempt.detail)):
            lines = text.rstrip().splitlines()[-LAST_LINES:]
            yield from (f"{attempt.step_run.step} {stream}: {line}" for line in lines)
