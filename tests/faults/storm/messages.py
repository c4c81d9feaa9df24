"""The messages of an installation, whatever its broker: they are lost, doubled, delayed."""

import contextlib
import random
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

from celery import Celery
from kombu.transport.virtual import Channel

from analytics_automated.config.filesystem_broker import broker_settings
from faults.storm.jobs import QUEUES

LOOK = "aa.look"
AT_ONCE = 30
"""Messages that are doubled or delayed together."""
DELAY = 2.0


class Messages:
    """What waits in the queues. It reaches past Celery to the broker, as kombu's channels do."""

    def __init__(self, data: Path, broker_url: str | None) -> None:
        self.folder = data / "broker"
        self.app = Celery("storm", set_as_current=False)
        if broker_url is None:
            self.app.conf.update(broker_settings(self.folder))
        else:
            self.app.conf.update(broker_url=broker_url)

    def lose_all(self) -> None:
        """Empty the queues."""
        with self._channel() as channel:
            for queue in QUEUES:
                channel.queue_purge(queue)

    def double(self, some: list[int], chance: random.Random) -> None:
        """Each waiting message is there twice; and there are wake-ups for these step runs, whatever became of them."""
        with self._channel() as channel:
            for queue, message in _taken(channel):
                channel._put(queue, message)
                channel._put(queue, message)
        self.wake(some, chance)

    def delay(self) -> threading.Timer:
        """Take waiting messages away, and put them back later."""
        with self._channel() as channel:
            held = _taken(channel)
        return threading.Timer(DELAY, self._put_back, [held])

    def wake(self, step_runs: list[int], chance: random.Random) -> None:
        """Send wake-ups for these, some of them for later."""
        for each in step_runs:
            self.app.send_task(LOOK, args=[each], queue=chance.choice(QUEUES), countdown=chance.choice([None, DELAY]))

    def forget_broker(self) -> None:
        """Of the embedded broker: all that it holds, its queues too."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def close(self) -> None:
        """Let go of connections."""
        self.app.close()

    def _put_back(self, held: list[tuple[str, dict[str, Any]]]) -> None:
        # A broker that is away just now has lost them for good.
        with (
            contextlib.suppress(OSError, *self.app.connection_for_write().connection_errors),
            self._channel() as channel,
        ):
            for queue, message in held:
                channel._put(queue, message)

    @contextlib.contextmanager
    def _channel(self) -> Iterator[Channel]:
        with self.app.connection_for_write() as connection, connection.channel() as channel:
            yield channel


def _taken(channel: Channel) -> list[tuple[str, dict[str, Any]]]:
    taken = []
    for queue in QUEUES:
        with contextlib.suppress(Empty):
            for _ in range(AT_ONCE):
                taken.append((queue, channel._get(queue)))
    return taken
