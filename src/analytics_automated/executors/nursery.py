"""A thread that starts processes for all others.

The signal that a process asks for at its parent's death, as bubblewrap does (prctl(2), PR_SET_PDEATHSIG), comes when
the *thread* ends that started it. This one ends with the worker's process, and only then.
"""

import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

_Made = TypeVar("_Made")
_lock = threading.Lock()
_orders: "queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]]] | None" = None


def in_lasting_thread(start: Callable[[], _Made]) -> _Made:
    """Call it there, and return what it returns or raise what it raises."""
    future: Future[_Made] = Future()
    _open().put((start, future))
    return future.result()


def _open() -> "queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]]]":
    global _orders
    with _lock:
        if _orders is None:
            _orders = queue.SimpleQueue()
            threading.Thread(target=_serve, args=(_orders,), name="nursery", daemon=True).start()
        return _orders


def _serve(orders: "queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]]]") -> None:
    while True:
        start, future = orders.get()
        try:
            future.set_result(start())
        except BaseException as error:  # noqa: BLE001 - it is raised where it was asked for
            future.set_exception(error)
        del start, future


def _forget() -> None:
    """A forked child has no such thread."""
    global _lock, _orders
    _lock, _orders = threading.Lock(), None


os.register_at_fork(after_in_child=_forget)
