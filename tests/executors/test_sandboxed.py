"""The contract once more, over local commands in the sandbox."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from analytics_automated.executors.base import BackendUnavailable, Cause, Confinement, Resources
from analytics_automated.executors.confinement import sandbox
from analytics_automated.executors.confinement.sandbox import Sandbox
from analytics_automated.executors.limits import LocalOptions
from analytics_automated.executors.local import LocalExecutor
from executors.contract import PATIENCE, TREE, Commands, ExecutorContract, alive, carriers, until

GRACE = 0.1
PYTHON = tuple(Path(each).resolve() for each in {sys.prefix, sys.base_prefix})


class TestSandboxedLocalExecutor(ExecutorContract):
    confinement = Confinement(sandbox="required", readable=PYTHON)

    @pytest.fixture
    def executor(self) -> Iterator[LocalExecutor]:
        children = psutil.Process().children()
        yield LocalExecutor(LocalOptions(), grace=GRACE)
        assert psutil.Process().children() == children, "a child was not reaped"

    def tree(self, commands: Commands) -> list[psutil.Process]:
        """The three processes of `TREE`: the ids that they know are those of their own namespace."""
        files = [commands.workdir / name for name in ("daemon", "child", "parent")]
        until(lambda: all(file.exists() for file in files), "the tree to grow")
        inside = {int(file.read_text()) for file in files}
        found = [process for process in carriers(commands.prefix) if id_inside(process) in inside]
        assert len(found) == 3
        return found


def id_inside(process: psutil.Process) -> int:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("NSpid:")).split()[-1])
