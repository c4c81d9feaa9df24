"""What happened, as rows."""

from analytics_automated.runs.models.attempt import Attempt
from analytics_automated.runs.models.event import Event
from analytics_automated.runs.models.health import Health
from analytics_automated.runs.models.outlook import Outlook
from analytics_automated.runs.models.result import Result
from analytics_automated.runs.models.scatter import Scatter
from analytics_automated.runs.models.step_run import StepRun
from analytics_automated.runs.models.submission import Submission, SubmissionInput

__all__ = ["Attempt", "Event", "Health", "Outlook", "Result", "Scatter", "StepRun", "Submission", "SubmissionInput"]
