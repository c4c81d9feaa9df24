"""The standard streams of a local command: its ends of them, and the logs read from ours."""

import os
from pathlib import Path

from analytics_automated.executors.base import BackendUnavailable, CommandSpec, Log
from analytics_automated.executors.logs import BoundedLog

READ_BYTES = 64 * 1024
READ_AT_ONCE = 1024 * 1024
"""Most bytes taken from one pipe before its command's time limit is looked at again. No less than the largest
pipe that Linux gives an ordinary user (fs.pipe-max-size), so that one turn takes all that was there."""


class LogPipe:
    """Our end of a pipe that a command writes to, read into a bounded log without ever waiting."""

    def __init__(self, fd: int, log: BoundedLog) -> None:
        os.set_blocking(fd, False)
        self._fd = fd
        self._log = log
        self.ended = False
        """True once every holder of the other end has closed it, and all was read."""

    def fileno(self) -> int:
        """The descriptor to watch."""
        return self._fd

    def read(self) -> None:
        """Take what is there now, at most about `READ_AT_ONCE` bytes."""
        taken = 0
        while taken < READ_AT_ONCE and not self.ended:
            try:
                data = os.read(self._fd, READ_BYTES)
            except BlockingIOError:
                return
            self._log.write(data)
            taken += len(data)
            self.ended = not data

    def log(self) -> Log:
        """What was read so far, as far as it is kept."""
        return self._log.log()

    def close(self) -> None:
        """Read no more; whoever still writes gets SIGPIPE."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class Streams:
    """The standard streams of one command. Raises `BackendUnavailable` where one cannot be opened."""

    def __init__(self, spec: CommandSpec) -> None:
        self.stdout: LogPipe | None = None
        self.stderr: LogPipe | None = None
        self._given: list[int] = []
        try:
            self._open(spec)
        except OSError as error:
            self.close()
            raise BackendUnavailable(f"standard streams: {error}") from error
        except BaseException:
            self.close()
            raise

    @property
    def pipes(self) -> list[LogPipe]:
        """Our ends, of those streams that are kept as logs."""
        return [pipe for pipe in (self.stdout, self.stderr) if pipe is not None]

    def close_given(self) -> None:
        """Close the command's ends here, so that ours end when it does."""
        while self._given:
            os.close(self._given.pop())

    def close(self) -> None:
        """Close everything."""
        self.close_given()
        for pipe in self.pipes:
            pipe.close()

    def _open(self, spec: CommandSpec) -> None:
        stdin = os.devnull if spec.stdin is None else spec.workdir / spec.stdin
        self.stdin_fd = self._give(os.open(stdin, os.O_RDONLY | os.O_CLOEXEC))
        if spec.stdout is None:
            self.stdout, self.stdout_fd = self._pipe(spec.log_limit)
        else:
            self.stdout_fd = self._file(spec.workdir / spec.stdout)
        if spec.stderr is None:
            self.stderr, self.stderr_fd = self._pipe(spec.log_limit)
        else:
            self.stderr_fd = self._file(spec.workdir / spec.stderr)
            if spec.stdout is not None and _same_file(self.stdout_fd, self.stderr_fd):
                # One open description has one position. With two, each stream would overwrite the other.
                self.stderr_fd = self.stdout_fd

    def _give(self, fd: int) -> int:
        self._given.append(fd)
        return fd

    def _pipe(self, limit: int) -> tuple[LogPipe, int]:
        log = BoundedLog(limit)
        ours, given = os.pipe2(os.O_CLOEXEC)
        return LogPipe(ours, log), self._give(given)

    def _file(self, path: Path) -> int:
        return self._give(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode=0o600))


def _same_file(one: int, other: int) -> bool:
    return os.path.samestat(os.fstat(one), os.fstat(other))
