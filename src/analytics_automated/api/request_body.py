"""A request's body as a stream that ends."""

from typing import Protocol

from django.conf import settings
from django.http import HttpRequest

from analytics_automated.api.problems import Problem
from analytics_automated.pipelines.quantities import format_size

CHUNK = 1_048_576
"""Bytes read at once: less makes uploads much slower."""


class Readable(Protocol):
    """A body that is read to its end."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; none at the end."""


class RequestBody:
    """A request's body, read no further than the largest request."""

    def __init__(self, request: HttpRequest) -> None:
        # Django takes a body that comes in chunks for an empty one, as it has no Content-Length.
        is_chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
        self.stream: Readable = request.META["wsgi.input"] if is_chunked else request
        self.left: int = settings.AA.max_request_size

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; none at the end. Raises `Problem` for a body that breaks off or is too large."""
        try:
            data = self.stream.read(size)
        except Exception as error:  # whatever a server raises for a body that is cut off, malformed or too slow
            raise Problem("malformed-request", "The request came to an early end.", close=True) from error
        self.left -= len(data)
        if self.left < 0:
            limit = settings.AA.max_request_size
            raise Problem("too-large", f"The request is larger than {format_size(limit)}.", close=True)
        return data
