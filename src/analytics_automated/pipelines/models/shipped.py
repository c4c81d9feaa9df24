"""Files that belong to a configuration: shipped from beside a pipeline file, or uploaded on a page."""

from collections.abc import Mapping
from typing import ClassVar

from django.db import models

from analytics_automated.storage.models import Blob


class ShippedFile(models.Model):
    """A file of a Task or Job, under its path from the pipeline file's folder."""

    position = models.PositiveIntegerField(default=0)
    path = models.CharField(max_length=1000, help_text="Its path in the work folder, such as helpers.R.")
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="%(class)ss")

    owner: ClassVar[str]
    """The column that names what it belongs to."""

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.path

    @classmethod
    def take(cls, owner: models.Model, files: Mapping[str, Blob]) -> None:
        """Put these files, by path, in the place of all that `owner` has."""
        cls._default_manager.filter(**{cls.owner: owner}).delete()
        cls._default_manager.bulk_create(
            cls(**{cls.owner: owner, "position": place, "path": path, "blob": blob})
            for place, (path, blob) in enumerate(files.items())
        )
