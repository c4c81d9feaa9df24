"""The configuration as data: frozen pydantic models, one per noun, with every key of the pipeline file.

They are the one source of what a key is called, what it may hold and what it is for: the reader of files, the
checks behind the pages, the JSON Schema for editors and the reference are made from them.
"""

from analytics_automated.pipelines.definitions.backend import BackendDefinition
from analytics_automated.pipelines.definitions.call import (
    ExampleDefinition,
    ExpectationDefinition,
    ExpectedResult,
    ScheduleDefinition,
)
from analytics_automated.pipelines.definitions.job import (
    JobDefinition,
    JobInputDefinition,
    JobParameterDefinition,
    StepDefinition,
)
from analytics_automated.pipelines.definitions.parameter import ParameterDefinition, ParameterType, Value
from analytics_automated.pipelines.definitions.pipeline import PipelineDefinition
from analytics_automated.pipelines.definitions.task import (
    MissingOutput,
    TaskDefinition,
    TaskInputDefinition,
    TaskOutputDefinition,
)

__all__ = [
    "BackendDefinition",
    "ExampleDefinition",
    "ExpectationDefinition",
    "ExpectedResult",
    "JobDefinition",
    "JobInputDefinition",
    "JobParameterDefinition",
    "MissingOutput",
    "ParameterDefinition",
    "ParameterType",
    "PipelineDefinition",
    "ScheduleDefinition",
    "StepDefinition",
    "TaskDefinition",
    "TaskInputDefinition",
    "TaskOutputDefinition",
    "Value",
]
