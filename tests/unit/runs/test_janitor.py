"""What is cleared away of attempts that nobody runs, and what is left alone."""

import os
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from analytics_automated.pipelines.models import Backend
from analytics_automated.runs import engine
from analytics_automated.runs.models import StepRun, Submission
from analytics_automated.runs.workdirs import WorkFolder, work_folder
from analytics_automated.worker.janitor import clean_up

pytestmark = pytest.mark.django_db(transaction=True)
OLD = 1_000_000_000
Start = Callable[[str], subprocess.Popen[bytes]]


@pytest.fixture
def attempt(submit: Callable[..., Submission], tmp_path: Path) -> StepRun:
    """A running one, on a Backend with a folder of its own."""
    submit()
    Backend.objects.update(root=str(tmp_path))
    claim = engine.claim_best("w", frozenset({"LOCALHOST"}))
    assert claim is not None
    return claim.step_run


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []

    def make(attempt: str) -> subprocess.Popen[bytes]:
        environment = {"PATH": os.environ["PATH"], "AA_ATTEMPT": attempt}
        started.append(subprocess.Popen(["sleep", "300"], env=environment, start_new_session=True))
        return started[-1]

    yield make
    for process in started:
        process.kill()
        process.wait()


def made(attempt: str, *, old: bool = True) -> WorkFolder:
    folder = work_folder(Backend.objects.get(), attempt)
    folder.make()
    if old:
        os.utime(folder.top, (OLD, OLD))
    return folder


def test_what_runs_is_left_alone(attempt: StepRun, start: Start) -> None:
    process, folder = start(attempt.attempt_name), made(attempt.attempt_name)
    clean_up()
    assert process.poll() is None
    assert folder.top.exists()


@pytest.mark.parametrize("end", ["lost", "cancelled and lost", "deleted and lost"])
def test_what_nobody_runs_is_ended_and_removed(attempt: StepRun, start: Start, end: str) -> None:
    process, folder = start(attempt.attempt_name), made(attempt.attempt_name)
    if "cancelled" in end:
        engine.cancel(attempt.submission_id)
    elif "deleted" in end:
        engine.delete(attempt.submission_id)
    engine.lose(attempt)
    clean_up()
    assert process.wait(timeout=10) == -9
    assert not folder.top.exists()


def test_an_earlier_attempt_of_a_step_that_runs_is_ended(attempt: StepRun, start: Start) -> None:
    earlier = attempt.attempt_name
    process, folder = start(earlier), made(earlier)
    engine.lose(attempt)
    again = engine.claim_best("w", frozenset({"LOCALHOST"}))
    assert again is not None
    assert again.step_run.pk == attempt.pk
    other, its_folder = start(again.step_run.attempt_name), made(again.step_run.attempt_name)
    clean_up()
    assert process.wait(timeout=10) == -9
    assert not folder.top.exists()
    assert other.poll() is None
    assert its_folder.top.exists()


def test_what_belongs_to_another_installation_is_left_alone(attempt: StepRun, start: Start) -> None:
    theirs = f"{uuid.uuid4().hex}-{attempt.pk}.1"
    process, folder = start(theirs), made(theirs)
    stranger = start("77.1")
    clean_up()
    assert process.poll() is None
    assert stranger.poll() is None
    assert folder.top.exists()


def test_a_folder_that_was_made_just_now_is_left_to_its_worker(attempt: StepRun) -> None:
    folder = made(attempt.attempt_name, old=False)
    engine.lose(attempt)
    clean_up()
    assert folder.top.exists()
