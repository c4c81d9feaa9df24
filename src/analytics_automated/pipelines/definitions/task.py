"""A reusable unit of analysis."""

import enum
import re
import shlex
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from analytics_automated.pipelines.definitions.parameter import ParameterDefinition
from analytics_automated.pipelines.definitions.resources import ResourcesDefinition
from analytics_automated.pipelines.definitions.scalars import (
    EMPTY_IS_NONE,
    FILLED,
    Boolean,
    Definition,
    Integer,
    Line,
    LineOrNone,
    Name,
    Number,
    RelativePath,
    Rule,
    Text,
    TextOrNone,
    VariableName,
    Word,
    at_most,
    one_or_more,
    plain,
    shorthand,
)
from analytics_automated.pipelines.problems import nearest
from analytics_automated.pipelines.quantities import Delay, Duration


class MissingOutput(enum.StrEnum):
    """What a missing output means."""

    FAIL = "fail"
    """The step fails."""
    STOP = "stop"
    """The job ends well; later steps are skipped."""
    CONTINUE = "continue"
    """The step is complete without it."""


class TaskInputDefinition(Definition):
    """A file, or several, that a Task reads."""

    file: RelativePath = Field(description="Its name in the work folder; with `many` the folder of all files.")
    optional: Boolean = Field(False, description="May be absent.")
    many: Boolean = Field(False, description="Every file, under its own name, in the folder.")
    flag: Annotated[Line | None, EMPTY_IS_NONE] = Field(
        None, description="The option in front of the file on the command line."
    )
    separator: Annotated[Word, at_most(16)] | None = Field(
        None, description="Between flag and file in one word: `=` or nothing."
    )
    env_only: Boolean = Field(False, description="The command does not name it.")


class TaskOutputDefinition(Definition):
    """A file, or several, that a Task writes."""

    file: RelativePath = Field(description="Its name or glob in the work folder.")
    many: Boolean = Field(False, description="All files that match; without it exactly one.")
    optional: Boolean = Field(False, description="May be missing.")
    publish: Boolean = Field(True, description="Shown as a result unless the Job says which are.")
    media_type: LineOrNone = Field(None, description="Its media type; guessed from the name unless said.")
    title: LineOrNone = Field(None, description="What people see.")

    @property
    def is_glob(self) -> bool:
        """True where the file's name is a pattern."""
        return any(sign in self.file for sign in "*?[")


_EXIT_RANGE = re.compile(r"([0-9]{1,3})(?:-([0-9]{1,3}))?")


def _exit_codes(value: str) -> str:
    found = _EXIT_RANGE.fullmatch(value)
    low, high = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if not low <= high <= 255:
        raise ValueError("is neither an exit code (0 to 255) nor a range such as 64-78")
    return value


ExitRange = Annotated[
    Word,
    BeforeValidator(lambda value: str(value) if isinstance(value, int) else value),
    AfterValidator(Rule(_exit_codes, pattern=r"^[0-9]{1,3}(-[0-9]{1,3})?$", minimum=0, maximum=255)),
]
ExitRanges = Annotated[list[ExitRange], BeforeValidator(one_or_more)]


class ExitCodesDefinition(Definition):
    """What the exit codes of a command mean. 0 continues and any other fails, unless named here."""

    stop: ExitRanges = Field([], description="The job ends well here; later steps are skipped.")
    ok: ExitRanges = Field([], alias="continue", description="As good as 0.")
    fail: ExitRanges = Field([], description="The step fails.")
    messages: dict[ExitRange, Text] = Field({}, description="What the caller reads, by exit code.")

    @staticmethod
    def matches(ranges: list[str], code: int) -> bool:
        """True where the code is in one of the ranges."""
        bounds = ((int(low), int(high or low)) for low, _, high in (text.partition("-") for text in ranges))
        return any(low <= code <= high for low, high in bounds)


CAUSES = ("exit", "signal", "timeout", "memory", "missing_output", "lost", "backend_unavailable")
"""Ends of an attempt that another may follow. One that somebody cancelled is not tried again."""


def _cause(value: str) -> str:
    kind, colon, codes = value.partition(":")
    if colon and kind == "exit":
        _exit_codes(codes)
    elif value == "cancelled":
        raise ValueError("is no reason to try again: what somebody cancelled stays so")
    elif value not in CAUSES:
        hint = nearest(value, CAUSES) or f"; known: {', '.join(CAUSES)}, and exit:CODE"
        raise ValueError(f"{value!r} is no cause{hint}")
    return value


class RetriesDefinition(Definition):
    """When a step is tried again."""

    max: Integer = Field(3, ge=0, le=100, description="Most tries after the first.")
    on: Annotated[list[Annotated[Word, AfterValidator(_cause)]], BeforeValidator(one_or_more)] = Field(
        ["lost", "backend_unavailable"], description="Causes, or `exit:CODE` or a range such as `exit:64-78`."
    )
    delay: Delay = Field(0.0, description="Time before the next try.")
    backoff: Number = Field(1, ge=1, description="Factor of the delay from try to try.")


class ContainerDefinition(Definition):
    """The container image that a Task runs in."""

    image: Annotated[Word, FILLED] = Field(description="Image, as the backend's container runtime names it.")


class ScriptFile(Definition):
    """A script that lies beside the pipeline file."""

    file: RelativePath = Field(description="The script's path, from the pipeline file's folder.")


class SoftwareDefinition(Definition):
    """Something that a Task uses and that results should be cited with."""

    name: Annotated[Line, FILLED] = Field(description="Its name.")
    type: Literal["software", "dataset", "misc"] = Field("software", description="What it is.")
    version: LineOrNone = Field(None, description="Its version.")
    data: Name | None = Field(None, description="The backend's reference data that it is.")
    parameters: Annotated[Annotated[Word, at_most(1000)] | None, EMPTY_IS_NONE] = Field(
        None, description="How it is used."
    )


def _script(value: Any) -> Any:
    return ScriptFile.model_validate(value) if isinstance(value, dict) else value


def _joined(value: Any) -> Any:
    """A list of words as the text that splits into it again."""
    if isinstance(value, list | tuple):
        if not all(isinstance(word, str) for word in value):
            raise ValueError("must be a list of words, or text")
        if any(plain(word) is None and not word for word in value):
            raise ValueError('has an empty item: write "" for an empty word')
        return shlex.join(value)
    return value


class TaskDefinition(Definition):
    """A reusable unit of analysis: what to execute, its files, Parameters, Environment, and where it runs."""

    title: Annotated[Line | None, EMPTY_IS_NONE] = Field(None, description="What people see.")
    description: Annotated[Text | None, EMPTY_IS_NONE] = Field(None, description="Text for people.")
    backend: Name = Field("local", description="Where it runs; LOCALHOST, the worker's own machine, unless said.")
    inputs: dict[Name, Annotated[TaskInputDefinition, shorthand("file")]] = Field({}, description="Files it reads.")
    outputs: dict[Name, Annotated[TaskOutputDefinition, shorthand("file")]] = Field({}, description="Files it writes.")
    files: list[RelativePath] = Field([], description="Files shipped from beside the pipeline file.")
    command: Annotated[Annotated[Text, BeforeValidator(_joined)] | None, EMPTY_IS_NONE] = Field(
        None,
        description="The argument list, or text that is split once as a shell splits; it never meets a shell.",
    )
    script: Annotated[Annotated[Text | ScriptFile, BeforeValidator(_script)] | None, EMPTY_IS_NONE] = Field(
        None, description="Text in any language, run by `interpreter` from a file."
    )
    interpreter: Annotated[Annotated[Line, BeforeValidator(_joined)] | None, EMPTY_IS_NONE] = Field(
        None,
        description="What runs the script, a program or a list of words; `bash -euo pipefail` unless said.",
    )
    stdin: Name | None = Field(None, description="The input on standard input.")
    stdout: Name | None = Field(None, description="The output that standard output is written to.")
    stderr: Name | None = Field(None, description="The output that standard error is written to.")
    parameters: dict[Name, ParameterDefinition] = Field({}, description="Its options.")
    environment: dict[VariableName, Text] = Field({}, description="Variables of its process.")
    secrets: list[VariableName] = Field([], description="Secrets of the worker, by name.")
    setup: TextOrNone = Field(None, description="Shell text before the command.")
    container: Annotated[ContainerDefinition, shorthand("image")] | None = Field(None, description="Its image.")
    network: Boolean = Field(False, description="It needs the network.")
    timeout: Duration | None = Field(None, description="Time that it may run; a setting's default unless said.")
    exit_codes: ExitCodesDefinition = Field(ExitCodesDefinition(), description="What its exit codes mean.")
    missing_output: MissingOutput = Field(
        MissingOutput.FAIL, description="Whether the step fails, ends the job well, or goes on without it."
    )
    retries: RetriesDefinition | None = Field(None, description="When it is tried again.")
    cache: Boolean = Field(False, description="Equal calls share one result.")
    resources: ResourcesDefinition = Field(ResourcesDefinition(), description="What it needs.")
    software: list[SoftwareDefinition] = Field([], description="What it uses, with versions.")
