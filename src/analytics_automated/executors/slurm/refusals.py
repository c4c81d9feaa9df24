"""Why a command of Slurm failed: whether it was not answered, or answered by a no."""

from analytics_automated.executors.base import BackendUnavailable, Full, Refused
from analytics_automated.executors.batch.asking import Answer

# From Slurm's own table of messages (src/common/slurm_errno.c), and libc's for its connections. All others are answers.
_UNANSWERED = (
    "unable to contact slurm controller",
    "socket timed out",
    "connection refused",
    "connection timed out",
    "connection reset",
    "no route to host",
    "unable to connect to database",
    "problem talking to the database",
    "zero bytes were transmitted or received",
    "communication",
    "transport endpoint",
    "standby mode",
    "backup controller",
    "temporarily",
    "too many open files",
    "munge",
    "authentication",
    "not responding",
    "controller is in the process of",
    "unable to establish configuration source",
    "could not establish a configuration source",
    "slurm_persist_conn",
)
# Of its limits those that only say how many there may be at a time: room comes by itself.
_FULL = ("submitjob",)


def unanswered(answer: Answer) -> bool:
    """Whether Slurm has not really been asked."""
    words = answer.words.lower()
    return any(text in words for text in _UNANSWERED)


def no_answer(program: str, answer: Answer) -> BackendUnavailable:
    """What to raise where there is no answer to a question."""
    return BackendUnavailable(f"{program}: {answer.words}")


def not_taken(answer: Answer) -> BackendUnavailable | Refused:
    """What to raise where sbatch has not taken a job."""
    words = answer.words.lower()
    # "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)" names all that it may be;
    # which one it is, is said in a line of its own.
    if any(text in words for text in _FULL):
        return Full(f"sbatch: {answer.words}")
    return no_answer("sbatch", answer) if unanswered(answer) else Refused(f"sbatch: {answer.words}")
