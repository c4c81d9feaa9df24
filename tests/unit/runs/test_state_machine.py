"""The engine under arbitrary interleavings of all that may befall a Submission, in turn and at once."""

import datetime as dt
import random
import threading
from collections.abc import Callable

import pytest
from django.db import connection
from django.db.models.functions import Now
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from analytics_automated.executors.base import Cause, Outcome
from analytics_automated.runs import engine
from analytics_automated.runs.engine import Gathered
from analytics_automated.runs.models import StepRun, Submission
from analytics_automated.runs.states import StepStatus
from analytics_automated.runs.verdicts import Verdict
from analytics_automated.storage.streams import store
from unit.runs.conftest import PIPELINE, apply_text
from unit.runs.invariants import broken

pytestmark = pytest.mark.django_db(transaction=True)
QUEUES = frozenset({"LOCALHOST"})
VERDICTS = (
    Verdict(StepStatus.COMPLETE),
    Verdict(StepStatus.COMPLETE, "enough", stops=True),
    Verdict(StepStatus.SKIPPED, "nothing for it"),
    Verdict(StepStatus.ERROR, "it failed", "exit"),
    Verdict(StepStatus.CRASH, "it was lost", "lost"),
    Verdict(StepStatus.CRASH, "no backend", "backend_unavailable"),
)
Submit = Callable[..., Submission]
RETRIED = 'command: "cp {input.one} {output.two}", retries: {on: [exit, lost], max: 1}'
DIAMOND = PIPELINE.replace('command: "cp {input.one} {output.two}"', RETRIED)
WIDE = """
format: 1
pipeline: engine
tasks:
  each:
    inputs: {data: in.txt}
    outputs: {one: one.txt}
    command: cp {input.data} {output.one}
    retries: {on: [exit, lost], max: 1}
  again: {inputs: {one: in.txt}, outputs: {two: two.txt}, command: "cp {input.one} {output.two}"}
  join: {inputs: {two: {file: parts, many: true}}, outputs: {end: end.txt}, command: "cat {input.two}", stdout: end}
jobs:
  diamond:
    runnable: true
    inputs: {data: {many: true}}
    steps:
      - {task: each, scatter: {over: data, max_parallel: 2}}
      - {task: again, scatter: {over: one, max_parallel: 2, on_item_failure: continue}}
      - join
"""
"""A step that scatters behind one that scatters, and one behind that which gathers."""
JOBS = pytest.mark.parametrize(("text", "files"), [(DIAMOND, 1), (WIDE, 3)], ids=["diamond", "wide"])


def finish(claim: engine.Claim, verdict: Verdict) -> None:
    outputs = claim.plan.task_of(claim.step_run.step).outputs if verdict.status is StepStatus.COMPLETE else ()
    made = [Gathered(name, f"{name}.txt", "text/plain", False, store([name.encode()], "1.1")) for name in outputs]
    engine.finish(claim, verdict, Outcome(Cause.EXIT, exit_code=1), made)


def expire(claim: engine.Claim) -> None:
    StepRun.objects.filter(pk=claim.step_run.pk, status=StepStatus.RUNNING).update(
        leased_until=Now() - dt.timedelta(seconds=1)
    )
    engine.lose_expired()


def start_again(submission: Submission) -> None:
    try:
        engine.retry(submission.pk)
    except engine.NotResumable:
        return


def come_to_rest(claims: list[engine.Claim]) -> None:
    """Let all that runs, and all that then may run, end well: whatever came before, nothing is stuck."""
    for claim in claims:
        finish(claim, VERDICTS[0])
    StepRun.objects.update(not_before=None)
    while claim := engine.claim_best("w", QUEUES):
        finish(claim, VERDICTS[0])
    assert broken() == []
    assert not Submission.objects.in_progress().exists()


@JOBS
@pytest.mark.parametrize("on_failure", ["cancel", "finish"])
def test_in_any_order_the_rows_agree_and_all_ends(submit: Submit, on_failure: str, text: str, files: int) -> None:
    apply_text(text.replace("    runnable: true", f"    runnable: true\n    on_failure: {on_failure}"))

    class Lives(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            Submission.objects.all().delete()
            self.submissions = [submit(files=files)]
            self.claims: list[engine.Claim] = []

        @rule()
        def another(self) -> None:
            if len(self.submissions) < 3:
                self.submissions.append(submit(files=files))

        @rule()
        def claim(self) -> None:
            claim = engine.claim_best("w", QUEUES)
            if claim is not None:
                self.claims.append(claim)

        @rule()
        def go_on(self) -> None:
            """A step that goes well, so that what comes later in a job is reached, too."""
            claim = engine.claim_best("w", QUEUES)
            if claim is not None:
                finish(claim, VERDICTS[0])

        # Claims stay in the list: a worker that comes late, or says a thing twice, is one of the things that happen.
        @precondition(lambda self: self.claims)
        @rule(index=st.integers(0, 50), verdict=st.sampled_from(VERDICTS))
        def finish(self, index: int, verdict: Verdict) -> None:
            finish(self.claims[index % len(self.claims)], verdict)

        @precondition(lambda self: self.claims)
        @rule(index=st.integers(0, 50))
        def expire(self, index: int) -> None:
            expire(self.claims[index % len(self.claims)])

        @precondition(lambda self: self.claims)
        @rule(index=st.integers(0, 50))
        def end_stopped(self, index: int) -> None:
            engine.end_stopped(self.claims[index % len(self.claims)], Outcome(Cause.CANCELLED))

        @rule(index=st.integers(0, 2))
        def cancel(self, index: int) -> None:
            engine.cancel(self.submissions[index % len(self.submissions)].pk)

        @rule(index=st.integers(0, 2))
        def retry(self, index: int) -> None:
            start_again(self.submissions[index % len(self.submissions)])

        @rule(index=st.integers(0, 8))
        def delete(self, index: int) -> None:
            if index < len(self.submissions):
                engine.delete(self.submissions[index].pk)

        @invariant()
        def rows_agree(self) -> None:
            assert broken() == []

        def teardown(self) -> None:
            come_to_rest(self.claims)

    run_state_machine_as_test(
        Lives,
        settings=settings(
            max_examples=20, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


@JOBS
def test_at_once_the_rows_agree_too(submit: Submit, text: str, files: int) -> None:
    apply_text(text)
    submissions = [submit(files=files) for _ in range(6)]
    claims: list[engine.Claim] = []
    faults: list[BaseException] = []

    def act(seed: int) -> None:
        choose = random.Random(seed)
        try:
            for _ in range(60):
                kind = choose.random()
                if kind < 0.4:
                    claim = engine.claim_best(f"w{seed}", QUEUES)
                    if claim is not None:
                        claims.append(claim)
                elif kind < 0.75 and claims:
                    finish(choose.choice(claims), choose.choice(VERDICTS))
                elif kind < 0.82 and claims:
                    expire(choose.choice(claims))
                elif kind < 0.88 and claims:
                    engine.end_stopped(choose.choice(claims), Outcome(Cause.CANCELLED))
                elif kind < 0.91:
                    engine.cancel(choose.choice(submissions).pk)
                elif kind < 0.99:
                    start_again(choose.choice(submissions))
                else:
                    engine.delete(choose.choice(submissions).pk)
        except BaseException as fault:  # noqa: BLE001 -- whatever it is, the test tells it
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert broken() == []
    come_to_rest(claims)
