"""Processes whose worker is gone: they still carry their attempt in their environment."""

import selectors
import time

from analytics_automated.executors.endings import Ending
from analytics_automated.executors.processes import Process, ProcessTree, all_processes

_LEADER_UNKNOWN = 0


def attempts_alive() -> set[str]:
    """The attempts that processes of this machine carry, as far as this user may see them."""
    return {attempt for process in all_processes() for attempt in process.carried()}


def end_orphans(attempt: str) -> list[Process]:
    """Kill every process that carries the attempt, with all that came from it; returns those that survived.

    To be called only where no worker attends the attempt any more. Takes a few seconds at most.
    """
    tree = ProcessTree(attempt, _LEADER_UNKNOWN)
    tree.orphan()
    with selectors.DefaultSelector() as selector:
        ending = Ending(tree, selector, now=time.monotonic(), grace=None)
        while not ending.advance(now := time.monotonic(), leader_alive=False):
            for key, _ in selector.select(max(0.0, ending.due - now)):
                key.data()
    return ending.survivors
