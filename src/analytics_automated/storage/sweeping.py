"""Removes stored bytes that nothing names any more."""

import datetime as dt
import logging

from django.db import IntegrityError, transaction
from django.utils import timezone

from analytics_automated.storage.models import Blob, BlobQuerySet
from analytics_automated.storage.streams import blob_storage, remove

logger = logging.getLogger(__name__)
BLOB_AGE = dt.timedelta(hours=1)
FILE_AGE = dt.timedelta(days=1)
"""Bytes are stored before their row is written: younger ones may still be on their way."""


def sweep_blobs() -> int:
    """Remove blobs that no input and no Result names, and files of the storage without a blob; how many."""
    return _sweep_rows() + _sweep_files()


def _sweep_rows() -> int:
    return remove_unnamed(Blob.objects.filter(created__lt=timezone.now() - BLOB_AGE))


def remove_unnamed(blobs: BlobQuerySet) -> int:
    """Remove those of the blobs that no row names, with their bytes; how many."""
    swept = 0
    for blob in blobs.unnamed().iterator():
        try:
            with transaction.atomic():
                blob.delete()
        except IntegrityError:
            continue  # named again just now
        remove([blob.key])
        swept += 1
    return swept


def _sweep_files() -> int:
    storage = blob_storage()
    oldest = timezone.now() - FILE_AGE
    swept = 0
    for folder in storage.listdir("")[0]:
        keys = [f"{folder}/{name}" for name in storage.listdir(folder)[1]]
        known = set(Blob.objects.filter(key__in=keys).values_list("key", flat=True))
        stale = [key for key in keys if key not in known and storage.get_modified_time(key) < oldest]
        for key in stale:
            logger.warning("stored bytes without a row are removed", extra={"key": key})
        remove(stale)
        swept += len(stale)
    return swept
