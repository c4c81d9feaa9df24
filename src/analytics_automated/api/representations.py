"""Rows as the service shows them. Nothing of the server's inside is in here: no command line, path or log."""

from collections.abc import Iterable

from django.conf import settings

from analytics_automated.api.addresses import Addresses
from analytics_automated.api.schemas import (
    DeprecationShown,
    EventLine,
    ExampleShown,
    InputFile,
    JobInputShown,
    JobLinks,
    JobResultShown,
    JobShown,
    JobStepShown,
    JobSummary,
    Progress,
    ResultFile,
    SoftwareShown,
    StepCounts,
    StepState,
    Stopped,
    SubmissionLinks,
    SubmissionState,
    ValidatorShown,
)
from analytics_automated.pipelines.models import Example, Job
from analytics_automated.pipelines.parameters import schema_of_all
from analytics_automated.pipelines.plans import Plan
from analytics_automated.pipelines.software import software_of
from analytics_automated.runs.models import Event, Result, StepRun, Submission, SubmissionInput
from analytics_automated.runs.progress import StepProgress, poll_after, step_progress

RESULTS_PER_POLL = 100


def read_state(submission: Submission, addresses: Addresses) -> SubmissionState:
    """A submission as it is now, with its snapshot selected; three further queries."""
    inputs = submission.inputs.select_related("blob").order_by("pk")
    results = submission.results.public().select_related("blob", "step_run")[:RESULTS_PER_POLL]
    return submission_state(submission, inputs, submission.step_runs.all(), results, addresses)


def submission_state(
    submission: Submission,
    inputs: Iterable[SubmissionInput],
    step_runs: Iterable[StepRun],
    results: Iterable[Result],
    addresses: Addresses,
) -> SubmissionState:
    """A submission with its rows, all that they refer to at hand; `step_runs` in the order of the steps."""
    key = submission.pk
    stopped = (
        Stopped(step=submission.stopped_step, message=submission.stopped_message) if submission.stopped_step else None
    )
    return SubmissionState(
        id=key,
        job=submission.job_name,
        job_version=submission.job_version,
        definition=submission.snapshot.digest,
        name=submission.name,
        status=submission.status,
        message=submission.message,
        cause=submission.cause or None,
        stopped=stopped,
        created=submission.created,
        started=submission.started,
        finished=submission.finished,
        expires=submission.expires,
        poll_after=poll_after(submission),
        inputs=[input_file(each, addresses) for each in inputs],
        parameters=submission.parameters,
        steps=[step_state(each) for each in step_progress(step_runs)],
        results=[result_file(each, addresses) for each in results],
        links=SubmissionLinks(
            self=addresses.of("submissions", key),
            cancel=None,
            events=addresses.of("submissions", key, "events"),
            results=addresses.of("submissions", key, "results"),
            archive=addresses.of("submissions", key, "results.zip"),
            page=addresses.page(key),
        ),
    )


def step_state(progress: StepProgress) -> StepState:
    """Where one step stands."""
    shown, told = progress.shown, progress.told
    return StepState(
        name=shown.step,
        task=shown.task,
        backend=shown.backend,
        status=shown.status,
        attempt=shown.attempt,
        started=progress.started,
        finished=progress.finished,
        exit_code=shown.exit_code,
        message=shown.message,
        progress=None if told is None else Progress(value=told.value, text=told.text),
        runs=StepCounts(
            total=progress.total, complete=progress.complete, failed=progress.failed, running=progress.running
        ),
    )


def input_file(given: SubmissionInput, addresses: Addresses) -> InputFile:
    """A file that was sent."""
    return InputFile(
        name=given.name,
        file=given.file,
        size=given.blob.size,
        sha256=given.blob.sha256,
        url=addresses.input(given),
    )


def result_file(result: Result, addresses: Addresses) -> ResultFile:
    """A result."""
    return ResultFile(
        name=result.name,
        file=result.file,
        step=result.step,
        output=result.output,
        size=result.blob.size,
        media_type=result.media_type,
        sha256=result.blob.sha256,
        url=addresses.result(result),
    )


def event_line(event: Event) -> EventLine:
    """A line of a submission's history."""
    return EventLine(
        id=event.pk,
        time=event.time,
        step=event.step or None,
        attempt=event.attempt,
        status=event.status,
        message=event.message,
    )


def job_summary(job: Job, addresses: Addresses) -> JobSummary:
    """A job in the catalogue."""
    return JobSummary(
        name=job.name,
        title=job.title,
        description=job.description,
        version=job.version,
        runnable=job.runnable and job.snapshot_id is not None,
        url=addresses.of("jobs", job.name),
    )


def job_shown(job: Job, addresses: Addresses) -> JobShown:
    """A job, with its snapshot selected. Without a plan there is nothing to tell of inputs, steps and results."""
    links = JobLinks(self=addresses.of("jobs", job.name), submissions=addresses.of("jobs", job.name, "submissions"))
    shown = JobShown(
        **job_summary(job, addresses).model_dump(),
        definition=None,
        contact=job.contact,
        citation=job.citation,
        licence=job.licence,
        terms=job.terms,
        aliases=job.aliases,
        deprecated=_deprecation(job, addresses),
        software=[],
        examples=[_example(each) for each in job.examples.all()],
        inputs=[],
        parameters=schema_of_all({}),
        steps=[],
        results=[],
        links=links,
    )
    if job.snapshot is not None:
        _show_plan(shown, job.snapshot.plan, job.snapshot.digest)
    return shown


def _deprecation(job: Job, addresses: Addresses) -> DeprecationShown | None:
    if job.deprecated is None:
        return None
    successor = job.deprecated.get("successor")
    url = addresses.of("jobs", successor) if successor else None
    return DeprecationShown(since=job.deprecated["since"], successor=successor, url=url)


def _example(example: Example) -> ExampleShown:
    files = {name: [given] if isinstance(given, str) else given for name, given in example.inputs.items()}
    names = {name: [file.rpartition("/")[2] for file in given] for name, given in files.items()}
    return ExampleShown(title=example.title, inputs=names, parameters=example.parameters)


def _show_plan(shown: JobShown, plan: Plan, digest: str) -> None:
    shown.definition = digest
    shown.software = [SoftwareShown(name=each.name, type=each.type, version=each.version) for each in software_of(plan)]
    shown.inputs = [
        JobInputShown(
            name=name,
            title=definition.title or "",
            description=definition.description or "",
            optional=definition.optional,
            many=definition.many,
            max_size=settings.AA.max_file_size if definition.max_size is None else definition.max_size,
            max_files=(definition.max_files or settings.AA.max_files) if definition.many else 1,
            unpack=list(definition.unpack) if definition.many else [],
            validators=[
                ValidatorShown(name=use.name, options=use.options) for use in [*plan.validators, *definition.validators]
            ],
        )
        for name, definition in plan.inputs.items()
    ]
    shown.parameters = plan.parameter_schema
    shown.steps = [
        JobStepShown(name=step.name, task=step.task, title=plan.tasks[step.task].title or "", needs=step.needs)
        for step in plan.steps
    ]
    shown.results = [
        JobResultShown(name=name, title=each.title or "", many=each.many, step=each.step, output=each.output)
        for name, each in plan.results.items()
    ]
