"""Pages of the configuration's history, for reading: deleted things are found here, too."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from analytics_automated.pipelines.admin.differences import shown_difference, shown_text
from analytics_automated.pipelines.admin.pages import FurtherPages, address_of
from analytics_automated.pipelines.configuration.versions import history_line
from analytics_automated.pipelines.files.writer import definition_text, value_text
from analytics_automated.pipelines.models import Backend, Job, Task
from analytics_automated.pipelines.models.change import Change

_ROWS: dict[str, type[Backend | Task | Job]] = {"backends": Backend, "tasks": Task, "jobs": Job}


class SectionFilter(admin.SimpleListFilter):
    """By what a thing is."""

    title = "section"
    parameter_name = "section"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        """All sections."""
        return [(section, section) for section in _ROWS]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:  # noqa: ARG002
        """Those lines."""
        return queryset.filter(section=self.value()) if self.value() else queryset


@admin.register(Change)
class ChangeAdmin(FurtherPages):
    """Who changed what. Nobody changes that."""

    list_display = ("__str__", "time", "who", "door", "pipeline")
    list_filter = (SectionFilter, "kind", "door", "who")
    date_hierarchy = "time"
    search_fields = ("name", "renamed_from", "who", "pipeline")
    search_help_text = "Names of backends, tasks and jobs, deleted ones too; accounts; pipelines."
    fields = ("time", "who", "door", "kind", "thing", "pipeline", "difference", "then", "files_then", "plan_then")
    readonly_fields = fields
    list_per_page = 50
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> Any:
        """Lines of the sections that the reader may see."""
        visible = [
            section
            for section, model in _ROWS.items()
            if self.admin_site.get_model_admin(model).has_view_permission(request)
        ]
        return super().get_queryset(request).filter(section__in=visible).select_related("snapshot")

    @admin.display(description="what")
    def thing(self, change: Change) -> str | SafeString:
        """The row as it is now, under the name that it had; all lines of that name."""
        row = _ROWS[change.section]._default_manager.filter(name=change.name).first()
        kind = change.section.removesuffix("s")
        listed = reverse("admin:pipelines_change_changelist")
        lines = format_html(
            '<a class="aa-link" href="{}?section={}&q={}">all lines of this name</a>',
            listed,
            change.section,
            change.name,
        )
        if row is None:
            return format_html("{} {} (there is none of this name now); {}", kind, change.name, lines)
        return format_html('{} <a class="aa-link" href="{}">{}</a>; {}', kind, address_of(row), change.name, lines)

    @admin.display(description="difference to the line before")
    def difference(self, change: Change) -> str | SafeString:
        """What became different."""
        return shown_difference(history_line(change).difference) or "none: the thing itself stayed as it was"

    @admin.display(description="from then on")
    def then(self, change: Change) -> str | SafeString:
        """The definition as it would stand in a pipeline file."""
        if change.definition is None:
            return "deleted; the difference shows what it was"
        return shown_text(definition_text(change.section, change.name, change.definition))

    @admin.display(description="shipped files, by SHA-256")
    def files_then(self, change: Change) -> str | SafeString:
        """The files that were shipped with it."""
        return shown_text(value_text(change.files)) if change.files else "none"

    @admin.display(description="plan")
    def plan_then(self, change: Change) -> str | SafeString:
        """What calls ran from then on."""
        if change.snapshot is None:
            return "none"
        return format_html('<a class="aa-link" href="{}">{}</a>', address_of(change.snapshot), change.snapshot)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Never."""
        return False
