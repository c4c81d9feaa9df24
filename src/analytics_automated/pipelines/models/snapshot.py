"""Plans as they were when somebody submitted."""

from functools import lru_cache

from django.db import models

from analytics_automated.pipelines.plans import FORMAT, Plan
from analytics_automated.storage.models import Blob


@lru_cache(maxsize=256)
def _read_plan(content: str) -> Plan:
    return Plan.model_validate_json(content)


@lru_cache(maxsize=256)
def _read_snapshot(key: int, digest: str) -> "Snapshot":
    return Snapshot.objects.get(pk=key, digest=digest)


class Snapshot(models.Model):
    """An immutable plan, one row per distinct digest. Submissions reference it; it is never changed."""

    digest = models.CharField(max_length=64, unique=True)
    format = models.PositiveIntegerField()
    content = models.TextField(help_text="The plan, as canonical JSON.")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created",)

    def __str__(self) -> str:
        return self.digest[:12]

    @classmethod
    def of(cls, plan: Plan) -> "Snapshot":
        """The row of this plan, made where it is not there yet, with its shipped files: their Blobs are there."""
        defaults = {"format": plan.format, "content": plan.to_json()}
        snapshot, made = cls.objects.get_or_create(digest=plan.digest, defaults=defaults)
        if made:
            SnapshotFile.objects.bulk_create(
                SnapshotFile(
                    snapshot=snapshot,
                    task=task,
                    path=path,
                    blob=Blob.objects.get(sha256=content.sha256, size=content.size),
                )
                for task, files in plan.files.items()
                for path, content in files.items()
            )
        return snapshot

    @staticmethod
    def kept(key: int, digest: str) -> "Snapshot":
        """The row of that key and digest. It never changes, so this process keeps those that were asked for last."""
        return _read_snapshot(key, digest)

    @property
    def is_readable(self) -> bool:
        """False where another version of A_A wrote a format that this one does not know."""
        return self.format == FORMAT

    @property
    def plan(self) -> Plan:
        """The plan."""
        return _read_plan(self.content)

    def shipped_to(self, task: str) -> dict[str, Blob]:
        """The files that the task's work folder holds, by path."""
        return {shipped.path: shipped.blob for shipped in self.files.filter(task=task).select_related("blob")}


class SnapshotFile(models.Model):
    """A shipped file of a Task, as it was: it stays stored while the snapshot is there."""

    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="files")
    task = models.CharField(max_length=64)
    path = models.CharField(max_length=1000)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="snapshotfiles")

    class Meta:
        ordering = ("snapshot", "pk")
        constraints = [models.UniqueConstraint(fields=["snapshot", "task", "path"], name="file_once_per_snapshot")]

    def __str__(self) -> str:
        return f"{self.task}: {self.path}"
