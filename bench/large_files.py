"""How much memory it takes to have 1 GiB sent, copied by a task, and fetched."""

import hashlib
import secrets
from collections.abc import Iterator

from bench.figures import Figure, Findings
from bench.http_connection import CHUNK, Connection
from bench.installation import installation
from bench.process_tree import MIB, Peaks, members
from bench.processes import BenchmarkError
from bench.service import await_end, complete_one
from bench.stacks import Stacks

SIZE = 1 << 30
WARM_UP = 20
"""Small files that go the same way first, so that what is loaded once is loaded."""

METHOD = f"""\
1 GiB is sent as a form to a job of one step, copied by its `cp`, and the result is fetched, with its SHA-256 compared.
Growth is the peak of RSS as the kernel counts it (VmHWM, set back before each of the three) over the RSS of the same
process when idle, after {WARM_UP} small files. All processes of `aa up` are looked at, not the `cp`."""


def measure(stacks: Stacks) -> Findings:
    """On PostgreSQL and Redis."""
    with installation(stacks.services()) as up:
        for _ in range(WARM_UP):
            complete_one(up.address, "large")
        peaks = Peaks(members(up.pid))
        with Connection(up.address) as connection:
            sent = hashlib.sha256()
            submission_id = connection.submit_stream("large", _data(sent), SIZE)["id"]
            phases = {"in": peaks.growth()}
            peaks.reset()
            shown = await_end(connection, submission_id)
            phases["through the task"] = peaks.growth()
            peaks.reset()
            size, digest = connection.digest(shown["results"][0]["url"])
            phases["out"] = peaks.growth()
        if (size, digest) != (SIZE, sent.hexdigest()):
            raise BenchmarkError("1 GiB came back as something else")
    largest = max(most for growth in phases.values() for most in growth.values())
    return Findings(
        [Figure("largest process's growth, 1 GiB in and 1 GiB out", largest / MIB, "MiB", 0, "", 64, 32)],
        [_largest(f"1 GiB {phase}", growth) for phase, growth in phases.items()],
    )


def _data(digest: "hashlib._Hash") -> Iterator[bytes]:
    """The file, piece by piece, no two of which are equal."""
    piece = secrets.token_bytes(CHUNK - 8)
    for number in range(SIZE // CHUNK):
        made = number.to_bytes(8, "big") + piece
        digest.update(made)
        yield made


def _largest(name: str, growth: dict[str, int]) -> Figure:
    ordered = sorted(growth.items(), key=lambda item: -item[1])
    return Figure(name, ordered[0][1] / MIB, "MiB", 0, ", ".join(f"{who} {most / MIB:.0f}" for who, most in ordered))
