"""The engine: the sole writer of states.

Each change is one transaction: compare-and-set on the row that changes, with its Event beside. Lock order:
caller, Backend, Job, Submission, StepRun; the first three only where they have a limit.
Wake-ups are sent after the commit and may be lost.
"""

from analytics_automated.runs.engine.cancelling import cancel
from analytics_automated.runs.engine.choosing import ALL_PRIORITIES, Priorities
from analytics_automated.runs.engine.claiming import Claim, claim, claim_best
from analytics_automated.runs.engine.deleting import delete, erase_deleted
from analytics_automated.runs.engine.finishing import Gathered, end_stopped, finish, skip
from analytics_automated.runs.engine.holding import Held, hold
from analytics_automated.runs.engine.limits import TooMany, check_caller
from analytics_automated.runs.engine.losing import lose, lose_expired, running_steps
from analytics_automated.runs.engine.prioritising import LARGEST_PRIORITY, prioritise
from analytics_automated.runs.engine.reconciling import crash_homeless, reconcile
from analytics_automated.runs.engine.resuming import NotResumable, retry
from analytics_automated.runs.engine.submitting import BytesGone, NewInput, Submitted, submit
from analytics_automated.runs.engine.telling import tell_progress

__all__ = [
    "ALL_PRIORITIES",
    "LARGEST_PRIORITY",
    "BytesGone",
    "Claim",
    "Gathered",
    "Held",
    "NewInput",
    "NotResumable",
    "Priorities",
    "Submitted",
    "TooMany",
    "cancel",
    "check_caller",
    "claim",
    "claim_best",
    "crash_homeless",
    "delete",
    "end_stopped",
    "erase_deleted",
    "finish",
    "hold",
    "lose",
    "lose_expired",
    "prioritise",
    "reconcile",
    "retry",
    "running_steps",
    "skip",
    "submit",
    "tell_progress",
]
