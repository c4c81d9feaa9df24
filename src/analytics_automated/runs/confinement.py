"""What a command may see besides its work folder."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.conf import settings

from analytics_automated.executors.base import Confinement
from analytics_automated.runs.places import Place
from analytics_automated.runs.workdirs import WorkFolder


def confinement_of(folder: WorkFolder, place: Place, shipped: Iterable[str]) -> Confinement:
    """The confinement of an attempt in that folder, whose task comes with the `shipped` files."""
    given = (folder.script, folder.values, folder.starter, *(folder.setup(whose) for whose in place.setups))
    return Confinement(
        sandbox=place.sandbox,
        network=place.network,
        readable=tuple(
            dict.fromkeys(
                [
                    *(path for each in place.path for path in _programs(Path(each))),
                    *(path for data in place.used.values() for path in _data(Path(data.path))),
                    *(each for each in given if each.exists()),
                ]
            )
        ),
        writable=(folder.home, folder.temporary, folder.told),
        fixed=tuple(folder.work / path for path in shipped),
        hidden=tuple(_hidden()),
    )


def _programs(folder: Path) -> Iterator[Path]:
    """A folder of programs; of one that is named `bin`, the folder above, which has what they need, such as `lib`. That
    never is one that holds the HOME of the worker's user."""
    above = folder.parent
    is_prefix = folder.name in {"bin", "sbin"} and not _home().is_relative_to(above.resolve())
    yield above if is_prefix else folder


def _home() -> Path:
    return Path(os.environ.get("HOME") or "/").resolve()


def _data(path: Path) -> Iterator[Path]:
    """Some programs name a set of files by what their names begin with, as BLAST does its databases: then the folder
    that they lie in is meant."""
    yield path if path.exists() else path.parent


def _hidden() -> Iterator[Path]:
    """The server's data, and its user's HOME."""
    for folder in (Path(settings.DATA.root).resolve(), _home()):
        if folder.is_dir() and folder != Path("/"):
            yield folder
