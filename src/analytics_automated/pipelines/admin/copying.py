"""A copy of a Task or a Job under a new name."""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import path, reverse
from pydantic import ValidationError

from analytics_automated.pipelines.admin.checking import ConfigurationAdmin
from analytics_automated.pipelines.admin.draft import NAMES, wrong_name
from analytics_automated.pipelines.admin.owner import PAGES
from analytics_automated.pipelines.admin.pages import Link
from analytics_automated.pipelines.configuration.copying import free_name
from analytics_automated.pipelines.problems import ConfigurationError, Problem


class CopyForm(forms.Form):
    """What the copy is called."""

    name = forms.CharField(max_length=64, help_text="Of the copy; no other may have it.")
    pipeline = forms.CharField(
        max_length=64,
        help_text="The pipeline that owns the copy. A file of that pipeline which does not name it deletes it when it "
        "is applied with prune.",
    )

    def clean_pipeline(self) -> str:
        """A name that a pipeline file may have."""
        pipeline: str = self.cleaned_data["pipeline"]
        if said := wrong_name(NAMES["tasks"], pipeline):
            raise forms.ValidationError([f"{pipeline!r} {each}" for each in said])
        return pipeline


class Copies(ConfigurationAdmin):
    """Rows that can be copied, with all that belongs to them."""

    copied: ClassVar[Callable[..., Any]]
    """Makes the copy: of the row, the name and the pipeline."""

    def get_urls(self) -> list[Any]:
        """Django's, with the page that asks for the name."""
        copy = path("<path:object_id>/copy/", self.admin_site.admin_view(self.copy_view), name=self._copy_page)
        return [copy, *super().get_urls()]

    @property
    def _copy_page(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_copy"

    def links(self, request: HttpRequest, row: Any) -> list[Link]:
        """With the one to the copy, for who may add one."""
        links = super().links(request, row)
        if self.has_add_permission(request):
            links.append(Link("Copy", reverse(f"admin:{self._copy_page}", args=[row.pk])))
        return links

    def copy_view(self, request: HttpRequest, object_id: str) -> Any:
        """Ask for the name, and make the copy. What is wrong with it is said, and nothing is changed."""
        row = self.row_or_404(request, object_id)
        if not self.has_add_permission(request):
            raise PermissionDenied
        initial = {"name": free_name(row), "pipeline": PAGES}
        form = CopyForm(request.POST if request.method == "POST" else None, initial=initial)
        if form.is_valid():
            name, pipeline = form.cleaned_data["name"], form.cleaned_data["pipeline"]
            try:
                copy = self._copy(request, row, name, pipeline)
            except ConfigurationError as error:
                for problem in error.problems:
                    form.add_error("name" if problem.path == (self.section, name) else None, str(problem))
            else:
                self.message_user(request, f"This is the copy of {row}. Change it as you like, and save it.")
                return HttpResponseRedirect(self.address_of(copy))
        return self.page(request, "copy.html", f"Copy {self.opts.verbose_name} {row}", row, form=form)

    def _copy(self, request: HttpRequest, row: Any, name: str, pipeline: str) -> Any:
        if type(row)._default_manager.filter(name__iexact=name).exists():
            raise ConfigurationError([Problem((self.section, name), "is there already, in this or another case")])
        if said := wrong_name(NAMES[self.section], name):
            raise ConfigurationError([Problem((self.section, name), each) for each in said])
        with transaction.atomic():
            try:
                copy = type(self).copied(row, name, pipeline)
            except ValidationError:
                message = "cannot be copied, as it is not right itself: save its page first"
                raise ConfigurationError([Problem((self.section, row.name), message)]) from None
            self.verify(request)
            self.log_addition(request, copy, f"Copied from {row}.")
            return copy
