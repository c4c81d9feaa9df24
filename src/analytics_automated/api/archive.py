"""Results as one ZIP archive that is made while it is sent (PKWARE's APPNOTE.TXT, 6.3.10)."""

import hashlib
import struct
import unicodedata
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from zipstream import ZipStream  # type: ignore[import-untyped]  # it has no annotations

from analytics_automated.api.downloads import (
    CACHING,
    HARMLESS,
    answer_unsent,
    is_head,
    open_blob,
    safe_file_name,
    without_body,
)
from analytics_automated.runs.models import Result
from analytics_automated.storage.streams import CHUNK, read_chunks

# Signature of a record, and where in it are two bytes of time and two of date: APPNOTE.TXT, 4.3.7 and 4.3.12.
_LOCAL_HEADER = (b"PK\x03\x04", 10)
_CENTRAL_HEADER = (b"PK\x01\x02", 12)
_UNCOUNTABLE = 65_535


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file of the archive."""

    path: str
    key: str
    size: int
    sha256: str
    time: bytes
    """As both kinds of header have it."""


def serve_archive(request: HttpRequest, results: Sequence[Result], *, file_name: str) -> HttpResponseBase:
    """Answer GET or HEAD with an archive of the results, in their order, streamed.

    Each is at `<public name>/<file>`, whether there are several under the name or one; see `entry_paths` for
    names that are unsafe or equal. Its time is when its step finished, in the service's time zone. No result
    at all is an empty archive.

    Files are stored, not compressed: the length is known beforehand, and told. They are opened one by one
    while the answer is read. One that is gone, or is not as long as its row says, breaks the answer off with
    FileNotFoundError or OSError: the client sees that it is too short.

    200, 304 or 412. Ranges are not served, and the ETag is weak: it stays where names, times and contents of
    the files do, but another version of what makes archives may put other bytes around them.
    """
    entries = _entries(results)
    headers = {"ETag": f'W/"{_digest(entries)}"', "Cache-Control": CACHING, "Accept-Ranges": "none"}
    length = _length(entries)
    if (unsent := answer_unsent(request, headers, length)) is not None:
        return unsent
    headers |= {
        **HARMLESS,
        "Content-Type": "application/zip",
        "Content-Disposition": content_disposition_header(True, safe_file_name(file_name)) or "attachment",
    }
    if length is not None:
        headers["Content-Length"] = str(length)
    if is_head(request):
        return without_body(200, headers)
    return StreamingHttpResponse(_in_blocks(_archive(entries)), headers=headers)


def entry_paths(results: Iterable[Result]) -> Iterator[str]:
    """A path in the archive for each: the public name, for what a run of a scattered step made that run's folder, and
    the file, each of them safe on any system (see `safe_file_name`).

    No two are equal, not even where case or the form of characters does not count: a later one gets a number,
    as in `hits/table-2.tsv`.
    """
    taken: dict[str, int] = {}
    for result in results:
        *folders, last = result.file.split("/") if result.many else [result.file]
        folder = "/".join(safe_file_name(each) for each in (result.name, *folders))
        file = PurePosixPath(safe_file_name(last))
        path = wished = f"{folder}/{file}"
        number = taken.get(_form(wished), 1)
        while _form(path) in taken:
            number += 1
            path = f"{folder}/{file.stem}-{number}{file.suffix}"
        taken[_form(wished)] = number
        taken.setdefault(_form(path), 1)
        yield path


def _form(path: str) -> str:
    """What two paths share that some file system takes for one."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", path).casefold())


def _entries(results: Sequence[Result]) -> list[_Entry]:
    prefetch_related_objects(results, "blob", "step_run")  # one query each, where the caller has not done it
    return [
        _Entry(path, result.blob.key, result.blob.size, result.blob.sha256, _dos_time(result.step_run.finished))
        for path, result in zip(entry_paths(results), results, strict=True)
    ]


def _dos_time(moment: datetime | None) -> bytes:
    """Two bytes of time and two of date (APPNOTE.TXT, 4.4.6): no zone, to two seconds, from 1980 to 2107."""
    local = None if moment is None else timezone.localtime(moment)
    if local is None or local.year < 1980:
        return struct.pack("<HH", 0, 1 << 5 | 1)
    date = min(local.year - 1980, 127) << 9 | local.month << 5 | local.day
    return struct.pack("<HH", local.hour << 11 | local.minute << 5 | local.second // 2, date)


def _digest(entries: Iterable[_Entry]) -> str:
    digest = hashlib.sha256()
    for entry in entries:
        digest.update(b"%s\n%s\n%s\n" % (entry.path.encode(), entry.sha256.encode(), entry.time.hex().encode()))
    return digest.hexdigest()


def _length(entries: Sequence[_Entry]) -> int | None:
    """Bytes of the archive; None where it is not known."""
    # zipstream-ng 1.9 writes the Zip64 end record from 65,535 entries on, but counts it from 65,536 on.
    if len(entries) == _UNCOUNTABLE:
        return None
    plan = ZipStream(sized=True)
    for entry in entries:
        plan.add(iter(()), entry.path, size=entry.size)
    return len(plan)


def _archive(entries: Sequence[_Entry]) -> Generator[bytes, None, None]:
    archive = ZipStream(sized=True)
    for entry in entries:
        with open_blob(entry.key, entry.size) as stored:
            archive.add(read_chunks(stored), entry.path, size=entry.size)
            records = archive.file()
            yield _timed(next(records), _LOCAL_HEADER, entry.time)
            yield from records
    records = archive.footer()
    for entry, record in zip(entries, records, strict=False):  # the end of the directory follows
        yield _timed(record, _CENTRAL_HEADER, entry.time)
    yield from records


def _timed(record: bytes, kind: tuple[bytes, int], time: bytes) -> bytes:
    """The record with that time. zipstream-ng knows no time but the present: pR0Ps/zipstream-ng#27."""
    signature, at = kind
    return record[:at] + time + record[at + len(time) :] if record.startswith(signature) else record


def _in_blocks(pieces: Generator[bytes, None, None]) -> Iterator[bytes]:
    """The same in pieces of at least `CHUNK`, but for the last: each is a write, and records are small."""
    block = bytearray()
    with closing(pieces):
        for piece in pieces:
            block += piece
            if len(block) >= CHUNK:
                yield bytes(block)
                block.clear()
    if block:
        yield bytes(block)
