"""Who changed what in the configuration, and when."""

from django.db import models

from analytics_automated.pipelines.models.fields import OrderedJSONField
from analytics_automated.pipelines.models.snapshot import Snapshot


class Door(models.TextChoices):
    """By which way a change came."""

    FILE = "file"
    """A pipeline file."""
    PAGES = "pages"
    """The configuration pages."""
    START = "start"
    """A_A itself, for what always exists."""


class ChangeKind(models.TextChoices):
    """What became of something."""

    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"
    ADOPTED = "adopted"
    """A file says what the pages had made of it."""
    RENEWED = "renewed"
    """A job is what it was, but a task that it uses is not."""


class ChangeQuerySet(models.QuerySet["Change"]):
    """Sets of changes."""

    def latest_of_each(self) -> dict[tuple[str, str], "Change"]:
        """The latest change of everything, by section and name."""
        newest = self.order_by().values("section", "name").annotate(newest=models.Max("pk")).values("newest")
        return {(change.section, change.name): change for change in self.model.objects.filter(pk__in=newest)}


class Change(models.Model):
    """A line of the configuration's history, with what the thing was from then on; never changed."""

    time = models.DateTimeField(auto_now_add=True)
    who = models.CharField(max_length=255, help_text="An account of the pages, or the system user who applied a file.")
    door = models.CharField(max_length=8, choices=Door.choices)
    section = models.CharField(max_length=16, help_text="backends, tasks or jobs.")
    name = models.CharField(max_length=64)
    kind = models.CharField(max_length=16, choices=ChangeKind.choices)
    pipeline = models.CharField(max_length=64, blank=True, help_text="The pipeline that owns it.")
    definition = OrderedJSONField(null=True, help_text="Its keys from then on; none once it is deleted.")
    files = OrderedJSONField(default=dict, help_text="Its shipped files: SHA-256 by path.")
    snapshot = models.ForeignKey(
        Snapshot, null=True, on_delete=models.PROTECT, related_name="changes", help_text="Of a job: what calls run."
    )

    objects = ChangeQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        indexes = [models.Index(fields=["section", "name", "-id"], name="change_by_name")]

    def __str__(self) -> str:
        return f"{self.section.removesuffix('s')} {self.name} {self.kind}"
