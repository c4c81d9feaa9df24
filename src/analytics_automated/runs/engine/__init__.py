"""The engine: the sole writer of states.

Each change is one transaction: compare-and-set on the row that changes, with its Event beside. Lock order:
Submission, then StepRun; a claim touches its StepRun alone. Wake-ups are sent after the commit and may be lost.
"""

from analytics_automated.runs.engine.claiming import Claim, claim, claim_best
from analytics_automated.runs.engine.finishing import Gathered, finish, give_back, skip
from analytics_automated.runs.engine.losing import lose, running_steps
from analytics_automated.runs.engine.reconciling import crash_homeless, reconcile
from analytics_automated.runs.engine.submitting import NewInput, Submitted, submit
from analytics_automated.runs.engine.telling import tell_progress

__all__ = [
    "Claim",
    "Gathered",
    "NewInput",
    "Submitted",
    "claim",
    "claim_best",
    "crash_homeless",
    "finish",
    "give_back",
    "lose",
    "reconcile",
    "running_steps",
    "skip",
    "submit",
    "tell_progress",
]
