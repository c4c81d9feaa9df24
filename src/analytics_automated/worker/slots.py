"""The threads in which a worker serves messages."""

import os
from collections.abc import Callable
from typing import Any

from celery.concurrency.thread import TaskPool


class Slots(TaskPool):
    """Celery's own pool of threads, but whoever waits for messages learns at once that a slot is free.

    On Redis a worker without a free slot stops waiting for messages (`worker_disable_prefetch`), and its main loop
    sleeps until something comes on another socket, or for a second: it would not look before (Celery and kombu 5.7).
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._freed = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def register_with_event_loop(self, loop: Any) -> None:
        """Called where there is a main loop that can be woken; other brokers are waited for in another way."""
        loop.add_reader(self._freed, self._woken)

    def on_apply(
        self,
        target: Callable[..., Any],
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
        callback: Callable[..., Any] | None = None,
        accept_callback: Callable[..., Any] | None = None,
        **options: Any,
    ) -> Any:
        """Serve a message in a thread; `callback` is what frees its slot."""

        def ended(result: Any) -> None:
            if callback is not None:
                callback(result)
            os.eventfd_write(self._freed, 1)

        return super().on_apply(target, args, kwargs, ended, accept_callback, **options)

    def _woken(self) -> None:
        """The main loop is awake, which is all that was wanted."""
        os.eventfd_read(self._freed)
