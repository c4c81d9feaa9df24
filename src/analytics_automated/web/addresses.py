"""Where the pages' links lead: the service's own addresses, without its host."""

from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from analytics_automated.runs.models import Result


def service(*parts: object) -> str:
    """The address of something below `/api/v1/`."""
    return f"{reverse('start')}api/v1/" + "/".join(quote(str(part), safe="") for part in parts)


def result(row: Result) -> str:
    """A result's bytes."""
    last = row.file.split("/") if row.many else []
    return service("submissions", row.submission_id, "results", row.name, *last)


def absolute(request: HttpRequest, address: str) -> str:
    """The address as somebody elsewhere reaches it."""
    base = settings.AA.base_url or request.build_absolute_uri("/")
    return f"{base.rstrip('/')}{address}"
