"""The name that Django looks for in a database backend."""

import select
from typing import Any

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, but a connection that died in the pool is not given out.

    A server that was restarted has closed all connections, and so does a firewall those that were idle for long; the
    first query on each would fail. Django's CONN_HEALTH_CHECKS asks the server at each use, which costs a round trip;
    with many dead ones psycopg's pool then also waits for a second between two (psycopg_pool 3.3). That the other side
    has closed a connection can be seen on the socket, for nothing.
    """

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection on which nothing has come that nobody asked for."""
        while True:
            connection = super().get_new_connection(conn_params)
            if self.pool is None or not _is_readable(connection.fileno()):
                return connection
            connection.close()
            self.pool.putconn(connection)  # which makes another one instead


def _is_readable(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN | select.POLLPRI)
    return bool(poll.poll(0))
