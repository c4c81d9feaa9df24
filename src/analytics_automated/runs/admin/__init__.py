"""What happened, for the operator to read: nothing here can be added, changed or deleted."""

from analytics_automated.runs.admin.attempt import AttemptAdmin
from analytics_automated.runs.admin.blob import BlobAdmin
from analytics_automated.runs.admin.event import EventAdmin
from analytics_automated.runs.admin.health import HealthAdmin
from analytics_automated.runs.admin.result import ResultAdmin
from analytics_automated.runs.admin.step_run import StepRunAdmin
from analytics_automated.runs.admin.submission import SubmissionAdmin

__all__ = ["AttemptAdmin", "BlobAdmin", "EventAdmin", "HealthAdmin", "ResultAdmin", "StepRunAdmin", "SubmissionAdmin"]
