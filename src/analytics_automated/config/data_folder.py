"""The data folder: what lies where, and the secrets that are made in it."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The one place that knows the paths of a local installation. All of it is readable by its owner only."""

    root: Path

    @property
    def database(self) -> Path:
        """The SQLite database."""
        return self.root / "database.sqlite3"

    @property
    def blobs(self) -> Path:
        """Stored bytes."""
        return self.root / "blobs"

    @property
    def work(self) -> Path:
        """Work folders of backends that name no root."""
        return self.root / "work"

    @property
    def broker(self) -> Path:
        """Messages."""
        return self.root / "broker"

    @property
    def beat(self) -> Path:
        """When beat last did what."""
        return self.root / "beat"

    @property
    def lock(self) -> Path:
        """Held by the `aa up` that serves this folder."""
        return self.root / "up.lock"

    def make(self) -> None:
        """Make the folders."""
        for folder in (self.root, self.blobs, self.work, self.broker, self.beat):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def secret_key(self) -> str:
        """The installation's own key; made at the first call, whole or not at all."""
        path = self.root / "secret_key"
        if not path.exists():
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            mine = path.with_name(f"secret_key.{os.getpid()}.{secrets.token_hex(4)}")
            mine.touch(mode=0o600)
            mine.write_text(secrets.token_urlsafe(64))
            try:
                os.link(mine, path)  # fails where another process was first
            except FileExistsError:
                pass
            finally:
                mine.unlink()
        return path.read_text()
