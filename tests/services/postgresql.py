"""PostgreSQL, for tests: fast and forgetful."""

import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import psycopg

from services.private_server import PATIENCE, PrivateServer, on_path


class PostgreSQL(PrivateServer):
    """A PostgreSQL cluster. It syncs nothing to the disk: what it committed survives its own crash, not the
    machine's."""

    package = "postgresql"
    stop_signal = signal.SIGINT

    @classmethod
    def find(cls) -> Path:
        """Debian keeps the server's programs off the PATH, by version."""
        versions = Path("/usr/lib/postgresql").glob("*/bin/postgres")
        newest = max(versions, key=lambda path: int(path.parts[-3]), default=on_path("postgres"))
        if newest is None:
            raise cls.missing()
        return newest.resolve()

    @property
    def url(self) -> str:
        """Of its database `postgres`."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """The address of one of its databases."""
        return f"postgresql://{self.user_name}@127.0.0.1:{self.port}/{database}"

    def prepare(self) -> None:
        """Make the cluster."""
        subprocess.run(
            self.as_user(
                [
                    self.program.with_name("initdb"),
                    *("--pgdata", self.folder / "cluster"),
                    *("--username", self.user_name, "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8"),
                    "--no-sync",
                ]
            ),
            cwd=self.folder,
            check=True,
            capture_output=True,
            timeout=PATIENCE * 2,
        )

    def command(self) -> Sequence[str | Path]:
        """The server on its port of this machine, with room for many pools."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 300,
            "fsync": "off",
            "full_page_writes": "off",
            "shared_buffers": "64MB",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [self.program, "-D", self.folder / "cluster", *options]

    def answers(self) -> bool:
        """Whether it takes connections."""
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def crash(self) -> None:
        """End it as `pg_ctl stop --mode=immediate` does: nothing is written any more, and the next start recovers."""
        self._end(signal.SIGQUIT)

    def create_database(self, name: str) -> str:
        """Make an empty database; its address."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url_of(name)
