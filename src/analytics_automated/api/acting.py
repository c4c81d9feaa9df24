"""What a caller does to a submission that is there."""

import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from analytics_automated.api.addresses import Addresses
from analytics_automated.api.admission import caller_of, check_admission, too_many_submissions
from analytics_automated.api.answers import json_answer
from analytics_automated.api.problems import Problem
from analytics_automated.api.representations import new_submission_state, read_state
from analytics_automated.api.schemas import ProblemDocument, SubmissionState
from analytics_automated.api.submissions import NOT_FOUND, find_submission, router
from analytics_automated.pipelines.refusals import Refused
from analytics_automated.runs import engine
from analytics_automated.runs.models import Submission
from analytics_automated.runs.resubmitting import resubmit

__all__ = ["router"]


@router.post(
    "/submissions/{uuid:submission_id}/cancel",
    response={202: SubmissionState, **NOT_FOUND},
    summary="End a submission",
    operation_id="cancel_submission",
)
def cancel_submission(request: HttpRequest, submission_id: uuid.UUID) -> HttpResponse:
    """What waits is CANCELLED at once, what runs a moment later: poll. What has ended stays as it is."""
    return _acted(request, submission_id, engine.cancel)


@router.post(
    "/submissions/{uuid:submission_id}/retry",
    response={202: SubmissionState, 409: ProblemDocument, 429: ProblemDocument, **NOT_FOUND},
    summary="Start a failed submission again",
    operation_id="retry_submission",
)
def retry_submission(request: HttpRequest, submission_id: uuid.UUID) -> HttpResponse:
    """It goes on from its failed steps; what is complete stays. The definition is that of its first start."""
    return _acted(request, submission_id, engine.retry)


@router.post(
    "/submissions/{uuid:submission_id}/resubmit",
    response={201: SubmissionState, **dict.fromkeys((409, 422, 429, 503), ProblemDocument), **NOT_FOUND},
    summary="Submit the same data again",
    operation_id="resubmit_submission",
)
def resubmit_submission(request: HttpRequest, submission_id: uuid.UUID) -> HttpResponse:
    """A new submission of the same inputs and parameters, to the job as it is now."""
    addresses = Addresses(request)
    try:
        submitted = _resubmitted(request, find_submission(submission_id))
    except engine.NotResumable as refused:
        raise Problem("not-resumable", str(refused)) from None
    except engine.TooMany as too_many:
        raise too_many_submissions(too_many) from None
    except Refused as refused:
        raise Problem("invalid-request", errors=refused.refusals) from None
    answer = new_submission_state(submitted, addresses)
    response = json_answer(request, answer, status=201, retry_after=answer.poll_after)
    response["Location"] = answer.links.self
    return response


@router.delete(
    "/submissions/{uuid:submission_id}",
    response={204: None, **NOT_FOUND},
    summary="Delete a submission",
    operation_id="delete_submission",
)
def delete_submission(request: HttpRequest, submission_id: uuid.UUID) -> HttpResponse:  # noqa: ARG001
    """It is cancelled where it still runs; its files and whatever is personal are removed."""
    find_submission(submission_id)
    engine.delete(submission_id)
    return HttpResponse(status=204)


def _resubmitted(request: HttpRequest, submission: Submission) -> engine.Submitted:
    caller = caller_of(request)
    if submission.job is not None:
        check_admission(request, caller, submission.job, submission.snapshot.plan)
    return resubmit(submission, caller)


def _acted(request: HttpRequest, submission_id: uuid.UUID, act: Callable[[uuid.UUID], Submission]) -> HttpResponse:
    """Do it, and answer with the submission as it is then."""
    find_submission(submission_id)
    try:
        act(submission_id)
    except engine.TooMany as too_many:
        raise too_many_submissions(too_many) from None
    except engine.NotResumable as refused:
        raise Problem("not-resumable", str(refused)) from None
    answer = read_state(find_submission(submission_id), Addresses(request))
    return json_answer(request, answer, status=202, retry_after=answer.poll_after)
