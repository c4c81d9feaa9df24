"""Redis, for tests."""

import contextlib
import shutil
import signal
import socket
from collections.abc import Sequence
from pathlib import Path

from services.private_server import PrivateServer, on_path

DATABASES = 16_384
"""One for each installation of a run of the tests."""


class Redis(PrivateServer):
    """A Redis, or Valkey. Unless it is to `keep` what it holds, that is gone when it ends."""

    package = "redis-server"
    stop_signal = signal.SIGTERM

    def __init__(self, *, keep: bool = False) -> None:
        super().__init__()
        self.keep = keep

    @classmethod
    def find(cls) -> Path:
        """Redis, else Valkey."""
        found = on_path("redis-server") or on_path("valkey-server")
        if found is None:
            raise cls.missing()
        return found

    @property
    def url(self) -> str:
        """Of its database 0."""
        return self.url_of(0)

    def url_of(self, database: int) -> str:
        """The address of one of its databases."""
        return f"redis://127.0.0.1:{self.port}/{database}"

    def command(self) -> Sequence[str | Path]:
        """The server on its port of this machine."""
        return [
            self.program,
            *("--bind", "127.0.0.1", "--port", str(self.port), "--dir", self.folder),
            *("--save", "", "--appendonly", "yes" if self.keep else "no", "--appendfsync", "no"),
            *("--databases", str(DATABASES)),
        ]

    def forget(self) -> None:
        """Remove what it kept; to be called while it is stopped."""
        shutil.rmtree(self.folder / "appendonlydir", ignore_errors=True)
        (self.folder / "appendonly.aof").unlink(missing_ok=True)

    def answers(self) -> bool:
        """Whether it says so."""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16) == b"+PONG\r\n"
        return False
