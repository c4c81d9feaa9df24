"""Absolute addresses of what the service speaks of."""

from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest

from analytics_automated.runs.models import Result, SubmissionInput


class Addresses:
    """Addresses as the caller of this request reaches them."""

    def __init__(self, request: HttpRequest) -> None:
        self.base: str = (settings.AA.base_url or request.build_absolute_uri("/")).rstrip("/")

    def of(self, *parts: object) -> str:
        """The address of something below `/api/v1/`."""
        return f"{self.base}/api/v1/" + "/".join(quote(str(part), safe="") for part in parts)

    def page(self, submission: object) -> str:
        """A submission's page for people."""
        return f"{self.base}/submissions/{submission}"

    def result(self, result: Result) -> str:
        """A result's bytes."""
        last = result.file.split("/") if result.many else []
        return self.of("submissions", result.submission_id, "results", result.name, *last)

    def input(self, given: SubmissionInput) -> str:
        """The bytes of a file that was sent."""
        last = [given.position] if given.position else []
        return self.of("submissions", given.submission_id, "inputs", given.name, *last)
