import hashlib
import io
import re
import shutil
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from unittest import mock

import pytest
import zipstream.ng  # type: ignore[import-untyped]  # it has no annotations
from django.http import HttpResponseBase
from django.test import RequestFactory, override_settings
from hypothesis import given
from hypothesis import strategies as st

from analytics_automated.api import archive, downloads
from analytics_automated.api.archive import entry_paths, serve_archive
from analytics_automated.runs.models import Result, StepRun
from analytics_automated.storage.models import Blob
from analytics_automated.storage.streams import CHUNK, open_stored, store

FINISHED = datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC)
requests = RequestFactory()


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    location = tmp_path_factory.mktemp("blobs")
    blobs = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": location}}
    with override_settings(STORAGES={"blobs": blobs}, TIME_ZONE="UTC"):
        yield location


@pytest.fixture
def opened() -> Iterator[list[IO[bytes]]]:
    """The files that answers opened."""
    files: list[IO[bytes]] = []

    def remember(key: str) -> IO[bytes]:
        files.append(open_stored(key))
        return files[-1]

    with mock.patch.object(downloads, "open_stored", remember):
        yield files


def result(
    name: str = "hits",
    file: str = "hits.tsv",
    data: bytes | Iterator[bytes] = b"A\t1\n",
    finished: datetime | None = FINISHED,
) -> Result:
    """A Result that is in no database, of bytes that are in the storage."""
    stored = store([data] if isinstance(data, bytes) else data, "test")
    blob = Blob(sha256=stored.sha256, size=stored.size, key=stored.key)
    return Result(name=name, file=file, blob=blob, step_run=StepRun(finished=finished))


def named(name: str, file: str) -> Result:
    """A Result of which only the names matter."""
    return Result(name=name, file=file)


def get(results: Sequence[Result], **headers: str) -> HttpResponseBase:
    request = requests.get("/", headers={name.replace("_", "-"): each for name, each in headers.items()})
    return serve_archive(request, results, file_name="results.zip")


def body(response: HttpResponseBase) -> bytes:
    data = b"".join(response)
    response.close()
    return data


def read(response: HttpResponseBase) -> dict[str, bytes]:
    """The archive's files, each checked against its CRC."""
    with zipfile.ZipFile(io.BytesIO(body(response))) as unpacked:
        return {name: unpacked.read(name) for name in unpacked.namelist()}


# What is in an archive


def test_an_archive_holds_every_result_in_a_folder_of_its_public_name() -> None:
    results = [
        result("hits", "hits.tsv", b"A\t1\n"),
        result("pictures", "a.png", b"\x89PNG"),
        result("pictures", "b.png", bytes(CHUNK + 1)),
        result("empty", "nothing.txt", b""),
    ]

    assert read(get(results)) == {
        "hits/hits.tsv": b"A\t1\n",
        "pictures/a.png": b"\x89PNG",
        "pictures/b.png": bytes(CHUNK + 1),
        "empty/nothing.txt": b"",
    }


def test_no_result_is_a_valid_empty_archive() -> None:
    response = get([])

    assert response["Content-Length"] == "22"
    assert read(response) == {}


testers = [[sys.executable, "-m", "zipfile", "-t"]] + ([["unzip", "-t"]] if shutil.which("unzip") else [])


@pytest.mark.parametrize("tester", testers, ids=" ".join)
def test_other_programs_find_nothing_wrong(tester: list[str], tmp_path: Path) -> None:
    results = [result("hits", "Zürich 日本.tsv"), result("empty", "x", b""), result("big", "x", bytes(3 * CHUNK))]
    (tmp_path / "results.zip").write_bytes(body(get(results)))
    tested = subprocess.run([*tester, "results.zip"], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_a_file_has_the_time_at_which_its_step_finished() -> None:
    response = get(
        [
            result("new"),
            result("old", finished=datetime(1979, 1, 1, tzinfo=UTC)),
            result("none", finished=None),
        ]
    )
    data = body(response)

    with zipfile.ZipFile(io.BytesIO(data)) as unpacked:
        told = [each.date_time for each in unpacked.infolist()]
        first = unpacked.infolist()[0]
    assert told == [(2024, 2, 29, 12, 30, 14), (1980, 1, 1, 0, 0, 0), (1980, 1, 1, 0, 0, 0)]
    in_directory = data.index(b"PK\x01\x02") + 12
    in_front = first.header_offset + 10
    assert data[in_front : in_front + 4] == data[in_directory : in_directory + 4]


def test_a_time_is_the_one_of_the_clock_where_the_service_is() -> None:
    with (
        override_settings(TIME_ZONE="Asia/Tokyo"),
        zipfile.ZipFile(io.BytesIO(body(get([result()])))) as unpacked,
    ):
        assert unpacked.infolist()[0].date_time == (2024, 2, 29, 21, 30, 14)


def test_the_same_results_are_the_same_bytes_at_any_time() -> None:
    results = [result("a"), result("b")]
    with mock.patch("time.localtime", return_value=(1999, 12, 31, 23, 59, 59, 4, 365, 0)):
        earlier = body(get(results))

    assert earlier == body(get(results))


def test_large_files_pass_through_little_memory() -> None:
    piece = b"ACDEFGHIKLMNPQRSTVWY" * 52_429
    results = [result("large", f"{number}", (piece for _ in range(32))) for number in range(2)]
    length = 0

    tracemalloc.start()
    try:
        response = get(results)
        for each in response:
            length += len(each)
            assert len(each) < 3 * CHUNK
        response.close()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert length > 64_000_000
    assert str(length) == response["Content-Length"]
    assert peak < 8 * CHUNK


# Names


@pytest.mark.parametrize(
    ("names", "paths"),
    [
        (
            [("hits", "t.tsv"), ("hits", "t.tsv"), ("hits", "t.tsv")],
            ["hits/t.tsv", "hits/t-2.tsv", "hits/t-3.tsv"],
        ),
        ([("hits", "t.tsv"), ("HITS", "T.TSV")], ["hits/t.tsv", "HITS/T-2.TSV"]),
        ([("a", "x"), ("a", "x-2"), ("a", "x"), ("a", "x-2")], ["a/x", "a/x-2", "a/x-3", "a/x-2-2"]),
        ([("a", "stra\u00dfe"), ("a", "STRASSE")], ["a/stra\u00dfe", "a/STRASSE-2"]),
        ([("a", "\u00e9"), ("a", "e\u0301")], ["a/\u00e9", "a/\u00e9-2"]),
        ([("a", "\ufb01le"), ("a", "file")], ["a/\ufb01le", "a/file-2"]),
        ([("..", "../../etc/passwd")], ["file/_._.._etc_passwd"]),
        ([("/a", "/etc/passwd"), ("C:", "C:\\x")], ["_a/_etc_passwd", "C_/C__x"]),
        ([("a/b", "c\\d")], ["a_b/c_d"]),
        ([("", "")], ["file/file"]),
        ([("a", ".bashrc"), ("a", "_bashrc")], ["a/_bashrc", "a/_bashrc-2"]),
    ],
)
def test_paths_are_safe_and_differ(names: list[tuple[str, str]], paths: list[str]) -> None:
    assert list(entry_paths(named(*each) for each in names)) == paths


hostile = st.text(st.sampled_from(list("aAbB.-_/\\: 2\0\r\u00df\u017f\u202e\ud800\u0308\u00e4")), max_size=6)


@given(st.lists(st.builds(named, hostile, hostile), max_size=30))
def test_whatever_the_names_no_path_leads_out_or_meets_another(results: list[Result]) -> None:
    paths = list(entry_paths(results))

    assert len(paths) == len(results)
    assert len({each.lower() for each in paths}) == len({each.casefold() for each in paths}) == len(paths)
    for each in paths:
        folder, file = each.split("/")
        assert folder not in {"", ".", ".."}
        assert file not in {"", ".", ".."}
        assert not re.search(r"[\\:\0-\x1f]", each)


def test_ten_thousand_files_of_one_name_are_told_apart() -> None:
    paths = list(entry_paths(named("scattered", "out.txt") for _ in range(10_000)))

    assert paths[0] == "scattered/out.txt"
    assert paths[-1] == "scattered/out-10000.txt"
    assert len(set(paths)) == 10_000


def test_an_archive_of_hostile_names_unpacks_into_its_folder(tmp_path: Path) -> None:
    names = ["../x", "/x", "..\\x", "a\0b", "con", "-rf", ".", "a" * 255, "\u202e", "\u65e5" * 255]
    response = get([result(name, name, name.encode()) for name in names])
    inside = tmp_path / "inside"
    with zipfile.ZipFile(io.BytesIO(body(response))) as unpacked:
        unpacked.extractall(inside)

    assert list(tmp_path.iterdir()) == [inside]
    contents = [each.read_bytes().decode() for each in inside.glob("*/*") if each.is_file()]
    assert sorted(contents) == sorted(names)


# Headers


def test_an_archive_is_told_of_before_it_is_sent() -> None:
    response = get([result("hits", "日本.tsv"), result("hits", "b.tsv", bytes(99))])
    length = len(body(response))

    assert response.status_code == 200
    assert dict(response.items()) == {
        "Content-Type": "application/zip",
        "Content-Length": str(length),
        "Content-Disposition": 'attachment; filename="results.zip"',
        "ETag": response["ETag"],
        "Accept-Ranges": "none",
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    }
    assert re.fullmatch(r'W/"[0-9a-f]{64}"', response["ETag"])


def test_a_range_of_an_archive_is_the_whole() -> None:
    response = get([result()], Range="bytes=0-1")

    assert response.status_code == 200
    assert list(read(response)) == ["hits/hits.tsv"]


def test_head_has_the_headers_of_get_and_opens_nothing(opened: list[IO[bytes]]) -> None:
    results = [result()]
    response = serve_archive(requests.head("/"), results, file_name="results.zip")

    assert response.status_code == 200
    assert body(response) == b""
    assert dict(response.items()) == dict(get(results).items())
    assert not opened


def test_a_client_that_has_the_archive_is_not_sent_it(opened: list[IO[bytes]]) -> None:
    results = [result()]
    etag = get(results)["ETag"]
    response = get(results, If_None_Match=etag)

    assert response.status_code == 304
    assert response["ETag"] == etag
    assert response["Content-Length"] == get(results)["Content-Length"]
    assert body(response) == b""
    assert not opened


def test_a_weak_etag_is_never_certain_enough_for_if_match() -> None:
    results = [result()]

    assert get(results, If_Match=get(results)["ETag"]).status_code == 412


def test_the_etag_changes_with_names_contents_times_and_order() -> None:
    one, two = result("a", "1", b"1"), result("b", "2", b"2")
    archives = [
        [],
        [one],
        [two],
        [one, two],
        [two, one],
        [result("a", "1", b"2")],
        [result("a", "2", b"1")],
        [result("b", "1", b"1")],
        [result("a", "1", b"1", finished=datetime(2024, 3, 1, tzinfo=UTC))],
    ]

    assert len({get(each)["ETag"] for each in archives}) == len(archives)
    assert get([one])["ETag"] == get([result("a", "1", b"1")])["ETag"]


def test_a_hostile_name_of_the_archive_stays_in_its_header() -> None:
    response = serve_archive(requests.get("/"), [], file_name='a"\r\nX-Evil: 1/../b.zip')
    response.close()

    assert response["Content-Disposition"] == 'attachment; filename="a___X-Evil_ 1_.._b.zip"'


# Zip64: APPNOTE.TXT, 4.3.9.2, 4.3.14 and 4.5.3


def test_files_too_large_for_old_archives_have_the_length_that_was_told() -> None:
    results = [result("a", "x", bytes(3000)), result("a", "y", b"y"), result("b", "x", bytes(2000))]
    with mock.patch.object(zipstream.ng, "ZIP64_LIMIT", 2500):
        response = get(results)
        data = body(response)

    assert response["Content-Length"] == str(len(data))
    assert b"PK\x06\x06" in data  # the Zip64 end of the directory
    with zipfile.ZipFile(io.BytesIO(data)) as unpacked:
        assert unpacked.testzip() is None
        assert [each.file_size for each in unpacked.infolist()] == [3000, 1, 2000]
        assert {each.date_time for each in unpacked.infolist()} == {(2024, 2, 29, 12, 30, 14)}


@pytest.mark.parametrize(("count", "is_told"), [(2, True), (3, False), (4, True)])
def test_the_length_is_told_but_for_the_one_number_of_files_where_it_is_not_known(count: int, is_told: bool) -> None:
    limit = mock.patch.object(zipstream.ng, "ZIP_FILECOUNT_LIMIT", 3)
    with limit, mock.patch.object(archive, "_UNCOUNTABLE", 3):
        response = get([result("a", str(number)) for number in range(count)])
        data = body(response)

    assert response.get("Content-Length") == (str(len(data)) if is_told else None)
    assert (b"PK\x06\x06" in data) is (count >= 3)
    with zipfile.ZipFile(io.BytesIO(data)) as unpacked:
        assert len(unpacked.infolist()) == count


@given(
    st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5), st.binary(max_size=40)), max_size=8),
    st.integers(1, 300),
)
def test_the_length_that_is_told_is_the_length_that_is_sent(files: list[tuple[str, str, bytes]], limit: int) -> None:
    with mock.patch.object(zipstream.ng, "ZIP64_LIMIT", limit):
        response = get([result(*each) for each in files])
        data = body(response)

    assert response["Content-Length"] == str(len(data))
    with zipfile.ZipFile(io.BytesIO(data)) as unpacked:
        assert [unpacked.read(each) for each in unpacked.infolist()] == [content for *_, content in files]


# When files are opened and closed


def test_files_are_opened_one_after_the_other_and_closed(opened: list[IO[bytes]]) -> None:
    response = get([result("a", str(number), bytes([number]) * CHUNK) for number in range(3)])
    pieces = iter(response)
    assert not opened

    next(pieces)
    assert [each.closed for each in opened] == [False]
    next(pieces)
    assert [each.closed for each in opened] == [True, False]
    assert sum(map(len, pieces)) > CHUNK
    assert [each.closed for each in opened] == [True, True, True]
    response.close()


def test_the_open_file_is_closed_where_the_client_goes_away(opened: list[IO[bytes]]) -> None:
    response = get([result("a", "1", bytes(4 * CHUNK)), result("a", "2")])
    next(iter(response))
    response.close()

    assert [each.closed for each in opened] == [True]


def test_a_file_that_is_gone_breaks_the_answer_off(folder: Path, opened: list[IO[bytes]]) -> None:
    results = [result("a", "1", bytes(CHUNK)), result("a", "2")]
    (folder / results[1].blob.key).unlink()
    response = get(results)
    pieces = iter(response)

    sent = next(pieces)
    with pytest.raises(FileNotFoundError):
        next(pieces)
    response.close()
    assert len(sent) < int(response["Content-Length"])
    assert [each.closed for each in opened] == [True]


def test_a_file_that_was_cut_off_breaks_the_answer_off(folder: Path) -> None:
    one = result("a", "1", b"12345")
    (folder / one.blob.key).write_bytes(b"123")

    with pytest.raises(OSError, match="should be 5, and are 3"):
        body(get([one]))


def test_a_digest_can_be_checked_after_unpacking() -> None:
    one = result("a", "1", bytes(range(256)))

    assert hashlib.sha256(read(get([one]))["a/1"]).hexdigest() == one.blob.sha256
