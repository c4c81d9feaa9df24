"""Pages beside those that Django makes of a row: links to them, and their frame."""

from dataclasses import dataclass
from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from analytics_automated.pipelines.admin.theme import ModelAdmin


@dataclass(frozen=True, slots=True)
class Link:
    """A way to another page."""

    text: str
    address: str


class FurtherPages(ModelAdmin):
    """Pages of a kind of row, with links to more of them."""

    section = ""
    """Where pipeline files have it; nothing for what they have no section for."""

    class Media:
        css = {"all": ("pipelines/admin.css", "pipelines/pages.css")}

    def links(self, request: HttpRequest, row: Any) -> list[Link]:  # noqa: ARG002
        """Links on the page of a row."""
        return []

    def list_links(self, request: HttpRequest) -> list[Link]:  # noqa: ARG002
        """Links on the page of all rows."""
        return []

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Django's, with the links."""
        row = context.get("original")
        context["further_links"] = self.links(request, row) if row is not None and not context["is_popup"] else []
        return super().render_change_form(request, context, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Django's, with the links."""
        links = {"further_links": self.list_links(request)}
        return super().changelist_view(request, {**links, **(extra_context or {})})

    def row_or_404(self, request: HttpRequest, object_id: str) -> Any:
        """The row, for somebody who may see it. Raises `Http404` and `PermissionDenied`."""
        row = self.get_object(request, unquote(object_id))
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        if row is None:
            raise Http404(f"there is no {self.opts.verbose_name} with the key {object_id!r}")
        return row

    def page(
        self, request: HttpRequest, template: str, title: str, row: Any = None, **context: Any
    ) -> TemplateResponse | HttpResponse:
        """A page in the frame of the others."""
        request.current_app = self.admin_site.name
        frame = {
            **self.admin_site.each_context(request),
            "title": title,
            "subtitle": None,
            "opts": self.opts,
            "media": self.media,
            "row": row,
            "row_address": self.address_of(row) if row is not None else "",
            "has_view_permission": True,
        }
        return TemplateResponse(request, f"pipelines/admin/{template}", {**frame, **context})

    def address_of(self, row: Any) -> str:
        """The address of a row's page."""
        return address_of(row)


def address_of(row: Any) -> str:
    """The address of the page of any row that has one."""
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])
