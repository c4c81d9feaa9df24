"""A workflow that users may call."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer

from analytics_automated.pipelines.definitions.call import ExampleDefinition, ScheduleDefinition
from analytics_automated.pipelines.definitions.parameter import ParameterDefinition
from analytics_automated.pipelines.definitions.scalars import (
    EMPTY_IS_NONE,
    LARGEST_COUNT,
    Boolean,
    Date,
    Definition,
    Free,
    Integer,
    JobName,
    Line,
    LineOrNone,
    Name,
    PublicName,
    Reference,
    StepOutput,
    StepParameter,
    Text,
    TextOrNone,
    Word,
    at_most,
    one_or_more,
    plain,
    shorthand,
)
from analytics_automated.pipelines.problems import nearest
from analytics_automated.pipelines.quantities import Duration, Size


def _validator(value: Any) -> Any:
    """`fasta` and `{fasta: {…}}` both become a name with options."""
    if isinstance(value, str):
        return {"name": value}
    if isinstance(value, dict) and {"name", "options"} & set(value):
        return value
    if isinstance(value, dict) and len(value) == 1:
        ((name, options),) = value.items()
        if plain(options) is not None and not isinstance(options, dict):
            raise ValueError(f"the options of a validator are a mapping, such as {{{name}: {{option: value}}}}")
        return {"name": name, "options": {} if plain(options) is None else options}
    raise ValueError("is no validator: write its name, or its name with options, such as {fasta: {alphabet: protein}}")


class ValidatorUse(Definition):
    """A Validator by name, with its options: `fasta`, or `{fasta: {alphabet: protein}}`, or with these keys."""

    name: Name = Field(description="The validator's name.")
    options: dict[str, Free] = Field({}, description="Its options.")


Validators = list[Annotated[ValidatorUse, BeforeValidator(_validator)]]


def _takes_something(size: int) -> int:
    if size < 1:
        raise ValueError("takes no file at all: write at least 1, or leave it out for the service's own bound")
    return size


class JobInputDefinition(Definition):
    """A file, or several, that a caller sends."""

    title: LineOrNone = Field(None, description="What people see.")
    description: TextOrNone = Field(None, description="Help for people.")
    optional: Boolean = Field(False, description="May be left out.")
    many: Boolean = Field(False, description="Several files may be sent.")
    max_size: Annotated[Size, AfterValidator(_takes_something)] | None = Field(
        None, description="Most bytes of one file, at least 1; a setting's default unless said."
    )
    max_files: Integer | None = Field(None, ge=1, description="Most files; a setting's default unless said.")
    unpack: list[Literal["zip", "tar"]] = Field([], description="Archives that are taken apart.")
    validators: Validators = Field([], description="Checks of every file.")


class JobParameterDefinition(ParameterDefinition):
    """A parameter under the caller's name: sets a step's parameter, or is the job's own."""

    sets: Annotated[list[StepParameter], BeforeValidator(one_or_more)] = Field(
        [], description="The step.parameter, or several, that it sets."
    )
    aliases: Annotated[list[PublicName], BeforeValidator(one_or_more)] = Field([], description="Other names of it.")

    @model_serializer(mode="wrap")
    def _with_said_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """`advanced: false` is no default where the task says `true`: what is said is written."""
        data: dict[str, Any] = handler(self)
        return data | ({"advanced": self.advanced} if "advanced" in self.model_fields_set else {})


class ScatterDefinition(Definition):
    """One run of the step per file."""

    over: Name = Field(description="The step's input that is taken apart.")
    max_parallel: Integer | None = Field(None, ge=1, description="Most runs at once.")
    max_items: Integer | None = Field(None, ge=1, description="Most files.")
    on_item_failure: Literal["fail", "continue"] = Field("fail", description="Whether one failure fails the step.")


class StepDefinition(Definition):
    """A Job's use of one Task."""

    task: Name = Field(description="The Task.")
    name: Name | None = Field(None, description="The step's name; the task's unless said.")
    ordering: Integer | None = Field(None, ge=0, le=LARGEST_COUNT, description="Equal values run side by side.")
    needs: list[Name] | None = Field(None, description="Steps that must end before: an explicit graph.")
    inputs: dict[Name, Annotated[list[Reference], BeforeValidator(one_or_more)]] = Field(
        {},
        description="Where inputs come from: step.output, a job input, or a list: the first that is present.",
    )
    parameters: dict[Name, Any] = Field({}, description="Fixed values of the task's parameters.")
    when: TextOrNone = Field(None, description="Condition; false: the step is skipped.")
    scatter: Annotated[ScatterDefinition, shorthand("over")] | None = Field(None, description="One run per file.")

    @property
    def label(self) -> str:
        """The step's name."""
        return self.name or self.task


class ResultDefinition(Definition):
    """An output that is shown to the caller, under its public name."""

    source: StepOutput = Field(alias="from", description="The step.output.")
    title: LineOrNone = Field(None, description="What people see.")


class JobLimitsDefinition(Definition):
    """How much of the job may be under way."""

    per_caller: Integer | None = Field(None, ge=1, description="Submissions in progress of one caller.")
    max_running: Integer | None = Field(None, ge=1, description="Submissions that run at once.")


class DeprecatedDefinition(Definition):
    """That callers should move on."""

    since: Date = Field(description="Date, as 2026-12-01.")
    successor: JobName | None = Field(None, description="The job to use instead.")


def _access(value: str | list[str]) -> str | list[str]:
    alone = ("public", "login")
    if isinstance(value, str) and value not in alone:
        hint = nearest(value, alone) or f"; a group is a list: [{value}]"
        raise ValueError(f"must be public, login, or a list of groups, not {value!r}{hint}")
    if not value:
        raise ValueError("names no group: write public, login, or a list of groups")
    if isinstance(value, list) and (word := next((word for word in value if word in alone or not word), None)):
        raise ValueError(f"{word!r} stands alone: write `access: {word}`, or a list of groups")
    if isinstance(value, list) and len(set(value)) < len(value):
        raise ValueError("names a group twice")
    return value


class JobDefinition(Definition):
    """A workflow that users may call: ordered Steps, Validators, one web service."""

    title: Annotated[Line | None, EMPTY_IS_NONE] = Field(None, description="What people see.")
    description: Annotated[Text | None, EMPTY_IS_NONE] = Field(
        None, description="What a caller reads in the catalogue."
    )
    version: Annotated[Annotated[Word, at_most(64)] | None, EMPTY_IS_NONE] = Field(
        None, description="The author's version of it."
    )
    runnable: Boolean = Field(False, description="Callers may submit to it.")
    access: Annotated[Word | list[Word], AfterValidator(_access)] = Field(
        "public",
        description="Who may call: anybody (`public`), who has an account (`login`), or members of groups (a list).",
    )
    contact: Annotated[Line | None, EMPTY_IS_NONE] = Field(None, description="Whom to ask.")
    citation: Annotated[Text | None, EMPTY_IS_NONE] = Field(None, description="What to cite.")
    licence: Annotated[Text | None, EMPTY_IS_NONE] = Field(None, description="Licence of the results.")
    terms: Annotated[Text | None, EMPTY_IS_NONE] = Field(None, description="Terms of use.")
    inputs: dict[Name, JobInputDefinition] | None = Field(
        None, description="What a caller sends; the inputs that the steps leave open unless said."
    )
    parameters: dict[Name, JobParameterDefinition] = Field({}, description="Parameters by the caller's names.")
    validators: Validators = Field([], description="Checks of every input.")
    steps: list[Annotated[StepDefinition, shorthand("task")]] = Field(description="The steps.", min_length=1)
    results: dict[Name, Annotated[ResultDefinition, shorthand("from")]] | None = Field(
        None, description="What the caller gets; every published output as step_output unless said."
    )
    on_failure: Literal["cancel", "finish"] = Field("cancel", description="What becomes of running siblings.")
    limits: JobLimitsDefinition | None = Field(None, description="How much may be under way.")
    retention: Duration | None = Field(None, description="How long submissions are kept.")
    schedule: ScheduleDefinition | None = Field(None, description="When it is submitted by itself.")
    examples: list[ExampleDefinition] = Field([], description="Example calls.")
    deprecated: DeprecatedDefinition | None = Field(None, description="That callers should move on.")
    aliases: list[JobName] = Field([], description="Other names of the job.")
