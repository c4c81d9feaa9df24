"""Archives that callers send, friendly and hostile: what comes out, what is refused, and that nothing stays then."""

import bz2
import gzip
import io
import lzma
import resource
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable

import pytest

from analytics_automated.runs import archives
from analytics_automated.runs.archives import UnfitArchive, recognize
from analytics_automated.runs.unpacking import Bounds, unpack
from analytics_automated.storage.streams import blob_storage, open_stored, remove

BOTH = ("zip", "tar")
BOUNDS = Bounds(most_files=10, largest_file=2_000_000, total=5_000_000)
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
}
FILES = {"a.txt": b"A" * 3000, "deep/er/b.txt": b"B", "empty.txt": b"", "ü ß.txt": b"\x00\xff"}


def make_zip(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()


def make_tar(files: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=form) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return made.getvalue()


def tar_of(*members: tarfile.TarInfo) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for member in members:
            archive.addfile(member)
    return made.getvalue()


def member(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def stored_files() -> list[str]:
    storage = blob_storage()
    return [f"{folder}/{name}" for folder in storage.listdir("")[0] for name in storage.listdir(folder)[1]]


def take(data: bytes, bounds: Bounds = BOUNDS) -> dict[str, bytes]:
    """What comes out, by name; the storage is as it was before."""
    archive = io.BytesIO(data)
    kind = recognize(archive, BOTH)
    assert kind is not None
    found = unpack(archive, kind, bounds, "test")
    taken = {}
    for each in found:
        with open_stored(each.stored.key) as file:
            taken[each.file] = file.read()
    remove(each.stored.key for each in found)
    return taken


def refusal(data: bytes, bounds: Bounds = BOUNDS) -> UnfitArchive:
    before = sorted(stored_files())
    with pytest.raises(UnfitArchive) as unfit:
        take(data, bounds)
    assert sorted(stored_files()) == before, "nothing of it stays"
    return unfit.value


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_tar_is_taken_apart(compression: str, form: int) -> None:
    taken = take(COMPRESSIONS[compression](make_tar(FILES, form)))
    assert taken == {name.rpartition("/")[2]: data for name, data in FILES.items()}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_is_taken_apart(method: int) -> None:
    assert take(make_zip(FILES, method)) == {name.rpartition("/")[2]: data for name, data in FILES.items()}


def test_several_streams_of_xz_are_one_file() -> None:
    tar = make_tar(FILES)
    assert len(take(lzma.compress(tar[:1000]) + lzma.compress(tar[1000:]))) == len(FILES)


def test_long_names_are_kept() -> None:
    name = "x" * 300 + ".txt"
    assert take(make_tar({name: b"1"})) == {name: b"1"} == take(make_tar({name: b"1"}, tarfile.GNU_FORMAT))


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_what_nobody_means_is_passed_over(make: Callable[[dict[str, bytes]], bytes]) -> None:
    files = {
        "folder/": b"",
        "folder/a.txt": b"a",
        "folder/.DS_Store": b"x" * 3_000_000,
        "folder/._a.txt": b"x",
        "__MACOSX/folder/a.txt": b"x",
        ".DS_Store": b"x",
        "folder/.hidden": b"h",
    }
    if make is make_tar:
        files.pop("folder/")
    assert take(make(files)) == {"a.txt": b"a", ".hidden": b"h"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b">seq\nACGT\n",
        b"\0" * 10_240,
        gzip.compress(b">seq\nACGT\n"),
        b"BZh9 is how this text begins",
        b"\x1f\x8b\x08 or so",
        b"\xfd7zXZ\x00 or so",
        make_tar(FILES)[:400],
        b"text before" + make_zip(FILES),
    ],
)
def test_what_is_no_archive_is_an_ordinary_file(data: bytes) -> None:
    assert recognize(io.BytesIO(data), BOTH) is None


def test_only_the_kinds_that_are_asked_for_are_archives() -> None:
    assert recognize(io.BytesIO(make_zip(FILES)), ["tar"]) is None
    assert recognize(io.BytesIO(make_tar(FILES)), ["zip"]) is None
    assert recognize(io.BytesIO(gzip.compress(make_tar(FILES))), ["zip"]) is None


@pytest.mark.parametrize("make", [make_zip, make_tar])
@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../x.txt", "a/../../x.txt", "..", "C:\\x.txt", "c:x", "\\x.txt", "a\\..\\..\\x.txt"]
)
def test_names_that_lead_out_are_refused(make: Callable[[dict[str, bytes]], bytes], name: str) -> None:
    assert refusal(make({"a.txt": b"a", name: b"x"})).code == "escaping_name"


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (tarfile.SYMTYPE, "a link"),
        (tarfile.LNKTYPE, "a link"),
        (tarfile.FIFOTYPE, "neither"),
        (tarfile.CHRTYPE, "neither"),
        (tarfile.BLKTYPE, "neither"),
        (b"Z", "neither"),
    ],
)
def test_links_and_devices_of_a_tar_are_refused(kind: bytes, word: str) -> None:
    unfit = refusal(tar_of(member("a", tarfile.REGTYPE), member("b", kind, "/etc/passwd")))
    assert unfit.code == "no_plain_file"
    assert word in unfit.what
    assert "/etc" not in unfit.what


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_links_and_devices_of_a_zip_are_refused(kind: int) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = (kind | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    assert refusal(made.getvalue()).code == "no_plain_file"


def test_an_encrypted_zip_is_refused() -> None:
    data = bytearray(make_zip({"a.txt": b"a"}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert refusal(bytes(data)).code == "encrypted"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compression_that_cannot_be_bounded_is_refused(method: int) -> None:
    assert "a way that is not taken" in refusal(make_zip({"a.txt": b"a"}, method)).what


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_bounds_are_on_what_comes_out(make: Callable[[dict[str, bytes]], bytes]) -> None:
    many = {f"{number}.txt": b"x" for number in range(11)}
    unfit = refusal(make(many))
    assert (unfit.code, unfit.limit) == ("too_many", 10)
    unfit = refusal(make({"a.txt": b"a", "large.txt": b"x" * 2_000_001}))
    assert (unfit.code, unfit.limit) == ("too_large", 2_000_000)
    assert "'large.txt' is larger than 2MB" in unfit.what
    unfit = refusal(make({f"{number}.txt": b"x" * 1_900_000 for number in range(3)}))
    assert (unfit.code, unfit.limit) == ("too_large", 5_000_000)


def test_an_archive_without_files_is_refused() -> None:
    assert refusal(make_zip({})).code == "empty"
    assert refusal(tar_of(member("folder", tarfile.DIRTYPE))).code == "empty"


@pytest.mark.parametrize("pack", [COMPRESSIONS["gz"], COMPRESSIONS["bz2"], COMPRESSIONS["xz"]])
def test_a_bomb_of_files_that_are_passed_over_does_not_go_off(pack: Callable[[bytes], bytes]) -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        info = tarfile.TarInfo(".DS_Store")
        info.size = 60_000_000
        archive.addfile(info, io.BytesIO(bytes(info.size)))
    unfit = refusal(pack(made.getvalue()))
    assert (unfit.code, unfit.limit) == ("too_large", 5_000_000)


def test_a_zip_that_claims_to_be_small_is_damaged() -> None:
    data = bytearray(make_zip({"a.txt": b"x" * 3_000_000}))
    place = data.index(b"PK\x01\x02")
    data[place + 24 : place + 28] = struct.pack("<I", 10)
    assert refusal(bytes(data)).code == "damaged"


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_a_header_of_any_size_is_not_read_into_memory(kind: bytes) -> None:
    header = member("h", kind)
    header.size = 3_000_000_000
    block = header.tobuf(tarfile.GNU_FORMAT)
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as out:
        out.write(block)
        for _ in range(300):
            out.write(bytes(1_000_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert refusal(packed.getvalue()).code == "damaged"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000, "kilobytes"


def test_sparse_files_are_refused() -> None:
    header = member("s", tarfile.GNUTYPE_SPARSE)
    block = bytearray(header.tobuf(tarfile.GNU_FORMAT))
    block[386:410] = b"00000000000\x0000000001000\x00"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    assert refusal(bytes(block) + bytes(20_480)).code == "damaged"


def test_headers_within_headers_end() -> None:
    nested = member("n", tarfile.GNUTYPE_LONGNAME)
    nested.size = 1
    block = nested.tobuf(tarfile.GNU_FORMAT) + b"n".ljust(512, b"\0")
    assert refusal(block * 1500).code == "damaged"


def test_entries_are_counted_whatever_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_ENTRIES", 50)
    folders = tar_of(*(member(f"d{number}", tarfile.DIRTYPE) for number in range(51)))
    assert refusal(folders).code == "too_many"
    assert refusal(make_zip({f"d{number}/": b"" for number in range(51)})).code == "too_many"


def test_a_directory_of_any_size_is_not_read_into_memory() -> None:
    data = make_zip({"a.txt": b"a"})
    end = data.rindex(b"PK\x05\x06")
    directory = b"PK\x01\x02" + bytes(42)
    many = directory * 100_000
    start = data.index(b"PK\x01\x02")
    counts = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, len(many), start, 0)
    assert end
    assert refusal(data[:start] + many + counts).code == "too_many"


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_tar_that_is_cut_off_anywhere_is_no_complete_one(compression: str) -> None:
    whole = COMPRESSIONS[compression](make_tar({"a.txt": zlib.compress(bytes(range(256)) * 50), "b.txt": b"b" * 2000}))
    tar_ends = len(make_tar({})) if compression == "plain" else 0
    for length in range(520, len(whole) - tar_ends, 97):
        archive = io.BytesIO(whole[:length])
        if recognize(archive, BOTH):
            assert refusal(whole[:length]).code in {"damaged", "empty"}, length


def test_a_damaged_header_is_no_end() -> None:
    data = bytearray(make_tar({"a.txt": b"a", "b.txt": b"b"}))
    data[1024 + 3] ^= 0xFF
    assert refusal(bytes(data)).code == "damaged"


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_no_damage_brings_about_anything_else(make: Callable[[dict[str, bytes]], bytes]) -> None:
    whole = make({"a.txt": b"hello" * 100, "b/c.txt": b"c"})
    for place in range(0, len(whole), 3):
        data = bytearray(whole)
        data[place] ^= 0xFF
        archive = io.BytesIO(bytes(data))
        kind = recognize(archive, BOTH)
        if kind is not None:
            try:
                take(bytes(data))
            except UnfitArchive:
                continue


def test_faults_of_this_machine_are_not_the_archives(monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 1000:
                raise OSError(5, "Input/output error")
            return super().read(size)

    archive = Failing(make_tar({"a.txt": b"a" * 900_000}))
    before = sorted(stored_files())
    with pytest.raises(OSError, match="Input/output"):
        unpack(archive, "tar", BOUNDS, "test")
    assert sorted(stored_files()) == before
