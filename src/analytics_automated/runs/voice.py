"""A voice for the tool: the files in which a command may leave a message for the caller, and say how far it is."""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from analytics_automated.runs.secrets import Secrets

LONGEST_MESSAGE = 1_000
LONGEST_PROGRESS = 200
"""Characters that are shown."""
_READ = 8_192

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?", re.DOTALL)
"""Escape sequences of terminals (ECMA-48), such as those that colour text."""
_JOINERS = "\u200c\u200d"
"""Not printable by themselves, but parts of words in several scripts."""
_NUMBER = re.compile(r"(?:0|1|[01]?\.[0-9]+|[01]\.|0*[0-9](?:\.[0-9]+)?[eE]-?[0-9]{1,3})(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a command says that it is."""

    value: float
    """From 0 to 1."""
    text: str = ""


def read_message(path: Path, secrets: Secrets) -> str:
    """The message that a command left there for the caller, harmless, without secrets and of bounded length; empty
    where there is none."""
    text = _harmless(secrets.mask_bytes(_read(path, from_end=False)).decode("utf-8", "replace"))
    return text.strip()[:LONGEST_MESSAGE].rstrip()


def read_progress(path: Path, secrets: Secrets) -> Progress | None:
    """How far a command says that it is; none where it says nothing that can be read.

    The first word is a number from 0 to 1, the rest a text. Where a command appends line after line, the last that
    begins with such a number counts, with what follows it.
    """
    said: Progress | None = None
    for line in secrets.mask_bytes(_read(path, from_end=True)).decode("utf-8", "replace").splitlines():
        text = " ".join(_harmless(line).split())
        found = _NUMBER.match(text)
        if found and 0 <= (value := float(found[0])) <= 1:
            said = Progress(value, text[found.end() :].strip()[:LONGEST_PROGRESS])
        elif said is not None and text:
            said = Progress(said.value, f"{said.text} {text}".strip()[:LONGEST_PROGRESS])
    return said


def _read(path: Path, *, from_end: bool) -> bytes:
    """The beginning or the end of a regular file; nothing where there is none. Never waits, follows no link."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return b""
        return os.pread(descriptor, _READ, max(0, status.st_size - _READ) if from_end else 0)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def _harmless(text: str) -> str:
    """The text with nothing in it that acts on a terminal, a log or the direction of writing. Line ends stay."""
    lines = _ESCAPES.sub("", text).replace("\t", " ").splitlines()
    return "\n".join(
        "".join(sign if sign.isprintable() or sign in _JOINERS else "\N{REPLACEMENT CHARACTER}" for sign in line)
        for line in lines
    )
