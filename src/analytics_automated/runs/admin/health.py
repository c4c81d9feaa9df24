"""Pages of how Backends are."""

from django.contrib import admin

from analytics_automated.runs.admin.reading import ReadingAdmin
from analytics_automated.runs.models import Health, StepRun
from analytics_automated.runs.states import StepStatus


@admin.register(Health)
class HealthAdmin(ReadingAdmin):
    """Whether a Backend answers, and what it says of itself."""

    list_display = ("backend", "is_up", "steps_waiting", "steps_running", "slots", "running", "waiting", "answered")
    list_display_links = ("backend",)
    search_fields = ("backend",)
    fields = (
        ("backend", "is_up"),
        ("steps_waiting", "steps_running"),
        ("slots", "running", "waiting"),
        "answered",
        "failing_since",
        ("failed", "error"),
        "detail",
        ("worker", "kept_until"),
    )
    readonly_fields = ("is_up", "steps_waiting", "steps_running")

    @admin.display(description="up", boolean=True)
    def is_up(self, health: Health) -> bool:
        """Whether it answers."""
        return health.failing_since is None

    @admin.display(description="steps queued")
    def steps_waiting(self, health: Health) -> int:
        """Steps that are QUEUED for it."""
        return StepRun.objects.filter(backend=health.backend, status=StepStatus.QUEUED).count()

    @admin.display(description="steps under way")
    def steps_running(self, health: Health) -> int:
        """Steps that a worker or the Backend's scheduler has."""
        return StepRun.objects.filter(backend=health.backend, taken=True).count()
