"""How the tests here ask a validator for its verdict, and the files that they make up."""

import io
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, cast

import pytest
from hypothesis import HealthCheck, settings

from analytics_automated.pipelines.validators.base import CheckedStream, Invalid
from analytics_automated.pipelines.validators.registry import build_validator

# On a busy machine everything takes long; that is no failure.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


class CutStream(CheckedStream):
    """A stream that comes in chunks of at most so many bytes."""

    at_once = 1_000_000

    def chunks(self, size: int = 65_536) -> Iterator[bytes]:
        return super().chunks(min(size, self.at_once))


class Endless(io.RawIOBase):
    """A large file that is made while it is read: a head, a block many times over, a tail."""

    def __init__(self, head: bytes, block: bytes, times: int, tail: bytes = b"") -> None:
        super().__init__()
        self.size = len(head) + len(block) * times + len(tail)
        self._left = self._pieces(head, block, times, tail)
        self._begun = b""

    @staticmethod
    def _pieces(head: bytes, block: bytes, times: int, tail: bytes) -> Iterator[bytes]:
        yield head
        for _ in range(times):
            yield block
        yield tail

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while not self._begun:
            try:
                self._begun = next(self._left)
            except StopIteration:
                return b""
        data, self._begun = self._begun[:size], self._begun[size:]
        return data


Verdict = Callable[..., str | None]


def _verdict(
    name: str,
    options: Mapping[str, Any],
    data: bytes | Endless,
    *,
    at_once: int | None = None,
    seconds: float = 120,
) -> str | None:
    raw, size = (data, data.size) if isinstance(data, Endless) else (io.BytesIO(data), len(data))
    stream = CutStream(cast("IO[bytes]", raw), size=size, seconds=seconds, file_name="data")
    stream.at_once = at_once or stream.at_once
    try:
        build_validator(name, options).check(stream)
    except Invalid as invalid:
        return str(invalid)
    return None


@pytest.fixture(scope="session")
def verdict() -> Verdict:
    """What the named validator says of the data: None for good data, otherwise the refusal."""
    return _verdict


@pytest.fixture(scope="session")
def endless() -> type[Endless]:
    """Maker of large files: `endless(head, block, times, tail)`."""
    return Endless


@contextmanager
def _peak_below(megabytes: float) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < megabytes * 1_000_000, f"{peak} bytes were held at once"


@pytest.fixture(scope="session")
def peak_below() -> Callable[[float], Any]:
    """Context that fails when more than so many megabytes were held at once within it."""
    return _peak_below
