"""Sizes and durations are read as people write them, and written as they are read."""

import json
import re

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, ValidationError

from analytics_automated.pipelines.quantities import (
    DURATION_PATTERN,
    LARGEST_DURATION,
    LARGEST_SIZE,
    SIZE_PATTERN,
    Delay,
    Duration,
    Size,
    format_duration,
    format_size,
    parse_duration,
    parse_size,
)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("4096", 4096),
        ("1KB", 1000),
        ("500KB", 500_000),
        ("10MB", 10_000_000),
        ("2GB", 2_000_000_000),
        ("3TB", 3_000_000_000_000),
        ("1KiB", 1024),
        ("1MiB", 1_048_576),
        ("2GiB", 2_147_483_648),
        ("1TiB", 1_099_511_627_776),
        ("1.5GB", 1_500_000_000),
        ("0.5KiB", 512),
        ("007", 7),
        (str(LARGEST_SIZE), LARGEST_SIZE),
    ],
)
def test_sizes_are_read(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "MB",
        "10 MB",
        "10mb",
        "10M",
        "10B",
        "-1KB",
        "+1KB",
        "1e3",
        "1_000",
        ".5KB",
        "1,5GB",
        "1KB\n",
        "٣KB",
    ],
)
def test_what_is_no_size_is_refused_with_what_would_be_one(text):
    with pytest.raises(ValueError, match="is no size: write a number and a unit, such as 500KB, 10MB or 1GiB"):
        parse_size(text)


@pytest.mark.parametrize("text", ["1.5", "1.0", "1.0001KB", "0.3KiB"])
def test_parts_of_a_byte_are_refused(text):
    with pytest.raises(ValueError, match="is not a whole number of bytes"):
        parse_size(text)


@pytest.mark.parametrize("text", [str(LARGEST_SIZE + 1), "10000000TB", "9" * 19 + "TiB"])
def test_sizes_that_no_database_holds_are_refused(text):
    with pytest.raises(ValueError, match="a size is between 0 and 9223372036854775807 bytes"):
        parse_size(text)


def test_a_long_text_is_shown_in_part():
    with pytest.raises(ValueError, match=r"^'x{37}\.\.\.' is no size"):
        parse_size("x" * 1000)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0"),
        (1, "1"),
        (1000, "1KB"),
        (1024, "1KiB"),
        (1025, "1025"),
        (1_500_000, "1500KB"),
        (10_000_000, "10MB"),
        (1_048_576, "1MiB"),
        (1_024_000, "1024KB"),
        (LARGEST_SIZE, str(LARGEST_SIZE)),
    ],
)
def test_sizes_are_written_short(size, text):
    assert format_size(size) == text


@given(
    st.one_of(
        st.integers(0, LARGEST_SIZE),
        st.integers(0, 5000).flatmap(lambda n: st.sampled_from([n * 1000**3, n * 1024**3])),
    )
)
@settings(deadline=None)
def test_a_size_that_was_written_is_read_again(size):
    text = format_size(size)
    assert parse_size(text) == size
    assert re.fullmatch(SIZE_PATTERN, text)
    assert len(text) <= len(str(size))


def test_a_negative_size_is_not_written():
    with pytest.raises(ValueError, match="never negative"):
        format_size(-1)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("45s", 45),
        ("30m", 1800),
        ("12h", 43_200),
        ("7d", 604_800),
        ("1.5h", 5400),
        ("1.1h", 3960),
        ("0.25s", 0.25),
        ("0.000000001s", 1e-9),
        ("100000d", LARGEST_DURATION),
    ],
)
def test_durations_are_read(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "s", "30", "30 m", "30M", "1h30m", "-5s", "1e3s", "5sec", "5w", ".5s", "5s\n", "infs", "nans", "٣s"],
)
def test_what_is_no_duration_is_refused_with_what_would_be_one(text):
    with pytest.raises(
        ValueError, match="is no duration: write a number and one of s, m, h, d, such as 45s, 30m or 7d"
    ):
        parse_duration(text)


def test_a_duration_is_longer_than_nothing_unless_zero_is_allowed():
    with pytest.raises(ValueError, match="a duration is longer than nothing"):
        parse_duration("0s")
    assert parse_duration("0s", allow_zero=True) == 0


@pytest.mark.parametrize("text", ["100000.1d", "9" * 19 + "d"])
def test_durations_beyond_the_calendar_are_refused(text):
    with pytest.raises(ValueError, match="a duration is at most 100000d"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (1, "1s"),
        (60, "1m"),
        (90, "90s"),
        (3600.0, "1h"),
        (86_400, "1d"),
        (604_800, "7d"),
        (90_000, "25h"),
        (0.25, "0.25s"),
        (1e-9, "0.000000001s"),
        (0.1 + 0.2, "0.3s"),
    ],
)
def test_durations_are_written_in_the_largest_unit_that_needs_no_fraction(seconds, text):
    assert format_duration(seconds) == text


@given(st.integers(0, 10**9), st.one_of(st.none(), st.integers(0, 10**9 - 1)), st.sampled_from("smhd"))
@settings(deadline=None)
def test_a_duration_that_was_read_is_written_so_that_it_is_read_again(whole, parts, unit):
    text = f"{whole}{'' if parts is None else f'.{parts:09}'}{unit}"
    try:
        seconds = parse_duration(text, allow_zero=True)
    except ValueError:
        assert whole * {"s": 1, "m": 60, "h": 3600, "d": 86_400}[unit] >= LARGEST_DURATION
        return
    written = format_duration(seconds)
    assert parse_duration(written, allow_zero=True) == seconds
    assert re.fullmatch(DURATION_PATTERN, written)


@pytest.mark.parametrize("seconds", [-1, float("inf"), float("nan")])
def test_what_is_no_duration_is_not_written(seconds):
    with pytest.raises(ValueError, match="finite number of seconds and never negative"):
        format_duration(seconds)


class Limits(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    memory: Size = 1000
    timeout: Duration = 86_400.0
    delay: Delay | None = None


def test_fields_read_texts_and_numbers():
    assert Limits(memory="10MB", timeout="30m", delay="0s") == Limits(memory=10_000_000, timeout=1800, delay=0)
    assert Limits(timeout=0.5).timeout == 0.5
    assert isinstance(Limits(timeout=1800).timeout, float)
    assert Limits.model_validate_json('{"memory": "1KiB", "timeout": 60}') == Limits(memory=1024, timeout=60.0)


@pytest.mark.parametrize(
    "values",
    [
        {"memory": "ten"},
        {"memory": -1},
        {"memory": 1.0},
        {"memory": True},
        {"memory": None},
        {"memory": LARGEST_SIZE + 1},
        {"timeout": "30"},
        {"timeout": 0},
        {"timeout": -1},
        {"timeout": True},
        {"timeout": float("inf")},
        {"timeout": float("nan")},
        {"timeout": LARGEST_DURATION + 1},
        {"delay": -1},
        {"delay": []},
    ],
)
def test_fields_refuse_everything_else(values):
    with pytest.raises(ValidationError) as caught:
        Limits.model_validate(values)
    assert caught.value.error_count() == 1


def test_fields_are_written_as_text():
    limits = Limits(memory=10_000_000, timeout=5400, delay=0)
    written = {"memory": "10MB", "timeout": "90m", "delay": "0s"}
    assert limits.model_dump() == written
    assert json.loads(limits.model_dump_json()) == written
    assert Limits.model_validate(written) == limits


@pytest.mark.parametrize("mode", ["validation", "serialization"])
@pytest.mark.parametrize(
    ("value", "good"),
    [
        ({"memory": "10MB", "timeout": "1.5h", "delay": "0s"}, True),
        ({"memory": 5, "timeout": 5, "delay": 0}, True),
        ({"memory": "5"}, True),
        ({"memory": "10 MB"}, False),
        ({"memory": "1.5"}, False),
        ({"memory": -1}, False),
        ({"timeout": "5"}, False),
        ({"timeout": 0}, False),
        ({"timeout": "5w"}, False),
    ],
)
def test_the_json_schema_knows_texts_and_whole_numbers(value, good, mode):
    schema = Limits.model_json_schema(mode=mode)
    assert jsonschema.Draft202012Validator(schema).is_valid(value) == good
