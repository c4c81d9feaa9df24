"""Work folders: where an attempt's files lie while it runs. The one place that resolves paths below a root."""

import json
import os
import re
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from analytics_automated.pipelines.models import Backend

_PREFIX = "aa-"
_LAID_OUT = "laid_out.json"


@dataclass(frozen=True, slots=True)
class WorkFolder:
    """An attempt's own folder: the work folder itself, and beside it what a command may use but not gather."""

    top: Path

    @property
    def attempt(self) -> str:
        """The attempt's name."""
        return self.top.name.removeprefix(_PREFIX)

    @property
    def made(self) -> float:
        """When it was last written to directly, in seconds since 1970; now where it is there no more."""
        try:
            return self.top.stat().st_mtime
        except OSError:
            return time.time()

    @property
    def work(self) -> Path:
        """The command's working directory: staged inputs, shipped files, outputs."""
        return self.top / "work"

    @property
    def home(self) -> Path:
        """The command's HOME."""
        return self.top / "home"

    @property
    def temporary(self) -> Path:
        """The command's TMPDIR."""
        return self.top / "tmp"

    @property
    def script(self) -> Path:
        """The script, byte for byte what the author wrote."""
        return self.top / "script"

    @property
    def values(self) -> Path:
        """The JSON file that `$task_file` names."""
        return self.top / "task.json"

    @property
    def told(self) -> Path:
        """What a command may write besides its work folder, HOME and TMPDIR: the files in which it tells something."""
        return self.top / "told"

    @property
    def message(self) -> Path:
        """What the command tells the caller, where it tells anything: `$message_file`."""
        return self.told / "message"

    @property
    def progress(self) -> Path:
        """How far the command says that it is: `$progress_file`."""
        return self.told / "progress"

    @property
    def starter(self) -> Path:
        """The text that runs the setups and then becomes the command."""
        return self.top / "start"

    @property
    def setup_state(self) -> Path:
        """Tells whether the setups are over."""
        return self.told / "setup.state"

    @property
    def setup_log(self) -> Path:
        """What the setups say."""
        return self.told / "setup.log"

    @property
    def state(self) -> Path:
        """The executor's own files, where it has any."""
        return self.top / "state"

    def note_laid_out(self, paths: Iterable[str]) -> None:
        """Note which files in the work folder are A_A's own, for whoever records the command's end elsewhere."""
        (self.top / _LAID_OUT).write_text(json.dumps(sorted(paths)), encoding="utf-8")

    def laid_out(self) -> frozenset[str]:
        """What was noted."""
        return frozenset(json.loads((self.top / _LAID_OUT).read_text(encoding="utf-8")))

    def setup(self, whose: str) -> Path:
        """The setup of the backend or the task."""
        return self.top / f"setup.{whose}"

    def make(self) -> None:
        """Make the folders, for their owner only. What an earlier try of the same name left is removed first."""
        try:
            self.top.mkdir(mode=0o700, parents=True)
        except FileExistsError:
            self.remove()
            self.top.mkdir(mode=0o700)
        for folder in (self.work, self.home, self.temporary, self.told, self.state):
            folder.mkdir(mode=0o700)

    def remove(self) -> None:
        """Remove everything; what a command made unreadable, too."""
        if self.top.exists():
            shutil.rmtree(self.top, onerror=_make_removable)


def _make_removable(_function: object, path: str, _error: object) -> None:
    """A command may have taken away its own rights to a folder: give them back and try once more."""
    parent = Path(path).parent
    for folder in (parent, Path(path)):
        if folder.is_dir() and not folder.is_symlink():
            folder.chmod(0o700)
    if Path(path).is_dir() and not Path(path).is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    elif os.path.lexists(path):
        Path(path).unlink(missing_ok=True)


def work_folder(backend: Backend, attempt_name: str) -> WorkFolder:
    """The folder of that attempt on that backend; not made yet."""
    if not re.fullmatch(r"[\w.-]+", attempt_name):
        raise ValueError(f"{attempt_name!r} is no name of an attempt")
    return WorkFolder(work_root(backend) / f"{_PREFIX}{attempt_name}")


def work_folders(backend: Backend) -> list[WorkFolder]:
    """The folders of all attempts that are there on that backend; none where its root cannot be read here."""
    try:
        return [WorkFolder(path) for path in work_root(backend).glob(f"{_PREFIX}*")]
    except OSError:
        return []


def work_root(backend: Backend) -> Path:
    """Where the backend's work folders are made."""
    return Path(backend.root) if backend.root else Path(settings.DATA.work)
