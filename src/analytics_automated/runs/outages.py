"""What is done while the database cannot be reached."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import Error, InterfaceError, OperationalError, connection

logger = logging.getLogger(__name__)
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
LINE_SECONDS = 10.0
"""A log line tells of an outage no more often than that, in each process."""
RETRY_AFTER = 5
"""Seconds after which a caller may try again."""
_SQLITE_ERROR = 1
"""SQLite's result code for wrong SQL (https://sqlite.org/rescode.html)."""

_T = TypeVar("_T")
_lock = threading.Lock()
_told = float("-inf")


def is_outage(error: BaseException) -> bool:
    """True where the database could not be reached, or could not do its work at this time: the same again, later, may
    succeed. False where the fault is in what it was asked."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    code = getattr(error.__cause__, "sqlite_errorcode", None)
    return code is None or code & 0xFF != _SQLITE_ERROR


def tell_outage(error: BaseException) -> None:
    """Log it, in one line, and let go of this thread's connection."""
    global _told
    with _lock:
        silent = time.monotonic() - _told < LINE_SECONDS
        if not silent:
            _told = time.monotonic()
    if not silent:
        reason = " ".join(str(error).split())
        logger.error("the database cannot be reached", extra={"reason": reason})
    release_connection(broken=True)


@contextmanager
def until_next_time() -> Iterator[None]:
    """Leave what is begun where the database is out of reach: it is something that is begun again anyway."""
    try:
        yield
    except Error as error:
        if not is_outage(error):
            raise
        tell_outage(error)


def release_connection(*, broken: bool = False) -> None:
    """Give this thread's connection back to the pool, before a long wait without the database. Where there is no pool
    it is kept, unless it is broken: to make one costs more."""
    pooled = bool(connection.settings_dict["OPTIONS"].get("pool"))
    if (pooled or broken) and not connection.in_atomic_block:
        connection.close()


def persist(call: Callable[[], _T], patience: float) -> _T:
    """Do it, and again while the database is out of reach, for so many seconds; then the last error is raised.

    What is called must bear that it was done already: the answer of a commit may be lost.
    """
    deadline, pause = time.monotonic() + patience, FIRST_PAUSE
    while True:
        try:
            return call()
        except Error as error:
            if not is_outage(error) or time.monotonic() + pause > deadline:
                raise
            tell_outage(error)
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)
