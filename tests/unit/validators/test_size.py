"""The size of a file has bounds, written as people write sizes."""

import pytest
from pydantic import ValidationError

from analytics_automated.pipelines.validators.base import CheckedStream
from analytics_automated.pipelines.validators.registry import build_validator


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({"max": "1KB"}, 1000),
        ({"max": "1KiB"}, 1024),
        ({"min": 1}, 1),
        ({"min": 5, "max": "5"}, 5),
        ({"min": 0}, 0),
    ],
)
def test_what_is_good(verdict, options, size):
    assert verdict("size", options, b"x" * size) is None


@pytest.mark.parametrize(
    ("options", "size", "refusal"),
    [
        ({"max": "1KB"}, 1001, "The file has 1001 bytes; at most 1KB are allowed."),
        ({"min": "1KiB", "max": "1MB"}, 1023, "The file has 1023 bytes; at least 1KiB are needed."),
        ({"min": 1}, 0, "The file has 0 bytes; at least 1 are needed."),
    ],
)
def test_what_is_wrong_is_said(verdict, options, size, refusal):
    assert verdict("size", options, b"x" * size) == refusal


def test_nothing_is_read():
    build_validator("size", {"max": "10MB"}).check(CheckedStream(None, size=10, seconds=60))  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [{}, {"max": "10 MB"}, {"max": -1}, {"max": 1.5}, {"min": "2KB", "max": "1KB"}])
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(ValidationError):
        build_validator("size", options)
