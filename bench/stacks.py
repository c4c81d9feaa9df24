"""What an installation stands on: nothing but itself, or a PostgreSQL and a Redis of the benchmark's own."""

import itertools
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Self

import psycopg
from redis import Redis

from bench.processes import REPOSITORY, BenchmarkError, Started, python

SLOTS = 2
"""Steps at once, and tasks of raw Celery at once."""


@dataclass(frozen=True, slots=True)
class Stack:
    """Where one installation, and raw Celery beside it, keep rows and messages."""

    variables: Mapping[str, str]
    """The settings that put an installation there."""
    broker: str | None
    """The address of raw Celery's broker; without one its messages are files."""
    servers: int | None = None
    """The process whose children the servers are."""


EMBEDDED = Stack({}, None)
"""Nothing configured: SQLite, messages as files."""


class Stacks:
    """Gives out stacks. The servers start when they are first asked for, and end with this context."""

    def __init__(self) -> None:
        self._opened = ExitStack()
        self._servers: Started | None = None
        self._addresses: dict[str, str] = {}
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def services(self) -> Stack:
        """PostgreSQL and Redis, with an empty database of each. Raises `BenchmarkError` where they are not
        installed."""
        servers = self._started()
        place, number = self._addresses, next(self._numbers)
        database, broker = place["AA_DATABASE_URL"], place["AA_BROKER_URL"].rpartition("/")[0]
        name = f"bench_{number}"
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return Stack(
            {
                "AA_DATABASE_URL": f"{database.rpartition('/')[0]}/{name}",
                "AA_BROKER_URL": f"{broker}/{2 * number}",
                "AA_WORKER_CONCURRENCY": str(SLOTS),
            },
            broker=f"{broker}/{2 * number + 1}",
            servers=servers.process.pid,
        )

    def versions(self) -> list[tuple[str, str]]:
        """The servers and their versions; none where none was asked for."""
        if self._servers is None:
            return []
        with psycopg.connect(self._addresses["AA_DATABASE_URL"]) as connection:
            postgresql = connection.info.parameter_status("server_version") or "unknown"
        with Redis.from_url(self._addresses["AA_BROKER_URL"]) as client:
            info = client.info("server")
        return [("PostgreSQL", postgresql), ("Redis", str(info["redis_version"]))]

    def _started(self) -> Started:
        """The servers that the tests use, by their own program."""
        if self._servers is None:
            servers = self._opened.enter_context(python(["-m", "services"], {}, folder=REPOSITORY / "tests"))
            try:
                for _ in range(2):
                    setting, _, address = servers.read_line().strip().partition("=")
                    self._addresses[setting] = address
            except BenchmarkError as error:
                raise BenchmarkError(
                    f"{error}\nPostgreSQL and Redis are wanted: apt-get install postgresql redis-server. Without them "
                    "there is `make bench ONLY=idle,embedded`."
                ) from None
            self._servers = servers
        return self._servers
