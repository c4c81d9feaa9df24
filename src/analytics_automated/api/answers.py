"""JSON answers with an ETag, and the short answer to who has it already."""

import hashlib

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from ninja import Schema


def json_answer(
    request: HttpRequest, body: Schema, *, status: int = 200, retry_after: int | None = None
) -> HttpResponse:
    """The body as JSON; 304 without it where the caller's `If-None-Match` says that it is known."""
    content = body.model_dump_json(by_alias=True).encode()
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    known = get_conditional_response(request, etag=etag) if status == 200 else None
    response = known or HttpResponse(content, status=status, content_type="application/json")
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    if retry_after is not None:
        response["Retry-After"] = str(retry_after)
    return response
