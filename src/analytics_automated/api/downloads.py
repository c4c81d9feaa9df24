"""Stored bytes over HTTP: whole, in part, or not at all where the client has them, by RFC 9110."""

import base64
import re
import time
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import IO

import regex
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header, http_date

from analytics_automated.storage.streams import CHUNK, blob_storage, open_stored

CACHING = "private, no-cache"
"""Results never change, but may be deleted, and not all may read them: a copy is asked about before use."""
INLINE = frozenset(
    {
        "application/json",
        "image/gif",
        "image/jpeg",
        "image/png",
        "image/webp",
        "text/csv",
        "text/plain",
        "text/tab-separated-values",
    }
)
"""Media types that a browser may show by itself. None of them can hold a script."""
HARMLESS = {
    "X-Content-Type-Options": "nosniff",
    # Whatever shows it, and however: it has no origin, no script, no form, and loads nothing.
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
}
"""What keeps a file that a user or a program made from acting as a page of this service."""

# RFC 9110, section 14.1.1: int-range or suffix-range. A longer number is no position in any file, and int()
# may refuse it; a Range header may always be ignored.
_RANGE = re.compile(r"([0-9]{1,19})-([0-9]{0,19})|-([0-9]{1,19})")
# RFC 9110, section 8.3.1. Never a comma, not even in quotes: some clients would read a second media type.
_TOKEN = r"[A-Za-z0-9!#$&^_.+-]+"  # noqa: S105 -- RFC 9110's own word
_MEDIA_TYPE = re.compile(rf'({_TOKEN}/{_TOKEN})(?:[ \t]*;[ \t]*{_TOKEN}=(?:{_TOKEN}|"[ !#-+\--\[\]-~]*"))*')

# Control, format (bidi) and unassigned characters, surrogates, line ends; what is special on some file
# system; and escapes, which some browsers decode (RFC 6266, appendix D).
_UNSAFE = regex.compile(r'[\p{C}\p{Zl}\p{Zp}<>:"/\\|?*]|%(?=[0-9A-Fa-f]{2})')
_SPACES = regex.compile(r"\p{Zs}")
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]) *(\.|\Z)", re.IGNORECASE)
_LONGEST = 200
_LONGEST_ENDING = 20


def serve_blob(
    request: HttpRequest,
    *,
    key: str,
    size: int,
    sha256: str,
    media_type: str,
    file_name: str,
    modified: datetime | None = None,
) -> HttpResponseBase:
    """Answer GET or HEAD with the stored bytes of that key, as pieces of at most `CHUNK` bytes.

    `size` in bytes and `sha256` in hexadecimal are what is known of the bytes. `file_name` may hold anything:
    see `safe_file_name`. A malformed `media_type` becomes `application/octet-stream`.

    200, 206 for a single range, 304, 412, or 416; the last three have no body. Several ranges in one request,
    a malformed range, and one with an `If-Range` that is not exactly the current ETag, are answered with the
    whole.

    Raises FileNotFoundError where the bytes are gone, and OSError where there are more or fewer than `size`:
    in either case before anything of the answer exists. The file is closed with the answer.
    """
    stored = open_blob(key, size)
    try:
        response = _answer(request, stored, size, sha256, _representation(media_type, file_name), modified)
    except BaseException:
        stored.close()
        raise
    if not response.streaming:
        stored.close()
    return response


def open_blob(key: str, size: int) -> IO[bytes]:
    """The stored bytes of that key, for reading from the start; seekable.

    Raises FileNotFoundError where there are none, OSError where there are not `size` of them.
    """
    found = blob_storage().size(key)
    if found != size:
        raise OSError(f"the stored bytes {key} should be {size}, and are {found}")
    return open_stored(key)


def select_range(header: str, size: int) -> range | None:
    """The positions that a `Range` header selects of `size` bytes (RFC 9110, section 14.2).

    Empty where the range cannot be satisfied. None where the header is to be ignored: another unit,
    malformed, several ranges, or the end of no bytes at all, which can be satisfied, but not written as a
    `Content-Range`.
    """
    unit, _, ranges = header.partition("=")
    listed = [each for each in (each.strip(" \t") for each in ranges.split(",")) if each]
    match = _RANGE.fullmatch(listed[0]) if unit.lower() == "bytes" and len(listed) == 1 else None
    if match is None:
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        return None if int(suffix) and not size else range(max(size - int(suffix), 0), size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1, size) if last else size)


def safe_file_name(name: str) -> str:
    """The name as a file's on any system, whatever it was; never empty, and at most 201 bytes of UTF-8.

    One path component without double quotes, separators, control or bidirectional characters; it does not
    begin with a dot or hyphen, end with a dot or space, or mean a device. What had to go became `_`.
    """
    clean = _SPACES.sub(" ", _UNSAFE.sub("_", unicodedata.normalize("NFC", name))).strip(" ")
    clean = _shortened(clean).rstrip(". ") or "file"
    if clean[0] in ".-":
        clean = f"_{clean[1:]}"
    return f"_{clean}" if _DEVICE.match(clean) else clean


def answer_unsent(
    request: HttpRequest, headers: Mapping[str, str], length: int | None, modified: int | None = None
) -> HttpResponse | None:
    """304 or 412 with these headers where the preconditions say so (RFC 9110, section 13), else None.

    `headers` have the ETag. `length` is that of the whole in bytes, where it is known; `modified` is the time of
    Last-Modified in seconds since 1970.
    """
    found = get_conditional_response(request, etag=headers["ETag"], last_modified=modified)
    if found is None:
        return None
    if found.status_code == 304 and length is not None:
        # Section 8.6: no other length may stand here. Django's CommonMiddleware would say 0.
        headers = {**headers, "Content-Length": str(length)}
    return without_body(found.status_code, headers)


def without_body(status: int, headers: Mapping[str, str]) -> HttpResponse:
    """An answer of these headers alone."""
    response = HttpResponse(status=status, headers=dict(headers))
    if "Content-Type" not in headers:
        del response["Content-Type"]
    return response


def is_head(request: HttpRequest) -> bool:
    """True where the client said HEAD, also where a middleware lets `method` say GET to find the view."""
    return bool(request.META.get("REQUEST_METHOD") == "HEAD")


class _StoredBytes(FileResponse):
    """A file as it is, under the headers that it is given: nothing is guessed, nor sought, in it."""

    block_size = CHUNK

    def set_headers(self, filelike: object) -> None:
        """None but those that were given."""


class _Part:
    """The next bytes of a file, as a file that ends after them.

    It has no `fileno`: a server that sends files by itself might not stop there.
    """

    def __init__(self, whole: IO[bytes], length: int) -> None:
        self.whole = whole
        self.left = length

    def read(self, size: int = -1) -> bytes:
        """Up to that many bytes; all that are left where it is negative."""
        data = self.whole.read(self.left if size < 0 else min(size, self.left))
        self.left -= len(data)
        return data

    def close(self) -> None:
        """Close the whole file."""
        self.whole.close()


def _answer(
    request: HttpRequest,
    stored: IO[bytes],
    size: int,
    sha256: str,
    representation: Mapping[str, str],
    modified: datetime | None,
) -> HttpResponseBase:
    headers = {"ETag": f'"{sha256}"', "Cache-Control": CACHING, "Accept-Ranges": "bytes"}
    seconds = None
    if modified is not None:
        # RFC 9110, section 8.8.2.1: never later than now. The clock of whoever wrote it may be ahead.
        seconds = min(int(modified.timestamp()), int(time.time()))
        headers["Last-Modified"] = http_date(seconds)
    if (unsent := answer_unsent(request, headers, size, seconds)) is not None:
        return unsent
    part = None if is_head(request) else _wanted(request, size, headers["ETag"])
    if part is not None and not part:
        return without_body(416, headers | {"Content-Range": f"bytes */{size}"})

    # RFC 9530, section 3: the digest is of the whole, also where a part is sent.
    digest = base64.b64encode(bytes.fromhex(sha256)).decode()
    headers |= {**representation, "Repr-Digest": f"sha-256=:{digest}:"}
    if is_head(request):
        return without_body(200, headers | {"Content-Length": str(size)})
    if part is None:
        return _StoredBytes(stored, headers=headers | {"Content-Length": str(size)})
    stored.seek(part.start)
    headers |= {"Content-Range": f"bytes {part[0]}-{part[-1]}/{size}", "Content-Length": str(len(part))}
    return _StoredBytes(_Part(stored, len(part)), status=206, headers=headers)


def _wanted(request: HttpRequest, size: int, etag: str) -> range | None:
    """What `Range` selects, unless `If-Range` is of other bytes (RFC 9110, section 13.1.5).

    A date there counts as other bytes: to a second, it is no strong validator.
    """
    if request.headers.get("If-Range", etag).strip() != etag:
        return None
    return select_range(request.headers.get("Range", ""), size)


def _representation(media_type: str, file_name: str) -> dict[str, str]:
    match = _MEDIA_TYPE.fullmatch(media_type)
    is_inline = match is not None and match[1].lower() in INLINE
    return {
        **HARMLESS,
        "Content-Type": "application/octet-stream" if match is None else media_type,
        "Content-Disposition": content_disposition_header(not is_inline, safe_file_name(file_name)) or "attachment",
    }


def _shortened(name: str) -> str:
    if len(name.encode()) <= _LONGEST:
        return name
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending.encode()) > _LONGEST_ENDING:
        stem, dot, ending = name, "", ""
    return stem.encode()[: _LONGEST - len((dot + ending).encode())].decode(errors="ignore") + dot + ending
