"""Starts a PostgreSQL and a Redis of its own, prints their addresses as A_A's settings, and stops them at Ctrl-C.

cd tests && ../.venv/bin/python -m services
"""

import signal

from services.postgresql import PostgreSQL
from services.private_server import Missing
from services.redis import Redis


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    started: list[PostgreSQL | Redis] = []
    try:
        for kind, setting in ((PostgreSQL, "AA_DATABASE_URL"), (Redis, "AA_BROKER_URL")):
            server = kind()
            started.append(server)
            server.prepare()
            server.start()
            print(f"{setting}={server.url}", flush=True)
        signal.sigwait(ends)
    except Missing as missing:
        raise SystemExit(str(missing)) from None
    finally:
        for server in started:
            server.remove()


if __name__ == "__main__":
    main()
