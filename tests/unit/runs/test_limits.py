"""How much one caller may have in progress, and who a caller is."""

import threading
from collections.abc import Callable
from ipaddress import ip_network

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import RequestFactory

from analytics_automated.api.admission import caller_of
from analytics_automated.pipelines.models import Job
from analytics_automated.runs import engine
from analytics_automated.runs.callers import NOBODY, caller_at, client_address
from analytics_automated.runs.models import StepRun, Submission

Submit = Callable[..., Submission]
PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


@pytest.fixture
def caller_limit(settings) -> int:
    settings.AA = django_settings.AA.model_copy(update={"caller_limit": 2})
    return 2


@pytest.mark.django_db(transaction=True)
class TestInProgress:
    def test_a_caller_with_as_many_as_it_may_is_refused(self, submit: Submit, caller_limit: int) -> None:
        first = submit(caller=1)
        submit(caller=1)
        with pytest.raises(engine.TooMany, match="At most 2 submissions of one caller to this service"):
            submit(caller=1)
        assert Submission.objects.count() == 2
        submit(caller=2)
        engine.cancel(first.pk)
        submit(caller=1)

    def test_nobody_in_particular_has_no_limit(self, submit: Submit, caller_limit: int) -> None:
        for _ in range(4):
            submit(caller=NOBODY)

    def test_a_job_has_a_limit_of_its_own(self, submit: Submit, job: Job) -> None:
        Job.objects.filter(pk=job.pk).update(limits={"per_caller": 1})
        submit(caller=1)
        with pytest.raises(engine.TooMany, match="At most 1 submission of one caller to the job 'diamond'"):
            submit(caller=1)
        Submission.objects.update(job_name="another")
        submit(caller=1)

    def test_what_is_started_again_is_in_progress_again(self, submit: Submit, caller_limit: int) -> None:
        first = submit(caller=1)
        engine.cancel(first.pk)
        submit(caller=1)
        submit(caller=1)
        with pytest.raises(engine.TooMany):
            engine.retry(first.pk)
        first.refresh_from_db()
        assert first.status == "CANCELLED"

    def test_a_limit_holds_however_many_submit_at_once(self, submit: Submit, caller_limit: int) -> None:
        refused: list[engine.TooMany] = []
        start = threading.Barrier(6)

        def send() -> None:
            start.wait()
            try:
                submit(caller=1)
            except engine.TooMany as too_many:
                refused.append(too_many)
            finally:
                connection.close()

        threads = [threading.Thread(target=send) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (Submission.objects.count(), len(refused)) == (2, 4)

    def test_who_sent_it_is_forgotten_with_it(self, submit: Submit) -> None:
        submission = submit(caller=1)
        engine.delete(submission.pk)
        submission.refresh_from_db()
        assert submission.caller == NOBODY
        assert set(StepRun.objects.values_list("caller", flat=True)) == {NOBODY}


@pytest.mark.parametrize(
    ("remote", "forwarded", "address"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "10.0.0.3,10.0.0.2", "10.0.0.3"),
        # Several proxies in a row, and what the caller itself had made up before.
        ("10.0.0.1", "10.0.0.66, 10.0.0.3, 198.51.100.7, 10.0.0.3, 10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "198.51.100.7, 192.0.2.66, 10.0.0.2", "192.0.2.66"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", " , 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "198.51.100.7,", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7:4711", "198.51.100.7"),
        ("10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("10.0.0.1", "198.51.100.7, unknown", "10.0.0.1"),
        ("::ffff:10.0.0.1", "::ffff:198.51.100.7", "198.51.100.7"),
        ("fd00::1", "2001:db8::1", "2001:db8::1"),
    ],
)
def test_the_caller_is_the_last_address_that_somebody_trusted_names(remote: str, forwarded: str, address: str) -> None:
    assert str(client_address(remote, forwarded, PROXIES)) == address


def test_what_comes_over_no_network_has_no_address() -> None:
    assert client_address("", "198.51.100.7", PROXIES) is None
    assert caller_at("", "", []) != NOBODY


def test_a_whole_ipv6_network_is_one_caller() -> None:
    assert caller_at("2001:db8::1", "", []) == caller_at("2001:db8::ffff:1", "", [])
    assert caller_at("2001:db8::1", "", []) != caller_at("2001:db8:0:1::1", "", [])
    assert caller_at("192.0.2.1", "", []) != caller_at("192.0.2.2", "", [])
    assert caller_at("192.0.2.1", "", []) == caller_at("::ffff:192.0.2.1", "", [])


def test_who_is_logged_in_is_one_caller_from_wherever(rf: RequestFactory) -> None:
    def caller(address: str, account: int | None = None) -> int:
        request = rf.get("/", REMOTE_ADDR=address)
        request.user = AnonymousUser() if account is None else get_user_model()(pk=account)
        return caller_of(request)

    assert caller("192.0.2.1", 1) == caller("192.0.2.2", 1)
    assert len({caller("192.0.2.1", 1), caller("192.0.2.1", 2), caller("192.0.2.1"), caller("192.0.2.2")}) == 4
    assert caller_of(rf.get("/", REMOTE_ADDR="192.0.2.1")) == caller("192.0.2.1")


def test_what_is_kept_of_an_address_depends_on_the_installations_key(settings) -> None:
    before = caller_at("192.0.2.1", "", [])
    assert -(2**63) <= before < 2**63
    settings.SECRET_KEY = "another"
    assert caller_at("192.0.2.1", "", []) != before
