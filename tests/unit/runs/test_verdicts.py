"""What an attempt's end means."""

import pytest

from analytics_automated.executors.base import Cause, Outcome
from analytics_automated.pipelines.definitions.task import TaskDefinition
from analytics_automated.runs.states import StepStatus
from analytics_automated.runs.verdicts import judge


@pytest.mark.parametrize(
    ("outcome", "status", "cause", "words"),
    [
        (Outcome(Cause.EXIT, exit_code=2), "ERROR", "exit", "Step 'x' failed with exit code 2."),
        (Outcome(Cause.SIGNAL, signal=11), "ERROR", "signal", "Step 'x' was ended by the signal SIGSEGV."),
        (Outcome(Cause.TIMEOUT, signal=15), "ERROR", "timeout", "Step 'x' ran longer than its time limit of 1m."),
        (
            Outcome(Cause.MEMORY, signal=9),
            "ERROR",
            "memory",
            "Step 'x' was ended, as it needed more memory than there was for it.",
        ),
        (Outcome(Cause.LOST), "CRASH", "lost", "Step 'x' could not be run by this service."),
        (
            Outcome(Cause.BACKEND_UNAVAILABLE),
            "CRASH",
            "backend_unavailable",
            "Step 'x' could not be run by this service.",
        ),
    ],
)
def test_each_cause_has_words_of_its_own(outcome: Outcome, status: str, cause: str, words: str) -> None:
    verdict = judge(TaskDefinition(command="x"), "x", outcome, 60.0)
    assert (verdict.status, verdict.cause, verdict.message) == (status, cause, words)


def test_an_exit_code_for_want_of_memory_means_what_the_task_says_where_that_is_good() -> None:
    outcome = Outcome(Cause.MEMORY, exit_code=137)
    assert judge(TaskDefinition(command="x"), "x", outcome, 60.0).cause == "memory"
    for meaning in ("continue", "stop"):
        task = TaskDefinition.model_validate({"command": "x", "exit_codes": {meaning: [137]}})
        assert judge(task, "x", outcome, 60.0).status is StepStatus.COMPLETE
    failing = TaskDefinition.model_validate({"command": "x", "exit_codes": {"fail": [137]}})
    assert judge(failing, "x", outcome, 60.0).cause == "memory"
