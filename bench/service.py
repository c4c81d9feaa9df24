"""A_A as its callers meet it: small files in, submissions that end."""

import datetime as dt
import secrets
import time
from typing import Any
from urllib.parse import SplitResult

from bench.http_connection import Connection
from bench.processes import BenchmarkError

END_SECONDS = 90.0
"""What takes longer ends the benchmark."""
RARE_POLL_SECONDS = 0.1
"""Between two looks where only the service's own clock counts: the client shares the machine."""


def new_data() -> bytes:
    """A file that was never sent before, so that equal bytes are not stored once for all."""
    return f"{secrets.token_hex(16)}\n".encode()


def moment(shown: Any) -> float:
    """Seconds since 1970, of a time in an answer; the service's clock is this machine's."""
    return dt.datetime.fromisoformat(str(shown)).timestamp()


def await_end(connection: Connection, submission_id: str, *, pause: float = RARE_POLL_SECONDS) -> dict[str, Any]:
    """The submission when a poll shows it complete. Raises `BenchmarkError`, as all measurements do."""
    until = time.monotonic() + END_SECONDS
    while (shown := connection.look(submission_id))["status"] != "COMPLETE":
        if time.monotonic() > until:
            raise BenchmarkError(f"submission {submission_id} is {shown['status']} after {END_SECONDS:g} s")
        time.sleep(pause)
    return shown


def complete_one(address: SplitResult, job: str) -> str:
    """The id of a submission that has just become complete."""
    with Connection(address) as connection:
        submission_id = str(connection.submit(job, new_data())["id"])
        await_end(connection, submission_id)
    return submission_id
