"""A plain HTTP client on one kept connection: it costs the measured machine less than a full one."""

import hashlib
import http.client
import itertools
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import SplitResult, urlsplit

from bench.processes import BenchmarkError

ANSWER_SECONDS = 120.0
FINAL = frozenset({"COMPLETE", "ERROR", "CRASH", "CANCELLED"})
CHUNK = 1 << 20


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
        return self.submit_stream(job, [data], len(data))

    def submit_stream(self, job: str, data: Iterable[bytes], size: int) -> dict[str, Any]:
        """The same, of a file that comes in pieces and has that size."""
        boundary = secrets.token_hex(16)
        head = (
            f"--{boundary}\r\n"
            'Content-Disposition: form-data; name="input_data"; filename="in.txt"\r\n'
            "Content-Type: text/plain\r\n\r\n"
        ).encode()
        tail = f"\r\n--{boundary}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        length = len(head) + size + len(tail)
        if length < CHUNK:  # in one packet, as any client would
            return self._post(job, b"".join([head, *data, tail]), headers)
        return self._post(job, itertools.chain([head], data, [tail]), {**headers, "Content-Length": str(length)})

    def submit_values(self, job: str, parameters: Mapping[str, object]) -> dict[str, Any]:
        """Submit parameters alone, as JSON; the Submission. Raises `BenchmarkError` where it is refused."""
        return self._post(job, json.dumps({"parameters": parameters}).encode(), {"Content-Type": "application/json"})

    def _post(self, job: str, body: bytes | Iterable[bytes], headers: Mapping[str, str]) -> dict[str, Any]:
        self._kept.request("POST", f"/api/v1/jobs/{job}/submissions", body, headers)
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

    def digest(self, url: str) -> tuple[int, str]:
        """Size and SHA-256 of what is at that address, read piece by piece."""
        self._kept.request("GET", urlsplit(url).path)
        response = self._kept.getresponse()
        size, digest = 0, hashlib.sha256()
        while piece := response.read(CHUNK):
            size += len(piece)
            digest.update(piece)
        return size, digest.hexdigest()

    def _answer(self) -> Answer:
        response = self._kept.getresponse()
        return Answer(response.status, response.read())
