"""Who is told of the steps that a worker makes ready: everybody whom it leaves them to."""

from collections.abc import Callable

import pytest

from analytics_automated.pipelines.models import Backend
from analytics_automated.runs.dispatch import announce
from analytics_automated.runs.models import Submission
from analytics_automated.worker.service import WorkerService
from unit.runs.conftest import PIPELINE, apply_text

pytestmark = pytest.mark.django_db(transaction=True)
Submit = Callable[..., Submission]
ELSEWHERE = PIPELINE.replace("tasks:", "backends:\n  elsewhere: {executor: local}\ntasks:").replace(
    'outputs: {two: two.txt}, command: "cp', 'outputs: {two: two.txt}, backend: elsewhere, command: "cp'
)


@pytest.fixture
def worker() -> WorkerService:
    made = WorkerService()
    made.queues = frozenset({"LOCALHOST"})
    return made


def key(submission: Submission, step: str) -> int:
    return submission.step_runs.get(step=step).pk


def test_a_worker_tells_of_what_it_does_not_take_itself(
    submit: Submit, woken: list[int], worker: WorkerService
) -> None:
    submission = submit()
    worker.serve(key(submission, "first"))
    assert woken == [key(submission, "first"), key(submission, "right")], "it went on with the left one, and the last"
    submission.refresh_from_db()
    assert submission.status == "COMPLETE"


def test_a_step_of_another_backend_is_told_to_the_workers_of_that(
    submit: Submit, woken: list[int], worker: WorkerService
) -> None:
    apply_text(ELSEWHERE)
    submission = submit()
    worker.serve(key(submission, "first"))
    assert woken == [key(submission, "first"), key(submission, "left")], "the right one it took itself"


def test_where_a_worker_goes_on_elsewhere_all_are_told(submit: Submit, woken: list[int]) -> None:
    submission = submit()
    rows = list(submission.step_runs.all())
    del woken[:]
    announce(rows, "elsewhere")
    assert woken == [each.pk for each in rows]


def test_a_worker_that_goes_on_with_nothing_tells_of_all(submit: Submit, woken: list[int]) -> None:
    rows = list(submit().step_runs.all())
    del woken[:]
    announce(rows, None)
    assert woken == [each.pk for each in rows]


def test_one_of_the_backend_that_it_goes_on_with_is_its_own(submit: Submit, woken: list[int]) -> None:
    rows = list(submit().step_runs.all())
    del woken[:]
    announce(rows, "local")
    assert woken == [each.pk for each in rows[1:]]


def test_nobody_is_told_of_a_step_whose_backend_is_gone(submit: Submit, woken: list[int]) -> None:
    rows = list(submit().step_runs.all())
    del woken[:]
    Backend.objects.filter(name="local").update(name="gone")
    announce(rows, None)
    assert woken == []
