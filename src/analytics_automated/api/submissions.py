"""What became of a submission."""

import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from ninja import Query, Router

from analytics_automated.api.addresses import Addresses
from analytics_automated.api.answers import json_answer
from analytics_automated.api.archive import serve_archive
from analytics_automated.api.downloads import serve_blob
from analytics_automated.api.polling import answer_poll
from analytics_automated.api.problems import Problem
from analytics_automated.api.representations import event_line, read_state, result_file, run_line
from analytics_automated.api.schemas import EventPage, ProblemDocument, ResultPage, RunPage, SubmissionState
from analytics_automated.runs.models import Result, Submission
from analytics_automated.runs.states import StepStatus

router = Router(tags=["submissions"])
ONLY_STATUS: Any = Query(None, description="Only those of this status.")  # type: ignore[type-arg]
NOT_FOUND = {404: ProblemDocument, 410: ProblemDocument}


def find_submission(submission_id: uuid.UUID) -> Submission:
    """The submission of that id, with its snapshot. Raises `Problem`."""
    found = Submission.objects.select_related("snapshot").filter(pk=submission_id).first()
    if found is None:
        raise Problem("not-found", "There is no submission of that id.")
    if found.deleted is not None:
        raise Problem("gone", "The submission was deleted.")
    return found


@router.get(
    "/submissions/{uuid:submission_id}",
    response={200: SubmissionState, **NOT_FOUND},
    summary="What became of a submission",
    operation_id="get_submission",
)
def get_submission(request: HttpRequest, submission_id: uuid.UUID) -> HttpResponse:
    """Poll it: `poll_after` (and `Retry-After`) says when to ask again, `ETag` spares what is known."""
    addresses = Addresses(request)
    answer = answer_poll(submission_id, addresses, lambda: read_state(find_submission(submission_id), addresses))
    return answer.to(request)


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
    "/submissions/{uuid:submission_id}/steps/{name}/runs",
    response={200: RunPage, **NOT_FOUND},
    summary="The runs of a step",
    operation_id="list_runs",
)
def list_runs(
    request: HttpRequest,
    submission_id: uuid.UUID,
    name: str,
    status: StepStatus | None = ONLY_STATUS,
    cursor: int = Query(-1, ge=-1, le=2**31 - 1, description="From an earlier answer's `next`."),  # type: ignore[type-arg]
    limit: int = Query(100, ge=1, le=1000, description="Most runs in one answer."),  # type: ignore[type-arg]
) -> HttpResponse:
    """One of a step that does not scatter; else one per file, in their order, once the files are known."""
    submission = find_submission(submission_id)
    if not any(step.name == name for step in submission.snapshot.plan.steps):
        raise Problem("not-found", "There is no step of that name.")
    rows = submission.step_runs.filter(step=name, item__gt=cursor).order_by("item")
    if status is not None:
        rows = rows.filter(status=status)
    runs = list(rows[: limit + 1])
    here = Addresses(request).of("submissions", submission_id, "steps", name, "runs")
    only = f"&status={status}" if status is not None else ""
    more = f"{here}?cursor={runs[limit - 1].item}&limit={limit}{only}" if len(runs) > limit else None
    return json_answer(request, RunPage(runs=[run_line(each) for each in runs[:limit]], next=more))


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


_FILE = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
BYTES = {
    200: {"description": "The whole file", **_FILE},
    206: {"description": "The range that was asked for (RFC 9110, section 14)", **_FILE},
    304: {"description": "The caller has it already"},
    412: {"description": "It is not the one that If-Match names"},
    416: {"description": "No such range"},
}


@router.get(
    "/submissions/{uuid:submission_id}/results/{name}",
    summary="One result's bytes",
    operation_id="get_result",
    response=NOT_FOUND,
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
    "/submissions/{uuid:submission_id}/results/{name}/{path:file}",
    summary="One file of a result that has several",
    operation_id="get_result_file",
    response=NOT_FOUND,
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
    response=NOT_FOUND,
    openapi_extra={"responses": {200: {"content": {"application/zip": {}}}}},
)
def get_archive(request: HttpRequest, submission_id: uuid.UUID) -> HttpResponseBase:
    """Streamed while it is made."""
    submission = find_submission(submission_id)
    results = list(submission.results.public().select_related("blob"))
    return serve_archive(request, results, file_name=f"{submission.job_name}-{submission.pk}.zip")


@router.get(
    "/submissions/{uuid:submission_id}/inputs/{name}",
    summary="A file that was sent",
    operation_id="get_input",
    response=NOT_FOUND,
    openapi_extra={"responses": BYTES},
)
def get_input(request: HttpRequest, submission_id: uuid.UUID, name: str) -> HttpResponseBase:
    """The first file of that input."""
    return get_input_file(request, submission_id, name, 0)


@router.get(
    "/submissions/{uuid:submission_id}/inputs/{name}/{int:position}",
    summary="One of several files that were sent",
    operation_id="get_input_file",
    response=NOT_FOUND,
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
