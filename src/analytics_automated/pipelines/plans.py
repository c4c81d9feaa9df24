"""A Job, resolved: which step waits for which, where its inputs come from, what callers may set and get.

A plan is what a Submission references (its snapshot): it holds all that a run needs but for what belongs to the
Backend, whose name alone is in it.
"""

import hashlib
from functools import cached_property
from typing import Any

from pydantic import Field

from analytics_automated.pipelines.definitions import (
    JobInputDefinition,
    MissingOutput,
    ParameterDefinition,
    TaskDefinition,
)
from analytics_automated.pipelines.definitions.job import ScatterDefinition, ValidatorUse
from analytics_automated.pipelines.definitions.scalars import Definition
from analytics_automated.pipelines.parameters import schema_of_all
from analytics_automated.pipelines.validators.base import Validator
from analytics_automated.pipelines.validators.registry import validator_or_refusal

FORMAT = 1
"""Version of this shape. A worker leaves a step alone whose plan has another."""


class PlannedStep(Definition):
    """One Step with everything that it depends on."""

    name: str
    task: str
    needs: list[str] = []
    """Steps that end before this one starts."""
    inputs: dict[str, list[str]] = {}
    """Sources of each task input, `step.output` or a job input's name: the first that is present is used."""
    parameters: dict[str, Any] = {}
    """Values that the job fixes."""
    when: str | None = None
    """Condition; the step is skipped where it does not hold."""
    scatter: ScatterDefinition | None = None
    """One run per file, instead of one."""

    @property
    def is_plain(self) -> bool:
        """True where it has exactly one run, whatever came before."""
        return self.when is None and self.scatter is None


class PlannedParameter(Definition):
    """A parameter under its public name."""

    definition: ParameterDefinition
    sets: list[str] = []
    """The `step.parameter`s that it sets; none where it is the job's own."""
    aliases: list[str] = []


class PlannedResult(Definition):
    """An output that callers get, under its public name."""

    step: str
    output: str
    title: str | None = None
    many: bool = False


class PlannedFile(Definition):
    """The content of a shipped file."""

    sha256: str
    size: int
    """Bytes."""


class Plan(Definition):
    """A Job with all that its runs need, but for the Backends."""

    format: int
    job: str
    version: str | None = None
    title: str | None = None
    inputs: dict[str, JobInputDefinition] = {}
    validators: list[ValidatorUse] = []
    parameters: dict[str, PlannedParameter] = {}
    steps: list[PlannedStep] = Field(min_length=1)
    tasks: dict[str, TaskDefinition] = {}
    files: dict[str, dict[str, PlannedFile]] = {}
    """Shipped files by task and path."""
    results: dict[str, PlannedResult] = {}
    on_failure: str = "cancel"

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the plan's canonical JSON, in hexadecimal: equal plans have equal digests."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """Canonical JSON, without what is at its default."""
        return self.model_dump_json(by_alias=True, exclude_defaults=True)

    @cached_property
    def public_parameters(self) -> dict[str, ParameterDefinition]:
        """What callers may set, by public name."""
        return {name: parameter.definition for name, parameter in self.parameters.items()}

    @cached_property
    def parameter_schema(self) -> dict[str, Any]:
        """The JSON Schema of all parameters together."""
        return schema_of_all(self.public_parameters)

    @cached_property
    def data_validators(self) -> dict[str, list[Validator[Any]]]:
        """The validators of every input: the job's, then the input's own."""
        return {
            name: [validator_or_refusal(use.name, use.options) for use in [*self.validators, *definition.validators]]
            for name, definition in self.inputs.items()
        }

    def public_name(self, field: str) -> str:
        """The public name for a name or alias that a caller used; the name itself where it is unknown."""
        if field in self.parameters:
            return field
        return next((name for name, parameter in self.parameters.items() if field in parameter.aliases), field)

    def step(self, name: str) -> PlannedStep:
        """The step of that name."""
        return next(step for step in self.steps if step.name == name)

    def task_of(self, step: str) -> TaskDefinition:
        """The task that the step uses."""
        return self.tasks[self.step(step).task]

    def followers(self, step: str) -> list[str]:
        """Steps that wait for this one."""
        return [other.name for other in self.steps if step in other.needs]

    def public_results(self, step: str) -> dict[str, str]:
        """Public names of the step's outputs that callers get, by output."""
        return {result.output: name for name, result in self.results.items() if result.step == step}

    def values_for(self, step: str, given: dict[str, Any]) -> dict[str, Any]:
        """The task's parameter values in this step: stored, fixed by the job, or from the caller's checked ones."""
        planned, task = self.step(step), self.task_of(step)
        values = {name: definition.value for name, definition in task.parameters.items() if definition.stored}
        values |= planned.parameters
        for public, parameter in self.parameters.items():
            for target in parameter.sets:
                owner, _, name = target.partition(".")
                if owner == step:
                    values[name] = given.get(public)
        return values

    def tolerates_missing(self, step: str, output: str) -> bool:
        """True where the step may be complete without the output."""
        task = self.task_of(step)
        return task.outputs[output].optional or task.missing_output is not MissingOutput.FAIL
