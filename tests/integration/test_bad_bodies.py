"""Bodies that are cut off, malformed or too large: each gets a clear answer and leaves nothing behind."""

import contextlib
import re
import select
import socket
from collections.abc import Iterator

import pytest

from integration.live import LiveSystem, Service, stored_bytes, until
from integration.wire import BOUNDARY, END, answer, connection, head, part, send

pytestmark = pytest.mark.usefixtures("nothing_stays")

FASTA = b">one\n" + b"MVLSPADKTN" * 200 + b"\n"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no form at all",
        part("data", b"x", "a.txt"),  # never ends
        part("data", b"x", "a.txt")[:-9],
        END,
        f"--{BOUNDARY}\r\n\r\nno header\r\n".encode() + END,
        f"--{BOUNDARY}\r\nContent-Disposition: form-data\r\n\r\nno name\r\n".encode() + END,
        f"--{BOUNDARY}\r\nContent-Disposition: attachment; name=data\r\n\r\nx\r\n".encode() + END,
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="data"\r\n{"X: y" * 9000}\r\n\r\nx\r\n'.encode() + END,
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="d\xff"\r\n\r\nx\r\n'.encode("latin-1") + END,
        part("data", b"x", "a.txt").replace(BOUNDARY.encode(), b"another") + END.replace(b"cut", b"no"),
    ],
    ids=[
        *("empty", "no form", "no end", "cut in a part", "only an end", "no disposition", "no name", "no form-data"),
        *("huge header", "name not UTF-8", "wrong boundary"),
    ],
)
def test_a_malformed_form_is_refused(service: Service, body: bytes) -> None:
    response = send(service, head("noop", f"Content-Length: {len(body)}") + body)
    assert response.status in {400, 422}, response.body
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"] in {"/api/problems/malformed-request", "/api/problems/invalid-request"}
    assert not re.search(r"Traceback|Error|codec|parser", problem["detail"]), "in words for the caller"


@pytest.mark.parametrize("media_type", ["multipart/form-data", "multipart/form-data; boundary=", ""])
def test_a_form_without_a_boundary_is_refused(service: Service, media_type: str) -> None:
    body = part("data", b"x", "a.txt") + END
    response = service.post("noop", content=body, headers={"Content-Type": media_type})
    assert response.status_code == (400 if media_type else 415), response.text
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_other_media_types_are_refused(service: Service, media_type: str) -> None:
    response = service.post("noop", content=b"data=x", headers={"Content-Type": media_type})
    assert response.status_code == 415
    assert response.json()["type"] == "/api/problems/unsupported-media-type"
    assert "multipart/form-data" in response.json()["detail"]


def test_a_connection_that_is_cut_in_mid_upload_leaves_nothing(service: Service, live: LiveSystem) -> None:
    before = stored_bytes(live.data)
    with connection(service) as made:
        made.sendall(head("noop", "Content-Length: 9000000") + part("data", b"x" * 2_000_000, "big.bin"))
        until(lambda: stored_bytes(live.data) > before, "the first bytes in the storage")
    until(lambda: stored_bytes(live.data) == before, "the removal of what was stored")


def test_a_form_that_ends_early_is_answered_where_the_client_still_listens(service: Service) -> None:
    with connection(service) as made:
        made.sendall(head("noop", "Content-Length: 90000") + part("data", b"x" * 2000, "a.bin"))
        made.shutdown(socket.SHUT_WR)
        response = answer(made)
    assert response.status == 400
    assert response.json()["type"] == "/api/problems/malformed-request"


def test_a_chunked_upload_that_is_cut_leaves_nothing(service: Service) -> None:
    piece = part("data", b"x" * 2000, "a.bin")
    with connection(service) as made:
        made.sendall(head("noop", "Transfer-Encoding: chunked") + b"%x\r\n%s\r\n" % (len(piece), piece))
        made.shutdown(socket.SHUT_WR)
        response = answer(made)
    assert response.status == 400


def test_wrong_chunks_are_refused(service: Service) -> None:
    response = send(service, head("noop", "Transfer-Encoding: chunked") + b"zz\r\nnothing\r\n0\r\n\r\n")
    assert response.status == 400


def test_a_client_that_reads_only_at_the_end_learns_that_its_file_is_too_large(
    service: Service, live: LiveSystem
) -> None:
    """Storing stops at the limit; the rest is read, and thrown away."""
    before, most, size = stored_bytes(live.data), 0, 20_000_000
    whole = part("sequences", b"", "big.fasta")
    length = len(whole) + size + len(END)

    def pieces() -> Iterator[bytes]:
        nonlocal most
        yield head("choosy", f"Content-Length: {length}") + whole[:-2]
        for _ in range(size // 1_000_000):
            yield FASTA[:1000] * 1000
            most = max(most, stored_bytes(live.data) - before)
        yield b"\r\n" + END

    response = send(service, pieces())
    assert response.status == 413
    problem = response.json()
    assert problem["type"] == "/api/problems/too-large"
    assert problem["errors"] == [
        {
            "in": "inputs",
            "name": "sequences",
            "code": "too_large",
            "message": "is larger than 100KB",
            "limit": 100_000,
        }
    ]
    assert most <= 100_000


def test_a_connection_goes_on_after_a_file_that_was_too_large(service: Service) -> None:
    refused = service.post("choosy", files={"sequences": FASTA * 100})
    assert refused.status_code == 413
    assert "close" not in refused.headers.get("Connection", "")


def test_a_request_is_not_read_beyond_the_largest(service: Service) -> None:
    begun = part("data", b"", "endless.bin")[:-2]
    piece = b"x" * 1_000_000
    with connection(service) as made:
        made.sendall(head("noop", "Transfer-Encoding: chunked") + b"%x\r\n%s\r\n" % (len(begun), begun))
        sent, response = 0, None
        # Whoever goes on sending past the bound may lose the connection before the answer is read.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while sent < 400_000_000 and not select.select([made], [], [], 0)[0]:
                made.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
                sent += len(piece)
            response = answer(made)
    assert 39_000_000 < sent < 100_000_000
    if response is not None:
        assert response.status == 413
        assert response.json()["detail"] == "The request is larger than 40MB."


def test_too_many_files_are_refused(service: Service) -> None:
    sent = [("files", (f"{number}.txt", b"x")) for number in range(5)]
    response = service.post("few_files", files=sent)
    assert response.status_code == 422
    assert [(each["name"], each["code"], each["limit"]) for each in response.json()["errors"]] == [
        ("files", "too_many", 3),
        ("files", "too_many", 3),
    ]


def test_too_many_parts_are_refused(service: Service) -> None:
    body = part("unknown", b"") * 6000 + END
    response = send(service, head("noop", f"Content-Length: {len(body)}") + body)
    assert response.status == 400


def test_two_files_for_a_single_input_are_refused(service: Service) -> None:
    response = service.post("noop", files=[("data", ("a.txt", b"a")), ("data", ("b.txt", b"b"))])
    assert response.status_code == 422
    assert [(each["name"], each["code"]) for each in response.json()["errors"]] == [("data", "too_many")]
    by_json = service.post("noop", json={"inputs": {"data": ["a", "b"]}})
    assert by_json.status_code == 422


def test_a_huge_text_field_is_refused(service: Service) -> None:
    response = service.post("words", files={"text": b"T"}, data={"label": "L" * 2_000_000})
    assert response.status_code == 422
    assert [(each["name"], each["code"]) for each in response.json()["errors"]] == [("label", "too_long")]


def test_a_field_that_is_not_utf8_is_refused(service: Service) -> None:
    body = part("label", b"\xff\xfe") + part("text", b"T", "t.txt") + END
    response = send(service, head("words", f"Content-Length: {len(body)}") + body)
    assert response.status == 422
    assert [(each["name"], each["code"]) for each in response.json()["errors"]] == [("label", "no_text")]


def test_a_head_that_is_no_http_is_refused(service: Service) -> None:
    assert send(service, b"NONSENSE\r\n\r\n").status == 400


def test_a_length_that_is_no_number_is_refused(service: Service) -> None:
    assert send(service, head("noop", "Content-Length: many") + b"x").status == 400


def test_an_unknown_host_is_refused(service: Service) -> None:
    response = service.http.get("/api/v1/jobs", headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"
