import base64
import hashlib
import re
import tracemalloc
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import Message
from pathlib import Path
from typing import IO
from unittest import mock
from wsgiref.util import FileWrapper

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponseBase
from django.test import RequestFactory, override_settings
from django.urls import path
from hypothesis import example, given
from hypothesis import strategies as st

from analytics_automated.api import downloads
from analytics_automated.api.downloads import safe_file_name, select_range, serve_blob
from analytics_automated.storage.streams import CHUNK, StoredFile, open_stored, store

TEXT = bytes(range(256)) * 4
ETAG = f'"{hashlib.sha256(TEXT).hexdigest()}"'
OTHER = f'"{"0" * 64}"'
MODIFIED = datetime(2024, 2, 29, 12, 30, 15, 999_999, tzinfo=UTC)
MODIFIED_HTTP = "Thu, 29 Feb 2024 12:30:15 GMT"
requests = RequestFactory()


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    location = tmp_path_factory.mktemp("blobs")
    blobs = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": location}}
    with override_settings(STORAGES={"blobs": blobs}):
        yield location


@pytest.fixture(scope="module")
def text(folder: Path) -> StoredFile:
    return store([TEXT], "test")


@pytest.fixture
def opened() -> Iterator[list[IO[bytes]]]:
    """The files that answers opened."""
    files: list[IO[bytes]] = []

    def remember(key: str) -> IO[bytes]:
        files.append(open_stored(key))
        return files[-1]

    with mock.patch.object(downloads, "open_stored", remember):
        yield files


def serve(stored: StoredFile, request: HttpRequest | None = None, **changes: object) -> HttpResponseBase:
    what: dict[str, object] = {"media_type": "text/plain", "file_name": "report.txt"} | changes
    request = request or requests.get("/")
    return serve_blob(request, key=stored.key, size=stored.size, sha256=stored.sha256, **what)  # type: ignore[arg-type]


def get(stored: StoredFile, **headers: str) -> HttpResponseBase:
    return serve(stored, requests.get("/", headers={name.replace("_", "-"): each for name, each in headers.items()}))


def body(response: HttpResponseBase) -> bytes:
    data = b"".join(response)
    response.close()
    return data


def file_name_of(disposition: str) -> str | None:
    message = Message()
    message["Content-Disposition"] = disposition
    return message.get_filename()


# Whole files


def test_a_whole_file_is_served_with_its_length_digest_and_type(text: StoredFile) -> None:
    response = get(text)

    assert response.status_code == 200
    assert body(response) == TEXT
    assert dict(response.items()) == {
        "Content-Type": "text/plain",
        "Content-Length": "1024",
        "Content-Disposition": 'inline; filename="report.txt"',
        "ETag": ETAG,
        "Repr-Digest": f"sha-256=:{base64.b64encode(hashlib.sha256(TEXT).digest()).decode()}:",
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    }


def test_head_has_the_headers_of_get_and_no_body(text: StoredFile, opened: list[IO[bytes]]) -> None:
    response = serve(text, requests.head("/"), modified=MODIFIED)
    whole = serve(text, modified=MODIFIED)

    assert response.status_code == 200
    assert body(response) == b""
    assert dict(response.items()) == dict(whole.items())
    assert opened[0].closed
    whole.close()


def test_head_knows_no_ranges_even_where_a_middleware_calls_it_get(text: StoredFile) -> None:
    request = requests.head("/", headers={"Range": "bytes=0-1"})
    request.method = "GET"

    response = serve(text, request)

    assert response.status_code == 200
    assert response["Content-Length"] == "1024"
    assert body(response) == b""


def test_an_empty_file_is_served() -> None:
    response = get(store([], "empty"))

    assert response.status_code == 200
    assert response["Content-Length"] == "0"
    assert body(response) == b""


def test_a_large_file_passes_through_little_memory() -> None:
    piece = b"ACDEFGHIKLMNPQRSTVWY" * 52_429
    large = store((piece for _ in range(64)), "large")
    assert large.size > 64_000_000
    digest = hashlib.sha256()

    tracemalloc.start()
    try:
        response = get(large)
        longest = 0
        for each in response:
            digest.update(each)
            longest = max(longest, len(each))
        response.close()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert digest.hexdigest() == large.sha256
    assert longest == CHUNK
    assert peak < 4 * CHUNK


def test_missing_bytes_are_told_before_there_is_an_answer(text: StoredFile) -> None:
    for request in (requests.get("/"), requests.head("/"), requests.get("/", headers={"If-None-Match": "*"})):
        with pytest.raises(FileNotFoundError):
            serve(StoredFile("00/none", text.size, text.sha256), request)


def test_bytes_that_were_cut_off_are_not_served_as_the_whole(folder: Path) -> None:
    stored = store([TEXT], "cut")
    (folder / stored.key).write_bytes(TEXT[:-1])

    with pytest.raises(OSError, match="should be 1024, and are 1023"):
        get(stored)


# When files are closed


def test_the_file_is_closed_with_the_answer(text: StoredFile, opened: list[IO[bytes]]) -> None:
    response = get(text)
    assert not opened[0].closed
    body(response)

    assert opened[0].closed


@pytest.mark.parametrize("selected", ["", "bytes=0-", "bytes=5-9"])
def test_the_file_is_closed_where_the_client_goes_away(
    text: StoredFile, opened: list[IO[bytes]], selected: str
) -> None:
    response = get(text, Range=selected)
    next(iter(response))
    response.close()

    assert opened[0].closed


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [("If-None-Match", ETAG, 304), ("If-Match", OTHER, 412), ("Range", "bytes=9999-", 416)],
)
def test_the_file_is_closed_where_nothing_of_it_is_sent(
    text: StoredFile, opened: list[IO[bytes]], header: str, value: str, status: int
) -> None:
    response = serve(text, requests.get("/", headers={header: value}))

    assert response.status_code == status
    assert opened[0].closed


def test_the_file_is_closed_where_the_answer_cannot_be_made(opened: list[IO[bytes]]) -> None:
    stored = store([TEXT], "test")
    with pytest.raises(ValueError, match="hexadecimal"):
        serve(StoredFile(stored.key, stored.size, "no digest"))

    assert opened[0].closed


# Ranges


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-499", 0, 499),
        ("bytes=500-", 500, 1023),
        ("bytes=500-99999", 500, 1023),
        ("bytes=1023-1023", 1023, 1023),
        ("bytes=0-1023", 0, 1023),
        ("bytes=-1", 1023, 1023),
        ("bytes=-1024", 0, 1023),
        ("bytes=-99999", 0, 1023),
        ("BYTES=007-0008", 7, 8),
        ("bytes=, 3-4 ,", 3, 4),
    ],
)
def test_a_range_is_served(text: StoredFile, header: str, first: int, last: int) -> None:
    response = get(text, Range=header)

    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {first}-{last}/1024"
    assert response["Content-Length"] == str(last - first + 1)
    assert response["ETag"] == ETAG
    assert response["Content-Disposition"] == 'inline; filename="report.txt"'
    assert body(response) == TEXT[first : last + 1]


def test_the_digest_of_a_part_is_that_of_the_whole(text: StoredFile) -> None:
    part, whole = get(text, Range="bytes=1-2"), get(text)

    assert part["Repr-Digest"] == whole["Repr-Digest"]
    part.close()
    whole.close()


@pytest.mark.parametrize("header", ["bytes=1024-", "bytes=1024-2000", "bytes=-0", "bytes=9999999999999999999-"])
def test_a_range_that_cannot_be_satisfied_is_refused_with_the_size(text: StoredFile, header: str) -> None:
    response = get(text, Range=header)

    assert response.status_code == 416
    assert response["Content-Range"] == "bytes */1024"
    assert "Content-Type" not in response.headers
    assert body(response) == b""


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=,",
        "bytes=5",
        "bytes=5-4",
        "bytes=a-b",
        "bytes=--5",
        "bytes=+1-2",
        "bytes=1 - 2",
        "bytes=1-2-3",
        "bytes=0x1-2",
        "bytes =0-1",
        "bytes=\u0661-\u0662",
        "bytes=1_0-20",
        "bytes=0-1,3-4",
        "bytes=0-0,-1",
        "seconds=1-2",
        "1-2",
        f"bytes={'9' * 5000}-",
    ],
)
def test_a_range_that_is_malformed_or_not_one_is_ignored(text: StoredFile, header: str) -> None:
    response = get(text, Range=header)

    assert response.status_code == 200
    assert "Content-Range" not in response.headers
    assert body(response) == TEXT


@pytest.mark.parametrize(
    ("header", "status"), [("bytes=0-", 416), ("bytes=0-0", 416), ("bytes=-0", 416), ("bytes=-5", 200)]
)
def test_of_an_empty_file_only_its_end_can_be_had(header: str, status: int) -> None:
    response = get(store([], "empty"), Range=header)

    assert response.status_code == status
    assert response.get("Content-Range") == ("bytes */0" if status == 416 else None)
    assert body(response) == b""


@pytest.mark.parametrize(
    ("if_range", "status"),
    [
        (ETAG, 206),
        (f" {ETAG} ", 206),
        (f"W/{ETAG}", 200),
        (OTHER, 200),
        (ETAG.strip('"'), 200),
        (MODIFIED_HTTP, 200),
    ],
)
def test_a_range_is_served_only_of_the_bytes_that_the_client_has(text: StoredFile, if_range: str, status: int) -> None:
    request = requests.get("/", headers={"Range": "bytes=0-1", "If-Range": if_range})
    response = serve(text, request, modified=MODIFIED)

    assert response.status_code == status
    response.close()


def test_other_bytes_are_sent_whole_even_where_the_range_could_not_be_satisfied(text: StoredFile) -> None:
    response = get(text, Range="bytes=5000-", If_Range=OTHER)

    assert response.status_code == 200
    assert body(response) == TEXT


def test_a_range_of_a_large_file_starts_where_it_says_and_comes_in_pieces() -> None:
    stored = store((bytes([number]) * CHUNK for number in range(5)), "pieces")
    response = get(stored, Range=f"bytes={CHUNK - 1}-{4 * CHUNK}")
    pieces = list(response)
    response.close()

    assert b"".join(pieces) == b"\0" + b"\1" * CHUNK + b"\2" * CHUNK + b"\3" * CHUNK + b"\4"
    assert max(map(len, pieces)) == CHUNK


numbers = st.integers(0, 12) | st.integers(0, 10**25)
well_formed = st.one_of(
    st.builds("{}-{}".format, numbers, numbers),
    st.builds("{}-".format, numbers),
    st.builds("-{}".format, numbers),
)
headers = st.one_of(
    st.builds("bytes={}".format, well_formed),
    st.lists(well_formed | st.just(""), max_size=3).map(lambda each: "bytes=" + ",".join(each)),
    st.text("bytes=-,0123456789 \t", max_size=20),
    st.text("-,0123456789 \t", max_size=12).map("bytes={}".format),
    st.text(max_size=30),
)


def model(header: str, size: int) -> list[int] | None:
    """Section 14 of RFC 9110, taken literally: one position after the other."""
    found = re.fullmatch(r"(?i:bytes)=[ \t,]*(?:([0-9]+)-([0-9]*)|-([0-9]+))[ \t,]*", header)
    if not found or any(len(group or "") > 19 for group in found.groups()):
        return None
    first, last, suffix = found.groups()
    everything = list(range(size))
    if suffix:
        return None if size == 0 and int(suffix) > 0 else [each for each in everything if each >= size - int(suffix)]
    if last and int(last) < int(first):
        return None
    return [each for each in everything if each >= int(first) and (not last or each <= int(last))]


@given(headers, st.integers(0, 15))
@example("bytes=0-0", 0)
@example("bytes=-1", 0)
@example("bytes=" + ", " * 5000 + "x", 5)
def test_any_range_header_means_what_the_standard_says(header: str, size: int) -> None:
    selected = select_range(header, size)

    assert (None if selected is None else list(selected)) == model(header, size)


@given(headers)
def test_any_range_header_gets_an_answer_that_agrees_with_itself(text: StoredFile, header: str) -> None:
    request = requests.get("/")
    request.META["HTTP_RANGE"] = header
    response = serve(text, request)
    data = body(response)

    if response.status_code == 206:
        found = re.fullmatch(r"bytes (\d+)-(\d+)/1024", response["Content-Range"])
        assert found is not None
        assert data == TEXT[int(found[1]) : int(found[2]) + 1]
        assert response["Content-Length"] == str(len(data))
    else:
        assert (response.status_code, data) in {(200, TEXT), (416, b"")}


# Conditions


@pytest.mark.parametrize("known", [ETAG, f"W/{ETAG}", f"{OTHER}, {ETAG}", "*"])
def test_a_client_that_has_the_bytes_is_not_sent_them(text: StoredFile, known: str) -> None:
    response = get(text, If_None_Match=known, Range="bytes=0-1")

    assert response.status_code == 304
    assert body(response) == b""
    assert dict(response.items()) == {
        "ETag": ETAG,
        "Content-Length": "1024",
        "Cache-Control": "private, no-cache",
        "Accept-Ranges": "bytes",
    }


def test_a_client_that_has_other_bytes_is_sent_these(text: StoredFile) -> None:
    response = get(text, If_None_Match=OTHER)

    assert response.status_code == 200
    assert body(response) == TEXT


@pytest.mark.parametrize(("wanted", "status"), [(ETAG, 200), ("*", 200), (OTHER, 412), (f"W/{ETAG}", 412)])
def test_a_client_may_ask_for_certain_bytes_only(text: StoredFile, wanted: str, status: int) -> None:
    response = get(text, If_Match=wanted)

    assert response.status_code == status
    assert body(response) == (TEXT if status == 200 else b"")


def test_the_time_of_change_is_told_and_compared(text: StoredFile) -> None:
    fresh = serve(text, modified=MODIFIED)
    known = serve(text, requests.get("/", headers={"If-Modified-Since": MODIFIED_HTTP}), modified=MODIFIED)
    older = {"If-Modified-Since": "Thu, 29 Feb 2024 12:30:14 GMT"}
    changed = serve(text, requests.get("/", headers=older), modified=MODIFIED)

    assert fresh["Last-Modified"] == known["Last-Modified"] == MODIFIED_HTTP
    assert (fresh.status_code, known.status_code, changed.status_code) == (200, 304, 200)
    for response in (fresh, known, changed):
        response.close()


def test_a_time_of_change_is_never_in_the_future(text: StoredFile) -> None:
    now = datetime.now(UTC)
    with mock.patch("time.time", return_value=now.timestamp()):
        response = serve(text, modified=now + timedelta(days=1))
    response.close()

    assert response["Last-Modified"] == now.strftime("%a, %d %b %Y %H:%M:%S GMT")


# Media types


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "text/plain; charset=utf-8",
        "TEXT/CSV",
        'text/csv; header="present"',
        "image/png",
        "application/json",
    ],
)
def test_what_cannot_hold_a_script_is_shown(text: StoredFile, media_type: str) -> None:
    response = serve(text, media_type=media_type)
    response.close()

    assert response["Content-Type"] == media_type
    assert response["Content-Disposition"] == 'inline; filename="report.txt"'


@pytest.mark.parametrize(
    "media_type",
    [
        "text/html",
        "image/svg+xml",
        "application/pdf",
        "application/xml",
        "text/javascript",
        "chemical/x-pdb",
        "text/plainer",
    ],
)
def test_what_may_hold_a_script_is_saved(text: StoredFile, media_type: str) -> None:
    response = serve(text, media_type=media_type)
    response.close()

    assert response["Content-Type"] == media_type
    assert response["Content-Disposition"] == 'attachment; filename="report.txt"'


@pytest.mark.parametrize(
    "media_type",
    [
        "",
        "text",
        "text/plain, text/html",
        'text/plain; a="b, text/html"',
        "text/plain; a=b, text/html",
        "text/plain\r\nX-Evil: 1",
        "text/plain\n",
        " text/plain",
        "text/plain;",
        "text/plain; a=\u00e9",
        'text/plain; a="\U0001f600"',
    ],
)
def test_a_malformed_media_type_is_never_passed_on(text: StoredFile, media_type: str) -> None:
    response = serve(text, media_type=media_type)
    response.close()

    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"] == 'attachment; filename="report.txt"'


# File names


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.txt", "report.txt"),
        ("My report (final), 100%.tar.gz", "My report (final), 100%.tar.gz"),
        ("a;b='c'.txt", "a;b='c'.txt"),
        ("Z\u00fcrich \u65e5\u672c.csv", "Z\u00fcrich \u65e5\u672c.csv"),
        ("Zu\u0308rich.csv", "Z\u00fcrich.csv"),
        ('a"b.txt', "a_b.txt"),
        ("a\r\nSet-Cookie: x=1", "a__Set-Cookie_ x=1"),
        ("../../etc/passwd", "_._.._etc_passwd"),
        ("..\\..\\win.ini", "_._.._win.ini"),
        ("/etc/passwd", "_etc_passwd"),
        ("C:\\x.txt", "C__x.txt"),
        ("file.txt:stream", "file.txt_stream"),
        ("evil\u202etxt.exe", "evil_txt.exe"),
        ("zero\u200bwidth\ufeff", "zero_width_"),
        ("nul\0byte", "nul_byte"),
        ("lone\ud800surrogate", "lone_surrogate"),
        ("a%2fb%E2%80%AE.txt", "a_2fb_E2_80_AE.txt"),
        ("=?utf-8?B?ZXZpbA==?=", "=_utf-8_B_ZXZpbA==_="),
        (".htaccess", "_htaccess"),
        ("-rf", "_rf"),
        ("trailing. . .", "trailing"),
        ("\u00a0 spaces\u3000", "spaces"),
        ("", "file"),
        (".", "file"),
        ("..", "file"),
        ("   ", "file"),
        ("con", "_con"),
        ("LPT1.txt", "_LPT1.txt"),
        ("nul .txt", "_nul .txt"),
        ("console.txt", "console.txt"),
        ("a" * 300, "a" * 200),
        ("a" * 300 + ".fasta", "a" * 194 + ".fasta"),
        ("\u00e9" * 150 + ".txt", "\u00e9" * 98 + ".txt"),
        ("a." + "b" * 300, "a." + "b" * 198),
    ],
)
def test_a_file_name_is_made_safe(name: str, safe: str) -> None:
    assert safe_file_name(name) == safe


hostile = st.text(st.characters() | st.sampled_from(list("./\\:\"'%\r\n\0 -_conul\u202e\ud800\u0308")), max_size=300)


@given(hostile)
def test_any_file_name_becomes_one_that_no_system_takes_for_anything_else(name: str) -> None:
    safe = safe_file_name(name)

    assert safe
    assert len(safe.encode()) <= 201
    assert safe[0] not in ".- "
    assert safe[-1] not in ". "
    assert not set(safe) & set('<>:"/\\|?*')
    assert {unicodedata.category(each) for each in safe}.isdisjoint({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
    assert Path(safe).name == safe


@given(hostile)
def test_any_file_name_gives_one_header_that_reads_as_the_safe_name(text: StoredFile, name: str) -> None:
    response = serve(text, file_name=name)
    response.close()
    disposition = response["Content-Disposition"]

    assert disposition.isascii()
    assert disposition.isprintable()
    assert re.fullmatch(r"inline; (filename=\"[^\"\\]+\"|filename\*=utf-8''[A-Za-z0-9%._~-]+)", disposition)
    assert file_name_of(disposition) == safe_file_name(name)


# Servers that send files by themselves


def view(request: HttpRequest) -> HttpResponseBase:
    stored: StoredFile = request.META["stored"]
    return serve(stored, request)


urlpatterns = [path("", view)]


def through_wsgi(stored: StoredFile, **headers: str) -> tuple[str, FileWrapper]:
    """Status and body as a WSGI server gets them that has `wsgi.file_wrapper` (PEP 3333)."""
    start_response = mock.Mock()
    environ = requests.get("/").environ | {"wsgi.file_wrapper": FileWrapper, "stored": stored} | headers
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[], ALLOWED_HOSTS=["*"]):
        answer = WSGIHandler()(environ, start_response)
    assert isinstance(answer, FileWrapper)
    return start_response.call_args.args[0], answer


def test_a_server_may_send_a_whole_file_from_its_descriptor(text: StoredFile, opened: list[IO[bytes]]) -> None:
    status, answer = through_wsgi(text)

    assert status == "200 OK"
    assert answer.blksize == CHUNK
    assert answer.filelike.fileno() == opened[0].fileno()
    assert b"".join(answer) == TEXT
    answer.close()
    assert opened[0].closed


def test_a_server_cannot_send_more_than_the_range(text: StoredFile, opened: list[IO[bytes]]) -> None:
    status, answer = through_wsgi(text, HTTP_RANGE="bytes=10-19")

    assert status == "206 Partial Content"
    assert not hasattr(answer.filelike, "fileno")
    assert answer.filelike.read() == TEXT[10:20]
    assert answer.filelike.read() == b""
    answer.close()
    assert opened[0].closed
