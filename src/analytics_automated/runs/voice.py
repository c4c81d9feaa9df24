"""A voice for the tool: the files in which a command may leave a message for the caller, and say how far it is."""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from analytics_automated.executors.base import Log
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
_OTHER_NUMBER = re.compile(r"[-+]?(?:[0-9.,_]+(?:e[-+]?[0-9]+)?\s*%?|nan|inf|infinity)", re.IGNORECASE)
"""What tools write in place of a number from 0 to 1; no text for people."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a command says that it is."""

    value: float
    """From 0 to 1."""
    text: str = ""


def read_message(path: Path, secrets: Secrets) -> str:
    """The message that a command left there for the caller, harmless, without secrets and of bounded length; empty
    where there is none."""
    written, is_cut = _read(path, from_end=False)
    masked = secrets.mask_log(Log(head=written, omitted=int(is_cut))).head
    return _harmless(masked.decode("utf-8", "replace"), secrets, is_cut=is_cut).strip()[:LONGEST_MESSAGE].rstrip()


def read_progress(path: Path, secrets: Secrets) -> Progress | None:
    """How far a command says that it is; none where it says nothing that can be read.

    The last line counts that begins with a number from 0 to 1. Its text follows on that line, or else is the next,
    unless that is nothing but some other number.
    """
    written, is_cut = _read(path, from_end=True)
    # Of a line that reading began within, neither the number nor a secret is known.
    lines = secrets.mask_bytes(written).decode("utf-8", "replace").splitlines()[int(is_cut) :]
    texts = [text for line in lines if (text := _harmless(" ".join(_without_escapes(line).split()), secrets))]
    for index in reversed(range(len(texts))):
        found = _NUMBER.match(texts[index])
        if found and 0 <= (value := float(found[0])) <= 1:
            text = texts[index][found.end() :].strip() or next(iter(texts[index + 1 : index + 2]), "")
            return Progress(value, "" if _OTHER_NUMBER.fullmatch(text) else text[:LONGEST_PROGRESS])
    return None


def _read(path: Path, *, from_end: bool) -> tuple[bytes, bool]:
    """The beginning or the end of a regular file, and whether there is more; nothing where there is none. Never waits,
    follows no link."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b"", False
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return b"", False
        start = max(0, status.st_size - _READ) if from_end else 0
        return os.pread(descriptor, _READ, start), status.st_size > _READ
    except OSError:
        return b"", False
    finally:
        os.close(descriptor)


def _without_escapes(text: str) -> str:
    return _ESCAPES.sub("", text).replace("\t", " ")


def _harmless(text: str, secrets: Secrets, *, is_cut: bool = False) -> str:
    """The text with nothing in it that acts on a terminal, a log or the direction of writing, and no secret. Line ends
    stay.

    Secrets are looked for once more here: without the escape sequence in its middle one may be whole again.
    """
    lines = "\n".join(_without_escapes(text).splitlines())
    masked = secrets.mask_log(Log(head=lines.encode(), omitted=int(is_cut))).head
    return "\n".join(
        "".join(sign if sign.isprintable() or sign in _JOINERS else "\N{REPLACEMENT CHARACTER}" for sign in line)
        for line in masked.decode("utf-8", "replace").splitlines()
    )
