"""The threads in which a worker serves messages."""

from collections.abc import Callable
from typing import Any

from celery.concurrency.thread import TaskPool
from kombu.asynchronous import get_event_loop


class Slots(TaskPool):
    """Celery's own pool of threads, but whoever waits for messages learns at once that a slot is free.

    On Redis a worker without a free slot stops waiting for messages (`worker_disable_prefetch`), and its main loop
    sleeps until something comes on another socket, or for a second: it would not look before (Celery and kombu 5.7).
    """

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
            loop = get_event_loop()
            if loop is not None:  # none on brokers that are waited for in another way
                loop.call_soon(_look_again)  # type: ignore[no-untyped-call]  # kombu has no types

        return super().on_apply(target, args, kwargs, ended, accept_callback, **options)


def _look_again() -> None:
    """What the main loop does once it is awake is the purpose."""
