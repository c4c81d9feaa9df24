"""How much room there is on disks."""

import errno
import shutil
from pathlib import Path

from django.conf import settings

from analytics_automated.storage.streams import blob_storage

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""How a disk says that it takes no more."""


def is_full(error: BaseException) -> bool:
    """Whether that is what a disk said."""
    return isinstance(error, OSError) and error.errno in FULL


def free_bytes(folder: Path) -> int | None:
    """What is free where the folder is, or would be made; none where that cannot be told. The one place that asks."""
    there = next((each for each in (folder, *folder.parents) if each.exists()), None)
    try:
        return None if there is None else shutil.disk_usage(there).free
    except OSError:
        return None


def storage_has_room(more: int = 0) -> bool:
    """Whether `AA_MIN_FREE_STORAGE` would still be free once `more` bytes are stored. Storage that is no folder has
    room."""
    least = settings.AA.min_free_storage
    try:
        folder = Path(blob_storage().path(""))
    except NotImplementedError:  # Django's way to say that it is no folder
        return True
    free = free_bytes(folder) if least else None
    return free is None or free - more >= least
