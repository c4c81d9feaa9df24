"""A plain HTTP client on one kept connection: it costs the measured machine less than a full one."""

import http.client
import json
import secrets
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import SplitResult

from bench.processes import BenchmarkError

ANSWER_SECONDS = 30.0
FINAL = frozenset({"COMPLETE", "ERROR", "CRASH", "CANCELLED"})


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body."""

    status: int
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body, read. Raises `ValueError`."""
        document: dict[str, Any] = json.loads(self.body)
        return document


class Connection:
    """One connection that is kept open. Use it as a context manager."""

    def __init__(self, address: SplitResult) -> None:
        assert address.hostname is not None
        self._kept = http.client.HTTPConnection(address.hostname, address.port, timeout=ANSWER_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._kept.close()

    def get(self, path: str) -> Answer:
        """Ask for that path."""
        self._kept.request("GET", path)
        return self._answer()

    def submit(self, job: str, data: bytes) -> dict[str, Any]:
        """Submit one file to the job, as a form; the Submission. Raises `BenchmarkError` where it is refused."""
        boundary = secrets.token_hex(16)
        body = (
            f"--{boundary}\r\n"
            'Content-Disposition: form-data; name="input_data"; filename="in.txt"\r\n'
            "Content-Type: text/plain\r\n\r\n"
        ).encode() + data
        self._kept.request(
            "POST",
            f"/api/v1/jobs/{job}/submissions",
            body + f"\r\n--{boundary}--\r\n".encode(),
            {"Content-Type": f"multipart/form-data; boundary={boundary}"},
        )
        answer = self._answer()
        if answer.status != HTTPStatus.CREATED:
            raise BenchmarkError(f"a submission was answered by {answer.status}: {answer.body.decode()}")
        return answer.json()

    def look(self, submission_id: str) -> dict[str, Any]:
        """The Submission as it is now. Raises `BenchmarkError` where it is not there or has failed."""
        answer = self.get(f"/api/v1/submissions/{submission_id}")
        if answer.status != HTTPStatus.OK:
            raise BenchmarkError(f"a poll was answered by {answer.status}: {answer.body.decode()}")
        submission = answer.json()
        if submission["status"] in FINAL - {"COMPLETE"}:
            raise BenchmarkError(f"submission {submission_id} ended: {submission['status']} {submission['message']}")
        return submission

    def _answer(self) -> Answer:
        response = self._kept.getresponse()
        return Answer(response.status, response.read())
