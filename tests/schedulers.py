"""The schedulers that tests run on, as a plug-in of pytest: each is started when the first test asks for it."""

import os
from collections.abc import Iterator

import pytest

from services.private_server import Missing
from services.slurm import Slurm


def started(*, accounting: bool) -> Slurm:
    """A cluster, at work. Where it cannot be had the tests are skipped, and in CI they fail."""
    try:
        cluster = Slurm(accounting=accounting)
    except Missing as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    try:
        cluster.start()
    except BaseException:
        cluster.remove()
        raise
    return cluster


@pytest.fixture(scope="session")
def slurm() -> Iterator[Slurm]:
    """A cluster with accounting."""
    cluster = started(accounting=True)
    yield cluster
    cluster.remove()


@pytest.fixture(scope="module")
def slurm_without_accounting() -> Iterator[Slurm]:
    """A cluster that keeps nothing of jobs for longer than some minutes."""
    cluster = started(accounting=False)
    yield cluster
    cluster.remove()
