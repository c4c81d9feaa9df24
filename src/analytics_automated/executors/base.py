"""What passes between the engine and a place where commands run."""

import enum
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

ATTEMPT_VARIABLE = "AA_ATTEMPT"
"""Environment variable by which every process of an attempt can be found again."""


class Cause(enum.StrEnum):
    """Why an attempt ended."""

    EXIT = "exit"
    """The command ended by itself; its exit code says how."""
    SIGNAL = "signal"
    """A signal that A_A did not send ended the command."""
    TIMEOUT = "timeout"
    """The command ran longer than its time limit and was ended."""
    MEMORY = "memory"
    """The command needed more memory than there is, or than it may have."""
    MISSING_OUTPUT = "missing_output"
    """The command ended well but did not write what it had promised."""
    LOST = "lost"
    """Whoever ran the command is gone, or its exit status is; how it ended is not known."""
    BACKEND_UNAVAILABLE = "backend_unavailable"
    """The backend could not take the command."""
    CANCELLED = "cancelled"
    """The command was ended because nobody wants its results any more."""


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """One command, ready to run: WHAT, with nothing left to look up."""

    attempt: str
    """Unique name of the attempt (letters, digits, `-`, `.`), the command's `AA_ATTEMPT`."""
    argv: tuple[str, ...]
    """The program and its arguments; never shell text. A program without a slash is looked for on the PATH of
    `environment`, one with a slash is relative to `workdir`."""
    workdir: Path
    """The command's working directory. It exists, is absolute, and is this attempt's alone."""
    environment: Mapping[str, str] = field(repr=False)
    """All variables of the command, its PATH included. The executor adds `AA_ATTEMPT`, and passes on no
    other. Values may be secrets: they are never logged."""
    stdin: Path | None = None
    """File to read standard input from, relative to `workdir`; none: an empty one."""
    stdout: Path | None = None
    """File that standard output is written to, whole, relative to `workdir`; it is made anew, for its owner
    only. None: the output is kept as a log, bounded."""
    stderr: Path | None = None
    """The same for standard error. May be the same file as `stdout`: what is written to both keeps its
    order."""
    timeout: float | None = None
    """Seconds that the command may run, counted from its start; none: without end."""
    log_limit: int = 65_536
    """Bytes of each log that are kept: the first half and the last half of what was written."""


@dataclass(frozen=True, slots=True)
class Log:
    """What a command wrote to one stream, as far as it is kept."""

    head: bytes = b""
    tail: bytes = b""
    omitted: int = 0
    """Bytes between `head` and `tail` that were dropped."""

    def text(self) -> str:
        """The log as text: bad bytes replaced, NUL made visible, the cut marked on a line of its own."""
        parts = [self.head]
        if self.omitted:
            parts.append(f"\n[... {self.omitted} bytes not kept ...]\n".encode())
        parts.append(self.tail)
        return b"".join(parts).decode("utf-8", errors="replace").replace("\x00", "\N{SYMBOL FOR NULL}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended."""

    cause: Cause
    exit_code: int | None = None
    """0 to 255 where the command ended by itself (`Cause.EXIT`), or a shell told that its program had to be ended
    (`Cause.MEMORY`); else none."""
    signal: int | None = None
    """The signal that ended the command, where one did, ours included."""
    seconds: float = 0.0
    """Wall time from the start until all is over, as far as whoever attended the command could see."""
    cpu_seconds: float | None = None
    """User and system time of the command and the children that it waited for; none where it is not known."""
    peak_memory: int | None = None
    """Largest resident set of any one of its processes, in bytes; none where it is not known."""
    stdout: Log = field(default_factory=Log)
    stderr: Log = field(default_factory=Log)
    detail: str = ""
    """For the operator: what the system said, such as why a program could not be started."""


class NoOptions(BaseModel):
    """Options of an executor that has none."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Executor(ABC):
    """A place where commands run.

    An executor is made once per backend and process, and is used from many threads at once.
    """

    Options: ClassVar[type[BaseModel]] = NoOptions
    """A pydantic model of the backend's `options`; unknown ones are refused by it."""
    attended: ClassVar[bool]
    """True where the submitting worker must stay and `wait` for the command to end (the local machine);
    False where a scheduler looks after it and is polled."""

    def __init__(self, options: BaseModel) -> None:
        self.options = options

    @abstractmethod
    def submit(self, spec: CommandSpec) -> str:
        """Start, or hand over, the command; return the handle by which it is known from now on.

        A program that does not exist or cannot be executed is an outcome (exit code 127 or 126, as a shell
        has it, and a `detail`), not an exception. Raises `BackendUnavailable` when the place itself cannot
        take it.
        """

    @abstractmethod
    def wait(self, handle: str, seconds: float | None = None) -> Outcome | None:
        """Attend the command until it ended, or for `seconds`; its outcome, or none while it runs.

        Time limits hold, and logs are read, only while somebody waits or polls. An outcome is handed out
        once; after it the handle is unknown, and an unknown handle raises `KeyError`. Where several threads
        wait for one command, one of them is given the outcome, and the others get the `KeyError`.
        """

    @abstractmethod
    def poll(self, handles: Iterable[str]) -> dict[str, Outcome]:
        """The outcomes of those commands that have ended, without waiting. Unknown handles are left out, and
        so are commands that another thread waits for: their outcomes are that thread's."""

    @abstractmethod
    def cancel(self, handles: Iterable[str]) -> None:
        """End the commands with all their processes; whoever waits gets `Cause.CANCELLED`.

        What had ended by itself keeps its outcome. Unknown handles are ignored. Returns at once and may be
        called from any thread.
        """


class BackendUnavailable(Exception):
    """The backend cannot take commands at present."""
