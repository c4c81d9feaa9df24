"""Pipeline files that somebody uploads: one, or a ZIP archive of some with the files beside them."""

import re
import shutil
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Final

from analytics_automated.pipelines.files.configuration import Configuration
from analytics_automated.pipelines.files.reader import parse_file, read_file, read_parsed
from analytics_automated.pipelines.files.source import Document
from analytics_automated.pipelines.validators.base import Invalid, TooSlow
from analytics_automated.pipelines.validators.checking import check_file
from analytics_automated.pipelines.validators.zip import ZipOptions, ZipValidator

LARGEST_PIPELINE_FILE: Final = 400_000
"""Bytes of a pipeline file. A megabyte of YAML takes some ten seconds to read, and whoever uploads it waits."""
MOST_FILES: Final = 5_000
"""Files and folders of an archive."""
_ZIP_BEGINNINGS: Final = (b"PK\x03\x04", b"PK\x05\x06")
_ENDINGS: Final = frozenset({".yaml", ".yml"})
_FORMAT = re.compile(rb"^[\"']?format[\"']?\s*:", re.MULTILINE)
"""What a pipeline file has, and other YAML mostly has not."""
_LOOKED_AT: Final = 1_000_000
"""Bytes of a file that are searched for it."""


class UploadError(ValueError):
    """An upload that is neither a pipeline file nor a harmless archive of some. The message says why."""


def read_upload(
    open_upload: Callable[[], IO[bytes]], name: str, folder: Path, *, size: int, most_bytes: int, seconds: float
) -> Configuration:
    """Read what was uploaded. Problems of the pipeline files are in the configuration, and name them by their paths in
    the archive; files beside them are in `folder`, which is empty before and belongs to the caller.

    `size` is the upload's, in bytes; `most_bytes` bounds what an archive is unpacked to, and `seconds` its check; when
    as many have gone by again, no further pipeline file is begun.
    Raises `UploadError`.
    """
    with open_upload() as upload:
        is_archive = upload.read(4) in _ZIP_BEGINNINGS
    configuration = Configuration()
    if is_archive:
        validator = ZipValidator(ZipOptions(max_files=MOST_FILES, max_total_size=most_bytes))
        try:
            check_file([validator], open_upload, size=size, file_name=name, seconds=seconds)
        except (Invalid, TooSlow) as error:
            raise UploadError(str(error)) from None
        with open_upload() as upload:
            _unpack(upload, folder)
        _read_folder(folder, configuration, seconds)
        return configuration
    _check_size(name, size)
    path = folder / "uploaded.yaml"
    with open_upload() as upload, path.open("xb") as made:
        shutil.copyfileobj(upload, made)
    read_file(path, name, configuration)
    return configuration


def _unpack(upload: IO[bytes], folder: Path) -> None:
    """Unpack an archive that was checked: its names lead nowhere else, and its sizes are true."""
    try:
        with zipfile.ZipFile(upload) as archive:
            archive.extractall(folder)
    except OSError as error:
        raise UploadError(f"The archive cannot be unpacked: {error.strerror}.") from None
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
        raise UploadError(f"The archive cannot be unpacked: {error}") from None


def _size(path: Path) -> int:
    return path.stat().st_size


def _check_size(name: str, size: int) -> None:
    if size > LARGEST_PIPELINE_FILE:
        raise UploadError(
            f"{name} is larger than {LARGEST_PIPELINE_FILE // 1000} kB, the most that a pipeline file may have here: "
            "share it out among several files, or apply it with `aa apply`."
        )


def _read_folder(folder: Path, configuration: Configuration, seconds: float) -> None:
    """Read all pipeline files below the folder. YAML that one of them ships is none of them."""
    found = sorted(
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.suffix.lower() in _ENDINGS and path.is_file() and "__MACOSX" not in path.parts
    )
    if not found:
        raise UploadError("There is no pipeline file (.yaml or .yml) in the archive.")
    said = [path for path in found if _says_format(folder / path)]
    large = [path for path in said or found if _size(folder / path) > LARGEST_PIPELINE_FILE]
    documents = _parsed(folder, [path for path in said or found if path not in large], seconds)
    shipped = _shipped(folder, documents)
    for path in large:
        if path not in shipped:
            _check_size(str(path), _size(folder / path))
    for path, document in documents.items():
        if path not in shipped:
            configuration.files.append(document.file)
            read_parsed(document, configuration, (folder / path).parent)
    if not configuration.files:
        raise UploadError("The pipeline files of the archive only ship one another.")


def _parsed(folder: Path, paths: list[Path], seconds: float) -> dict[Path, Document]:
    """Each of these files, parsed once."""
    deadline = time.monotonic() + seconds
    documents = {}
    for path in paths:
        if time.monotonic() > deadline:
            raise UploadError(
                f"The pipeline files of the archive could not be read within {seconds:g} seconds: import fewer at "
                "once, or apply them with `aa apply`."
            )
        documents[path] = parse_file(folder / path, str(path))
    return documents


def _shipped(folder: Path, documents: Mapping[Path, Document]) -> set[Path]:
    """The files that these pipeline files ship."""
    looked = Configuration()
    for path, document in documents.items():
        read_parsed(document, looked, (folder / path).parent)
    inside = folder.resolve()
    return {source.relative_to(inside) for files in looked.shipped.values() for source in files.values()}


def _says_format(path: Path) -> bool:
    with path.open("rb") as file:
        return _FORMAT.search(file.read(_LOOKED_AT)) is not None
