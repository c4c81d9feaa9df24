"""What the figures were measured on; nothing that names the machine or a folder of it."""

import os
import platform
import shutil
import sqlite3
import subprocess
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("celery", "kombu", "Django", "gunicorn")


def describe_machine() -> list[tuple[str, str]]:
    """Words and what they are, for a list."""
    load = os.getloadavg()[0]
    settings = sorted(name for name in os.environ if name.startswith("AA_"))
    return [
        ("processors", f"{os.cpu_count()} ({_processor()})"),
        ("load average at the start", f"{load:.1f}"),
        ("system", f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}"),
        ("Python", platform.python_version()),
        ("packages", ", ".join(f"{name} {version(name)}" for name in PACKAGES)),
        ("SQLite", sqlite3.sqlite_version),
        ("settings of A_A's that were given", ", ".join(settings) or "none"),
    ]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())


def describe_source() -> str:
    """The commit that was measured, where this is a checkout; a `+` says that files differ from it."""
    git = shutil.which("git")
    if git is None:
        return "unknown"
    here = Path(__file__).parent
    commit = subprocess.run(
        [git, "describe", "--always", "--dirty=+", "--abbrev=10"],
        cwd=here,
        capture_output=True,
        text=True,
        check=False,
    )
    return commit.stdout.strip() or "unknown"
