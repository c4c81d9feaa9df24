"""JSON answers with an ETag, and the short answer to who has it already."""

import hashlib
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from ninja import Schema


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered, written down: it may be given to any request for the same."""

    content: bytes
    etag: str
    retry_after: int | None
    """Seconds after which to ask again."""

    @classmethod
    def of(cls, body: Schema, *, retry_after: int | None = None) -> "Answer":
        """The body as JSON."""
        content = body.model_dump_json(by_alias=True).encode()
        return cls(content, f'"{hashlib.sha256(content).hexdigest()[:32]}"', retry_after)

    def to(self, request: HttpRequest, *, status: int = 200) -> HttpResponse:
        """The answer to this request; 304 without the body where its `If-None-Match` says that it is known."""
        known = get_conditional_response(request, etag=self.etag) if status == 200 else None
        response = known or HttpResponse(self.content, status=status, content_type="application/json")
        response["ETag"] = self.etag
        response["Cache-Control"] = "private, no-cache"
        if self.retry_after is not None:
            response["Retry-After"] = str(self.retry_after)
        return response


def json_answer(
    request: HttpRequest, body: Schema, *, status: int = 200, retry_after: int | None = None
) -> HttpResponse:
    """An answer that is made for this request alone."""
    return Answer.of(body, retry_after=retry_after).to(request, status=status)
