"""Which step goes next: the highest priority; then the caller who has the fewest running; then the oldest Submission.

It has to stay cheap whatever waits: no query reads all that is queued. The oldest rows of the highest priority are
looked at first, then some more. Whoever has a step among them and none running has the best one, as nobody's is older.
Only where that does not tell, the callers who wait are gone through one by one, with a look-up in an index for each.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from analytics_automated.pipelines.models import Backend
from analytics_automated.pipelines.plans import FORMAT
from analytics_automated.runs.engine.limits import full_jobs, with_room
from analytics_automated.runs.states import StepStatus
from analytics_automated.storage.statements import Statement

WINDOW = 50
"""Rows of a backend that are looked at first."""
HORIZON = 1000
"""Rows among which somebody who has nothing running is looked for next."""


@dataclass(frozen=True, slots=True)
class Priorities:
    """The priorities that a worker serves."""

    least: int | None = None
    most: int | None = None

    def __contains__(self, priority: int) -> bool:
        return (self.least is None or priority >= self.least) and (self.most is None or priority <= self.most)


ALL_PRIORITIES = Priorities()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A ready step, with all that its rank depends on but for what runs."""

    pk: int
    priority: int
    caller: int
    opens: str
    entered: datetime
    """As the database gives it: to compare."""
    is_limited: bool
    """Whether the Job that it would begin has limits."""


_COLUMNS = """s.id, s.priority, s.caller, s.opens, s.entered,
s.opens <> '' AND EXISTS (SELECT 1 FROM pipelines_job j WHERE j.name = s.opens AND j.limits IS NOT NULL)"""
_READY = f"""s.status = '{StepStatus.QUEUED}' AND NOT s.taken AND s.format = {FORMAT} AND s.backend = %(backend)s
AND (s.not_before IS NULL OR s.not_before <= {{now}})"""
_OLDEST = Statement(f"""
SELECT {_COLUMNS} FROM runs_steprun s WHERE {_READY} AND s.priority >= %(least)s AND s.priority <= %(most)s
ORDER BY s.priority DESC, s.entered, s.id LIMIT %(window)s
""")  # noqa: S608 -- names of ours
_NAMED = Statement(f"SELECT {_COLUMNS} FROM runs_steprun s WHERE s.id {{among[keys]}} ORDER BY s.entered, s.id")  # noqa: S608
LOWEST = -32_768
"""No priority is lower."""


def choose(
    backends: Iterable[Backend], count: int = 1, priorities: Priorities = ALL_PRIORITIES
) -> list[tuple[Backend, int]]:
    """Ready steps of these Backends, by primary key, in the order in which they go; at most `count`.

    The first is the best there is. Those behind it are the best once those before are taken, as far as was looked at.
    What waits for a limit of its Backend or Job is left out.
    """
    running = _Running()
    found = [
        (backend, candidate)
        for backend in with_room(backends)
        for candidate in _best_of(backend, max(count, WINDOW), priorities, running)
    ]
    return _in_turn(found, count, running)


_RUNNING = Statement("SELECT caller, COUNT(*) FROM runs_steprun WHERE taken GROUP BY caller")


class _Running:
    """How many steps each caller has running, or with a scheduler: asked once, and only where it matters."""

    @cached_property
    def counts(self) -> Counter[int]:
        """By caller; who has none is not in it."""
        return Counter(dict(_RUNNING.rows()))


def _best_of(backend: Backend, window: int, priorities: Priorities, running: _Running) -> list[Candidate]:
    """The backend's best step and some more, all of one priority; none where there is none that may go."""
    full: dict[str, bool] = {}
    while True:
        oldest = _oldest(backend, window, priorities)
        if not oldest:
            return []
        priority = oldest[0].priority
        level = _may_go([each for each in oldest if each.priority == priority], full)
        is_all = len(oldest) < window or oldest[-1].priority < priority
        if not is_all and all(each.caller in running.counts for each in level):
            better = _may_go(_oldest_of_idle_callers(backend, priority), full)
            better = better or _first_of_each_caller(backend, priority, full, running)
            level = [*better, *(each for each in level if each not in better)]
        if level:
            return level
        priorities = Priorities(priorities.least, priority - 1)


def _oldest(backend: Backend, window: int, priorities: Priorities) -> list[Candidate]:
    least = LOWEST if priorities.least is None else priorities.least
    most = -LOWEST if priorities.most is None else priorities.most
    return [Candidate(*row) for row in _OLDEST.rows(backend=backend.name, least=least, most=most, window=window)]


def _may_go(candidates: list[Candidate], full: dict[str, bool]) -> list[Candidate]:
    """Without those that would begin a Submission of a Job that has no room for it. `full` keeps what was asked."""
    unknown = {each.opens for each in candidates if each.is_limited} - set(full)
    if unknown:
        full |= dict.fromkeys(unknown, False) | dict.fromkeys(full_jobs(unknown), True)
    return [each for each in candidates if not full.get(each.opens)]


_LEVEL = f"{_READY} AND s.priority = %(priority)s"
_IDLE = Statement(f"""
SELECT w.id FROM (
    SELECT s.id, s.caller, s.entered FROM runs_steprun s WHERE {_LEVEL} ORDER BY s.entered, s.id LIMIT %(horizon)s
) w WHERE w.caller NOT IN (SELECT caller FROM runs_steprun WHERE taken)
ORDER BY w.entered, w.id LIMIT %(window)s
""")  # noqa: S608 -- names of ours
_FIRSTS = Statement(f"""
WITH RECURSIVE first_run(id) AS (
    SELECT (SELECT s.id FROM runs_steprun s WHERE {_LEVEL} ORDER BY s.caller, s.opens, s.entered, s.id LIMIT 1)
    UNION ALL
    SELECT COALESCE(
        (SELECT s.id FROM runs_steprun s WHERE {_LEVEL} AND s.caller = r.caller AND s.opens > r.opens
         ORDER BY s.opens, s.entered, s.id LIMIT 1),
        (SELECT s.id FROM runs_steprun s WHERE {_LEVEL} AND s.caller > r.caller
         ORDER BY s.caller, s.opens, s.entered, s.id LIMIT 1)
    ) FROM first_run JOIN runs_steprun r ON r.id = first_run.id
)
SELECT r.id, r.caller, r.opens FROM first_run JOIN runs_steprun r ON r.id = first_run.id ORDER BY r.entered, r.id
""")  # noqa: S608 -- names of ours
"""The oldest ready step of each caller, and of each Job that it would begin: a walk along an index that leaps from each
to the next ("loose index scan"). Two leaps, as SQLite looks up no pair, `(caller, opens) > (…)`, by an index."""


def _oldest_of_idle_callers(backend: Backend, priority: int) -> list[Candidate]:
    """The oldest steps of callers who have none running, where any is near: somebody's burst may lie before them."""
    rows = _IDLE.rows(backend=backend.name, priority=priority, horizon=HORIZON, window=WINDOW)
    return _candidates([pk for (pk,) in rows])


def _candidates(keys: list[int]) -> list[Candidate]:
    return [Candidate(*row) for row in _NAMED.rows(keys=keys)] if keys else []


def _first_of_each_caller(backend: Backend, priority: int, full: dict[str, bool], running: _Running) -> list[Candidate]:
    """The best steps of that priority, whatever waits: one each of the callers with the fewest running."""
    rows = _FIRSTS.rows(backend=backend.name, priority=priority)
    full |= dict.fromkeys(full_jobs({opens for _, _, opens in rows if opens and opens not in full}), True)
    open_rows = [(pk, caller) for pk, caller, opens in rows if not full.get(opens)]
    best = sorted(open_rows, key=lambda row: running.counts[row[1]])[:WINDOW]
    return _candidates([pk for pk, _ in best])


def _in_turn(found: list[tuple[Backend, Candidate]], count: int, running: _Running) -> list[tuple[Backend, int]]:
    """The order in which they go: each that is taken counts for its caller."""
    is_shared = len({candidate.caller for _, candidate in found}) > 1
    counts = Counter(running.counts) if is_shared else Counter()
    waiting = list(found)
    taken: list[tuple[Backend, int]] = []
    while waiting and len(taken) < count:
        best = min(waiting, key=lambda each: (-each[1].priority, counts[each[1].caller], each[1].entered, each[1].pk))
        waiting.remove(best)
        counts[best[1].caller] += 1
        taken.append((best[0], best[1].pk))
    return taken
