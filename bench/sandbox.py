"""What the sandbox costs: `true` in it and without it, one after the other, so that both meet the same machine.

`python -m bench.sandbox [PAIRS]` prints the figures; the exit code is 1 where the target is missed.
"""

import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from analytics_automated.executors.base import CommandSpec, Confinement
from analytics_automated.executors.confinement.sandbox import sandbox_here
from analytics_automated.executors.limits import LocalOptions
from analytics_automated.executors.local import LocalExecutor

PAIRS = 200
WARM_UP = 10
TARGET_MS = 10.0
"""The most that the sandbox may add to a command, in the median of the pairs."""


@dataclass(frozen=True, slots=True)
class SandboxCost:
    """Milliseconds, from submitting a command to its outcome."""

    plain: list[float]
    sandboxed: list[float]

    @property
    def added(self) -> list[float]:
        """What the sandbox added, pair by pair."""
        return [one - other for one, other in zip(self.sandboxed, self.plain, strict=True)]

    @property
    def met(self) -> bool:
        """Whether the target was met."""
        return statistics.median(self.added) < TARGET_MS

    def lines(self) -> list[str]:
        """The figures, for people."""
        return [
            f"{name:12} median {statistics.median(times):6.2f} ms   9 of 10 within {_ninth(times):6.2f} ms"
            for name, times in (("plain", self.plain), ("sandboxed", self.sandboxed), ("added", self.added))
        ]


def measure_sandbox(pairs: int = PAIRS) -> SandboxCost:
    """Run that many pairs. Raises `RuntimeError` where there is no sandbox."""
    found = sandbox_here()
    if found.machine is None:
        raise RuntimeError(f"there is no sandbox: {found.said}")
    executor = LocalExecutor(LocalOptions())
    with tempfile.TemporaryDirectory() as folder:
        work, home = Path(folder, "work"), Path(folder, "home")
        work.mkdir()
        home.mkdir()
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(home), "TMPDIR": str(home)}
        plain = CommandSpec("bench", ("true",), work, environment, confinement=Confinement("off"))
        sandboxed = replace(plain, confinement=Confinement("required", writable=(home,)))
        for _ in range(WARM_UP):
            _time(executor, plain)
            _time(executor, sandboxed)
        times = [(_time(executor, plain), _time(executor, sandboxed)) for _ in range(pairs)]
    return SandboxCost([one for one, _ in times], [other for _, other in times])


def _time(executor: LocalExecutor, spec: CommandSpec) -> float:
    began = time.perf_counter()
    outcome = executor.wait(executor.submit(spec))
    seconds = time.perf_counter() - began
    if outcome is None or outcome.exit_code != 0:
        raise RuntimeError(f"`true` failed: {outcome}")
    return seconds * 1000


def _ninth(times: list[float]) -> float:
    return statistics.quantiles(times, n=10)[-1]


def main() -> int:
    """Measure and print; the exit code."""
    cost = measure_sandbox(int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS)
    print("\n".join(cost.lines()))
    print(f"target: less than {TARGET_MS:g} ms added: {'met' if cost.met else 'MISSED'}")
    return 0 if cost.met else 1


if __name__ == "__main__":
    sys.exit(main())
