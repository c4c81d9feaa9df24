"""How many submissions are taken in a second, when no worker takes any of the machine."""

from http import HTTPStatus

from bench.figures import Figure, Findings, median_of, rate_figure
from bench.http_connection import Connection
from bench.installation import installation
from bench.service import new_data
from bench.stacks import Stacks
from bench.wrk import CONNECTIONS, load

RUNS = 3
SECONDS = 4

METHOD = f"""\
`aa web` alone, as `aa up` starts it; no worker. wrk posts a form with a small file, another one each time, to `noop`
from {CONNECTIONS} kept connections: {RUNS} runs of {SECONDS} s, after one of a second that does not count. All answers
were 201. Then it polls one of the submissions that wait."""


def measure(stacks: Stacks) -> Findings:
    """On PostgreSQL and Redis."""
    path = "/api/v1/jobs/noop/submissions"
    with installation(stacks.services(), "web") as web:
        load(web.address, path, seconds=1, kind="submit", expected=HTTPStatus.CREATED)
        runs = [
            load(web.address, path, seconds=SECONDS, kind="submit", expected=HTTPStatus.CREATED) for _ in range(RUNS)
        ]
        with Connection(web.address) as connection:
            waiting = f"/api/v1/submissions/{connection.submit('noop', new_data())['id']}"
        polls = load(web.address, waiting, seconds=SECONDS, kind="get", expected=HTTPStatus.OK)
    return Findings(
        [Figure("submissions accepted per second", median_of(runs), "/s", 0, "", 250, 350)],
        [rate_figure("submissions accepted", runs), rate_figure("polls of one that waits", [polls])],
    )
