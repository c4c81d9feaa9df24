"""The executor `local`: commands run on the machine of the worker that attends them."""

import itertools
import math
import time
from collections.abc import Iterable
from threading import TIMEOUT_MAX
from typing import ClassVar

from pydantic import BaseModel

from analytics_automated.executors.attended import AttendedCommand
from analytics_automated.executors.base import CommandSpec, Executor, Outcome, Polled

GRACE_SECONDS = 1.0
"""What a command has between SIGTERM and SIGKILL to clean up, where it is ended before its time."""


class LocalExecutor(Executor):
    """Runs commands on this machine, each in a session of its own and an environment that is only its own.

    A command that is ended, by its time limit or by `cancel`, gets SIGTERM in its whole process group. When
    all of its processes are gone, and at the latest after `grace` seconds, whatever is left is killed: the
    group, and every process that carries its `AA_ATTEMPT`, in whatever session it hides. One that ends by
    itself leaves nothing behind in its process group; a process that has left the group is ended too if it
    still holds the log's pipe.

    `Outcome.peak_memory` is known only where it exceeds the peak of the worker itself (see
    `usage.peak_memory`).
    """

    attended: ClassVar[bool] = True

    def __init__(self, options: BaseModel, *, grace: float = GRACE_SECONDS) -> None:
        super().__init__(options)
        self._grace = grace
        self._numbers = itertools.count(1)
        self._commands: dict[str, AttendedCommand] = {}

    def submit(self, spec: CommandSpec) -> str:
        """Start the command.

        Raises `BackendUnavailable` where no process can be made, and where the work folder cannot be entered
        or a file of the standard streams cannot be opened: who made the spec has promised them, so it is the
        machine that fails.
        """
        command = AttendedCommand(spec, self._grace)
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
