"""A file that was made beside one that was meant, both read as streams."""

import math
import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import IO

from analytics_automated.pipelines.validators.base import excerpt

LONGEST_LINE = 1_048_576
"""Bytes of a line that are looked at as one; a longer one is compared in pieces."""
_NUMBER = re.compile(rb"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")


def difference(made: IO[bytes], meant: IO[bytes], tolerance: float | None = None) -> str | None:
    """The first difference, as a sentence with its line (from 1); none where there is none.

    Without a tolerance all bytes are to be equal. With one, numbers may differ by that much, absolutely or in
    proportion to the larger; what stands between them is to be equal.
    """
    for number, (one, other) in enumerate(zip_longest(_lines(made), _lines(meant)), 1):
        if one == other:
            continue
        if one is None or other is None:
            which = "ends before" if one is None else "goes on after"
            return f"it {which} line {number if one is None else number - 1}"
        if tolerance is None:
            return f"line {number} is {_shown(one)}, not {_shown(other)}"
        if found := _beyond(one, other, tolerance):
            return f"line {number}: {found}"
    return None


def holds(stream: IO[bytes], text: bytes) -> bool:
    """True where the text is anywhere in the stream."""
    kept = b""
    while chunk := stream.read(LONGEST_LINE):
        if text in kept + chunk:
            return True
        kept = (kept + chunk)[-len(text) :]
    return not text


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    while line := stream.readline(LONGEST_LINE):
        yield line


def _beyond(one: bytes, other: bytes, tolerance: float) -> str | None:
    """What differs by more than the tolerance."""
    if _NUMBER.split(one) != _NUMBER.split(other):
        return f"it is {_shown(one)}, not {_shown(other)}"
    for here, there in zip(_NUMBER.findall(one), _NUMBER.findall(other), strict=True):
        if here != there and not math.isclose(float(here), float(there), rel_tol=tolerance, abs_tol=tolerance):
            return f"{here.decode()} is not within {tolerance:g} of {there.decode()}"
    return None


def _shown(line: bytes) -> str:
    return excerpt(line.rstrip(b"\r\n").decode("utf-8", errors="replace"))
