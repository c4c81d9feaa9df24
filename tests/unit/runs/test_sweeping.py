"""Bytes that nothing names any more are removed, and no others."""

import datetime as dt
import os

import pytest
from django.utils import timezone

from analytics_automated.storage.models import Blob
from analytics_automated.storage.streams import blob_storage, store
from analytics_automated.storage.sweeping import sweep_blobs

pytestmark = pytest.mark.django_db


def age(key: str, **ago: int) -> None:
    moment = (timezone.now() - dt.timedelta(**ago)).timestamp()
    os.utime(blob_storage().path(key), (moment, moment))


def test_a_blob_goes_when_nothing_names_it_and_not_before(submit) -> None:
    submission = submit(b"to be swept")
    blob = submission.inputs.get().blob
    Blob.objects.update(created=timezone.now() - dt.timedelta(hours=2))
    sweep_blobs()
    assert blob_storage().exists(blob.key)
    submission.delete()
    assert sweep_blobs() == 1
    assert not blob_storage().exists(blob.key)
    assert not Blob.objects.exists()


def test_a_fresh_blob_and_a_fresh_file_may_still_be_on_their_way(db) -> None:
    stored = store([b"fresh"], "test")
    assert sweep_blobs() == 0
    assert blob_storage().exists(stored.key)
    age(stored.key, days=2)
    assert sweep_blobs() == 1
    assert not blob_storage().exists(stored.key)
