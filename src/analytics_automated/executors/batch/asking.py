"""Asking a scheduler's own programs, each in bounded time, and with an environment without the worker's secrets."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from analytics_automated.executors.base import BackendUnavailable

_PASSED_ON = ("PATH", "HOME", "USER", "LOGNAME", "LD_LIBRARY_PATH", "TZ", "KRB5CCNAME")
"""What such a program may need of the worker's environment, besides its scheduler's own variables."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program said."""

    code: int
    out: str
    err: str

    @property
    def words(self) -> str:
        """Why it refused, for the operator: what it wrote to standard error, else to standard output, on one line."""
        return " ".join((self.err.strip() or self.out.strip()).split()) or f"exit code {self.code}, without a word"


@dataclass(frozen=True, slots=True)
class Asking:
    """How programs of one scheduler are asked."""

    seconds: float
    """What one may take."""
    variables: tuple[str, ...] = ()
    """Names of those variables of the worker that are the scheduler's own and are passed on, too."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that are set for them, whatever the worker has."""
    folder: str = ""
    """Where the programs lie, where they are not on the PATH."""

    def __call__(self, *words: str, text: str = "", seconds: float | None = None) -> Answer:
        """Run the program with `text` as its input, for `seconds` where it may take less than usual.

        Raises `BackendUnavailable` where it cannot be run or does not answer in time; what it was to do may then
        have been done, or not.
        """
        most = self.seconds if seconds is None else min(seconds, self.seconds)
        program = f"{self.folder}/{words[0]}" if self.folder else words[0]
        try:
            done = subprocess.run(
                [program, *words[1:]],
                input=os.fsencode(text),
                capture_output=True,
                env=self._environment(),
                cwd="/",
                timeout=most,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise BackendUnavailable(f"{words[0]} gave no answer in {most:g} seconds") from None
        except OSError as error:
            raise BackendUnavailable(f"{words[0]} cannot be run: {error.strerror}") from error
        return Answer(done.returncode, _decoded(done.stdout), _decoded(done.stderr))

    def _environment(self) -> dict[str, str]:
        passed = {name: os.environ[name] for name in (*_PASSED_ON, *self.variables) if name in os.environ}
        return {**passed, "LC_ALL": "C", **self.environment}


def _decoded(output: bytes) -> str:
    return output.decode("utf-8", errors="replace")


def chunks(ids: Sequence[str], size: int = 500) -> Sequence[Sequence[str]]:
    """The ids in groups that one command line has room for."""
    return [ids[first : first + size] for first in range(0, len(ids), size)]
