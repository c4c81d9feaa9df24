"""Whose a Task or Job is: the pipeline whose files may change it."""

from typing import Any

from django.db import models

from analytics_automated.pipelines.admin.described import as_help
from analytics_automated.pipelines.admin.fields import VerbatimField

PAGES = "pages"
"""The pipeline of what is made on the pages."""


def with_owner(db_field: "models.Field[Any, Any]") -> VerbatimField | None:
    """The form field of the owner; none for other columns."""
    if db_field.name != "pipeline":
        return None
    said = "The pipeline that owns it: a file of that pipeline may change it, files of others may not."
    return VerbatimField(strip=True, required=True, initial=PAGES, help_text=as_help(said))
