"""Every answer carries the id under which the operator finds it in the log."""

import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

_GIVEN = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestIdMiddleware:
    """`X-Request-Id`: the caller's own where it is a short plain word, else a new one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request, with its id."""
        given = request.headers.get("X-Request-Id", "")
        request_id = given if _GIVEN.fullmatch(given) else uuid.uuid4().hex
        request.META["aa.request_id"] = request_id
        response = self.get_response(request)
        response["X-Request-Id"] = request_id
        return response
