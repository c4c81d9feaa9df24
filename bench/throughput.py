"""How fast a backlog is worked off: jobs of one step, and tasks of raw Celery."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import SplitResult

from bench.figures import Figure, Findings, Rate, median_of, rate_figure
from bench.http_connection import Connection
from bench.installation import installation
from bench.raw_celery import raw_celery
from bench.service import await_end, moment, new_data
from bench.stacks import Stacks

ROUNDS = 3
RAW_BACKLOG = 500
BACKLOG = 200
CONNECTIONS = 4
WARM_UP = 20

METHOD = f"""\
{ROUNDS} rounds, in turn: {RAW_BACKLOG} tasks of raw Celery, from the first message sent to the last task's end; and
{BACKLOG} submissions of `noop` from {CONNECTIONS} connections at once, from the first POST to the end of the last
submission by the service's clock. Workers work meanwhile, and clients share the machine."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """Submissions that came faster than they could be worked off."""

    accepted: Rate
    """Submissions answered with 201, while workers worked at those before."""
    done: Rate
    """Submissions completed, from the first POST to the end of the last one, by the service's clock."""


def measure(stacks: Stacks) -> Findings:
    """On PostgreSQL and Redis."""
    stack = stacks.services()
    sent: list[Rate] = []
    tasks: list[Rate] = []
    backlogs: list[Backlog] = []
    with raw_celery(stack) as raw, installation(stack) as up:
        raw.work_off(WARM_UP)
        _work_off(up.address, "noop", WARM_UP)
        for _ in range(ROUNDS):
            raw_sent, raw_done = raw.work_off(RAW_BACKLOG)
            sent.append(raw_sent)
            tasks.append(raw_done)
            backlogs.append(_work_off(up.address, "noop", BACKLOG))
    jobs = [backlog.done for backlog in backlogs]
    ratio = median_of(jobs) / median_of(tasks)
    return Findings(
        [Figure("`noop` jobs/s over raw tasks/s", ratio, "times", 2, "", 0.25, 0.40)],
        [
            rate_figure("raw Celery: messages sent", sent),
            rate_figure("raw Celery: tasks done", tasks),
            rate_figure("`noop`: accepted while workers work", [backlog.accepted for backlog in backlogs]),
            rate_figure("`noop`: jobs done", jobs),
        ],
    )


def _work_off(address: SplitResult, job: str, count: int) -> Backlog:
    """Submit `count` at once, and wait until all are complete."""
    shares = [range(place, count, CONNECTIONS) for place in range(CONNECTIONS)]
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        began_at, began = time.time(), time.monotonic()
        posted = threads.map(lambda share: _submit_all(address, job, len(share)), shares)
        ids = [submission_id for share in posted for submission_id in share]
        accepted = Rate(count, time.monotonic() - began)
    with Connection(address) as connection:
        ends = [moment(await_end(connection, submission_id)["finished"]) for submission_id in ids]
    return Backlog(accepted, Rate(count, max(ends) - began_at))


def _submit_all(address: SplitResult, job: str, count: int) -> Sequence[str]:
    with Connection(address) as connection:
        return [str(connection.submit(job, new_data())["id"]) for _ in range(count)]
