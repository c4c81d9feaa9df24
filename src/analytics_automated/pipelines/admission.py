"""Whether what a caller sent may be submitted: parameters by the Job's JSON Schema, data by its Validators."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from analytics_automated.pipelines.commands import Surroundings, UnsafeValueError, render
from analytics_automated.pipelines.definitions import Value
from analytics_automated.pipelines.parameters import check_values
from analytics_automated.pipelines.plans import Plan
from analytics_automated.pipelines.reference_data import needed_data
from analytics_automated.pipelines.refusals import Refusal
from analytics_automated.pipelines.validators.base import Invalid, TooSlow
from analytics_automated.pipelines.validators.checking import check_file


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file that a caller sent, as far as its check needs it."""

    input: str
    file: str
    size: int
    open: Callable[[], IO[bytes]]


def check_parameters(plan: Plan, given: Mapping[str, Any]) -> tuple[dict[str, Value], list[Refusal]]:
    """Check the values that a caller sent, by public name; the values with defaults, and what is wrong.

    With good values every command is rendered once, so that a value that would become an option is refused now
    and not when its step runs.
    """
    values, refusals = check_values(plan.public_parameters, given)
    if not refusals:
        refusals += _unsafe(plan, values)
    return values, refusals


def _unsafe(plan: Plan, values: Mapping[str, Value]) -> Iterable[Refusal]:
    for step in plan.steps:
        task = plan.tasks[step.task]
        around = Surroundings(
            workdir=Path("/"),
            submission="",
            inputs={name: [definition.file] for name, definition in task.inputs.items()},
            parameters=plan.values_for(step.name, dict(values)),
            data=dict.fromkeys(needed_data(task), "/"),
        )
        try:
            render(task, around)
        except UnsafeValueError as error:
            target = f"{step.name}.{error.parameter}"
            public = next((name for name, each in plan.parameters.items() if target in each.sets), error.parameter)
            yield Refusal("parameters", public, "reads_as_option", str(error))


def check_data(plan: Plan, files: Iterable[SentFile], seconds: float) -> list[Refusal]:
    """Check all files by the Job's Validators, within `seconds` altogether; what is wrong, one entry per file."""
    deadline = time.monotonic() + seconds
    refusals = []
    for sent in files:
        left = max(0.0, deadline - time.monotonic())
        try:
            check_file(
                plan.data_validators[sent.input],
                sent.open,
                size=sent.size,
                file_name=sent.file,
                seconds=left,
            )
        except Invalid as invalid:
            refusals.append(Refusal("inputs", sent.input, "invalid_data", _which(plan, sent) + str(invalid)))
        except TooSlow:
            message = f"{_which(plan, sent)}could not be checked within {seconds:g} seconds: send less at once"
            refusals.append(Refusal("inputs", sent.input, "too_slow", message, seconds))
    return refusals


def _which(plan: Plan, sent: SentFile) -> str:
    """The file's name in front of what is wrong with it, where there may be several."""
    return f"{sent.file!r}: " if plan.inputs[sent.input].many else ""
