"""Users' file names as names in work folders."""

import re
from pathlib import PurePosixPath

LONGEST_NAME = 200
"""Bytes."""


def safe_name(file: str) -> str:
    """A user's file name as a name in a folder: its last part, printable, no dots in front, of bounded length.

    Letters of any script and spaces stay.
    """
    name = PurePosixPath(file.replace("\\", "/")).name
    name = "".join(sign if sign.isprintable() else "_" for sign in name).strip().lstrip(".")
    while len(name.encode()) > LONGEST_NAME:
        stem, dot, ending = name.partition(".")
        name = f"{stem[:-1]}{dot}{ending}" if len(stem) > 1 else name[:-1]
    return re.sub(r"[/\x00]", "_", name) or "file"


def free_name(folder: str, name: str, index: int, taken: set[str]) -> str:
    """The path of that name in the folder; where it is taken, with the file's index in front."""
    path = f"{folder}{name}"
    if path in taken:
        path = f"{folder}{index}-{name}"
    while path in taken:
        path = f"{path}_"
    taken.add(path)
    return path


def item_name(index: int, total: int, file: str) -> str:
    """The folder of one run of a scattered step: `<index>-<stem>`, of the run's file.

    The index, counted from 1, has as many digits as that of the last run: names sort as the files did.
    """
    return f"{index:0{len(str(total))}}-{item_stem(file)}"


def item_stem(file: str) -> str:
    """What `{scatter.stem}` stands for: the file's name without its last ending."""
    return PurePosixPath(safe_name(file)).stem
