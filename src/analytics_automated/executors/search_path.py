"""Where a worker looks for programs."""

import os
import sys
from functools import lru_cache
from pathlib import Path

FALLBACK_PATH = "/usr/local/bin:/usr/bin:/bin"


def search_path() -> str:
    """The worker's PATH without the folder of A_A's own programs, where these are in an environment of their own."""
    return _without_own(os.environ.get("PATH", FALLBACK_PATH))


@lru_cache(maxsize=8)
def _without_own(path: str) -> str:
    folders = [folder for folder in path.split(":") if folder]
    if sys.prefix != sys.base_prefix:
        own = Path(sys.prefix, "bin").resolve()
        folders = [folder for folder in folders if Path(folder).resolve() != own]
    return ":".join(folders) or FALLBACK_PATH
