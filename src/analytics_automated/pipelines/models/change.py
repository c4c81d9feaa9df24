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
    RENAMED = "renamed"
    """It has another name, and may be changed besides."""


class ChangeQuerySet(models.QuerySet["Change"]):
    """Sets of changes."""

    def latest_of_each(self) -> dict[tuple[str, str], "Change"]:
        """The latest change of everything, by section and name."""
        newest = self.order_by().values("section", "name").annotate(newest=models.Max("pk")).values("newest")
        return {(change.section, change.name): change for change in self.model.objects.filter(pk__in=newest)}

    def renamed_away(self) -> dict[tuple[str, str], "Change"]:
        """The latest line by which something gave up a name, by section and that name."""
        newest = self.exclude(renamed_from="").order_by().values("section", "renamed_from")
        lines = self.model.objects.filter(pk__in=newest.annotate(newest=models.Max("pk")).values("newest"))
        return {(change.section, change.renamed_from): change for change in lines}

    def of(self, section: str, name: str, until: int | None = None) -> "ChangeQuerySet":
        """All lines of what has that name, or had it at the line `until`, under its former names too.

        A name that was deleted and taken again has the lines of both; what had the name and now has another has not.
        """
        found, lines = models.Q(pk__in=()), self.model.objects.filter(section=section)
        bounds = models.Q() if until is None else models.Q(pk__lte=until)
        while name:
            given_up = lines.filter(bounds, renamed_from=name).order_by("-pk").first()
            own = bounds & models.Q(section=section, name=name)
            if given_up is not None:
                own &= models.Q(pk__gt=given_up.pk)
            taken = lines.filter(own).exclude(renamed_from="").order_by("-pk").first()
            if taken is None:
                return self.filter(found | own)
            found |= own & models.Q(pk__gte=taken.pk)
            name, bounds = taken.renamed_from, models.Q(pk__lt=taken.pk)
        return self.filter(found)


class Change(models.Model):
    """A line of the configuration's history, with what the thing was from then on; never changed."""

    time = models.DateTimeField(auto_now_add=True)
    who = models.CharField(max_length=255, help_text="An account of the pages, or the system user who applied a file.")
    door = models.CharField(max_length=8, choices=Door.choices)
    section = models.CharField(max_length=16, help_text="backends, tasks or jobs.")
    name = models.CharField(max_length=64)
    renamed_from = models.CharField(max_length=64, blank=True, help_text="The name that it had until then.")
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
        former = f" from {self.renamed_from}" if self.renamed_from else ""
        return f"{self.section.removesuffix('s')} {self.name} {self.kind}{former}"
