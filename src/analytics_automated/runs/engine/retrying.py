"""Whether a failed attempt is followed by another, and when."""

import datetime as dt
import random

from analytics_automated.executors.base import Cause
from analytics_automated.pipelines.definitions import TaskDefinition
from analytics_automated.pipelines.definitions.task import ExitCodesDefinition, RetriesDefinition

DEFAULT = RetriesDefinition()
"""Of a task without `retries`."""
JITTER = 0.1
"""Part of a delay by which it may be longer, so that what failed together is not tried together."""
LONGEST_DELAY = 86_400.0
"""Seconds, however often the delay has grown."""


def next_try(task: TaskDefinition, cause: str, exit_code: int | None, tries: int) -> dt.timedelta | None:
    """How long after a failure with that cause the step is tried again; none where it is not.

    `tries` are the attempts that failed before and were tried again.
    """
    retries = task.retries or DEFAULT
    if tries >= retries.max or not any(_is_meant(each, cause, exit_code) for each in retries.on):
        return None
    try:
        delay = min(retries.delay * retries.backoff**tries, LONGEST_DELAY)
    except OverflowError:
        delay = LONGEST_DELAY
    return dt.timedelta(seconds=delay * (1 + JITTER * random.random()))  # noqa: S311 -- spreads load, hides nothing


def _is_meant(entry: str, cause: str, exit_code: int | None) -> bool:
    kind, colon, codes = entry.partition(":")
    if not colon:
        return kind == cause
    by_code = cause in (Cause.EXIT, Cause.MEMORY)  # a shell exits with 137 whose program was ended for its memory
    return by_code and exit_code is not None and ExitCodesDefinition.matches([codes], exit_code)
