"""Pages that only show."""

import datetime as dt
from typing import Any

from django.contrib.admin.options import BaseModelAdmin
from django.db import models
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from analytics_automated.pipelines.admin.theme import ModelAdmin, TabularInline


class OnlyReading(BaseModelAdmin):  # type: ignore[type-arg]  # Django's takes no type at run time
    """Nobody adds, changes or deletes; who may see it is Django's to say."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Never."""
        return False


class ReadingAdmin(OnlyReading, ModelAdmin):
    """A list and pages for looking something up, which stay quick where there are millions of rows."""

    show_full_result_count = False
    list_per_page = 50
    compressed_fields = False

    class Media:
        css = {"all": ("runs/admin.css",)}


class FirstRows(BaseInlineFormSet):  # type: ignore[type-arg]
    """Rows as far as a page can show them."""

    shown = 200

    def get_queryset(self) -> models.QuerySet[Any]:
        """The first rows."""
        if not hasattr(self, "_first"):
            self._first = super().get_queryset()[: self.shown]
        return self._first


class ReadingRows(OnlyReading, TabularInline):
    """Rows on the page of what they belong to; of very many the first ones."""

    formset = FirstRows
    extra = 0
    can_delete = False
    hide_title = True
    show_change_link = True


def link_to(row: models.Model | None, text: str | None = None) -> str | SafeString:
    """A link to the page of a row; a dash where there is none."""
    if row is None:
        return "-"
    meta = row._meta
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])
    return format_html('<a class="text-link" href="{}">{}</a>', address, text if text is not None else str(row))


def short(submission_id: object) -> str:
    """A Submission's id in a list: enough of it to search by."""
    return str(submission_id)[:8]


def took(started: dt.datetime | None, finished: dt.datetime | None) -> str:
    """The time between, in seconds; a dash where it has not ended."""
    if started is None or finished is None:
        return "-"
    return f"{(finished - started).total_seconds():.2f}\N{NO-BREAK SPACE}s"
