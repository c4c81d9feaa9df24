"""Export of pipeline files from the pages: what `aa export` writes, as an archive, or one file."""

from collections.abc import Collection, Iterator
from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from zipstream import ZIP_DEFLATED, ZipStream  # type: ignore[import-untyped]  # it has no annotations

from analytics_automated.pipelines.admin.pages import FurtherPages, Link
from analytics_automated.pipelines.configuration import Export, Stored, exported, needed_by, read_stored
from analytics_automated.pipelines.configuration.single_file import NoSingleFileError, single_file
from analytics_automated.pipelines.configuration.stored import Key
from analytics_automated.pipelines.models import Backend, Job, Task
from analytics_automated.storage.models import Blob
from analytics_automated.storage.streams import open_stored, read_chunks


class Exports(FurtherPages):
    """Rows that can be exported with all that they need."""

    actions = ("export_archive", "export_file")

    def has_export_permission(self, request: HttpRequest) -> bool:
        """For who may see backends, tasks and jobs: an export has them all. Not for what has no section in files."""
        return bool(self.section) and may_for_all(self.admin_site, request, "view")

    def list_links(self, request: HttpRequest) -> list[Link]:
        """With the ways to import and export everything, for who may."""
        links = super().list_links(request)
        if self.section and may_import(self.admin_site, request):
            links.append(Link("Import pipeline files", reverse("admin:pipelines_import")))
        if self.has_export_permission(request):
            links.append(Link("Export everything", reverse("admin:pipelines_export")))
        return links

    @admin.action(description="Export as pipeline files (ZIP)", permissions=["export"])
    def export_archive(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> HttpResponseBase:  # noqa: ARG002
        """All that is selected, with what it needs, laid out as `aa export` does."""
        stored = read_stored()
        return archive_response(exported(stored, _keys(stored, self.section, _names(queryset))))

    @admin.action(description="Export as one pipeline file (YAML)", permissions=["export"])
    def export_file(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> HttpResponseBase | None:
        """The same in one file, where one can hold it; else why it cannot."""
        stored = read_stored()
        try:
            text, name = single_file(stored, _keys(stored, self.section, _names(queryset)))
        except NoSingleFileError as error:
            self.message_user(request, f"One file cannot hold them: {error}. Export an archive.", messages.ERROR)
            return None
        return _attachment(HttpResponse(text, content_type="application/yaml; charset=utf-8"), name)


def may_for_all(site: admin.AdminSite, request: HttpRequest, *actions: str) -> bool:
    """True for who may do all of these to backends, tasks and jobs, all three."""
    return all(
        getattr(site.get_model_admin(model), f"has_{action}_permission")(request)
        for model in (Backend, Task, Job)
        for action in actions
    )


def may_import(site: admin.AdminSite, request: HttpRequest) -> bool:
    """True for who may add and change backends, tasks and jobs, all three."""
    return may_for_all(site, request, "add", "change")


def _names(queryset: models.QuerySet[Any]) -> list[str]:
    return list(queryset.values_list("name", flat=True))


def _keys(stored: Stored, section: str, names: Collection[str]) -> set[Key]:
    """These things with what they need: a job its tasks, a task its backend."""
    readable = [name for name in names if name in getattr(stored, section)]
    if section == "jobs":
        return needed_by(stored, readable)
    keys = {(section, name) for name in readable}
    if section == "tasks":
        keys |= {("backends", stored.tasks[name].backend) for name in readable}
    return keys


def archive_response(export: Export) -> HttpResponseBase:
    """The files as an archive that is made while it is sent."""
    keys = {
        path: Blob.objects.get(sha256=content.sha256, size=content.size).key for path, content in export.files.items()
    }
    archive = ZipStream(compress_type=ZIP_DEFLATED)
    for path, text in export.pipelines.items():
        archive.add(text, arcname=str(path))
    for path, key in keys.items():
        archive.add(_stored_chunks(key), arcname=str(path))
    name = f"pipelines-{timezone.localtime():%Y-%m-%d}.zip"
    return _attachment(StreamingHttpResponse(iter(archive), content_type="application/zip"), name)


def _stored_chunks(key: str) -> Iterator[bytes]:
    with open_stored(key) as stream:
        yield from read_chunks(stream)


def _attachment(response: HttpResponseBase, name: str) -> HttpResponseBase:
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
