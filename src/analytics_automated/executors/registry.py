"""Executors by name, found through the entry points `analytics_automated.executors`."""

import functools
from importlib.metadata import entry_points

from analytics_automated.executors.base import Executor

GROUP = "analytics_automated.executors"


@functools.cache
def executor_names() -> tuple[str, ...]:
    """The names of all installed executors, sorted."""
    return tuple(sorted(entry.name for entry in entry_points(group=GROUP)))


@functools.cache
def executor_class(name: str) -> type[Executor]:
    """The executor of that name. Raises `KeyError` where none is installed."""
    for entry in entry_points(group=GROUP):
        if entry.name == name:
            loaded: type[Executor] = entry.load()
            if not issubclass(loaded, Executor):
                raise TypeError(f"{entry.value} is registered as the executor {name!r} but is no Executor")
            return loaded
    raise KeyError(name)
