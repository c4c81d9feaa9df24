"""What a page says while the database cannot be reached."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string

from analytics_automated.runs.outages import RETRY_AFTER, is_outage, tell_outage


class OutageMiddleware:
    """Answers a request that needed the database, and could not have it, with 503 and a page that needs none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:  # noqa: ARG002
        """The page; nothing where something else is wrong."""
        if not is_outage(error):
            return None
        tell_outage(error)
        headers = {"Retry-After": str(RETRY_AFTER), "Cache-Control": "no-store"}
        return HttpResponse(render_to_string("503.html"), status=503, headers=headers)
