# kombu says that it is typed, but most of its functions carry no annotations:
# mypy: disallow-untyped-calls=False

import base64
import json
import os
import shutil
import stat
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from hypothesis import given
from hypothesis import strategies as st
from kombu.connection import Connection
from kombu.entity import Exchange, Queue
from kombu.exceptions import ChannelError, OperationalError

from analytics_automated.config import broker_folder
from analytics_automated.config.broker_folder import BrokerFolder, folder_name
from analytics_automated.config.filesystem_broker import Transport, broker_settings

Connect = Callable[..., Connection]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "broker"


@pytest.fixture
def connect(folder: Path) -> Iterator[Connect]:
    connections: list[Connection] = []

    def connect(folder: Path = folder) -> Connection:
        settings = broker_settings(folder)
        connection = Connection(
            settings["broker_url"],
            transport=settings["broker_transport"],
            transport_options=settings["broker_transport_options"],
        )
        connections.append(connection)
        connection.connect()
        return connection

    yield connect
    for connection in connections:
        connection.release()


def send(connection: Connection, body: Any, queue: str = "work") -> None:
    connection.Producer().publish(body, routing_key=queue)


def receive(connection: Connection, queue: str = "work") -> Any:
    """The next message's body, or None."""
    message = connection.default_channel.basic_get(queue, no_ack=True)
    return message and message.decode()


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def message_with(**changes: Any) -> bytes:
    """The content of a good message file, with some keys replaced."""
    message: dict[str, Any] = {
        "body": base64.b64encode(b'"hello"').decode(),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {},
        "properties": {"delivery_tag": "t", "delivery_info": {}, "body_encoding": "base64"},
    }
    return json.dumps({**message, **changes}).encode()


# Messages


def test_a_message_is_received_once_as_it_was_sent(connect: Connect, folder: Path) -> None:
    send(connect(), {"step": 7, "name": "größe"})
    assert receive(connect()) == {"step": 7, "name": "größe"}
    assert receive(connect()) is None
    assert files(folder) == []


def test_a_message_waits_for_a_consumer_that_comes_later(connect: Connect) -> None:
    with connect() as sender:
        send(sender, "early")
    assert receive(connect()) == "early"


def test_messages_come_in_the_order_in_which_they_were_sent(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_folder, "LISTING", 10)
    sender, receiver = connect(), connect()
    for number in range(25):
        send(sender, number)
    assert [receive(receiver) for _ in range(26)] == [*range(25), None]


def test_a_message_has_no_name_in_its_queue_before_it_is_written_whole(
    connect: Connect, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    rename = Path.rename

    def look_then_rename(path: Path, target: Path) -> Path:
        seen.append((path.parent.name, list((folder / "queues" / "work").iterdir()), json.loads(path.read_bytes())))
        return rename(path, target)

    connection = connect()
    connection.default_channel.queue_declare("work")
    monkeypatch.setattr(Path, "rename", look_then_rename)
    send(connection, "x" * 200_000)

    [(where, visible, message)] = seen
    assert (where, visible) == ("writing", [])
    assert len(base64.b64decode(message["body"])) == 200_000


def test_a_message_that_cannot_be_written_leaves_nothing_and_is_an_operational_error(
    connect: Connect, folder: Path
) -> None:
    connection = connect()
    (folder / "queues" / "work").write_text("a file where the queue's folder should be")
    with pytest.raises(OperationalError):
        connection.Producer().publish("x", routing_key="work", retry=True, retry_policy={"max_retries": 1})
    assert list((folder / "writing").iterdir()) == []


def test_every_message_is_taken_by_one_of_many_consumers(connect: Connect) -> None:
    sender = connect()
    for number in range(400):
        send(sender, number)
    consumers = [connect() for _ in range(6)]
    taken: list[list[int]] = [[] for _ in consumers]
    start = threading.Barrier(len(consumers))

    def consume(connection: Connection, mine: list[int]) -> None:
        start.wait()
        while connection.default_channel.queue_declare("work").message_count:
            if (number := receive(connection)) is not None:
                mine.append(number)

    threads = [threading.Thread(target=consume, args=pair) for pair in zip(consumers, taken, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(number for mine in taken for number in mine) == Counter(range(400))


def test_a_message_has_one_taker(folder: Path) -> None:
    first, second = BrokerFolder(folder), BrokerFolder(folder)
    first.put("work", b"{}")
    [name] = second.oldest("work")
    taken = first.take("work", name)
    assert taken is not None
    assert taken.read_bytes() == b"{}"
    assert second.take("work", name) is None


def test_names_that_another_consumer_took_meanwhile_are_skipped(connect: Connect) -> None:
    first, second = connect(), connect()
    for number in range(6):
        send(first, number)
    assert receive(first) == 0
    assert [receive(second) for _ in range(4)] == [1, 2, 3, 4]
    assert receive(first) == 5
    assert receive(first) is None


# What is broken


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"body": "aGV',
        b"\xff\xfe",
        b"[]",
        b"null",
        b"{}",
        b"[" * 100_000,
        b'{"__type__": "uuid", "__value__": 1}',
        message_with(properties=None),
        message_with(properties={"delivery_info": {}}),
        message_with(properties={"delivery_tag": [], "delivery_info": {}}),
        message_with(properties={"delivery_tag": "t", "delivery_info": "work"}),
        message_with(headers=["id"]),
        message_with(body="aGV"),
        message_with(body=None),
        message_with(properties={"delivery_tag": "t", "delivery_info": {}, "body_encoding": "rot13"}),
    ],
    ids=lambda content: repr(content[:40]),
)
def test_a_file_that_cannot_be_read_is_set_aside_and_the_next_message_delivered(
    content: bytes, connect: Connect, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    connection = connect()
    BrokerFolder(folder).put("work", content)
    send(connection, "good")
    received: list[str] = []
    with connection.Consumer([Queue("work")], callbacks=[lambda body, _: received.append(body)], no_ack=True):
        connection.drain_events(timeout=10)
    assert received == ["good"]
    [aside] = files(folder)
    assert aside.parent.name == "set-aside"
    assert aside.read_bytes() == content
    [record] = caplog.records
    assert str(aside) in record.getMessage()


def test_the_good_message_that_the_broken_ones_are_made_from_is_good(connect: Connect, folder: Path) -> None:
    BrokerFolder(folder).put("work", message_with())
    assert receive(connect()) == "hello"


@pytest.mark.parametrize("name", ["0-folder.json", f"0-{'x' * 240}.json"])
def test_a_folder_among_the_messages_is_set_aside(name: str, connect: Connect, folder: Path) -> None:
    connection = connect()
    send(connection, "good")
    (folder / "queues" / "work" / name).mkdir()
    assert receive(connection) == "good"
    assert len(list((folder / "set-aside").iterdir())) == 1


def test_files_that_are_no_messages_are_left_alone(connect: Connect, folder: Path) -> None:
    connection = connect()
    connection.default_channel.queue_declare("work")
    (folder / "queues" / "work" / ".notes.txt").write_text("by hand")
    assert receive(connection) is None
    assert connection.default_channel.queue_declare("work").message_count == 0


def test_a_failing_disk_is_a_lost_connection(connect: Connect, folder: Path) -> None:
    connection = connect()
    (folder / "queues" / "work").write_text("a file where the queue's folder should be")
    with pytest.raises(NotADirectoryError) as failure:
        receive(connection)
    assert isinstance(failure.value, connection.connection_errors)


@pytest.mark.parametrize("removed", [".", "queues", "queues/work", "writing", "taken"])
def test_folders_that_somebody_removed_are_made_again(removed: str, connect: Connect, folder: Path) -> None:
    sender, receiver = connect(), connect()
    send(sender, "before")
    assert receive(receiver) == "before"
    shutil.rmtree(folder / removed)
    send(sender, "after")
    assert "after" in (receive(receiver), receive(receiver))


def test_what_dead_processes_left_is_removed_when_a_connection_opens_and_the_rest_is_not(
    connect: Connect, folder: Path
) -> None:
    connect()
    long_ago, now = time.time_ns() - int((broker_folder.STALE_AFTER + 60) * 1e9), time.time_ns()
    for where in ("taken", "writing"):
        (folder / where / f"{long_ago:020d}-aa.json").touch()
        (folder / where / f"{now:020d}-bb.json").touch()
    connect()
    assert [path.name for path in files(folder)] == [f"{now:020d}-bb.json"] * 2


# Permissions and names


def test_folders_and_files_are_readable_by_their_owner_only(connect: Connect, folder: Path) -> None:
    folder.mkdir(mode=0o755)
    umask = os.umask(0)
    try:
        connection = connect()
        Queue("work", Exchange("work"), "work", channel=connection).declare()
        send(connection, "x")
        BrokerFolder(folder).put("broken", b"")
        receive(connection, "broken")
    finally:
        os.umask(umask)
    modes = {path.relative_to(folder).parts[0]: stat.S_IMODE(path.stat().st_mode) for path in files(folder)}
    assert modes == {"queues": 0o600, "bindings": 0o600, "set-aside": 0o600}
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}


@pytest.mark.parametrize(
    "name",
    [
        "work",
        "a.b-c_D9",
        "celery@host.celery.pidbox",
        "../../escape",
        "..",
        ".",
        ".hidden",
        "/etc",
        "a/b",
        "ü",
        "x" * 300,
    ],
)
def test_a_queue_of_any_name_stays_in_its_own_folder(name: str, connect: Connect, folder: Path, tmp_path: Path) -> None:
    connection = connect()
    send(connection, "x", name)
    assert [path.parent.parent for path in files(tmp_path)] == [folder / "queues"]
    assert receive(connection, "other") is None
    assert receive(connection, name) == "x"


@given(st.lists(st.text("aA.-_@/%+2E~ü\0\ud800", min_size=1), unique=True, min_size=2, max_size=2))
def test_two_names_never_share_a_folder(names: list[str]) -> None:
    first, second = map(folder_name, names)
    assert first != second
    assert first not in (".", "..")
    assert "/" not in first
    assert len(first.encode()) <= 255


def test_usual_names_are_folder_names_as_they_are() -> None:
    assert folder_name("celery@host-1.example_org.pidbox") == "celery@host-1.example_org.pidbox"


def test_a_queue_needs_a_name(connect: Connect) -> None:
    with pytest.raises(ValueError, match="needs a name"):
        send(connect(), "x", "")


# Queues


def test_size_and_purge_count_the_messages_of_one_queue(connect: Connect) -> None:
    connection = connect()
    for number in range(3):
        send(connection, number, "work")
    send(connection, "other", "other")
    channel = connection.default_channel
    assert channel.queue_declare("work").message_count == 3
    assert channel.queue_purge("work") == 3
    assert channel.queue_purge("work") == 0
    assert channel.queue_declare("work").message_count == 0
    assert receive(connection, "work") is None
    assert receive(connection, "other") == "other"


def test_a_passive_declaration_tells_whether_anybody_declared_the_queue(connect: Connect) -> None:
    with pytest.raises(ChannelError, match="NOT_FOUND"):
        connect().default_channel.queue_declare("work", passive=True)
    connect().default_channel.queue_declare("work")
    assert connect().default_channel.queue_declare("work", passive=True).queue == "work"


def test_deleting_a_queue_removes_its_messages_and_its_bindings_of_all_processes(
    connect: Connect, folder: Path
) -> None:
    exchange = Exchange("news", "topic")
    Queue("work", exchange, "a.*", channel=connect()).declare()
    Queue("kept", exchange, "a.*", channel=connect()).declare()
    connection = connect()
    send(connection, "x", "work")
    connection.default_channel.queue_delete("work")
    assert not (folder / "queues" / "work").exists()
    assert [row.queue for row in connection.default_channel.get_table("news")] == ["kept"]
    assert receive(connection, "work") is None


def test_a_queue_with_messages_or_consumers_is_not_deleted_if_that_was_asked_for(
    connect: Connect, folder: Path
) -> None:
    connection = connect()
    channel = connection.default_channel
    send(connection, "x")
    channel.queue_delete("work", if_empty=True)
    assert receive(connection) == "x"
    with connection.Consumer([Queue("work")], channel=channel):
        channel.queue_delete("work", if_unused=True)
        assert (folder / "queues" / "work").exists()
    channel.queue_delete("work", if_unused=True, if_empty=True)
    assert not (folder / "queues" / "work").exists()


def test_what_a_consumer_has_and_did_not_begin_goes_back_when_it_closes(connect: Connect) -> None:
    consumer = connect()
    for number in range(2):
        send(consumer, number)
    consumer.default_channel.basic_get("work").ack()
    consumer.default_channel.basic_get("work")
    consumer.release()
    other = connect()
    assert [receive(other), receive(other)] == [1, None]


def test_what_a_consumer_has_stays_with_it_when_it_loses_the_connection(connect: Connect) -> None:
    consumer = connect()
    send(consumer, "x")
    message = consumer.default_channel.basic_get("work")
    consumer.collect()
    assert receive(connect()) is None
    message.ack()
    assert receive(consumer.ensure_connection()) is None


def test_a_message_that_is_rejected_for_another_try_is_delivered_again(connect: Connect) -> None:
    connection = connect()
    send(connection, "x")
    connection.default_channel.basic_get("work").requeue()
    assert receive(connection) == "x"


# Bindings


def test_bindings_are_known_to_all_processes(connect: Connect) -> None:
    exchange = Exchange("news", "topic")
    Queue("birds", exchange, "animals.birds.*", channel=connect()).declare()
    Queue("all", exchange, "#", channel=connect()).declare()
    sender = connect()
    producer = sender.Producer(exchange=exchange)
    producer.publish("wren", routing_key="animals.birds.wren")
    producer.publish("oak", routing_key="trees.oak")
    receiver = connect()
    assert [receive(receiver, "birds"), receive(receiver, "birds")] == ["wren", None]
    assert [receive(receiver, "all"), receive(receiver, "all")] == ["wren", "oak"]


def test_a_fanout_exchange_gives_every_bound_queue_a_copy(connect: Connect) -> None:
    exchange = Exchange("celery.pidbox", "fanout")
    for name in ("one@host.celery.pidbox", "two@host.celery.pidbox"):
        Queue(name, exchange, channel=connect()).declare()
    connect().Producer(exchange=exchange).publish("ping")
    receiver = connect()
    assert receive(receiver, "one@host.celery.pidbox") == "ping"
    assert receive(receiver, "two@host.celery.pidbox") == "ping"


def test_many_who_bind_at_once_lose_no_binding(connect: Connect) -> None:
    connections = [connect() for _ in range(8)]
    start = threading.Barrier(len(connections))

    def bind(number: int) -> None:
        start.wait()
        for turn in range(5):
            Queue(f"q{number}-{turn}", Exchange("news"), "key", channel=connections[number]).declare()

    threads = [threading.Thread(target=bind, args=(number,)) for number in range(len(connections))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(connect().default_channel.get_table("news")) == 40


def test_a_binding_that_is_taken_away_is_gone_for_all_processes(connect: Connect) -> None:
    Queue("work", Exchange("news"), "key", channel=connect()).declare()
    connection = connect()
    queue = Queue("work", Exchange("news"), "key", channel=connection)
    queue.declare()
    queue.unbind_from(Exchange("news"), "key")
    assert connect().default_channel.get_table("news") == []


def test_declaring_a_binding_again_changes_nothing(connect: Connect, folder: Path) -> None:
    for _ in range(3):
        Queue("work", Exchange("news"), "key", channel=connect()).declare()
    assert len(files(folder / "bindings")) == 1


def test_what_is_bound_in_one_folder_is_not_bound_in_another(connect: Connect, tmp_path: Path) -> None:
    Queue("work", Exchange("news"), "key", channel=connect()).declare()
    other = connect(tmp_path / "other")
    assert other.default_channel.get_table("news") == []
    Queue("work", Exchange("news"), "key", channel=other).declare()
    assert len(files(tmp_path / "other" / "bindings")) == 1


@pytest.mark.parametrize("content", [b"", b"[1, 2, 3]", b'{"a": 1}', b'["key", "", "w'])
def test_a_binding_that_cannot_be_read_is_set_aside(content: bytes, connect: Connect, folder: Path) -> None:
    Queue("work", Exchange("news"), "key", channel=connect()).declare()
    broken = folder / "bindings" / "news" / "broken.json"
    broken.write_bytes(content)
    [row] = connect().default_channel.get_table("news")
    assert row.queue == "work"
    assert not broken.exists()
    assert [path.read_bytes() for path in files(folder / "set-aside")] == [content]


# As Celery uses it


@pytest.mark.parametrize("asked", [600, None])
def test_waiting_for_a_message_ends_soon_however_long_was_asked_for(asked: float | None, connect: Connect) -> None:
    connection = connect()
    with connection.Consumer([Queue("work")]):
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            connection.drain_events(timeout=asked)
        assert time.monotonic() - began < 60


def test_one_drain_delivers_one_message_of_any_queue(connect: Connect) -> None:
    connection = connect()
    queues = [Queue(name) for name in ("one", "two", "three")]
    received: list[str] = []
    with connection.Consumer(queues, callbacks=[lambda body, _: received.append(body)], no_ack=True):
        for queue in queues:
            send(connection, queue.name, queue.name)
            send(connection, queue.name, queue.name)
        connection.drain_events(timeout=10)
        assert len(received) == 1
        for _ in range(2):
            connection.drain_events(timeout=10)
        assert sorted(received) == ["one", "three", "two"]


def test_no_more_is_fetched_ahead_than_was_asked_for(connect: Connect) -> None:
    connection = connect()
    received: list[Any] = []
    with connection.Consumer([Queue("work")], on_message=received.append, prefetch_count=2) as consumer:
        for number in range(4):
            send(connection, number)
        for _ in range(2):
            connection.drain_events(timeout=10)
        with pytest.raises(TimeoutError):
            connection.drain_events(timeout=0)
        assert consumer.channel.queue_declare("work").message_count == 2
        received[0].ack()
        connection.drain_events(timeout=10)
        assert [message.decode() for message in received] == [0, 1, 2]


def test_a_celery_application_sends_and_reads_through_the_folder(folder: Path) -> None:
    app = Celery("test", set_as_current=False)
    app.conf.update(broker_settings(folder), task_ignore_result=True)
    try:
        app.send_task("worker.look", ["cluster", 5], queue="cluster")
        [message] = files(folder / "queues" / "cluster")
        assert json.loads(message.read_bytes())["headers"]["task"] == "worker.look"
        with app.connection_for_read() as connection:
            assert isinstance(connection.transport, Transport)
            assert connection.as_uri() == f"filesystem://{folder}"
            assert receive(connection, "cluster")[0] == ["cluster", 5]
    finally:
        app.close()


def test_the_settings_are_plain_data_with_an_absolute_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = broker_settings(Path("data/broker"))
    assert json.loads(json.dumps(settings)) == settings
    assert settings["broker_transport_options"] == {"folder": str(tmp_path / "data" / "broker")}
    assert not (tmp_path / "data").exists()
