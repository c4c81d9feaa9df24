"""The two stacks that tests run on, as a plug-in of pytest: `pytest --stack embedded` and `pytest --stack services`.

`embedded` is what A_A is with nothing configured: SQLite, messages as files. All tests but a few run there.
`services` is PostgreSQL and Redis, servers of the run's own. There run the tests that use a database or an
installation, and those marked `stack("services")`.
"""

import atexit
import contextlib
import itertools
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.types.string import TextLoader

from services.postgresql import PostgreSQL
from services.private_server import Missing
from services.redis import Redis

EMBEDDED, SERVICES = "embedded", "services"
_VARIABLE = "AA_TEST_SERVICES"
"""Tells the processes of pytest-xdist which servers there are: addresses, as JSON."""
_INSTALLATIONS = ("integration", "faults")
"""Folders of tests that use installations."""
_TEMPLATE = "installation"
_missing = ""
_elsewhere: dict[Path, dict[str, str]] = {}
"""Settings of installations that do not use the run's servers, by data folder."""
_numbers = itertools.count(1 + 1000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw") or 0))


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--stack`."""
    parser.addoption(
        "--stack",
        choices=[EMBEDDED, SERVICES],
        default=EMBEDDED,
        help="What tests run on: SQLite and files, or a PostgreSQL and a Redis that are started for them.",
    )


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """Start the servers, before Django's settings are read."""
    if early_config.known_args_namespace.stack == SERVICES and _VARIABLE not in os.environ:
        _start()
    return (yield)


def pytest_configure(config: pytest.Config) -> None:
    """The marker."""
    config.addinivalue_line("markers", "stack(name): runs on that stack alone: embedded or services.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is not for this stack."""
    stack = config.getoption("--stack")
    chosen = [item for item in items if _belongs(item, stack)]
    if len(chosen) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if item not in set(chosen)])
        items[:] = chosen
    if _missing:
        if os.environ.get("CI") == "true":
            raise pytest.UsageError(_missing)
        for item in items:
            item.add_marker(pytest.mark.skip(reason=_missing))


def _belongs(item: pytest.Item, stack: str) -> bool:
    marked = item.get_closest_marker("stack")
    if marked is not None:
        return marked.args[0] == stack
    if stack == EMBEDDED:
        return True
    folder = item.path.relative_to(Path(__file__).parent).parts[0]
    uses_database = bool({"db", "transactional_db"} & set(getattr(item, "fixturenames", ())))
    return folder in _INSTALLATIONS or uses_database or item.get_closest_marker("django_db") is not None


def _start() -> None:
    global _missing
    try:
        for kind in (PostgreSQL, Redis):
            kind.find()
    except Missing as missing:
        _missing = str(missing)
        return
    servers = {"postgresql": PostgreSQL(), "redis": Redis()}
    for server in servers.values():
        atexit.register(server.remove)
        server.prepare()
        server.start()
    os.environ[_VARIABLE] = json.dumps({name: server.url for name, server in servers.items()})
    _make_template()


def _make_template() -> None:
    """A database with A_A's tables, which those of installations are copies of: that is faster than to migrate each."""
    with tempfile.TemporaryDirectory(prefix="aa-template-") as folder:
        settings = {"AA_DATA_DIR": folder, "AA_DATABASE_URL": _create_database(_TEMPLATE)}
        command = [sys.executable, "-m", "analytics_automated.cli", "manage", "migrate", "--verbosity", "0"]
        subprocess.run(command, env={**os.environ, **settings}, check=True)


def _create_database(name: str, template: str = "template1") -> str:
    url = json.loads(os.environ[_VARIABLE])["postgresql"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return f"{url.rpartition('/')[0]}/{name}"


def has_services() -> bool:
    """Whether this run is on the services."""
    return _VARIABLE in os.environ


def put_on(data: Path, postgresql: str, redis: str) -> None:
    """Have the installation with that data folder use this database and this broker, and not the run's own servers:
    they are its own to stop and start."""
    _elsewhere[data] = {"AA_DATABASE_URL": postgresql, "AA_BROKER_URL": redis}


def variables_of(data: Path) -> dict[str, str]:
    """The settings that put the installation with that data folder on the stack of this run: a database of its own,
    made at the first call."""
    return _elsewhere.get(data) or _own_variables(data)


@cache
def _own_variables(data: Path) -> dict[str, str]:
    if not has_services():
        return {}
    number = next(_numbers)
    redis = json.loads(os.environ[_VARIABLE])["redis"]
    return {
        "AA_DATABASE_URL": _create_database(f"installation_{number}", _TEMPLATE),
        "AA_BROKER_URL": f"{redis.rpartition('/')[0]}/{number}",
    }


def rows(data: Path, statement: str, **values: object) -> list[dict[str, Any]]:
    """Ask the database of an installation, past A_A: a statement that SQLite and PostgreSQL both understand, with
    values as `:name`; what it changes is kept."""
    url = variables_of(data).get("AA_DATABASE_URL")
    if url is not None:
        for name in values:
            statement = statement.replace(f":{name}", f"%({name})s")
        with psycopg.connect(url, row_factory=dict_row) as connection:
            connection.adapters.register_loader("jsonb", TextLoader)  # as SQLite gives it
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []
    with contextlib.closing(sqlite3.connect(data / "database.sqlite3")) as database, database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(statement, values)]


def tables(data: Path) -> list[str]:
    """The tables of an installation's database."""
    if variables_of(data):
        catalogue = "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'"
    else:
        catalogue = "SELECT name FROM sqlite_master WHERE type = 'table'"
    return [row["name"] for row in rows(data, catalogue)]


def empty(data: Path) -> None:
    """Have an installation's database hold nothing, not even tables."""
    if variables_of(data):
        rows(data, "DROP SCHEMA public CASCADE")
        rows(data, "CREATE SCHEMA public")
    else:
        (data / "database.sqlite3").write_bytes(b"")
