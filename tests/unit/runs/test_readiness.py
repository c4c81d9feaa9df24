"""Conditions, when the steps that they belong to could start."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics_automated.executors.base import Cause, Outcome
from analytics_automated.pipelines.models import Job
from analytics_automated.runs import engine
from analytics_automated.runs.engine import Gathered
from analytics_automated.runs.models import StepRun, Submission
from analytics_automated.runs.states import StepStatus
from analytics_automated.runs.verdicts import Verdict
from analytics_automated.storage.streams import store
from unit.runs.conftest import apply_text

pytestmark = pytest.mark.django_db(transaction=True)
QUEUES = frozenset({"LOCALHOST"})

PIPELINE = """
format: 1
pipeline: choosing
tasks:
  look:
    inputs: {data: in.txt}
    outputs: {hits: {file: "*.hit", many: true, optional: true}}
    exit_codes: {continue: [2]}
    command: look {input.data}
  draw:
    inputs: {hits: {file: hits, many: true}}
    outputs: {picture: plot.png}
    command: draw {input.hits}
  frame:
    inputs: {picture: plot.png}
    outputs: {framed: framed.png}
    command: frame {input.picture}
  tell:
    inputs: {hits: {file: hits, many: true, optional: true}, picture: {file: plot.png, optional: true}}
    command: tell {input.hits} {input.picture}
jobs:
  choosing:
    runnable: true
    inputs: {data: {}, guide: {optional: true}}
    parameters:
      engine: {type: choice, choices: [fast, exact], default: fast}
      limit: {type: integer, optional: true}
    steps:
      - {task: look, ordering: 1}
      - {task: draw, ordering: 2, when: "CONDITION"}
      - {task: frame, ordering: 3}
      - {task: tell, ordering: 4, inputs: {picture: draw.picture}}
"""

Start = Callable[..., Submission]


@pytest.fixture
def start(db: None, woken: list[int]) -> Start:
    def make(condition: str, *inputs: str, text: str = PIPELINE, **parameters: Any) -> Submission:
        # The guide has no step that takes it: it is there for conditions.
        text = text.replace("CONDITION", condition.replace('"', '\\"'))
        text = text.replace("tell {input.hits}", "tell {input.guide} {input.hits}")
        text = text.replace(
            "inputs: {hits: {file: hits, many: true, optional: true}, ",
            "inputs: {guide: {file: guide, optional: true}, hits: {file: hits, many: true, optional: true}, ",
        )
        apply_text(text)
        row = Job.objects.get(name="choosing")
        assert row.snapshot is not None
        given = [engine.NewInput(name, f"{name}.txt", store([b"x"], "test")) for name in ("data", *inputs)]
        values = {"engine": "fast"} | parameters
        return engine.submit(job=row, snapshot=row.snapshot, parameters=values, inputs=given).submission

    return make


def take(submission: Submission, step: str) -> engine.Claim:
    claim = engine.claim(StepRun.objects.get(submission=submission, step=step).pk, "w", QUEUES)
    assert claim is not None
    return claim


def look(submission: Submission, *hits: bytes, code: int = 0) -> list[str]:
    """The step `look` ends, with these files; the steps that became ready."""
    made = [
        Gathered("hits", f"{index}.hit", "text/plain", True, store([data], "1.1")) for index, data in enumerate(hits)
    ]
    outcome = Outcome(Cause.EXIT, exit_code=code)
    return [each.step for each in engine.finish(take(submission, "look"), Verdict(StepStatus.COMPLETE), outcome, made)]


def statuses(submission: Submission) -> dict[str, str]:
    return dict(submission.step_runs.values_list("step", "status"))


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("look.hits", True),
        ("look.hits.count == 2", True),
        ("look.hits.count > 2", False),
        ("look.hits.size == 7", True),
        ("look.exit_code == 2", True),
        ("look.exit_code == 0", False),
        ("param.engine == 'fast'", True),
        ("param.engine == 'exact'", False),
        ("param.limit", False),
        ("param.limit != 3", True),
        ("input.data and not input.guide", True),
        ("input.guide", False),
        ("look.hits.count > 1 and (param.engine == 'exact' or look.exit_code in [2, 3])", True),
    ],
)
def test_a_step_runs_where_its_condition_holds(start: Start, condition: str, holds: bool) -> None:
    submission = start(condition)
    ready = look(submission, b"one", b"four", code=2)
    assert ready == (["draw"] if holds else ["frame"])
    assert statuses(submission)["draw"] == ("QUEUED" if holds else "SKIPPED")


def test_a_file_that_was_sent_counts(start: Start) -> None:
    submission = start("input.guide", "guide")
    assert look(submission) == ["draw"]


def test_a_parameter_that_was_given_counts(start: Start) -> None:
    assert look(start("param.limit == 3", limit=3)) == ["draw"]


def test_a_skipped_step_says_why_and_those_behind_it_go_on(start: Start) -> None:
    submission = start("look.hits.size > 100")
    assert look(submission, b"few") == ["frame"]
    run = submission.step_runs.get(step="draw")
    assert (run.status, run.message) == ("SKIPPED", "Step 'draw' was skipped: its condition does not hold.")
    assert run.finished is not None
    assert submission.events.filter(step="draw").values_list("status", flat=True).get() == "SKIPPED"
    submission.refresh_from_db()
    assert submission.unfinished == 2


def test_steps_behind_a_skipped_one_are_decided_about_in_the_same_breath(start: Start) -> None:
    text = PIPELINE.replace("{task: frame, ordering: 3}", '{task: frame, ordering: 3, when: "draw.picture"}')
    submission = start("look.hits", text=text)
    assert look(submission) == ["tell"]
    assert statuses(submission) == {"look": "COMPLETE", "draw": "SKIPPED", "frame": "SKIPPED", "tell": "QUEUED"}


def test_a_submission_may_end_without_any_run(start: Start, woken: list[int]) -> None:
    text = PIPELINE.replace("{task: look, ordering: 1}", "{task: look, ordering: 1, when: \"param.engine == 'exact'\"}")
    for step in ("frame, ordering: 3", "tell, ordering: 4, inputs: {picture: draw.picture}"):
        text = text.replace(f"{{task: {step}}}", f'{{task: {step}, when: "draw.picture"}}')
    submission = start("look.exit_code == 0", text=text)
    submission.refresh_from_db()
    assert set(statuses(submission).values()) == {"SKIPPED"}
    assert (submission.status, submission.unfinished) == ("COMPLETE", 0)
    assert submission.finished is not None
    assert woken == []


def test_a_condition_costs_few_queries(start: Start) -> None:
    costs = []
    for condition in (
        "param.engine == 'fast'",
        "look.hits and look.hits.size > 0 and look.exit_code == 0 and input.data",
    ):
        submission = start(condition)
        claim = take(submission, "look")
        with CaptureQueriesContext(connection) as queries:
            made = [Gathered("hits", "a.hit", "text/plain", True, store([condition.encode()], "1.1"))]
            engine.finish(claim, Verdict(StepStatus.COMPLETE), Outcome(Cause.EXIT, exit_code=0), made)
        costs.append(len(queries.captured_queries))
    assert costs[1] - costs[0] == 3


def test_a_new_start_decides_anew(start: Start) -> None:
    submission = start("param.engine == 'fast'")
    look(submission, b"hit")
    engine.cancel(submission.pk)
    assert statuses(submission)["draw"] == "CANCELLED"
    assert engine.retry(submission.pk).unfinished == 3
    assert statuses(submission) == {"look": "COMPLETE", "draw": "QUEUED", "frame": "PENDING", "tell": "PENDING"}
