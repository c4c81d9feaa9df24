"""Pages of Snapshots, for reading."""

import json
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from analytics_automated.pipelines.admin.differences import shown_text
from analytics_automated.pipelines.admin.theme import ModelAdmin
from analytics_automated.pipelines.configuration.versions import plan_text
from analytics_automated.pipelines.models import Snapshot


@admin.register(Snapshot)
class SnapshotAdmin(ModelAdmin):
    """Plans as they were when somebody submitted. Nothing changes them."""

    list_display = ("__str__", "job", "format", "created", "current")
    list_filter = ("format",)
    date_hierarchy = "created"
    search_fields = ("digest", "jobs__name")
    fields = ("digest", "format", "created", "plan")
    readonly_fields = fields
    show_full_result_count = False

    class Media:
        css = {"all": ("pipelines/admin.css",)}

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the jobs whose plan it is now."""
        return super().get_queryset(request).prefetch_related("jobs")

    @admin.display(description="job")
    def job(self, snapshot: Snapshot) -> str:
        """The job whose plan it is or was."""
        return str(json.loads(snapshot.content).get("job", ""))

    @admin.display(boolean=True, description="in use")
    def current(self, snapshot: Snapshot) -> bool:
        """Whether a job is like this now."""
        return bool(snapshot.jobs.all())

    @admin.display(description="plan")
    def plan(self, snapshot: Snapshot) -> SafeString:
        """The plan, for people."""
        return shown_text(plan_text(snapshot))

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Never."""
        return False
