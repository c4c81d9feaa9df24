"""Requests byte by byte, as no well-behaved client sends them."""

import contextlib
import http.client
import json
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from integration.live import PATIENCE, Service

BOUNDARY = "cut-here"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def part(name: str, content: bytes, file: str | None = None) -> bytes:
    """A part of a form, with the boundary in front."""
    named = f'; filename="{file}"' if file is not None else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
    return head.encode() + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


def head(job: str, *lines: str) -> bytes:
    """The request line and headers of a POST of a form."""
    fields = [
        f"POST /api/v1/jobs/{job}/submissions HTTP/1.1",
        "Host: localhost",
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}",
        *lines,
    ]
    return ("\r\n".join(fields) + "\r\n\r\n").encode()


@contextlib.contextmanager
def connection(service: Service) -> Iterator[socket.socket]:
    """A connection to the service."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as made:
        yield made


def send(service: Service, request: bytes | Iterable[bytes]) -> Answer:
    """Send all of it, and only then read the answer."""
    with connection(service) as made:
        for piece in [request] if isinstance(request, bytes) else request:
            made.sendall(piece)
        return answer(made)


def answer(connected: socket.socket) -> Answer:
    """Read an answer."""
    response = http.client.HTTPResponse(connected)
    try:
        response.begin()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    finally:
        response.close()
