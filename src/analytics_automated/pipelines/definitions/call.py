"""Calls of a Job that stand in its configuration: when it is submitted by itself, and examples with what is expected
of them."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from analytics_automated.pipelines.definitions.scalars import (
    Definition,
    FilePath,
    LineOrNone,
    Name,
    Number,
    Sha256,
    Text,
    Word,
    shorthand,
)

Files = dict[Name, FilePath | Annotated[list[FilePath], Field(min_length=1)]]
"""Files beside the pipeline file, by input: one, or a list where the input takes many."""


class CallDefinition(Definition):
    """What is sent to a Job."""

    inputs: Files = Field({}, description="Files beside the pipeline file, by input; a list where there are several.")
    parameters: dict[Word, Any] = Field({}, description="Parameters, by the caller's names.")

    def files(self, name: str) -> list[str]:
        """The files of that input, in order."""
        given = self.inputs.get(name, [])
        return [given] if isinstance(given, str) else given


class ScheduleDefinition(CallDefinition):
    """When the job is submitted by itself."""

    cron: Word = Field(description="Five fields, as cron has them: minute, hour, day of the month, month, weekday.")
    timezone: Word = Field("UTC", description="IANA time zone.")
    overlap: Literal["skip", "allow"] = Field("skip", description="When the last one still runs.")


class ExpectedResult(Definition):
    """What must hold of one result. Without a key it must be there."""

    sha256: Sha256 | None = Field(None, description="Digest of its bytes, in hexadecimal.")
    file: FilePath | None = Field(None, description="A file beside the pipeline file that it must be equal to.")
    tolerance: Number | None = Field(
        None, ge=0, description="How much numbers may differ from those of `file`, absolutely or in proportion."
    )
    contains: Text | None = Field(None, description="Text that it must hold.")


ExpectedResults = dict[Word, Annotated[ExpectedResult, shorthand("file")]]


class ExpectationDefinition(Definition):
    """What must come of an example."""

    status: Literal["COMPLETE", "ERROR", "CRASH", "CANCELLED"] = Field("COMPLETE", description="How it must end.")
    results: list[Word] | ExpectedResults = Field(
        {}, description="Results that must be there: a list of public names, or each with what must hold of it."
    )
    stopped: Name | None = Field(None, description="The step at which the job must stop.")
    message: Text | None = Field(None, description="Text that the submission's message must hold.")

    @property
    def expected(self) -> Mapping[str, ExpectedResult]:
        """What must hold of each result, by its public name."""
        if isinstance(self.results, list):
            return dict.fromkeys(self.results, ExpectedResult())
        return self.results


class ExampleDefinition(CallDefinition):
    """An example call, for people and for `aa test`."""

    title: LineOrNone = Field(None, description="What it shows.")
    expect: ExpectationDefinition = Field(ExpectationDefinition(), description="What must come of it.")


__all__ = ["CallDefinition", "ExampleDefinition", "ExpectationDefinition", "ExpectedResult", "ScheduleDefinition"]
