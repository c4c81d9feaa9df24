"""Pages of Blobs."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat

from analytics_automated.runs.admin.reading import ReadingAdmin
from analytics_automated.runs.models import Result, SubmissionInput
from analytics_automated.storage.models import Blob


@admin.register(Blob)
class BlobAdmin(ReadingAdmin):
    """Stored bytes."""

    list_display = ("short_digest", "readable_size", "created", "uses")
    date_hierarchy = "created"
    ordering = ("-created",)
    search_fields = ("sha256__startswith", "key")
    fields = ("sha256", ("size", "readable_size"), "key", "created", "uses")
    readonly_fields = ("readable_size", "uses")

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the number of rows that name them."""
        return super().get_queryset(request).annotate(_inputs=_count(SubmissionInput), _results=_count(Result))

    @admin.display(description="SHA-256", ordering="sha256")
    def short_digest(self, blob: Blob) -> str:
        """The digest's beginning."""
        return blob.sha256[:12]

    @admin.display(description="size", ordering="size")
    def readable_size(self, blob: Blob) -> str:
        """The size for people."""
        return filesizeformat(blob.size)

    @admin.display(description="named by")
    def uses(self, blob: Any) -> str:
        """How many inputs and Results are these bytes; with none they are removed soon."""
        return f"{blob._inputs} inputs, {blob._results} results"


def _count(model: type[models.Model]) -> Any:
    rows = model._default_manager.filter(blob=models.OuterRef("pk")).order_by().values("blob")
    counted = models.Subquery(rows.annotate(number=models.Count("pk")).values("number"))
    return Coalesce(counted, 0)
