"""How much memory A_A takes that has nothing to do."""

import time

from bench.figures import Figure, Findings
from bench.installation import installation
from bench.process_tree import members, proportional_memory
from bench.service import complete_one
from bench.stacks import EMBEDDED, Stacks

SETTLE_SECONDS = 10
USED = 20

METHOD = f"""\
`aa up` with nothing configured: SQLite, files. PSS of all its processes, {SETTLE_SECONDS} s after it first answered;
and, for information, after {USED} submissions."""
MB = 1_000_000


def measure(_: Stacks) -> Findings:
    """With nothing configured."""
    with installation(EMBEDDED) as up:
        time.sleep(SETTLE_SECONDS)
        idle = proportional_memory(members(up.pid))
        for _number in range(USED):
            complete_one(up.address, "noop")
        time.sleep(1)
        used = proportional_memory(members(up.pid))
    return Findings(
        [Figure("memory of the idle embedded system (PSS)", sum(idle.values()) / MB, "MB", 0, "", 300, 200)],
        [_memory("idle", idle), _memory(f"after {USED} submissions", used)],
    )


def _memory(name: str, pss: dict[str, int]) -> Figure:
    each = ", ".join(f"{who} {size / MB:.0f}" for who, size in pss.items())
    return Figure(name, sum(pss.values()) / MB, "MB", 0, each)
