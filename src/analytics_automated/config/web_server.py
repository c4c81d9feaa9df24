"""The web server: gunicorn with threads, on a socket of our own. `docs/decisions/` says why."""

import logging
import os
import signal
import socket
import struct
from typing import Any

from gunicorn.app.base import BaseApplication

from analytics_automated.config.environment import Settings
from analytics_automated.config.supervisor import end_with_parent

STALLED_SECONDS = 30
"""After this long without a byte a client loses its connection, and the thread is free again."""
MOST_PROCESSES = 4
"""Unless it is set: each keeps a pool of connections to the database, which allows for so many in all."""


def open_socket(host: str, port: int) -> socket.socket:
    """Listen on that address; port 0 takes a free one. Raises `OSError` where it is taken.

    Accepted connections inherit the time limits; a connection that sends nothing costs no thread.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # gunicorn sets it too, but a client that connects before gunicorn runs would wait 40 ms for every answer.
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_DEFER_ACCEPT"):
            limit = struct.pack("@ll", STALLED_SECONDS, 0)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, STALLED_SECONDS)
        made.bind(address)
        made.listen(512)
    except OSError:
        made.close()
        raise
    made.set_inheritable(True)
    return made


class _Server(BaseApplication):
    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        super().__init__()

    def load_config(self) -> None:
        for key, value in self.options.items():
            self.cfg.set(key, value)

    def load(self) -> Any:
        from analytics_automated.config.wsgi import application

        return application


class _StalledClients(logging.Filter):
    """A client that stalled is no error of the server's."""

    def filter(self, record: logging.LogRecord) -> bool:
        """False for those."""
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, BlockingIOError | TimeoutError | ConnectionError)


def _end_with_arbiter(server: Any, _worker: Any) -> None:
    """In gunicorn's worker process: one whose arbiter was killed would linger, as long as clients keep connections."""
    end_with_parent(server.pid, signal.SIGKILL)


def processes_for(settings: Settings) -> int:
    """How many processes serve: one Python process uses one processor. SQLite has one writer at a time, and is what
    runs on small machines, where memory counts more."""
    if settings.web_processes is not None:
        return settings.web_processes
    return min(os.cpu_count() or 1, MOST_PROCESSES) if settings.database_url else 1


def serve(descriptor: int, processes: int, threads: int) -> None:
    """Serve on that listening socket until SIGTERM or SIGINT, by so many processes of so many threads; requests under
    way are finished."""
    logging.getLogger("gunicorn.error").addFilter(_StalledClients())
    _Server(
        {
            "bind": f"fd://{descriptor}",
            "worker_class": "gthread",
            "workers": processes,
            "threads": threads,
            "worker_connections": 1000,
            "keepalive": 75,
            "timeout": 60,
            "graceful_timeout": 10,
            "preload_app": True,
            "post_fork": _end_with_arbiter,
            "sendfile": False,  # it would wait for a stalled client without regard to the limit
            "control_socket_disable": True,
            "accesslog": None,
            "errorlog": "-",
            "loglevel": "error",
            "limit_request_line": 8190,
            "forwarded_allow_ips": "127.0.0.1,::1",
        }
    ).run()
