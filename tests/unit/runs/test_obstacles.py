"""Disks without room, backends that are gone or cannot take work: steps wait, and go on by themselves."""

import errno
import shutil
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from analytics_automated.pipelines.models import Backend, QueueType
from analytics_automated.runs import engine, execution, staging
from analytics_automated.runs.models import Attempt, Outlook, StepRun, Submission
from analytics_automated.runs.obstacles import Obstacle, find_obstacles
from analytics_automated.runs.outlook import forget_workers, has_room_for, tell
from analytics_automated.runs.workdirs import work_folder
from analytics_automated.storage import room
from analytics_automated.worker import lookout
from analytics_automated.worker.service import WorkerService

pytestmark = pytest.mark.django_db(transaction=True)
Submit = Callable[..., Submission]
Usage = namedtuple("Usage", "total used free")
MB = 1_000_000


@pytest.fixture
def disks(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """What is free, in MB, below `work` and elsewhere: real disks cannot be filled and emptied at will."""
    free = {"work": 1000, "elsewhere": 1000}

    def disk_usage(path: Path) -> Usage:
        return Usage(0, 0, MB * free["work" if path.name == "work" else "elsewhere"])

    monkeypatch.setattr(room.shutil, "disk_usage", disk_usage)
    monkeypatch.setattr(lookout, "LOOK_SECONDS", -1.0)
    return free


def with_settings(settings: Any, **values: Any) -> None:
    settings.AA = django_settings.AA.model_copy(update=values)


def obstacles() -> dict[str, Obstacle]:
    return dict(find_obstacles(Backend.objects.select_related("queue_type")))


@pytest.fixture
def worker() -> WorkerService:
    made = WorkerService()
    made.queues = frozenset({"LOCALHOST"})
    return made


def test_a_disk_without_room_keeps_a_worker_from_its_backends(submit: Submit, disks: dict[str, int]) -> None:
    assert obstacles() == {}
    disks["work"] = 199
    assert obstacles() == {"local": Obstacle.WORK_FULL}
    disks["elsewhere"] = 199
    assert obstacles() == {"local": Obstacle.STORAGE_FULL}


def test_without_a_bound_no_disk_is_looked_at(submit: Submit, disks: dict[str, int], settings) -> None:
    with_settings(settings, min_free_work=0, min_free_storage=0)
    disks["work"] = disks["elsewhere"] = 0
    assert obstacles() == {}
    assert room.storage_has_room(10**15)


def test_a_worker_without_the_executor_leaves_its_steps_to_others(submit: Submit) -> None:
    QueueType.objects.update(executor="elsewhere")
    assert obstacles() == {"local": Obstacle.NO_EXECUTOR}


def test_a_folder_that_cannot_be_used_keeps_a_worker_from_the_backend(submit: Submit, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    Backend.objects.update(root=str(tmp_path / "file" / "root"))
    assert obstacles() == {"local": Obstacle.UNUSABLE}


def test_steps_wait_for_room_and_go_on_by_themselves(
    submit: Submit, disks: dict[str, int], worker: WorkerService, woken: list[int]
) -> None:
    disks["work"] = 1
    submission = submit()
    step_run = submission.step_runs.get(step="first")
    assert worker._best() is None
    worker.report()
    assert Outlook.objects.get().obstacle == "work_full"
    StepRun.objects.update(queued="2000-01-01T00:00:00Z")
    woken.clear()
    worker.reconcile()
    assert woken == []
    disks["work"] = 1000
    worker.report()
    assert woken == [step_run.pk], "at once, when there is room"
    assert Outlook.objects.get().obstacle == ""
    assert worker._best() is not None


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file can be written into a work folder."""

    def refuse(_key: str, _target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(staging, "copy_out", refuse)


def tried(worker: WorkerService) -> StepRun:
    """The first step, after one more attempt, and ready for the next."""
    StepRun.objects.update(not_before=None)
    claim = worker._best()
    assert claim is not None
    execution.run(claim, lambda _running: None)
    step_run = StepRun.objects.get(step="first")
    assert not work_folder(claim.backend, claim.step_run.attempt_name).top.exists()
    return step_run


def test_a_step_that_others_left_no_room_for_waits_and_has_lost_nothing(
    submit: Submit, disks: dict[str, int], worker: WorkerService, full: None
) -> None:
    submission = submit()
    for _ in range(5):
        disks["work"] = 1000  # when it is taken up
        StepRun.objects.update(not_before=None)
        claim = worker._best()
        assert claim is not None
        disks["work"] = 1
        execution.run(claim, lambda _running: None)
        step_run = StepRun.objects.get(step="first")
        assert (step_run.status, step_run.tries, step_run.worker) == ("QUEUED", 0, "")
        assert step_run.not_before is not None, "until all workers have seen that the disk is full"
        said = submission.events.filter(step="first").order_by("-pk")[0]
        assert (said.status, said.message) == ("QUEUED", "It waits: there is too little room where it would run.")
    assert set(Attempt.objects.values_list("cause", flat=True)) == {"cancelled"}


def test_a_step_that_is_too_large_for_its_disk_is_tried_a_few_times(
    submit: Submit, disks: dict[str, int], worker: WorkerService, full: None
) -> None:
    submission = submit()
    for tries in (1, 2, 3):
        step_run = tried(worker)
        assert (step_run.status, step_run.tries) == ("QUEUED", tries)
        assert step_run.not_before is not None
    assert tried(worker).status == "CRASH"
    submission.refresh_from_db()
    assert (submission.status, submission.cause) == ("CRASH", "backend_unavailable")
    assert "there was too little room for it" in submission.message


def test_a_cancelled_step_that_finds_no_room_is_cancelled(
    submit: Submit, disks: dict[str, int], worker: WorkerService, full: None
) -> None:
    submission = submit()
    claim = worker._best()
    assert claim is not None
    engine.cancel(submission.pk)
    disks["work"] = 1
    execution.run(claim, lambda _running: None)
    assert StepRun.objects.get(step="first").status == "CANCELLED"


def test_a_message_that_is_not_for_a_worker_is_passed_on_a_few_times(
    submit: Submit, disks: dict[str, int], worker: WorkerService, woken: list[int]
) -> None:
    step_run = submit().step_runs.get(step="first")
    woken.clear()
    disks["work"] = 1
    worker.serve(step_run.pk)
    assert woken == [step_run.pk]
    worker.serve(step_run.pk, hops=2)
    worker.serve(step_run.pk, hops=3)
    assert woken == [step_run.pk] * 2
    disks["work"] = 1000
    worker.priorities = engine.Priorities(least=1)
    worker.serve(step_run.pk)
    assert woken == [step_run.pk] * 3
    step_run.refresh_from_db()
    assert step_run.status == "QUEUED"


def test_nothing_is_taken_while_there_is_no_room_for_it_on_any_worker(
    submit: Submit, disks: dict[str, int], settings
) -> None:
    plan = submit().snapshot.plan
    assert has_room_for(plan, 0), "no worker has said anything"
    tell("one", ["local"], {"local": Obstacle.WORK_FULL})
    assert not has_room_for(plan, 0)
    tell("other", ["local"], {})
    assert has_room_for(plan, 0)
    tell("other", ["local"], {"local": Obstacle.UNUSABLE})
    assert has_room_for(plan, 0), "what stands in its way may be nobody's disk"
    assert not has_room_for(plan, 801 * MB), "200 MB stay free"
    with_settings(settings, min_free_work=0)
    tell("other", ["local"], {"local": Obstacle.WORK_FULL})
    assert has_room_for(plan, 0)


def test_a_worker_that_is_silent_counts_no_more(submit: Submit) -> None:
    plan = submit().snapshot.plan
    tell("one", ["local"], {"local": Obstacle.WORK_FULL})
    Outlook.objects.update(told="2000-01-01T00:00:00Z")
    assert has_room_for(plan, 0)
    forget_workers()
    assert not Outlook.objects.exists()


def test_a_worker_says_nothing_more_of_a_backend_that_it_serves_no_more(submit: Submit) -> None:
    tell("one", ["local", "other"], {})
    tell("one", ["local"], {})
    assert list(Outlook.objects.values_list("backend", flat=True)) == ["local"]


def test_steps_of_a_backend_that_is_gone_wait_and_end_when_it_stays_away(submit: Submit, settings) -> None:
    submission = submit()
    StepRun.objects.update(backend="gone")
    assert engine.crash_homeless() == 0
    assert Outlook.objects.get().obstacle == "gone"
    StepRun.objects.update(backend="local")
    assert engine.crash_homeless() == 0
    assert not Outlook.objects.exists(), "it is there again"
    StepRun.objects.update(backend="gone")
    engine.crash_homeless()
    Outlook.objects.update(since="2000-01-01T00:00:00Z")
    assert engine.crash_homeless() == 1
    submission.refresh_from_db()
    assert (submission.status, submission.cause) == ("CRASH", "backend_unavailable")


def test_the_real_disk_is_asked_where_the_folder_is_or_will_be(tmp_path: Path) -> None:
    free = room.free_bytes(tmp_path / "not" / "yet")
    assert free is not None
    assert 0 < free <= shutil.disk_usage(tmp_path).total
