"""The executor `local`: commands run on the machine of the worker that attends them."""

import itertools
import math
import os
import time
from collections.abc import Iterable
from threading import TIMEOUT_MAX
from typing import ClassVar

from pydantic import BaseModel

from analytics_automated.executors.attended import AttendedCommand
from analytics_automated.executors.base import CommandSpec, Condition, Executor, Outcome, Polled
from analytics_automated.executors.confinement.sandbox import sandbox_here
from analytics_automated.executors.limits import LocalOptions

GRACE_SECONDS = 1.0
"""What a command has between SIGTERM and SIGKILL to clean up, where it is ended before its time."""


class LocalExecutor(Executor):
    """Runs commands on this machine, each in a session of its own and an environment that is only its own.

    A command that is ended, by its time limit or by `cancel`, gets SIGTERM in its whole process group. When
    all of its processes are gone, and at the latest after `grace` seconds, whatever is left is killed: the
    group, and every process that carries its `AA_ATTEMPT`, in whatever session it hides. One that ends by
    itself leaves nothing behind in its process group; a process that has left the group is ended too if it
    still holds the log's pipe.

    Where the spec wants a sandbox and one works here, the command sees no process but its own, and none of them can
    outlive it or be hidden: bubblewrap's end is the end of all.

    Limits hold while somebody waits or polls: memory, processor time, processes and room on disk are looked at a few
    times per second, with all processes of the command together; a command that goes beyond is killed. Without a
    sandbox a process whose parents are gone is not counted.
    """

    Options: ClassVar[type[BaseModel]] = LocalOptions
    attended: ClassVar[bool] = True

    def __init__(self, options: BaseModel, *, grace: float = GRACE_SECONDS) -> None:
        super().__init__(options)
        self._limits = options if isinstance(options, LocalOptions) else LocalOptions()
        self._grace = grace
        self._numbers = itertools.count(1)
        self._commands: dict[str, AttendedCommand] = {}

    def submit(self, spec: CommandSpec) -> str:
        """Start the command.

        Raises `BackendUnavailable` where no process can be made, and where the work folder cannot be entered
        or a file of the standard streams cannot be opened: who made the spec has promised them, so it is the
        machine that fails.
        """
        command = AttendedCommand(spec, self._grace, self._limits)
        handle = f"{spec.attempt}.{next(self._numbers)}"
        self._commands[handle] = command
        return handle

    def wait(self, handle: str, seconds: float | None = None) -> Outcome | None:
        """Attend the command; where another thread does so already, take over when that one stops."""
        until = math.inf if seconds is None else time.monotonic() + seconds
        command = self._commands[handle]
        if not command.attendance.acquire(timeout=-1 if seconds is None else min(max(0.0, seconds), TIMEOUT_MAX)):
            return None
        try:
            while True:
                left = max(0.0, until - time.monotonic())
                outcome = command.attend(left)
                if outcome is not None:
                    del self._commands[handle]  # KeyError: the other thread was given it
                    return outcome
                if not left:
                    return None
        finally:
            command.attendance.release()

    def poll(self, handles: Iterable[str]) -> Polled:
        """Attend each of the commands for a moment. Another thread's outcomes are left to that thread."""
        outcomes = {}
        running = set()
        for handle in handles:
            command = self._commands.get(handle)
            if command is None:
                continue
            if not command.attendance.acquire(blocking=False):
                running.add(handle)
                continue
            try:
                outcome = command.attend(0)
                if outcome is None:
                    running.add(handle)
                elif self._commands.pop(handle, None) is not None:
                    outcomes[handle] = outcome
            finally:
                command.attendance.release()
        return Polled(outcomes, frozenset(running))

    def cancel(self, handles: Iterable[str]) -> None:
        """End the commands. What follows SIGTERM happens while somebody waits or polls."""
        for handle in handles:
            command = self._commands.get(handle)
            if command is not None:
                command.cancel()

    def check(self) -> Condition:
        """Which sandbox there is, or why there is none."""
        found = sandbox_here()
        detail = f"sandbox: {found.said}" if found.machine else f"no sandbox: {found.said}"
        return Condition(slots=os.cpu_count(), running=len(self._commands), detail=detail)
