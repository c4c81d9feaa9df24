"""Errors as problem details (RFC 9457), each with a documented, stable type."""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from analytics_automated.pipelines.refusals import Refusal

logger = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
BASE = "/api/problems/"
"""Types are relative references below the service: the same everywhere, and answered with what they mean."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem."""

    status: int
    title: str
    meaning: str


KINDS: dict[str, Kind] = {
    "unknown-host": Kind(
        400, "Unknown host", "The service does not answer under that host name; its operator sets AA_ALLOWED_HOSTS."
    ),
    "malformed-request": Kind(400, "Malformed request", "The request could not be read as what it says it is."),
    "unknown-job": Kind(404, "Unknown job", "There is no job of that name; the list of jobs is at /api/v1/jobs."),
    "not-found": Kind(404, "Not found", "Nothing is there under that address."),
    "method-not-allowed": Kind(405, "Method not allowed", "The address does not answer that method."),
    "not-runnable": Kind(409, "Not runnable", "The job takes no submissions at present."),
    "definition-changed": Kind(
        409, "Definition changed", "The job has changed since the definition that the request names."
    ),
    "not-resumable": Kind(409, "Not resumable", "The submission cannot be started again as it is."),
    "gone": Kind(410, "Gone", "It was there, and was deleted or has expired."),
    "too-large": Kind(413, "Too large", "A file, or the request as a whole, is larger than it may be."),
    "unsupported-media-type": Kind(415, "Unsupported media type", "Send multipart/form-data or application/json."),
    "invalid-request": Kind(
        422, "Invalid request", "Parameters or data are not what the job takes; each is in `errors`."
    ),
    "too-many-submissions": Kind(
        429, "Too many submissions", "The caller has as many submissions in progress as it may; try again later."
    ),
    "internal-error": Kind(500, "Internal error", "The service failed; the operator finds why by the request id."),
    "no-room": Kind(503, "No room", "There is too little room on the service's disks at present; try again later."),
    "unavailable": Kind(503, "Unavailable", "The service cannot answer at present; try again later."),
}
"""All kinds, by the last part of their type."""


class Problem(Exception):
    """Ends a request with a problem document. `detail` and `errors` are for the caller."""

    def __init__(
        self,
        kind: str,
        detail: str = "",
        errors: Sequence[Refusal] = (),
        *,
        close: bool = False,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail or KINDS[kind].title)
        self.kind = kind
        self.detail = detail
        self.errors = list(errors)
        self.close = close
        """The connection is closed after the answer, as there may be more of the request on it."""
        self.retry_after = retry_after
        """Seconds after which it may be worth another try."""


def problem_response(problem: Problem) -> HttpResponse:
    """The answer."""
    kind = KINDS[problem.kind]
    body: dict[str, Any] = {"type": BASE + problem.kind, "title": kind.title, "status": kind.status}
    body["detail"] = problem.detail or kind.meaning
    body["errors"] = [error.as_json() for error in problem.errors]
    response = HttpResponse(json.dumps(body), status=kind.status, content_type=MEDIA_TYPE)
    response["Cache-Control"] = "no-store"
    if problem.retry_after is not None:
        response["Retry-After"] = str(problem.retry_after)
    if problem.close:
        response["Connection"] = "close"
    return response


_BY_STATUS = {400: "malformed-request", 404: "not-found", 405: "method-not-allowed", 413: "too-large"}


class ApiMiddleware:
    """What every address below `/api/` does: errors are problem documents, and HEAD is GET without the body."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request."""
        if not request.path.startswith("/api/"):
            return self.get_response(request)
        try:
            request.get_host()
        except DisallowedHost:
            return problem_response(Problem("unknown-host"))
        if "\0" in unquote(request.get_full_path()):  # PostgreSQL takes it in no text, and no name has it
            return problem_response(Problem("malformed-request", "The address holds a NUL character."))
        is_head = request.method == "HEAD"
        if is_head:
            request.method = "GET"
        response = self.get_response(request)
        if response.status_code >= 400 and not _is_ours(response):
            response = _as_problem(response)
        return _without_body(response) if is_head else response


def _is_ours(response: HttpResponseBase) -> bool:
    return response.headers.get("Content-Type", "").startswith(MEDIA_TYPE) or response.status_code in {412, 416}


def _as_problem(response: HttpResponseBase) -> HttpResponse:
    fallback = "internal-error" if response.status_code >= 500 else "malformed-request"
    made = problem_response(Problem(_BY_STATUS.get(response.status_code, fallback)))
    if "Allow" in response.headers:
        made["Allow"] = response.headers["Allow"]
    return made


def _without_body(response: HttpResponseBase) -> HttpResponse:
    empty = HttpResponse(status=response.status_code, headers=dict(response.headers))
    if not response.streaming and "Content-Length" not in response.headers:
        empty["Content-Length"] = str(len(getattr(response, "content", b"")))
    response.close()
    return empty
