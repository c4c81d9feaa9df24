"""Submitting to a job, and asking what became of it."""

import uuid
from collections.abc import Callable
from typing import IO

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from ninja import Query, Router

from analytics_automated.api.addresses import Addresses
from analytics_automated.api.answers import json_answer
from analytics_automated.api.archive import serve_archive
from analytics_automated.api.downloads import serve_blob
from analytics_automated.api.envelope import check_envelope
from analytics_automated.api.intake import Intake, read_request
from analytics_automated.api.jobs import find_job
from analytics_automated.api.problems import Problem
from analytics_automated.api.representations import event_line, read_state, result_file, submission_state
from analytics_automated.api.request_bodies import SUBMISSION_BODY
from analytics_automated.api.schemas import EventPage, ProblemDocument, ResultPage, SubmissionState
from analytics_automated.pipelines.admission import SentFile, check_data, check_parameters
from analytics_automated.pipelines.models import Job, Snapshot
from analytics_automated.runs import engine
from analytics_automated.runs.models import Result, Submission
from analytics_automated.runs.storage import open_stored

router = Router(tags=["submissions"])
PROBLEMS = dict.fromkeys((400, 404, 409, 413, 415, 422), ProblemDocument)
NOT_FOUND = {404: ProblemDocument}


@router.post(
    "/jobs/{job}/submissions",
    response={201: SubmissionState, **PROBLEMS},
    summary="Submit data to a job",
    operation_id="submit",
    openapi_extra=SUBMISSION_BODY,
)
def submit(
    request: HttpRequest,
    job: str,
    definition: str = Query("", description="Digest: refuse where the job has changed since.", max_length=64),  # type: ignore[type-arg]
) -> HttpResponse:
    """Everything is checked before anything is queued; what is wrong is told all at once."""
    found = find_job(job)
    snapshot = _runnable(found, definition)
    intake = read_request(request, snapshot.plan)
    try:
        submitted = _admit(found, snapshot, intake)
    except BaseException:
        intake.discard()
        raise
    answer = submission_state(
        submitted.submission, submitted.inputs, submitted.step_runs, (), addresses=Addresses(request)
    )
    response = json_answer(request, answer, status=201, retry_after=answer.poll_after)
    response["Location"] = answer.links.self
    return response


def _runnable(job: Job, definition: str) -> Snapshot:
    if not job.runnable or job.snapshot is None or not job.snapshot.is_readable:
        raise Problem("not-runnable", f"The job {job.name!r} takes no submissions at present.")
    if definition and definition != job.snapshot.digest:
        raise Problem("definition-changed", f"The job's definition is now {job.snapshot.digest}.")
    return job.snapshot


def _admit(job: Job, snapshot: Snapshot, intake: Intake) -> engine.Submitted:
    """Submit what was read, or raise `Problem` with all that is wrong."""
    plan, refusals = snapshot.plan, intake.refusals
    envelope, wrong = check_envelope(intake.texts)
    refusals += wrong
    values, wrong = check_parameters(plan, intake.parameters)
    unread = {plan.public_name(refusal.name or "") for refusal in refusals if refusal.where == "parameters"}
    refusals += (refusal for refusal in wrong if refusal.code != "required" or refusal.name not in unread)
    refused = {refusal.name for refusal in refusals if refusal.where == "inputs"}
    if intake.is_too_large:
        raise Problem("too-large", errors=refusals)
    for name, definition in plan.inputs.items():
        if not definition.optional and not intake.count(name) and name not in refused:
            intake.refuse("inputs", name, "required", "is required")
    files = [SentFile(each.name, each.file, each.stored.size, _opener(each)) for each in intake.inputs]
    refusals += check_data(plan, files, settings.AA.validation_timeout)
    if refusals:
        raise Problem("invalid-request", errors=refusals)
    return engine.submit(
        job=job,
        snapshot=snapshot,
        parameters=values,
        inputs=intake.inputs,
        name=envelope.name,
        email=envelope.email,
        webhook=envelope.webhook,
    )


def _opener(given: engine.NewInput) -> Callable[[], IO[bytes]]:
    return lambda: open_stored(given.stored.key)


def find_submission(submission_id: uuid.UUID) -> Submission:
    """The submission of that id, with its snapshot. Raises `Problem`."""
    found = Submission.objects.select_related("snapshot").filter(pk=submission_id).first()
    if found is None:
        raise Problem("not-found", "There is no submission of that id.")
    return found


@router.get(
    "/submissions/{uuid:submission_id}",
    response={200: SubmissionState, **NOT_FOUND},
    summary="What became of a submission",
    operation_id="get_submission",
)
def get_submission(request: HttpRequest, submission_id: uuid.UUID) -> HttpResponse:
    """Poll it: `poll_after` (and `Retry-After`) says when to ask again, `ETag` spares what is known."""
    answer = read_state(find_submission(submission_id), Addresses(request))
    return json_answer(request, answer, retry_after=answer.poll_after)


@router.get(
    "/submissions/{uuid:submission_id}/events",
    response={200: EventPage, **NOT_FOUND},
    summary="A submission's history",
    operation_id="list_events",
)
def list_events(
    request: HttpRequest,
    submission_id: uuid.UUID,
    since: int = Query(0, ge=0, le=2**63 - 1, description="Events after the one of this id."),  # type: ignore[type-arg]
    limit: int = Query(1000, ge=1, le=1000, description="Most events in one answer."),  # type: ignore[type-arg]
) -> HttpResponse:
    """Oldest first."""
    submission = find_submission(submission_id)
    events = list(submission.events.filter(pk__gt=since).order_by("pk")[: limit + 1])
    here = Addresses(request).of("submissions", submission_id, "events")
    more = f"{here}?since={events[limit - 1].pk}&limit={limit}" if len(events) > limit else None
    return json_answer(request, EventPage(events=[event_line(event) for event in events[:limit]], next=more))


@router.get(
    "/submissions/{uuid:submission_id}/results",
    response={200: ResultPage, **NOT_FOUND},
    summary="All results of a submission",
    operation_id="list_results",
)
def list_results(
    request: HttpRequest,
    submission_id: uuid.UUID,
    cursor: int = Query(0, ge=0, le=2**63 - 1, description="From an earlier answer's `next`."),  # type: ignore[type-arg]
    limit: int = Query(100, ge=1, le=1000, description="Most results in one answer."),  # type: ignore[type-arg]
) -> HttpResponse:
    """In the order in which they were made. Results of completed steps stay after an ERROR."""
    submission, addresses = find_submission(submission_id), Addresses(request)
    rows = submission.results.public().select_related("blob").filter(pk__gt=cursor).order_by("pk")
    results = list(rows[: limit + 1])
    here = addresses.of("submissions", submission_id, "results")
    more = f"{here}?cursor={results[limit - 1].pk}&limit={limit}" if len(results) > limit else None
    return json_answer(
        request, ResultPage(results=[result_file(each, addresses) for each in results[:limit]], next=more)
    )


BYTES = {200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}}


@router.get(
    "/submissions/{uuid:submission_id}/results/{name}",
    summary="One result's bytes",
    operation_id="get_result",
    openapi_extra={"responses": BYTES},
)
def get_result(request: HttpRequest, submission_id: uuid.UUID, name: str) -> HttpResponseBase:
    """Ranges are served. Where there are several files under the name, name one of them too."""
    rows = list(_results(submission_id, name)[:2])
    if len(rows) != 1:
        detail = "There is no result of that name." if not rows else "There are several files: name one, as in `url`."
        raise Problem("not-found", detail)
    return _serve(request, rows[0])


@router.get(
    "/submissions/{uuid:submission_id}/results/{name}/{file}",
    summary="One file of a result that has several",
    operation_id="get_result_file",
    openapi_extra={"responses": BYTES},
)
def get_result_file(request: HttpRequest, submission_id: uuid.UUID, name: str, file: str) -> HttpResponseBase:
    """Ranges are served."""
    row = _results(submission_id, name).filter(file=file).first()
    if row is None:
        raise Problem("not-found", "There is no result of that name with a file of that name.")
    return _serve(request, row)


@router.get(
    "/submissions/{uuid:submission_id}/results.zip",
    summary="All results in one archive",
    operation_id="get_archive",
    openapi_extra={"responses": {200: {"content": {"application/zip": {}}}}},
)
def get_archive(request: HttpRequest, submission_id: uuid.UUID) -> HttpResponseBase:
    """Streamed while it is made."""
    submission = find_submission(submission_id)
    results = list(submission.results.public().select_related("blob").order_by("pk"))
    return serve_archive(request, results, file_name=f"{submission.job_name}-{submission.pk}.zip")


@router.get(
    "/submissions/{uuid:submission_id}/inputs/{name}",
    summary="A file that was sent",
    operation_id="get_input",
    openapi_extra={"responses": BYTES},
)
def get_input(request: HttpRequest, submission_id: uuid.UUID, name: str) -> HttpResponseBase:
    """The first file of that input."""
    return get_input_file(request, submission_id, name, 0)


@router.get(
    "/submissions/{uuid:submission_id}/inputs/{name}/{int:position}",
    summary="One of several files that were sent",
    operation_id="get_input_file",
    openapi_extra={"responses": BYTES},
)
def get_input_file(request: HttpRequest, submission_id: uuid.UUID, name: str, position: int) -> HttpResponseBase:
    """The file at that position, from 0."""
    submission = find_submission(submission_id)
    row = submission.inputs.select_related("blob").filter(name=name, position=min(position, 2**31 - 1)).first()
    if row is None:
        raise Problem("not-found", "There is no such input.")
    blob = row.blob
    return serve_blob(
        request,
        key=blob.key,
        size=blob.size,
        sha256=blob.sha256,
        media_type="application/octet-stream",
        file_name=row.file,
    )


def _results(submission_id: uuid.UUID, name: str) -> QuerySet[Result]:
    find_submission(submission_id)
    return Result.objects.public().select_related("blob").filter(submission_id=submission_id, name=name)


def _serve(request: HttpRequest, result: Result) -> HttpResponseBase:
    blob = result.blob
    return serve_blob(
        request,
        key=blob.key,
        size=blob.size,
        sha256=blob.sha256,
        media_type=result.media_type,
        file_name=result.file,
    )
