"""What a command may use of the machine that it runs on, and how the kernel is told."""

import resource
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ByteSize, ConfigDict, Field, WithJsonSchema

MARGIN = 64
"""Processes that the kernel lets a command have beyond its limit, so that it is seen to go beyond, and ended."""


def _none_as_word(value: Any) -> Any:
    return None if isinstance(value, str) and value.strip().lower() == "none" else value


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError("must be an absolute path")
    return path


_NONE = {"enum": [None, "none"]}
Bytes = Annotated[
    ByteSize | None,
    BeforeValidator(_none_as_word),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": r"^[0-9.]+ ?[A-Za-z]*$", "examples": ["500MB", "20GB"]},
                _NONE,
            ]
        }
    ),
]
Count = Annotated[
    int | None,
    BeforeValidator(_none_as_word),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, _NONE]}),
]


class LocalOptions(BaseModel):
    """What the executor `local` can be told. A limit that is `none` does not hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cpu_time: Count = Field(
        None,
        ge=1,
        description="Seconds of processor time that one command may use, all its processes together.",
    )
    processes: Count = Field(
        4096, ge=8, description="Processes and threads that one command may have at once, or `none`."
    )
    open_files: Count = Field(None, ge=16, description="Files that one process may have open at once.")
    file_size: Bytes = Field(None, description="Largest file that a command may write, such as `20GB`.")
    output: Bytes = Field(
        ByteSize(100_000_000_000),
        description="What one command may keep on disk in its work folder, HOME and TMPDIR together, or `none`.",
    )
    readable: list[Annotated[Path, AfterValidator(_absolute)]] = Field(
        [],
        description="Files and folders that commands may read in the sandbox, besides the system's programs, `/opt` and"
        " the backend's `path` and `data`.",
    )

    def rlimits(self, *, own_namespace: bool) -> dict[int, int]:
        """The limits that the kernel keeps for each process, by the numbers of setrlimit(2).

        The number of processes is counted by the kernel for all of a user's at once; only in a user namespace of its
        own is it the command's (RLIMIT_NPROC; since Linux 5.14). It does not hold for root.
        """
        wanted = [(resource.RLIMIT_NOFILE, self.open_files), (resource.RLIMIT_FSIZE, self.file_size)]
        if own_namespace:
            wanted.append((resource.RLIMIT_NPROC, None if self.processes is None else self.processes + MARGIN))
        limits = {}
        for kind, most in wanted:
            if most is not None:
                hardest = resource.getrlimit(kind)[1]  # more than our own nobody but root may give
                limits[kind] = int(most) if hardest == resource.RLIM_INFINITY else min(int(most), hardest)
        return limits
