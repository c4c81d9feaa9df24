"""A pipeline file as a whole."""

from typing import Annotated

from pydantic import AfterValidator, Field

from analytics_automated.pipelines.definitions.backend import BackendDefinition
from analytics_automated.pipelines.definitions.job import JobDefinition
from analytics_automated.pipelines.definitions.scalars import Definition, Integer, JobName, Name, Rule
from analytics_automated.pipelines.definitions.task import TaskDefinition

FORMAT = 1


def _known_format(value: int) -> int:
    if value != FORMAT:
        raise ValueError(f"is not a format that this version reads; it reads {FORMAT}")
    return value


class PipelineDefinition(Definition):
    """One pipeline file."""

    format: Annotated[Integer, AfterValidator(Rule(_known_format, const=FORMAT))] = Field(
        description="The file format: 1."
    )
    pipeline: Name | None = Field(None, description="The pipeline that owns the tasks and jobs of this file.")
    backends: dict[Name, BackendDefinition] = Field({}, description="Places where tasks run.")
    tasks: dict[Name, TaskDefinition] = Field({}, description="Reusable units of analysis.")
    jobs: dict[JobName, JobDefinition] = Field({}, description="Workflows that users may call.")
