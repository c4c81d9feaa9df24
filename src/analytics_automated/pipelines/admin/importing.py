"""Import of pipeline files on the pages: upload, look at the difference, apply what was shown."""

import contextlib
import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import IO, Any

from django import forms
from django.conf import settings
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.urls import path, reverse

from analytics_automated.pipelines.admin.differences import shown_difference
from analytics_automated.pipelines.admin.exporting import Exports, archive_response, may_for_all, may_import
from analytics_automated.pipelines.configuration import Changes, Options, apply, exported, read_stored
from analytics_automated.pipelines.files.configuration import Configuration
from analytics_automated.pipelines.files.upload import UploadError, read_upload
from analytics_automated.pipelines.problems import ConfigurationError
from analytics_automated.storage.streams import open_stored, remove, store

KEPT_SECONDS = 6 * 3600
"""How long an upload may be looked at before it is applied. Without a row, its bytes are swept later than that."""
_SALT = "pipelines.import"


class UploadForm(forms.Form):
    """What to import, and how."""

    file = forms.FileField(
        label="Pipeline file, or ZIP archive",
        help_text="One file (.yaml), or an archive of some with their shipped files beside them, as an export is.",
    )
    overwrite = forms.BooleanField(
        required=False, help_text="Take the files' word even over what was changed on the pages."
    )
    prune = forms.BooleanField(required=False, help_text="Delete what the files' pipelines no longer name.")

    def clean_file(self) -> Any:
        """An upload that is not too large."""
        file = self.cleaned_data["file"]
        if file.size > settings.AA.max_file_size:
            most = filesizeformat(settings.AA.max_file_size)
            raise forms.ValidationError(f"This is larger than {most}, the most that is taken.")
        return file


class AgainForm(forms.Form):
    """How to import what was uploaded before."""

    overwrite = UploadForm.base_fields["overwrite"]
    prune = UploadForm.base_fields["prune"]


@dataclass(frozen=True, slots=True)
class _Upload:
    """An upload that waits in the storage for its second step, and what was shown of it; browsers keep it, signed."""

    key: str
    name: str
    size: int
    user: str
    overwrite: bool = False
    prune: bool = False
    shown: str = ""
    """Digest of the changes that were shown."""

    def token(self) -> str:
        """As it stands in the page."""
        return signing.dumps(astuple(self), salt=_SALT)

    @classmethod
    def of(cls, request: HttpRequest) -> "_Upload":
        """The one that a page sent. Raises `UploadError` where it is too old, or another user's."""
        try:
            upload = cls(*signing.loads(request.POST["upload"], salt=_SALT, max_age=KEPT_SECONDS))
        except signing.BadSignature:
            raise UploadError("The upload is no longer kept: choose the file again.") from None
        if upload.user != str(request.user.pk):
            raise UploadError("This is the upload of another account: choose the file yourself.")
        return upload

    def with_shown(self, options: Mapping[str, bool], changes: Changes | None) -> "_Upload":
        """The same after its changes were shown."""
        shown = _digest(changes) if changes is not None else ""
        return replace(self, overwrite=options["overwrite"], prune=options["prune"], shown=shown)

    def open(self) -> IO[bytes]:
        """The bytes."""
        return open_stored(self.key)

    @contextlib.contextmanager
    def read(self) -> Iterator[Configuration]:
        """What is in it; files beside pipeline files are there until the end. Raises `UploadError`."""
        with tempfile.TemporaryDirectory(prefix="aa-import-") as folder:
            try:
                yield read_upload(
                    self.open,
                    self.name,
                    Path(folder),
                    size=self.size,
                    most_bytes=settings.AA.max_file_size,
                    seconds=settings.AA.validation_timeout,
                )
            except FileNotFoundError:
                raise UploadError("The upload is no longer kept: choose the file again.") from None


class _OtherwiseError(Exception):
    """What would change is not what was shown."""


class Imports(Exports):
    """The pages for all pipeline files together, which belong to no row."""

    def get_urls(self) -> list[Any]:
        """Django's, with both pages."""
        site = self.admin_site
        return [
            path("import/", site.admin_view(self.import_view), name="pipelines_import"),
            path("export/", site.admin_view(self.export_view), name="pipelines_export"),
            *super().get_urls(),
        ]

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """The whole configuration as an archive."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        return archive_response(exported(read_stored()))

    def import_view(self, request: HttpRequest) -> HttpResponseBase:
        """Take the file, show what it would change, and apply what was shown."""
        if not may_import(self.admin_site, request):
            raise PermissionDenied
        if request.method != "POST":
            return self._ask(request, UploadForm())
        try:
            if "upload" in request.POST:
                return self._second_step(request, _Upload.of(request))
            form = UploadForm(request.POST, request.FILES)
            if not form.is_valid() or not self._may_prune(request, form):
                return self._ask(request, form)
            file = form.cleaned_data["file"]
            stored = store(file.chunks(), f"import-{request.user.pk}")
            upload = _Upload(stored.key, file.name, stored.size, str(request.user.pk))
            try:
                return self._show(request, upload, form)
            except BaseException:
                remove([upload.key])
                raise
        except UploadError as error:
            return self._ask(request, UploadForm(), said=str(error))

    def _second_step(self, request: HttpRequest, upload: _Upload) -> HttpResponseBase:
        if "_apply" not in request.POST:
            form = AgainForm(request.POST)
            if form.is_valid() and not self._may_prune(request, form):
                form = AgainForm({**request.POST.dict(), "prune": ""})
                form.is_valid()
            return self._show(request, upload, form)
        form = AgainForm({"overwrite": upload.overwrite, "prune": upload.prune})
        form.is_valid()

        def confirm(changes: Changes) -> None:
            if _digest(changes) != upload.shown:
                raise _OtherwiseError

        try:
            with upload.read() as configuration:
                options = Options(
                    who=request.user.get_username(), overwrite=upload.overwrite, prune=upload.prune, confirm=confirm
                )
                changes = apply(configuration, options)
        except (_OtherwiseError, ConfigurationError):
            return self._show(request, upload, form, otherwise=True)
        remove([upload.key])
        for warning in changes.warnings:
            self.message_user(request, f"Applied, but {warning}")
        counts = f"{len(changes.created)} created, {len(changes.changed)} changed, {len(changes.deleted)} deleted"
        self.message_user(request, f"Applied {upload.name}: {counts}.")
        return HttpResponseRedirect(reverse("admin:pipelines_import"))

    def _show(
        self, request: HttpRequest, upload: _Upload, form: forms.Form, *, otherwise: bool = False
    ) -> HttpResponseBase:
        """What would change, or what is wrong."""
        options = {name: bool(form.cleaned_data.get(name)) for name in ("overwrite", "prune")}
        changes, problems = None, []
        with upload.read() as configuration:
            try:
                changes = apply(
                    configuration, Options(dry_run=True, overwrite=options["overwrite"], prune=options["prune"])
                )
            except ConfigurationError as error:
                problems = error.problems
        context: dict[str, Any] = {
            "upload": upload,
            "token": upload.with_shown(options, changes).token(),
            "form": AgainForm(initial=options),
            "options": [name for name, chosen in options.items() if chosen],
            "problems": problems,
            "otherwise": otherwise,
            "changes": changes,
        }
        if changes is not None:
            context["summary"] = _summary(changes)
            context["differences"] = [
                {
                    "title": f"{each.section.removesuffix('s')} {each.name}",
                    "kind": _kind(changes, (each.section, each.name)),
                    "difference": shown_difference(each.lines()),
                }
                for each in changes.differences
            ]
        return self.page(request, "import_difference.html", f"Import {upload.name}", **context)

    def _ask(self, request: HttpRequest, form: forms.Form, said: str = "") -> HttpResponseBase:
        return self.page(request, "import.html", "Import pipeline files", form=form, said=said)

    def _may_prune(self, request: HttpRequest, form: forms.Form) -> bool:
        if not form.cleaned_data.get("prune") or may_for_all(self.admin_site, request, "delete"):
            return True
        form.add_error("prune", "Your account may not delete tasks and jobs.")
        return False


def _digest(changes: Changes) -> str:
    """Equal where the same would become of everything."""
    kinds = [changes.created, changes.changed, changes.deleted, changes.renewed]
    differences = [[each.section, each.name, str(each)] for each in changes.differences]
    return hashlib.sha256(json.dumps([kinds, differences]).encode()).hexdigest()


def _kind(changes: Changes, key: tuple[str, str]) -> str:
    if key in changes.created:
        return "created"
    return "deleted" if key in changes.deleted else "changed"


def _summary(changes: Changes) -> list[str]:
    """How much of what, in words."""
    counted = [
        (len(changes.created), "would be created"),
        (len(changes.changed), "would be changed"),
        (len(changes.deleted), "would be deleted"),
        (len(changes.unchanged), "would stay as they are"),
    ]
    lines = [f"{number} {words}" for number, words in counted if number]
    if changes.kept:
        names = ", ".join(f"{section.removesuffix('s')} {name}" for section, name in changes.kept)
        lines.append(f"no longer named by these files, and kept, as prune is not chosen: {names}")
    if changes.renewed:
        lines.append(f"jobs that use what would change: {', '.join(changes.renewed)}")
    return lines
