"""How many polls are answered in a second."""

from http import HTTPStatus

from bench.figures import Figure, Findings, median_of, rate_figure
from bench.installation import installation
from bench.service import complete_one
from bench.stacks import Stacks
from bench.wrk import CONNECTIONS, load

RUNS = 3
SECONDS = 4

METHOD = f"""\
`aa up` with idle workers. wrk asks for one completed submission of `noop` on {CONNECTIONS} kept connections, back to
back: {RUNS} runs of {SECONDS} s, after one of a second that does not count. All answers were 200."""


def measure(stacks: Stacks) -> Findings:
    """On PostgreSQL and Redis."""
    with installation(stacks.services()) as up:
        path = f"/api/v1/submissions/{complete_one(up.address, 'noop')}"
        load(up.address, path, seconds=1, kind="get", expected=HTTPStatus.OK)
        runs = [load(up.address, path, seconds=SECONDS, kind="get", expected=HTTPStatus.OK) for _ in range(RUNS)]
    return Findings(
        [Figure("polls per second", median_of(runs), "/s", 0, "", 2000, 3000)],
        [rate_figure("polls of a completed one", runs)],
    )
