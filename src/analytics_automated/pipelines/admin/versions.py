"""The versions of a Job, and what differs between two of them."""

from typing import Any

from django.http import HttpRequest
from django.urls import path, reverse

from analytics_automated.pipelines.admin.differences import shown_difference
from analytics_automated.pipelines.admin.pages import FurtherPages, Link, address_of
from analytics_automated.pipelines.configuration.versions import JobVersion, job_versions, plan_difference


class ShowsVersions(FurtherPages):
    """Jobs with the plans that they had."""

    def get_urls(self) -> list[Any]:
        """Django's, with the page of all versions."""
        versions = path(
            "<path:object_id>/versions/",
            self.admin_site.admin_view(self.versions_view),
            name="pipelines_job_versions",
        )
        return [versions, *super().get_urls()]

    def links(self, request: HttpRequest, row: Any) -> list[Link]:
        """With the one to the versions."""
        return [*super().links(request, row), Link("Versions", reverse("admin:pipelines_job_versions", args=[row.pk]))]

    def versions_view(self, request: HttpRequest, object_id: str) -> Any:
        """All versions, and the difference between the two that are chosen: by themselves the latest two."""
        row = self.row_or_404(request, object_id)
        versions = job_versions(row.name)
        by_digest = {version.snapshot.digest: version for version in versions}
        after = by_digest.get(request.GET.get("to", ""), versions[0] if versions else None)
        before = by_digest.get(request.GET.get("from", ""), _following(versions, after))
        return self.page(
            request,
            "versions.html",
            f"Versions of the job {row}",
            row,
            versions=[{"version": each, "address": address_of(each.snapshot)} for each in versions],
            before=before,
            after=after,
            difference=shown_difference(plan_difference(before.snapshot, after.snapshot)) if before and after else "",
        )


def _following(versions: list[JobVersion], version: JobVersion | None) -> JobVersion | None:
    """The one that was before; none for the first."""
    place = versions.index(version) + 1 if version else 0
    return versions[place] if version and place < len(versions) else None
