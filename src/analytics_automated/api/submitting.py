"""Submitting to a job."""

from collections.abc import Callable
from typing import IO

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from multipart import parse_options_header
from ninja import Query, Router

from analytics_automated.api.addresses import Addresses
from analytics_automated.api.answers import json_answer
from analytics_automated.api.body_documents import SUBMISSION_BODY
from analytics_automated.api.envelope import check_envelope
from analytics_automated.api.form_intake import read_form
from analytics_automated.api.intake import Intake
from analytics_automated.api.jobs import find_job
from analytics_automated.api.json_intake import read_json_document
from analytics_automated.api.problems import Problem
from analytics_automated.api.representations import submission_state
from analytics_automated.api.request_body import RequestBody
from analytics_automated.api.schemas import ProblemDocument, SubmissionState
from analytics_automated.pipelines.admission import SentFile, check_data, check_parameters
from analytics_automated.pipelines.models import Job, Snapshot
from analytics_automated.runs import engine
from analytics_automated.storage.streams import open_stored

router = Router(tags=["submissions"])
PROBLEMS = dict.fromkeys((400, 404, 409, 413, 415, 422), ProblemDocument)


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
    intake = Intake(snapshot.plan)
    try:
        _read(request, intake)
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


def _read(request: HttpRequest, intake: Intake) -> None:
    media_type, options = parse_options_header(request.headers.get("Content-Type", ""))
    match media_type:
        case "multipart/form-data":
            read_form(RequestBody(request), options, intake)
        case "application/json":
            read_json_document(RequestBody(request), intake)
        case _:
            raise Problem("unsupported-media-type")


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
