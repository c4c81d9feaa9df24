"""What counts as an outage, and what is done again after one."""

import socket

import pytest
from celery import current_app
from django.db import DatabaseError, InterfaceError, OperationalError, connection

from analytics_automated.runs import outages
from analytics_automated.runs.broker import Broker


def raised(statement: str) -> DatabaseError:
    with pytest.raises(DatabaseError) as caught, connection.cursor() as cursor:
        cursor.execute(statement)
    return caught.value


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outages, "FIRST_PAUSE", 0.001)


def test_a_fault_of_the_question_is_no_outage(transactional_db: None) -> None:
    for statement in ("SELECT nothing FROM runs_submission", "SELECT 1 FROM no_such_table", "SELEKT"):
        assert not outages.is_outage(raised(statement)), statement
    assert not outages.is_outage(ValueError())


def test_a_connection_that_is_gone_is_an_outage() -> None:
    assert outages.is_outage(OperationalError("server closed the connection unexpectedly"))
    assert outages.is_outage(InterfaceError("connection already closed"))


def test_what_is_to_be_kept_is_tried_again_until_it_is() -> None:
    tries: list[int] = []

    def write() -> str:
        tries.append(1)
        if len(tries) < 3:
            raise OperationalError("away")
        return "kept"

    assert outages.persist(write, patience=60) == "kept"
    assert len(tries) == 3


def test_in_the_end_it_is_given_up() -> None:
    def write() -> None:
        raise OperationalError("away")

    with pytest.raises(OperationalError, match="away"):
        outages.persist(write, patience=0.01)


def test_what_is_wrong_is_not_tried_again() -> None:
    tries: list[int] = []

    def write() -> None:
        tries.append(1)
        raise ValueError

    with pytest.raises(ValueError):
        outages.persist(write, patience=60)
    assert len(tries) == 1


def test_a_broker_that_cannot_be_reached_is_left_alone_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def send_task(*_: object, **__: object) -> None:
        tries.append(1)
        raise ConnectionError("no broker")

    monkeypatch.setattr(current_app, "send_task", send_task)
    broker = Broker()
    assert not broker.send("aa.look", [1], "queue")
    assert not broker.send("aa.look", [2], "queue")
    assert len(tries) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.stack("services")
def test_a_connection_that_died_in_the_pool_is_not_given_out() -> None:
    def ask() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return int(cursor.fetchone()[0])

    first = ask()
    wire = socket.socket(fileno=connection.connection.fileno())
    wire.shutdown(socket.SHUT_RDWR)
    wire.detach()
    connection.close()  # back into the pool
    assert ask() != first
