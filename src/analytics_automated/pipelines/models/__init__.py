"""The configuration as rows. Each model reads and writes the definition of the same name."""

from analytics_automated.pipelines.models.backend import Backend, QueueType
from analytics_automated.pipelines.models.job import Job, Step, Validator
from analytics_automated.pipelines.models.snapshot import Snapshot
from analytics_automated.pipelines.models.task import Environment, Parameter, Task

__all__ = [
    "Backend",
    "Environment",
    "Job",
    "Parameter",
    "QueueType",
    "Snapshot",
    "Step",
    "Task",
    "Validator",
]
