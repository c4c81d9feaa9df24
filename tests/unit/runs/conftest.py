"""A job in the database, and submissions of it without any worker."""

from collections.abc import Callable
from typing import Any

import pytest

from analytics_automated.pipelines.configuration import apply
from analytics_automated.pipelines.files.reader import Configuration, read_text
from analytics_automated.pipelines.models import Job
from analytics_automated.runs import dispatch, engine
from analytics_automated.runs.models import Submission
from analytics_automated.storage.streams import store

PIPELINE = """
format: 1
pipeline: engine
tasks:
  first: {inputs: {data: in.txt}, outputs: {one: one.txt}, command: "cp {input.data} {output.one}"}
  left: {inputs: {one: in.txt}, outputs: {two: two.txt}, command: "cp {input.one} {output.two}"}
  right: {inputs: {one: in.txt}, outputs: {three: three.txt}, command: "cp {input.one} {output.three}"}
  last:
    inputs: {two: a.txt, three: b.txt}
    outputs: {end: end.txt}
    command: cat {input.two} {input.three}
    stdout: end
jobs:
  diamond:
    runnable: true
    steps:
      - {task: first, ordering: 1}
      - {task: left, ordering: 2}
      - {task: right, ordering: 2}
      - {task: last, ordering: 3}
"""


def apply_text(text: str) -> None:
    configuration = Configuration()
    read_text(text, "test.yaml", configuration)
    apply(configuration)


@pytest.fixture
def job(db: None) -> Job:
    apply_text(PIPELINE)
    return Job.objects.get(name="diamond")


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The steps that wake-ups were sent for, in place of a broker."""
    sent: list[int] = []

    def send(_task: str, args: list[int], _queue: str) -> bool:
        sent.append(args[0])
        return True

    monkeypatch.setattr(dispatch.broker, "send", send)
    return sent


@pytest.fixture
def submit(job: Job, woken: list[int]) -> Callable[..., Submission]:
    def make(data: bytes = b"data", files: int = 1, **keys: Any) -> Submission:
        job.refresh_from_db()
        assert job.snapshot is not None
        given = [engine.NewInput("data", "mine.txt", store([data], "test")) for _ in range(files)]
        return engine.submit(job=job, snapshot=job.snapshot, parameters={}, inputs=given, **keys).submission

    return make
