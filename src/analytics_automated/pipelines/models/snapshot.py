"""Plans as they were when somebody submitted."""

from functools import lru_cache

from django.db import models

from analytics_automated.pipelines.plans import FORMAT, Plan


@lru_cache(maxsize=256)
def _read_plan(content: str) -> Plan:
    return Plan.model_validate_json(content)


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
        """The row of this plan, made where it is not there yet."""
        defaults = {"format": plan.format, "content": plan.to_json()}
        return cls.objects.get_or_create(digest=plan.digest, defaults=defaults)[0]

    @property
    def is_readable(self) -> bool:
        """False where another version of A_A wrote a format that this one does not know."""
        return self.format == FORMAT

    @property
    def plan(self) -> Plan:
        """The plan."""
        return _read_plan(self.content)
