"""The engine: the sole writer of states.

Each change is one transaction: compare-and-set on the row that changes, with its Event beside. Lock order:
Submission, then StepRun; a claim touches its StepRun alone. Wake-ups are sent after the commit and may be lost.
"""

from analytics_automated.runs.engine.cancelling import cancel
from analytics_automated.runs.engine.claiming import Claim, claim, claim_best
from analytics_automated.runs.engine.deleting import delete, erase_deleted
from analytics_automated.runs.engine.finishing import Gathered, end_stopped, finish, skip
from analytics_automated.runs.engine.holding import Held, hold
from analytics_automated.runs.engine.losing import lose, lose_expired, running_steps
from analytics_automated.runs.engine.reconciling import crash_homeless, reconcile
from analytics_automated.runs.engine.resuming import NotResumable, retry
from analytics_automated.runs.engine.submitting import NewInput, Submitted, submit
from analytics_automated.runs.engine.telling import tell_progress

__all__ = [
    "Claim",
    "Gathered",
    "Held",
    "NewInput",
    "NotResumable",
    "Submitted",
    "cancel",
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
    "reconcile",
    "retry",
    "running_steps",
    "skip",
    "submit",
    "tell_progress",
]
