"""The configuration as rows. Each model reads and writes the definition of the same name."""

from analytics_automated.pipelines.models.backend import Backend, BackendVariable, Data, QueueType
from analytics_automated.pipelines.models.change import Change
from analytics_automated.pipelines.models.job import (
    Example,
    Job,
    JobFile,
    JobInput,
    JobParameter,
    JobResult,
    Step,
    Validator,
)
from analytics_automated.pipelines.models.snapshot import Snapshot, SnapshotFile
from analytics_automated.pipelines.models.task import (
    Environment,
    Parameter,
    Software,
    Task,
    TaskFile,
    TaskInput,
    TaskOutput,
)

__all__ = [
    "Backend",
    "BackendVariable",
    "Change",
    "Data",
    "Environment",
    "Example",
    "Job",
    "JobFile",
    "JobInput",
    "JobParameter",
    "JobResult",
    "Parameter",
    "QueueType",
    "Snapshot",
    "SnapshotFile",
    "Software",
    "Step",
    "Task",
    "TaskFile",
    "TaskInput",
    "TaskOutput",
    "Validator",
]
