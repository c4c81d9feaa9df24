"""What running commands tell of themselves, on its way into the database."""

from collections.abc import Callable
from pathlib import Path

import pytest

from analytics_automated.executors.base import NoOptions
from analytics_automated.executors.local import LocalExecutor
from analytics_automated.runs import engine
from analytics_automated.runs.execution import Running
from analytics_automated.runs.models import StepRun, Submission
from analytics_automated.runs.progress import step_progress
from analytics_automated.runs.secrets import Secrets
from analytics_automated.runs.states import StepStatus
from analytics_automated.runs.verdicts import Verdict
from analytics_automated.runs.voice import Progress
from analytics_automated.runs.workdirs import WorkFolder
from analytics_automated.worker.service import Charge, WorkerService

pytestmark = pytest.mark.django_db(transaction=True)
QUEUES = frozenset({"LOCALHOST"})


@pytest.fixture
def claim(submit: Callable[..., Submission]) -> engine.Claim:
    taken = engine.claim(StepRun.objects.get(submission=submit(), step="first").pk, "w", QUEUES)
    assert taken is not None
    return taken


def told(claim: engine.Claim) -> Progress | None:
    (shown,) = step_progress(claim.step_run.submission, StepRun.objects.filter(pk=claim.step_run.pk))
    return shown.told


def test_only_the_running_attempt_tells(claim: engine.Claim) -> None:
    key, attempt = claim.step_run.pk, claim.step_run.attempt
    assert told(claim) is None
    assert engine.tell_progress(key, attempt, 0.5, "half")
    assert told(claim) == Progress(0.5, "half")
    assert not engine.tell_progress(key, attempt - 1, 0.1, "an attempt that was given away")
    assert told(claim) == Progress(0.5, "half")
    engine.finish(claim, Verdict(StepStatus.COMPLETE), None)
    assert not engine.tell_progress(key, attempt, 0.9, "too late")
    assert told(claim) is None


def test_another_attempt_begins_anew(claim: engine.Claim) -> None:
    engine.tell_progress(claim.step_run.pk, claim.step_run.attempt, 0.5, "half")
    engine.end_stopped(claim, None)
    assert told(claim) is None
    again = engine.claim(claim.step_run.pk, "w", QUEUES)
    assert again is not None
    assert told(again) is None


def test_a_worker_writes_only_what_is_new(claim: engine.Claim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = WorkFolder(tmp_path / "attempt")
    folder.make()
    written: list[tuple[float, str]] = []
    tell = engine.tell_progress

    def counted(key: int, attempt: int, value: float, text: str) -> bool:
        written.append((value, text))
        return tell(key, attempt, value, text)

    monkeypatch.setattr(engine, "tell_progress", counted)
    worker = WorkerService()
    running = Running(LocalExecutor(NoOptions()), "handle", claim.step_run.attempt, folder, Secrets({"X": "hush"}))
    charge = Charge(claim.step_run.attempt, 0.0, running)
    worker._charges[claim.step_run.pk] = charge
    for content in ("", "0.1 one", "0.1 one", "no number", "0.1 one", "0.2 with hush", "0.2 with hush"):
        folder.progress.write_text(content)
        worker.tell_progress()
    assert written == [(0.1, "one"), (0.2, "with ***")]
    assert told(claim) == Progress(0.2, "with ***")
    folder.remove()
    worker.tell_progress()
    assert charge.told == Progress(0.2, "with ***")
