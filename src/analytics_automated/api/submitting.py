"""Submitting to a job."""

from django.http import HttpRequest, HttpResponse
from multipart import parse_options_header
from ninja import Query, Router

from analytics_automated.api.addresses import Addresses
from analytics_automated.api.admission import caller_of, check_admission, no_room, too_many_submissions
from analytics_automated.api.answers import json_answer
from analytics_automated.api.body_documents import SUBMISSION_BODY
from analytics_automated.api.form_intake import read_form
from analytics_automated.api.jobs import announce_deprecation, find_job
from analytics_automated.api.json_intake import read_json_document
from analytics_automated.api.problems import Problem
from analytics_automated.api.representations import new_submission_state
from analytics_automated.api.request_body import RequestBody
from analytics_automated.api.schemas import ProblemDocument, SubmissionState
from analytics_automated.pipelines.models import Job, Snapshot
from analytics_automated.pipelines.refusals import Refused
from analytics_automated.runs import engine
from analytics_automated.runs.intake import Intake
from analytics_automated.storage.room import is_full

router = Router(tags=["submissions"])
PROBLEMS = dict.fromkeys((400, 404, 409, 413, 415, 422, 429, 503), ProblemDocument)


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
    intake = Intake(snapshot.plan, caller_of(request))
    try:
        check_admission(request, intake.caller, found, snapshot.plan)
        _read(request, intake)
        submitted = intake.submit(found, snapshot)
    except Refused as refused:
        raise Problem("too-large" if intake.is_too_large else "invalid-request", errors=refused.refusals) from None
    except engine.TooMany as too_many:
        raise too_many_submissions(too_many) from None
    except OSError as error:
        if not is_full(error):
            raise
        raise no_room() from error
    finally:
        intake.discard()
    addresses = Addresses(request)
    answer = new_submission_state(submitted, addresses)
    response = json_answer(request, answer, status=201, retry_after=answer.poll_after)
    response["Location"] = answer.links.self
    return announce_deprecation(response, found, addresses)


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
