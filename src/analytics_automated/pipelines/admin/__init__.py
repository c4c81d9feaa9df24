"""The configuration pages: all that a pipeline file can say, under the same checks."""

from analytics_automated.pipelines.admin.backend import BackendAdmin, QueueTypeAdmin
from analytics_automated.pipelines.admin.change import ChangeAdmin
from analytics_automated.pipelines.admin.job import JobAdmin
from analytics_automated.pipelines.admin.snapshot import SnapshotAdmin
from analytics_automated.pipelines.admin.task import TaskAdmin

__all__ = ["BackendAdmin", "ChangeAdmin", "JobAdmin", "QueueTypeAdmin", "SnapshotAdmin", "TaskAdmin"]
