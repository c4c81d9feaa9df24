"""Pages of Results."""

from django.contrib import admin
from django.template.defaultfilters import filesizeformat

from analytics_automated.runs.admin.reading import ReadingAdmin, link_to, short
from analytics_automated.runs.models import Result


@admin.register(Result)
class ResultAdmin(ReadingAdmin):
    """Files that came of Submissions."""

    list_display = ("__str__", "name", "short_submission", "media_type", "size")
    list_filter = ("media_type",)
    list_select_related = ("blob",)
    search_fields = ("submission__id__istartswith", "name", "file")
    fields = (
        "submission_link",
        "step_run_link",
        ("step", "output", "position"),
        ("name", "many"),
        ("file", "media_type", "size"),
        "blob_link",
    )
    readonly_fields = ("submission_link", "step_run_link", "blob_link", "size")

    @admin.display(description="submission", ordering="submission")
    def short_submission(self, result: Result) -> str:
        """The Submission's id, shortened."""
        return short(result.submission_id)

    @admin.display(description="submission")
    def submission_link(self, result: Result) -> str:
        """What it came of."""
        return link_to(result.submission)

    @admin.display(description="step run")
    def step_run_link(self, result: Result) -> str:
        """What made it."""
        return link_to(result.step_run)

    @admin.display(description="stored as")
    def blob_link(self, result: Result) -> str:
        """The stored bytes."""
        return link_to(result.blob)

    @admin.display(description="size", ordering="blob__size")
    def size(self, result: Result) -> str:
        """Size of the bytes, for people."""
        return filesizeformat(result.blob.size)
