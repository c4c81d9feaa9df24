"""The embedded broker: Celery's messages as files in one folder, so that nothing needs installing."""

# kombu says that it is typed, but most of its functions carry no annotations:
# mypy: disallow-untyped-calls=False

import contextlib
from collections import deque
from pathlib import Path
from queue import Empty
from typing import Any
from urllib.parse import quote

from kombu.transport import filesystem
from kombu.transport.virtual import BrokerState
from kombu.utils.json import dumps, loads

from analytics_automated.config.broker_folder import Binding, BrokerFolder

LONGEST_DRAIN = 0.25
"""Seconds. A Celery consumer does what other threads asked of it (add a queue) only between two drains."""


def broker_settings(folder: Path) -> dict[str, Any]:
    """The Celery settings, in lower case, that put this broker's messages below `folder`.

    `folder` is made when the first connection opens. Remote control is off: every worker would keep a
    queue of its own for it, and nobody would empty that of a worker that was killed.
    """
    return {
        # The transport stands beside the URL since kombu imports no transport that a URL names by path.
        "broker_url": "filesystem://",
        "broker_transport": f"{Transport.__module__}:{Transport.__qualname__}",
        "broker_transport_options": {"folder": str(folder.absolute())},
        "worker_enable_remote_control": False,
    }


class Channel(filesystem.Channel):
    """kombu's commands, done on a `BrokerFolder`. `Transport` says why."""

    def __init__(self, connection: "Transport", **kwargs: Any) -> None:
        super().__init__(connection, **kwargs)
        self._folder = connection.folder
        self._listed: dict[str, deque[str]] = {}

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:  # noqa: ARG002
        # To list a long queue for every message would cost its length each time, so names are remembered.
        # That a whole new listing was lost to other consumers is as good as empty: the next look is soon.
        names = self._listed.setdefault(queue, deque())
        message = self._first(queue, names)
        if message is None:
            names.extend(self._folder.oldest(queue))
            message = self._first(queue, names)
        if message is None:
            raise Empty
        return message

    def _first(self, queue: str, names: deque[str]) -> dict[str, Any] | None:
        while names:
            taken = self._folder.take(queue, names.popleft())
            message = taken and self._read(taken)
            if message:
                return message
        return None

    def _read(self, taken: Path) -> dict[str, Any] | None:
        try:
            message: dict[str, Any] = loads(taken.read_bytes())
            _check_form(message)
            self.Message(message, channel=self)  # what delivering it will do
        except FileNotFoundError:  # this process slept so long that its file was removed as stale
            return None
        except Exception as error:  # noqa: BLE001 - nothing that a file holds may end the worker
            self._folder.set_aside(taken, error)
            return None
        with contextlib.suppress(OSError):  # it is this consumer's own already, and removed once stale
            taken.unlink()
        return message

    def _put(  # type: ignore[override]  # kombu's base classes name the message differently
        self, queue: str, message: dict[str, Any], **_options: Any
    ) -> None:
        self._folder.put(queue, dumps(message).encode())

    def _size(self, queue: str) -> int:
        return self._folder.size(queue)

    def _purge(self, queue: str) -> int:
        return self._folder.purge(queue)

    def _new_queue(self, queue: str, **_options: Any) -> None:
        self._folder.declare(queue)

    def _has_queue(self, queue: str, **_options: Any) -> bool:
        return self._folder.has(queue)

    def _delete(self, queue: str, *_binding: Any, **_options: Any) -> None:
        self._folder.remove(queue)

    def queue_delete(self, queue: str, if_unused: bool = False, if_empty: bool = False, **_options: Any) -> None:
        """Remove the queue with its messages and bindings, also those that other processes made."""
        if (if_empty and self._size(queue)) or (if_unused and queue in self._active_queues):
            return
        self._delete(queue)
        self.state.queue_bindings_delete(queue)

    def queue_unbind(
        self,
        queue: str,
        exchange: str | None = None,
        routing_key: str = "",
        arguments: dict[str, Any] | None = None,
        **_options: Any,
    ) -> None:
        """Take the binding away for all processes."""
        exchange = exchange or "amq.direct"
        self.state.binding_delete(queue, exchange, routing_key)
        row = self.typeof(exchange).prepare_bind(queue, exchange, routing_key, arguments)
        self._folder.unbind(exchange, Binding(*(value or "" for value in row)))

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str | None, queue: str) -> None:
        self._folder.bind(exchange, Binding(routing_key or "", pattern or "", queue))

    def get_table(self, exchange: str) -> list[Binding]:
        """The bindings of the exchange that any process made."""
        return self._folder.bindings(exchange)


class Transport(filesystem.Transport):
    """kombu's file system transport, made safe for several processes.

    With kombu's own (5.7) a message can be read before it is written whole; the JSONDecodeError then ends
    the worker (kombu#1551, treeverse/dvc-task#73). It also takes messages into the temporary folder that all
    users share, lists the messages of all queues to find one of one queue, and rewrites the bindings in
    place. Here

    - a message and a binding are written under another name and renamed;
    - a message is taken by a rename within the folder, so it is never delivered to two consumers;
    - folders and files are readable by their owner only;
    - a file that cannot be read is set aside and logged;
    - a failing disk is a lost connection: Celery logs it and connects again.

    A message is gone once it is delivered: one whose consumer is killed is not delivered again. What a
    consumer was given and has not begun goes back to the queue when it stops in an orderly way.

    Transport option: `folder`.
    """

    Channel = Channel
    can_parse_url = True  # kombu then asks `as_uri` what to log
    polling_interval = 0.01
    connection_errors = (  # type: ignore[assignment]  # kombu's is inferred as a tuple of one
        *filesystem.Transport.connection_errors,
        OSError,
    )

    def __init__(self, client: Any, **kwargs: Any) -> None:
        super().__init__(client, **kwargs)
        # kombu's own state belongs to the process: what is bound in one folder would count as bound in all.
        self.state = BrokerState()
        self.folder = BrokerFolder(Path(client.transport_options["folder"]))

    def establish_connection(self) -> Any:
        """Open the folder. Raises `OSError` where it cannot be made or is not ours."""
        self.folder.prepare()
        return super().establish_connection()

    def drain_events(self, connection: Any, timeout: float | None = None, **kwargs: Any) -> None:
        """Deliver one message. Raises `TimeoutError` if `timeout` or `LONGEST_DRAIN` seconds bring none."""
        limit = LONGEST_DRAIN if timeout is None else min(timeout, LONGEST_DRAIN)
        super().drain_events(connection, timeout=limit, **kwargs)

    def _collect(self, connection: Any) -> None:
        """Drop a lost connection: kombu calls this, and does not close it.

        Closing would give back what this consumer has and not begun; but it is going to run that.
        """
        for channel in self.channels:
            channel.do_restore = False
        self.close_connection(connection)

    def as_uri(self, uri: str, include_password: bool = False, mask: str = "**") -> str:  # noqa: ARG002
        """Where the broker is, for log lines."""
        return f"filesystem://{quote(str(self.folder.root))}"


def _check_form(message: Any) -> None:
    """Raise `TypeError` where kombu or Celery would later fall over the shape of a message."""
    for keys, kind in (
        ((), dict),
        (("headers",), dict),
        (("body",), str),
        (("properties",), dict),
        (("properties", "delivery_tag"), str),
        (("properties", "delivery_info"), dict),
    ):
        value = message
        for key in keys:
            value = value.get(key)
        if not isinstance(value, kind):
            raise TypeError(f"{'.'.join(keys) or 'a message'} should be {kind.__name__}, not {value!r:.80}")
