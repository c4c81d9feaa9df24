"""Archives that callers send: taken apart before anything is checked or queued."""

import base64
import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from integration.live import Service, stored_bytes, until

FILES = {"one.txt": b"1", "folder/two.txt": b"22", "folder/deep/three.txt": b"333"}
LISTING = ["one.txt 1", "three.txt 3", "two.txt 2"]


def zipped(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()


def tarred(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return made.getvalue()


def listing(service: Service, submission: dict[str, Any]) -> list[str]:
    assert submission["status"] == "COMPLETE", submission["message"]
    return service.results(submission)["list_sent_listing"].decode().splitlines()


FORMS: list[Callable[[dict[str, bytes]], bytes]] = [
    zipped,
    tarred,
    lambda files: gzip.compress(tarred(files)),
    lambda files: bz2.compress(tarred(files)),
    lambda files: lzma.compress(tarred(files)),
]


@pytest.mark.parametrize("pack", FORMS, ids=["zip", "tar", "gz", "bz2", "xz"])
def test_an_archive_in_a_form_is_taken_apart(service: Service, pack: Callable[[dict[str, bytes]], bytes]) -> None:
    done = service.run("unpacks", files={"files": ("whatever.dat", pack(FILES))})
    assert listing(service, done) == LISTING
    assert [(each["name"], each["file"]) for each in done["inputs"]] == [
        ("files", "one.txt"),
        ("files", "two.txt"),
        ("files", "three.txt"),
    ]
    sent = {each["file"]: service.get(each["url"]).content for each in done["inputs"]}
    assert sent == {name.rpartition("/")[2]: data for name, data in FILES.items()}


def test_an_archive_in_json_is_taken_apart(service: Service) -> None:
    value = {"base64": base64.b64encode(zipped(FILES)).decode(), "file_name": "all.zip"}
    done = service.run("unpacks", json={"inputs": {"files": ["plain text", value]}})
    assert listing(service, done) == ["files.txt 10", *LISTING]


def test_archives_and_files_come_together_in_order(service: Service) -> None:
    parts = [("b.zip", zipped(FILES)), ("a.txt", b"a"), ("c.tar", tarred({"one.txt": b"another"}))]
    done = service.run("unpacks", files=[("files", part) for part in parts])
    assert [each["file"] for each in done["inputs"]] == ["one.txt", "two.txt", "three.txt", "a.txt", "one.txt"]
    assert sorted(listing(service, done)) == sorted(["5-one.txt 7", "a.txt 1", *LISTING])


def test_only_inputs_that_say_so_are_taken_apart(service: Service) -> None:
    data = zipped(FILES)
    done = service.run("keeps_packed", files={"files": ("all.zip", data)})
    assert listing(service, done) == [f"all.zip {len(data)}"]


def test_the_catalogue_tells_what_is_taken_apart(service: Service) -> None:
    assert service.get("/api/v1/jobs/unpacks").json()["inputs"][0]["unpack"] == ["zip", "tar"]
    assert service.get("/api/v1/jobs/keeps_packed").json()["inputs"][0]["unpack"] == []


def test_nothing_of_an_archive_itself_stays(service: Service, data: Path) -> None:
    random = bytes(range(256)) * 4_000
    before = stored_bytes(data)
    done = service.run("unpacks_much", files={"files": ("all.zip", zipped({"only.bin": random}))})
    assert done["status"] == "COMPLETE"
    until(lambda: stored_bytes(data) - before <= len(random) + 1_000 or None, "the archive to be removed")


@pytest.mark.usefixtures("nothing_stays")
@pytest.mark.parametrize("pack", [zipped, tarred])
@pytest.mark.parametrize(
    ("files", "status", "code", "part"),
    [
        ({"a.txt": b"a", "../b.txt": b"b"}, 422, "escaping_name", "'../b.txt' leads out"),
        ({"/etc/x": b"b"}, 422, "escaping_name", "leads out"),
        ({f"{number}.txt": b"x" for number in range(7)}, 422, "too_many", "more files than"),
        ({"a.txt": b"a", "large.txt": b"x" * 10_001}, 413, "too_large", "'large.txt' is larger than 10KB"),
        ({"__MACOSX/a.txt": b"a"}, 422, "empty", "holds no file"),
        ({"a.txt": b"a", "b.txt": b"\x00\xff"}, 422, "invalid_data", "b.txt"),
    ],
)
def test_what_is_wrong_in_an_archive_is_said(
    service: Service,
    pack: Callable[[dict[str, bytes]], bytes],
    files: dict[str, bytes],
    status: int,
    code: str,
    part: str,
) -> None:
    answer = service.post("unpacks", files={"files": ("mine.archive", pack(files))})
    assert answer.status_code == status, answer.text
    (error,) = answer.json()["errors"]
    assert (error["in"], error["name"], error["code"]) == ("inputs", "files", code)
    assert part in error["message"]
    assert code == "invalid_data" or error["message"].startswith("has an archive, 'mine.archive', ")


@pytest.mark.usefixtures("nothing_stays")
def test_a_bomb_does_not_go_off(service: Service) -> None:
    """The bound is on what comes out of all archives of a request together: here AA_MAX_REQUEST_SIZE is 40 MB."""
    bomb = zipped({f"{number}.bin": bytes(25_000_000) for number in range(2)})
    assert len(bomb) < 100_000
    answer = service.post("unpacks_much", files={"files": ("bomb.zip", bomb)})
    assert answer.status_code == 413
    one = zipped({"1.bin": bytes(25_000_000)})
    parts = [("files", (f"{number}.zip", one)) for number in range(2)]
    assert service.post("unpacks_much", files=parts).status_code == 413


@pytest.mark.usefixtures("nothing_stays")
def test_links_damage_and_encryption_are_refused(service: Service) -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        info = tarfile.TarInfo("passwd")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(info)
    encrypted = bytearray(zipped({"a.txt": b"a"}))
    encrypted[encrypted.index(b"PK\x01\x02") + 8] |= 1
    cut = tarred({"a.txt": b"a" * 3000})[:2000]
    for data, code in ((made.getvalue(), "no_plain_file"), (bytes(encrypted), "encrypted"), (cut, "damaged")):
        answer = service.post("unpacks", files={"files": ("x", data)})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code)


@pytest.mark.usefixtures("nothing_stays")
def test_what_only_begins_like_an_archive_is_a_file_within_its_bounds(service: Service) -> None:
    data = gzip.compress(bytes(range(256)) * 10_000, 0)
    answer = service.post("unpacks", files={"files": ("x.gz", data)})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (413, "too_large")
