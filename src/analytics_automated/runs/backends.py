"""The executors behind Backends."""

import json
from functools import lru_cache

from analytics_automated.executors.base import Executor
from analytics_automated.executors.registry import executor_class, executor_names
from analytics_automated.pipelines.models import Backend


def executor_of(backend: Backend) -> Executor:
    """The executor behind a Backend; one per process and set of options. Raises `KeyError` where it is not
    installed."""
    return _executor(backend.queue_type.executor, json.dumps(backend.options, sort_keys=True))


@lru_cache(maxsize=64)
def _executor(name: str, options: str) -> Executor:
    made = executor_class(name)
    return made(made.Options.model_validate_json(options))


def scheduled_backends() -> frozenset[str]:
    """The Backends whose commands a scheduler looks after, by name. One whose executor is not installed here counts
    as such: nothing is known here of its commands."""
    attended = {name for name in executor_names() if executor_class(name).attended}
    rows = Backend.objects.values_list("name", "queue_type__executor")
    return frozenset(name for name, executor in rows if executor not in attended)
