"""Sending messages, in bounded time: whoever sends one has a caller who waits."""

import logging
import threading
import time
from collections.abc import Sequence

from celery import current_app
from kombu.connection import Connection
from kombu.pools import producers

logger = logging.getLogger(__name__)
PATIENCE = 0.2
"""Seconds that a broker may take to accept a connection, and to answer a command. A message is sent at most twice."""
PAUSE = 2.0
"""Seconds in which nothing is sent after a message could not be: callers should not all wait in vain."""


class Broker:
    """The broker as this process sees it when it sends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._closed_until = float("-inf")
        self._is_away = False

    def send(self, task: str, args: Sequence[object], queue: str) -> bool:
        """Send a message; False, at once or soon, where the broker cannot be reached."""
        if time.monotonic() < self._closed_until:
            return False
        try:
            with producers[self._connected()].acquire(block=True, timeout=PATIENCE) as producer:
                current_app.send_task(
                    task,
                    args=list(args),
                    queue=queue,
                    producer=producer,
                    retry=True,  # a connection that died while it was idle is made anew
                    retry_policy={"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0},
                )
        except Exception as error:  # noqa: BLE001 - every broker has exceptions of its own
            self._closed_until = time.monotonic() + PAUSE
            self._tell(error)
            return False
        self._is_away = False
        return True

    def _connected(self) -> Connection:
        """Where to send; nothing is opened yet."""
        with self._lock:
            if self._connection is None:
                made = current_app.connection_for_write(connect_timeout=PATIENCE)
                if made.transport.driver_type == "redis":
                    # Of its own, as a consumer waits for longer on purpose.
                    limits = {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}
                    made = current_app.connection_for_write(connect_timeout=PATIENCE, transport_options=limits)
                self._connection = made
            return self._connection

    def _tell(self, error: Exception) -> None:
        if not self._is_away:
            self._is_away = True
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            logger.error("the broker cannot be reached; workers are told later", extra={"reason": reason})


broker = Broker()
"""This process's own."""
