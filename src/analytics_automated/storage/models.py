"""Stored bytes, as rows."""

from collections.abc import Iterable

from django.db import models
from django.utils import timezone

from analytics_automated.storage.statements import Columns, Statement
from analytics_automated.storage.streams import StoredFile


class BlobQuerySet(models.QuerySet["Blob"]):
    """Sets of blobs."""

    def unnamed(self) -> "BlobQuerySet":
        """Blobs that no row of any table names any more."""
        return self.filter(**{f"{relation}__isnull": True for relation in self.model.namings()})

    def hold(self, blobs: Iterable["Blob"]) -> bool:
        """Whether all of these are still there: then they stay until the caller's transaction, which is to name them,
        has ended."""
        keys = {blob.pk for blob in blobs}
        rows = self.select_for_update(no_key=True).filter(pk__in=keys).values_list("pk", flat=True) if keys else ()
        return keys == set(rows)

    def adopt(self, files: Iterable[StoredFile]) -> dict[str, "Blob"]:
        """The blobs of freshly stored files, by storage key, in the caller's transaction.

        Of equal bytes one blob is kept: where the blob's own key differs from a file's, that file is not needed.
        """
        fresh = list(files)
        if len(fresh) == 1:
            return {fresh[0].key: _adopt_one(fresh[0])}
        by_content = {(file.sha256, file.size): file for file in fresh}
        found: dict[tuple[str, int], Blob] = {}
        while missing := [content for content in by_content if content not in found]:
            # A blob may be removed between the insert and the look; then the round is made again.
            self.bulk_create(
                (Blob(sha256=sha256, size=size, key=by_content[sha256, size].key) for sha256, size in missing),
                ignore_conflicts=True,
            )
            rows = self.select_for_update(no_key=True).filter(sha256__in=[sha256 for sha256, _ in missing])
            found |= {(blob.sha256, blob.size): blob for blob in rows if (blob.sha256, blob.size) in by_content}
        return {file.key: found[file.sha256, file.size] for file in fresh}


class Blob(models.Model):
    """Stored bytes, by digest and size; removed when no input, Result or shipped file names it."""

    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    key = models.CharField(max_length=100, unique=True, help_text="Name in the storage; opaque.")
    created = models.DateTimeField(auto_now_add=True)

    objects = BlobQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sha256", "size"], name="one_blob_per_content")]

    def __str__(self) -> str:
        return f"{self.sha256[:12]} ({self.size} bytes)"

    @classmethod
    def namings(cls) -> list[str]:
        """The relations by which rows of other rooms name blobs, as lookups call them."""
        return [relation.name for relation in cls._meta.related_objects]


_BLOB = Columns(Blob, "storage_blob")
_INSERT = Statement(f"""
INSERT INTO storage_blob (sha256, size, key, created) VALUES (%(sha256)s, %(size)s, %(key)s, %(now)s)
ON CONFLICT DO NOTHING RETURNING {_BLOB}
""")  # noqa: S608 -- names of ours
_LOCK = Statement(f"SELECT {_BLOB} FROM storage_blob WHERE sha256 = %(sha256)s AND size = %(size)s {{lock}}")  # noqa: S608


def _adopt_one(file: StoredFile) -> Blob:
    content = {"sha256": file.sha256, "size": file.size}
    while True:  # a blob may be removed between the insert and the look
        made = _INSERT.rows(**content, key=file.key, now=timezone.now())
        for row in made or _LOCK.rows(**content):
            return _BLOB.read(row)
