"""What must not be left: processes, work folders, stored files without a row, rows without their file."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator

from faults.storm.installation import Installation
from integration.live import variables

_SWEEP = """\
import datetime
import django
django.setup()
from analytics_automated.runs import engine
from analytics_automated.storage import sweeping
engine.erase_deleted()
sweeping.BLOB_AGE = sweeping.FILE_AGE = datetime.timedelta()
print(sweeping.sweep_blobs())
"""


def sweep(installation: Installation) -> int:
    """Do now what is done every hour: erase what was deleted while it ran, and remove bytes that nothing names, though
    they are young. They are what killed processes had stored and not yet written down. Returns how many there were."""
    settings = variables(installation.data, **installation.system.settings)
    settings["DJANGO_SETTINGS_MODULE"] = "analytics_automated.config.settings"
    done = subprocess.run([sys.executable, "-c", _SWEEP], env=settings, check=True, capture_output=True, timeout=300)
    return int(done.stdout.split()[-1])


def leftovers(installation: Installation) -> Iterator[str]:
    """Sentences on what is left, after a sweep."""
    if commands := installation.commands():
        yield f"commands live: {[process.pid for process in commands]}"
    yield from (f"a work folder is left: {path.name}" for path in installation.work_folders())
    yield from _storage(installation)


def _storage(installation: Installation) -> Iterator[str]:
    folder = installation.data / "blobs"
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    rows = {str(row["key"]): row for row in installation.rows("SELECT id, key, sha256, size FROM storage_blob")}
    yield from (f"a row names bytes that are not there: {key}" for key in set(rows) - set(files))
    yield from (f"bytes are there that no row names: {key}" for key in set(files) - set(rows))
    for key in set(rows) & set(files):
        content = files[key].read_bytes()
        if (hashlib.sha256(content).hexdigest(), len(content)) != (rows[key]["sha256"], rows[key]["size"]):
            yield f"stored bytes are not those of their row: {key}"
