"""Finding a program and starting it, with the exit codes that a shell gives where that fails."""

import errno
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from analytics_automated.executors.base import ATTEMPT_VARIABLE, BackendUnavailable, CommandSpec
from analytics_automated.executors.streams import Streams

NOT_EXECUTABLE = 126
NOT_FOUND = 127
"""Exit codes for a program that was found but cannot be executed, or was not found: POSIX.1-2017 XCU
2.8.2."""

# What is wrong with the machine, not with the command: another try, later or elsewhere, may succeed.
_TROUBLE = frozenset((errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EIO, errno.ESTALE, errno.ETXTBSY))


@dataclass(frozen=True, slots=True)
class Wrapped:
    """What is started in a command's place, and starts the command itself."""

    argv: tuple[str, ...]
    """The first is the path of a file."""
    environment: Mapping[str, str]
    descriptors: tuple[int, ...] = ()
    """Those that it is given besides the standard streams."""


class StartError(Exception):
    """The command cannot be executed, here or anywhere like here."""

    def __init__(self, exit_code: int, detail: str) -> None:
        super().__init__(detail)
        self.exit_code = exit_code
        self.detail = detail


def start(spec: CommandSpec, streams: Streams, wrapped: Wrapped | None = None) -> int:
    """Start the command, or what it is `wrapped` in, in a session and process group of its own.

    Returns its process id, which is also that of the session and the group, and which the caller must reap.
    Raises `StartError` where the command is at fault, and `BackendUnavailable` where the machine is, the work
    folder included, since whoever made the spec has promised that it exists.
    """
    if wrapped is None:
        check_encodable(spec)
        program = find(spec)
        wrapped = Wrapped(spec.argv, {**spec.environment, ATTEMPT_VARIABLE: spec.attempt})
    else:
        program = wrapped.argv[0]
    workdir = str(spec.workdir)
    try:
        # No preexec_fn, user or group: only then does CPython (3.11 to 3.14) use vfork, which costs the same
        # however large this process is. See subprocess._USE_VFORK and Modules/_posixsubprocess.c.
        process = subprocess.Popen(
            wrapped.argv,
            executable=program,
            cwd=workdir,
            env=wrapped.environment,
            stdin=streams.stdin_fd,
            stdout=streams.stdout_fd,
            stderr=streams.stderr_fd,
            close_fds=True,
            pass_fds=wrapped.descriptors,
            start_new_session=True,
        )
    except OSError as error:
        if error.errno in _TROUBLE:
            raise BackendUnavailable(f"cannot start a process: {error}") from error
        if error.filename == workdir and not _can_enter(workdir):
            raise BackendUnavailable(f"work folder: {error}") from error
        raise refusal(spec, program, error.errno or 0) from error
    # We reap it ourselves, by wait4. With a return code Popen is content, and never waits for it.
    process.returncode = 0
    return process.pid


def find(spec: CommandSpec) -> str:
    """The file to execute for `argv[0]`.

    A name with a slash is relative to the work folder. Any other is looked for along the PATH of the
    command's own environment, `os.defpath` without one (POSIX.1-2017 XBD 8.3).

    Popen would look it up too, but by `os.get_exec_path`, which changes the process's warning filters in
    passing and is not safe in threads for that. Raises `StartError`.
    """
    name = spec.argv[0] if spec.argv else ""
    if not name:
        raise StartError(NOT_FOUND, "the command names no program")
    if "/" in name:
        return name
    refused = None
    for candidate in _candidates(spec, name):
        if os.path.isfile(candidate):  # noqa: PTH113 - Path costs every command more
            if os.access(candidate, os.X_OK):
                return candidate
            refused = refused or candidate
    if refused:
        raise StartError(NOT_EXECUTABLE, f"{refused}: not executable")
    raise StartError(NOT_FOUND, f"{name}: not found on the PATH {_search_path(spec)}")


def _search_path(spec: CommandSpec) -> str:
    return spec.environment.get("PATH", os.defpath)


def _candidates(spec: CommandSpec, name: str) -> Iterator[str]:
    for folder in _search_path(spec).split(":"):
        yield f"{folder}/{name}" if folder.startswith("/") else f"{spec.workdir}/{folder}/{name}"


def check_encodable(spec: CommandSpec) -> None:
    """Raises `StartError` where the command line or the environment cannot be handed to a program."""
    environment = spec.environment
    for text in (*spec.argv, *environment.keys(), *environment.values()):
        if "\0" in text:
            raise StartError(NOT_EXECUTABLE, "a NUL character in the command line or the environment")
        try:
            os.fsencode(text)
        except UnicodeEncodeError as error:
            raise StartError(NOT_EXECUTABLE, f"command line or environment: {error}") from error
    for name in environment:
        if not name or "=" in name:
            raise StartError(NOT_EXECUTABLE, f"{name!r} cannot be the name of a variable")


def _can_enter(folder: str) -> bool:
    return os.path.isdir(folder) and os.access(folder, os.X_OK)  # noqa: PTH112 - as above


def refusal(spec: CommandSpec, program: str, number: int) -> StartError:
    """What execve(2) meant by that error number."""
    if number in (errno.ENOENT, errno.ENOTDIR):
        if not (spec.workdir / program).exists():
            return StartError(NOT_FOUND, f"{program}: not found")
        return StartError(NOT_EXECUTABLE, f"{program}: its interpreter does not exist")
    return StartError(NOT_EXECUTABLE, f"{program}: {os.strerror(number)}")
