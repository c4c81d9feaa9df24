"""Files that are uploaded on a page and shipped with a Task or Job."""

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any, Self

from django import forms
from django.contrib import admin
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, Http404, HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import path, reverse
from django.utils.datastructures import MultiValueDict
from django.utils.html import format_html

from analytics_automated.pipelines.admin.forms import ConfigurationForm
from analytics_automated.pipelines.admin.rows import OwnRows, RowsInOrder
from analytics_automated.pipelines.admin.theme import ClearableFileInput, TabularInline
from analytics_automated.pipelines.models.shipped import ShippedFile
from analytics_automated.storage.models import Blob
from analytics_automated.storage.streams import StoredFile, open_stored, remove, store


class Uploads:
    """The files of one request, stored by streams. What no row has taken in the end is removed again."""

    def __init__(self, files: "MultiValueDict[str, UploadedFile[Any]] | None") -> None:
        self._given = {} if files is None else {id(each): each for name in files for each in files.getlist(name)}
        self._stored: dict[int, StoredFile] = {}
        self._adopted: set[str] = set()

    def __enter__(self) -> Self:
        """Store them."""
        try:
            for key, each in self._given.items():
                self._stored[key] = store(each.chunks(), "shipped-page")
        except BaseException:
            self._discard()
            raise
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Remove what nobody has taken; after an error, all."""
        if kind is not None:
            self._adopted.clear()
        self._discard()

    def _discard(self) -> None:
        remove(file.key for file in self._stored.values() if file.key not in self._adopted)
        self._stored.clear()

    def adopt(self, formsets: Iterable[Any]) -> None:
        """Give the rows of shipped files their blobs, in the caller's transaction."""
        rows = [
            (form.instance, self._stored[id(upload)])
            for formset in formsets
            if issubclass(formset.model, ShippedFile)
            for form in formset.rows()
            if (upload := form.cleaned_data.get("upload"))
        ]
        blobs = Blob.objects.adopt([stored for _, stored in rows])
        for row, stored in rows:
            row.blob = blobs[stored.key]
            self._adopted |= {stored.key} & {row.blob.key}

    def release(self) -> None:
        """The transaction in which they were adopted was undone."""
        self._adopted.clear()


class ShippedFileForm(ConfigurationForm):
    """A shipped file: its path, and the file to upload."""

    upload = forms.FileField(
        required=False,
        allow_empty_file=True,
        widget=ClearableFileInput,
        help_text="A new file, or another in the place of the one that is there. Choose it again after a refusal.",
    )

    def clean(self) -> dict[str, Any] | None:
        """The file's own name where no path is typed."""
        cleaned = super().clean()
        upload = self.cleaned_data.get("upload")
        if upload and not self.cleaned_data.get("path"):
            self.cleaned_data["path"] = upload.name
        if not upload and not self.instance.blob_id and "upload" not in self.errors:
            self.add_error("upload", "Choose a file.")
        return cleaned


class ShippedFiles(RowsInOrder):
    """The rows of shipped files."""

    def said_twice(self, place: int, form: Any) -> str:
        """What is said of a path that another has."""
        return f"{self.path}[{place}]: names {form.instance.path!r} twice"


class ShippedFileRows(OwnRows, TabularInline):
    """The shipped files of a Task or Job."""

    form = ShippedFileForm
    formset = ShippedFiles
    fields = ("position", "path", "upload", "stored")
    readonly_fields = ("stored",)
    verbose_name = "file"
    verbose_name_plural = "files"

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The form field of a column; an upload brings a path along."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "path":
            field.required = False
        return field

    @admin.display(description="stored")
    def stored(self, row: Any) -> str:
        """A link to the bytes that are there."""
        if not row.pk:
            return "-"
        owner = getattr(row, row.owner)
        address = reverse(f"admin:pipelines_{owner._meta.model_name}_file", args=[owner.pk, row.pk])
        return format_html('<a class="text-link" href="{}">download</a> ({})', address, filesizeformat(row.blob.size))


class WithFiles:
    """Pages of what ships files: with the address from which each is downloaded."""

    files: type[ShippedFile]

    def get_urls(self) -> list[Any]:
        """Django's, and that of the files."""
        pages: Any = self
        address = path(
            "<int:pk>/files/<int:file>",
            pages.admin_site.admin_view(self.download_view),
            name=f"pipelines_{pages.model._meta.model_name}_file",
        )
        urls: list[Any] = super().get_urls()  # type: ignore[misc]
        return [address, *urls]

    def download_view(self, request: HttpRequest, pk: int, file: int) -> FileResponse:
        """A shipped file's bytes, streamed."""
        pages: Any = self
        row = self.files._default_manager.filter(**{"pk": file, self.files.owner: pk}).select_related("blob").first()
        if row is None or not pages.has_view_permission(request, getattr(row, row.owner)):
            raise Http404
        name = PurePosixPath(row.path).name
        return FileResponse(open_stored(row.blob.key), as_attachment=True, filename=name)
