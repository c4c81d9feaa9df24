"""Logs that lie in files: read at their two ends only, however long they are."""

import os
from pathlib import Path

from analytics_automated.executors.base import Log


def read_log(file: Path, limit: int) -> Log:
    """The first and the last bytes of the file, `limit` together; an odd limit gives its odd byte to the end. A file
    that is not there is an empty log."""
    try:
        with file.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            if size <= limit:
                return Log(head=stream.read(limit))
            head = stream.read(limit // 2)
            stream.seek(size - (limit - limit // 2))
            return Log(head=head, tail=stream.read(limit - limit // 2), omitted=size - limit)
    except FileNotFoundError:
        return Log()
