"""What passes between the engine and a place where commands run."""

import enum
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

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
class Resources:
    """What a command needs, and at the same time the most that it may use, where the place can hold it to that."""

    cpus: int = 1
    memory: int | None = None
    """Bytes; none: as much as the place gives."""
    gpus: int = 0


@dataclass(frozen=True, slots=True)
class Confinement:
    """What a command may see and reach besides its own work folder."""

    sandbox: Literal["auto", "required", "off"] = "auto"
    """Whether the place isolates the command: where it can, always or not at all."""
    network: bool = False
    """Whether the command may reach the network."""
    readable: tuple[Path, ...] = ()
    """Files and folders outside the work folder that it may read: reference data, folders of its PATH."""
    writable: tuple[Path, ...] = ()
    """Folders outside the work folder that it may write: its HOME and TMPDIR, and the files by which it speaks."""
    fixed: tuple[Path, ...] = ()
    """Files below the work folder that it may only read: what was shipped with its task."""
    hidden: tuple[Path, ...] = ()
    """Folders, by their real paths, that it must not see, also where they lie in something that it may read: the
    server's data, the HOME of its user. What is named above and lies within them is seen nevertheless."""


@dataclass(frozen=True, slots=True)
class Container:
    """The image that a command runs in."""

    runtime: Literal["apptainer", "podman", "docker"]
    image: str
    """As the runtime knows it: a name, or the path of a file."""


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
    state: Path | None = None
    """A folder for the executor's own files, which exists and is this attempt's alone: the command cannot write
    there where it is isolated. It lies as long as the work folder does, on the same disk. Executors that are not
    attended need one."""
    resources: Resources = Resources()
    confinement: Confinement = Confinement()
    container: Container | None = None
    user: str | None = None
    """System user that the command runs as, where the place can change that; none: the one that hands it over."""
    priority: int = 0
    """Higher goes first, where the place has an order of its own."""
    comment: str = ""
    """What the command belongs to, for whoever reads the scheduler's lists; one line."""


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


@dataclass(frozen=True, slots=True)
class Polled:
    """What a place says of the commands that it was asked about. Of those that are in none of the three nothing is
    known just now: ask again."""

    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    """Of those that have ended, by handle."""
    running: frozenset[str] = frozenset()
    waiting: Mapping[str, str] = field(default_factory=dict)
    """Those that the place has not started, each with the reason that it gives, for the operator."""


@dataclass(frozen=True, slots=True)
class Condition:
    """How a place that answers is. None: it does not say."""

    slots: int | None = None
    """Processors that it has for commands."""
    running: int | None = None
    """Commands that run there, whosever they are."""
    waiting: int | None = None
    """Commands that wait there, whosever they are."""
    detail: str = ""
    """For the operator: what else is worth knowing, such as which sandbox there is."""


class NoOptions(BaseModel):
    """Options of an executor that has none."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Executor(ABC):
    """A place where commands run.

    An executor is made once per backend and process, and is used from many threads at once.

    There are two kinds. Where it is `attended`, commands are children of the process that submits them, which stays
    and waits; what it knows of them ends with it. Where it is not, a scheduler looks after them: whoever knows a
    handle can ask, from any process that sees the same disk, and after any restart. Such a handle tells all that is
    needed to find the command and its `state` folder again.
    """

    Options: ClassVar[type[BaseModel]] = NoOptions
    """A pydantic model of the backend's `options`; unknown ones are refused by it. Descriptions of its fields are shown
    to operators."""
    attended: ClassVar[bool]
    """True where the submitting worker must stay and `wait` for the command to end (the local machine);
    False where a scheduler looks after it and is polled."""
    poll_seconds: float = 2.0
    """How often one that is not attended is asked how its commands are."""
    takes_user: ClassVar[bool] = False
    """Whether it can run a command as another system user."""
    takes_containers: ClassVar[bool] = False
    """Whether it runs commands in containers."""
    takes_gpus: ClassVar[bool] = False
    """Whether it gives accelerators to commands."""

    def __init__(self, options: BaseModel) -> None:
        self.options = options

    @abstractmethod
    def submit(self, spec: CommandSpec) -> str:
        """Start, or hand over, the command; return the handle by which it is known from now on.

        A program that does not exist or cannot be executed is an outcome (exit code 127 or 126, as a shell
        has it, and a `detail`), not an exception. Raises `BackendUnavailable` when the place itself cannot
        take it at present, and `Refused` when it never will, as it is asked for.

        Where the executor is not attended, submitting the same attempt again gives the same handle: there is one
        command, also where the first call was interrupted after the place had taken it.
        """

    def submit_all(self, specs: Sequence[CommandSpec]) -> list[str | Exception]:
        """The same for many alike, at less cost where the place has a way for that; a handle or what was raised for
        each, in their order."""
        handles: list[str | Exception] = []
        for spec in specs:
            try:
                handles.append(self.submit(spec))
            except (BackendUnavailable, Refused) as error:
                handles.append(error)
        return handles

    @abstractmethod
    def wait(self, handle: str, seconds: float | None = None) -> Outcome | None:
        """Attend the command until it ended, or for `seconds`; its outcome, or none while it runs.

        Of an attended executor: time limits hold, and logs are read, only while somebody waits or polls. An outcome
        is handed out once; after it the handle is unknown, and an unknown handle raises `KeyError`. Where several
        threads wait for one command, one of them is given the outcome, and the others get the `KeyError`.
        """

    @abstractmethod
    def poll(self, handles: Iterable[str]) -> Polled:
        """How those commands are, without waiting, and with one question to the place however many there are.

        Of an attended executor: unknown handles are left out, and so are commands that another thread waits for:
        their outcomes are that thread's. Of one that is not attended: an ended command keeps its outcome, for
        whoever asks and as often, as long as its `state` folder lies there; what the place has lost has the outcome
        `Cause.LOST`, but only when that is sure. Raises `BackendUnavailable` where the place gives no answer.
        """

    @abstractmethod
    def cancel(self, handles: Iterable[str]) -> None:
        """End the commands with all their processes; whoever waits gets `Cause.CANCELLED`.

        What had ended by itself keeps its outcome. Unknown handles are ignored. Returns at once and may be
        called from any thread. An executor that is not attended hands it over within two seconds, or raises
        `BackendUnavailable`; a later poll confirms it.
        """

    def find(self, attempts: Mapping[str, Path]) -> Mapping[str, str]:
        """The handles of those attempts, each given with its `state` folder, that the place has taken, whether they
        wait, run or have ended: for whoever does not know whether a `submit` was heard. Raises `BackendUnavailable`."""
        del attempts
        return {}

    def present(self) -> Mapping[str, str]:
        """The attempts that wait or run there, by name, each with the handle by which `cancel` ends it: for whoever
        looks for those that nobody wants any more. Raises `BackendUnavailable`."""
        return {}

    def check(self) -> Condition:
        """How the place is. Raises `BackendUnavailable` where it can take no command at present."""
        return Condition()


class BackendUnavailable(Exception):
    """The backend cannot take commands, or tell of them, at present. The text is for the operator."""


class Full(BackendUnavailable):
    """The backend is well, and takes no more commands before some of those that it has are done."""


class Refused(Exception):
    """The backend answers, and does not take this command, now or later. The text is for the operator."""
