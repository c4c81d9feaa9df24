"""Pages of Events."""

from django.contrib import admin

from analytics_automated.runs.admin.reading import ReadingAdmin, link_to, short
from analytics_automated.runs.models import Event


@admin.register(Event)
class EventAdmin(ReadingAdmin):
    """Lines of the Submissions' histories."""

    list_display = ("time", "short_submission", "step", "item", "attempt", "status", "message")
    list_filter = ("status",)
    date_hierarchy = "time"
    ordering = ("-time", "-pk")
    search_fields = ("submission__id__istartswith", "step", "message")
    fields = ("submission_link", "time", ("step", "item", "attempt"), "status", "message")
    readonly_fields = ("submission_link",)

    @admin.display(description="submission", ordering="submission")
    def short_submission(self, event: Event) -> str:
        """The Submission's id, shortened."""
        return short(event.submission_id)

    @admin.display(description="submission")
    def submission_link(self, event: Event) -> str:
        """Whose history it belongs to."""
        return link_to(event.submission)
