"""The running system that the tests of this folder share."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.live import EXAMPLES, PIPELINES, LiveSystem, Service, apply, holdings, processes_of, until


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSystem]:
    """`aa up`, with the examples and the pipelines of these tests applied."""
    system = LiveSystem(
        tmp_path_factory.mktemp("live") / "data",
        AA_WORKER_CONCURRENCY="4",
        AA_MAX_JSON_SIZE="1MB",
        AA_MAX_REQUEST_SIZE="40MB",
        AA_SECRET_KEY="only-the-servers-own",
    )
    apply(system.data, *sorted(EXAMPLES.glob("*.yaml")), *sorted(PIPELINES.glob("*.yaml")))
    system.start()
    try:
        yield system
        assert system.stop() == 0
        assert processes_of(system.data) == []
        assert system.complaints() == []
    finally:
        system.kill()


@pytest.fixture
def service(live: LiveSystem) -> Service:
    """The running system's service."""
    return live.service


@pytest.fixture
def data(live: LiveSystem) -> Path:
    """The running system's data folder."""
    return live.data


@pytest.fixture
def nothing_stays(data: Path) -> Iterator[None]:
    """Fails the test that left a row, a stored file or a file of a work folder behind."""
    until(lambda: not any((data / "work").iterdir()), "work folders of earlier tests to be removed")
    before = holdings(data)
    yield
    # Where the test cut a connection, the service may still be about to notice.
    with contextlib.suppress(AssertionError):
        until(lambda: holdings(data) == before, "what was left behind to be removed", patience=5)
    assert holdings(data) == before
