"""What an attempt's end means: for its step, for the Submission, and in words for the caller."""

import datetime as dt
import signal
from dataclasses import dataclass

from analytics_automated.executors.base import Cause, Outcome
from analytics_automated.pipelines.definitions import MissingOutput, TaskDefinition
from analytics_automated.pipelines.definitions.task import ExitCodesDefinition
from analytics_automated.pipelines.quantities import format_duration
from analytics_automated.runs.states import StepStatus


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a step ended. `message` is for the caller: no command line, no path, no environment."""

    status: StepStatus
    message: str = ""
    cause: str = ""
    """The cause of a failure; empty where there was none."""
    stops: bool = False
    """The job ends well here; later steps are skipped."""
    gathers: bool = True
    """Whether its outputs are kept."""
    pause: dt.timedelta = dt.timedelta()
    """Where it is tried again, not before so much time has gone."""


def judge(task: TaskDefinition, step: str, outcome: Outcome, timeout: float, told: str = "") -> Verdict:
    """The verdict on a command's end, before its outputs are looked at.

    What the command `told` the caller in `$message_file` goes before any other message where the step fails or stops.
    """
    code = outcome.exit_code
    if code is not None and (outcome.cause is Cause.EXIT or _is_no_failure(task.exit_codes, code)):
        return _by_exit_code(task, step, code, told)
    match outcome.cause:
        case Cause.TIMEOUT:
            message = f"Step '{step}' ran longer than its time limit of {format_duration(timeout)}."
        case Cause.MEMORY:
            message = f"Step '{step}' was ended, as it needed more memory than there was for it."
        case Cause.SIGNAL:
            message = f"Step '{step}' was ended by the signal {_signal_name(outcome.signal)}."
        case cause:
            return Verdict(
                StepStatus.CRASH, f"Step '{step}' could not be run by this service.", cause.value, gathers=False
            )
    return Verdict(StepStatus.ERROR, told or message, outcome.cause.value, gathers=False)


def judge_surroundings(step: str, reason: str, pause: dt.timedelta = dt.timedelta()) -> Verdict:
    """The verdict where reference data, a secret, room or a setup is missing or broken: nothing that a caller can
    mend."""
    message = f"Step '{step}' could not be run: {reason}."
    return Verdict(StepStatus.CRASH, message, Cause.BACKEND_UNAVAILABLE.value, gathers=False, pause=pause)


def _signal_name(number: int | None) -> str:
    try:
        return signal.Signals(number or 0).name
    except ValueError:
        return str(number)


def _is_no_failure(codes: ExitCodesDefinition, code: int) -> bool:
    """Whether the task says that all is well with that exit code, whatever brought it about."""
    return ExitCodesDefinition.matches([*codes.ok, *codes.stop], code)


def _by_exit_code(task: TaskDefinition, step: str, code: int, told: str) -> Verdict:
    codes, matches = task.exit_codes, ExitCodesDefinition.matches
    said = next((text for ranges, text in codes.messages.items() if matches([ranges], code)), "")
    if matches(codes.fail, code):
        pass
    elif matches(codes.stop, code):
        message = told or said or f"Step '{step}' ended the job with exit code {code}."
        return Verdict(StepStatus.COMPLETE, message, stops=True)
    elif code == 0 or matches(codes.ok, code):
        return Verdict(StepStatus.COMPLETE, said)
    message = told or said or f"Step '{step}' failed with exit code {code}."
    return Verdict(StepStatus.ERROR, message, Cause.EXIT.value, gathers=False)


def judge_missing(task: TaskDefinition, step: str, missing: list[str], told: str = "") -> Verdict | None:
    """The verdict on outputs that are not there, `optional` ones not counted; none: the step goes on without.

    What the command `told` the caller goes before A_A's own words.
    """
    names = ", ".join(f"'{name}'" for name in missing)
    plural = "outputs" if len(missing) > 1 else "output"
    match task.missing_output:
        case MissingOutput.CONTINUE:
            return None
        case MissingOutput.STOP:
            message = f"Step '{step}' ended the job, as it made no {plural} {names}."
            return Verdict(StepStatus.COMPLETE, told or message, stops=True)
        case MissingOutput.FAIL:
            message = f"Step '{step}' did not make its {plural} {names}."
            return Verdict(StepStatus.ERROR, told or message, Cause.MISSING_OUTPUT.value, gathers=False)


def judge_unfit(step: str, fault: str, told: str = "") -> Verdict:
    """The verdict where an output is there and must not be gathered. What the command `told` the caller goes first."""
    message = told or f"Step '{step}' failed. {fault}"
    return Verdict(StepStatus.ERROR, message, Cause.MISSING_OUTPUT.value, gathers=False)
