"""Sizes and durations as people write them in configuration: `10MB`, `1MiB`, `30m`, `7d`."""

import math
import re
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

SIZE_UNITS: Final = {
    "KB": 1000,
    "KiB": 1024,
    "MB": 1000**2,
    "MiB": 1024**2,
    "GB": 1000**3,
    "GiB": 1024**3,
    "TB": 1000**4,
    "TiB": 1024**4,
}
"""Bytes of each unit: decimal prefixes of the SI, binary ones of IEC 80000-13."""

DURATION_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
"""Seconds of each unit; a day has 24 hours."""

LARGEST_SIZE: Final = 2**63 - 1
"""The largest size, in bytes: what a database's 64-bit column holds."""

LARGEST_DURATION: Final = 100_000 * DURATION_UNITS["d"]
"""The longest duration, in seconds: 100,000 days, so that no date computed with it leaves the calendar."""

# [0-9], not \d: the latter also matches digits of other scripts.
SIZE_PATTERN: Final = r"^[0-9]{1,19}((\.[0-9]{1,9})?(KB|MB|GB|TB|KiB|MiB|GiB|TiB))?$"
DURATION_PATTERN: Final = r"^[0-9]{1,19}(\.[0-9]{1,9})?[smhd]$"

_QUANTITY = re.compile(r"(?P<number>[0-9]{1,19}(?:\.[0-9]{1,9})?)(?P<unit>[A-Za-z]*)")


def parse_size(text: str) -> int:
    """The bytes that a text like `500KB`, `1.5GB`, `1MiB` or `4096` states.

    `KB MB GB TB` are powers of 1000, `KiB MiB GiB TiB` of 1024; digits alone are bytes. Raises `ValueError`
    for anything else, for parts of a byte, and above `LARGEST_SIZE`.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None or (match["unit"] and match["unit"] not in SIZE_UNITS):
        raise ValueError(f"{_shown(text)} is no size: write a number and a unit, such as 500KB, 10MB or 1GiB")
    size = Decimal(match["number"]) * SIZE_UNITS.get(match["unit"], 1)
    if size != int(size) or ("." in match["number"] and not match["unit"]):
        raise ValueError(f"{_shown(text)} is not a whole number of bytes")
    return _checked_size(int(size))


def format_size(size: int) -> str:
    """The shortest text, without a fraction, that `parse_size` reads as this size: `1MB`, `1MiB`, `1025`."""
    if size < 0:
        raise ValueError(f"a size is never negative, unlike {size}")
    texts = [f"{size // unit}{name}" for name, unit in SIZE_UNITS.items() if size and size % unit == 0]
    return min([*texts, str(size)], key=len)


def parse_duration(text: str, *, allow_zero: bool = False) -> float:
    """The seconds that a text like `45s`, `30m`, `1.5h` or `7d` states.

    Raises `ValueError` for anything else, for zero unless it is allowed, and above `LARGEST_DURATION`.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None or match["unit"] not in DURATION_UNITS:
        raise ValueError(f"{_shown(text)} is no duration: write a number and one of s, m, h, d, such as 45s, 30m or 7d")
    return _checked_duration(float(Decimal(match["number"]) * DURATION_UNITS[match["unit"]]), allow_zero=allow_zero)


def format_duration(seconds: float) -> str:
    """The text that `parse_duration` reads as these seconds, in the largest unit that needs no fraction.

    Exact for whatever `parse_duration` returns; other numbers are rounded to the nanosecond.
    """
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError(f"a duration is a finite number of seconds and never negative, unlike {seconds}")
    seconds = round(seconds, 9)
    if seconds != int(seconds):
        return f"{Decimal(repr(float(seconds))):f}s"
    whole = int(seconds)
    for name, unit in reversed(DURATION_UNITS.items()):
        if whole and whole % unit == 0:
            return f"{whole // unit}{name}"
    return f"{whole}s"


def _checked_size(size: int) -> int:
    if not 0 <= size <= LARGEST_SIZE:
        raise ValueError(f"a size is between 0 and {LARGEST_SIZE} bytes")
    return size


def _checked_duration(seconds: float, *, allow_zero: bool) -> float:
    if seconds > LARGEST_DURATION:
        raise ValueError(f"a duration is at most {format_duration(LARGEST_DURATION)}")
    if seconds < 0 or (seconds == 0 and not allow_zero):
        raise ValueError("a duration is longer than nothing" if seconds == 0 else "a duration is never negative")
    return seconds


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")


def _read_size(value: Any) -> int:
    if isinstance(value, str):
        return parse_size(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return _checked_size(value)
    raise ValueError("a size is a text such as 10MB or 1GiB, or a whole number of bytes")


def _read_duration(value: Any, *, allow_zero: bool = False) -> float:
    if isinstance(value, str):
        return parse_duration(value, allow_zero=allow_zero)
    # Fractions come from Python code, such as a field's default; text states them with a unit.
    if isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value):
        return float(_checked_duration(value, allow_zero=allow_zero))
    raise ValueError("a duration is a text such as 45s, 30m or 7d, or a whole number of seconds")


def _read_delay(value: Any) -> float:
    return _read_duration(value, allow_zero=True)


def _schema(pattern: str, unit: str, smallest: int, largest: int, examples: list[str]) -> dict[str, Any]:
    return {
        "anyOf": [
            {"type": "string", "pattern": pattern, "examples": examples},
            {"type": "integer", "minimum": smallest, "maximum": largest, "description": unit},
        ]
    }


Size = Annotated[
    int,
    BeforeValidator(_read_size),
    PlainSerializer(format_size, return_type=str),
    WithJsonSchema(_schema(SIZE_PATTERN, "bytes", 0, LARGEST_SIZE, ["500KB", "10MB", "1GiB"])),
]
"""A pydantic field of bytes: reads texts like `10MB` and whole numbers, is an `int`, is written as text."""

Duration = Annotated[
    float,
    BeforeValidator(_read_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema(_schema(DURATION_PATTERN, "seconds", 1, LARGEST_DURATION, ["45s", "30m", "7d"])),
]
"""A pydantic field of seconds, more than 0: reads texts like `30m` and numbers, is a `float`, is written as
text."""

Delay = Annotated[
    float,
    BeforeValidator(_read_delay),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema(_schema(DURATION_PATTERN, "seconds", 0, LARGEST_DURATION, ["0s", "10s", "5m"])),
]
"""A `Duration` that may be `0s`."""
