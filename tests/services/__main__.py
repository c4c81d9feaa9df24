"""Starts a PostgreSQL and a Redis of its own, prints their addresses as A_A's settings, and stops them at Ctrl-C.

cd tests && ../.venv/bin/python -m services
"""

import signal
from types import FrameType

from services.postgresql import PostgreSQL
from services.private_server import Missing
from services.redis import Redis

ENDS = (signal.SIGINT, signal.SIGTERM)


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    for number in ENDS:
        signal.signal(number, _end)
    started: list[PostgreSQL | Redis] = []
    try:
        for kind, setting in ((PostgreSQL, "AA_DATABASE_URL"), (Redis, "AA_BROKER_URL")):
            server = kind()
            started.append(server)
            server.prepare()
            server.start()
            print(f"{setting}={server.url}", flush=True)
        while True:
            signal.pause()
    except Missing as missing:
        raise SystemExit(str(missing)) from None
    finally:
        for server in started:
            server.remove()


def _end(_number: int, _frame: FrameType | None) -> None:
    """By an exception: signals that were blocked, to wait for them, would be blocked in the servers too."""
    for number in ENDS:
        signal.signal(number, lambda *_: None)  # the servers are stopped, whoever is impatient
    raise SystemExit(0)


if __name__ == "__main__":
    main()
