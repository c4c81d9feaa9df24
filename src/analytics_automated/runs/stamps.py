"""Stamps: whether anything that is shown of a Submission has changed, told by one small query."""

import uuid
from typing import Any, NamedTuple

from analytics_automated.storage.statements import Statement

_STAMP = Statement("""
SELECT s.status, s.attempt, s.item, s.progress, s.progress_text, s.exit_code, s.message, s.started, s.finished,
    u.status, u.message, u.cause, u.stopped_step, u.stopped_message, u.started, u.finished, u.expires, u.deleted
FROM runs_steprun s JOIN runs_submission u ON u.id = s.submission_id
WHERE s.submission_id = %(submission)s AND s.item <= 1
ORDER BY s.position
""")
_SUBMISSION_STATUS = 9
"""Its place in a row; the first columns are those of `StepStamp`."""


class StepStamp(NamedTuple):
    """Where one Step stands; of a scattered one, where its first item does."""

    status: str
    attempt: int
    item: int
    """0: it does not scatter, or has not yet."""


class Stamp(NamedTuple):
    """Where a Submission and its Steps stand: all that may change of it, but for the items of scattered Steps.

    Results come with the end of their Step, in one transaction, and go only when the Submission is deleted, which the
    stamp tells. Names, inputs and parameters never change.
    """

    rows: tuple[tuple[Any, ...], ...]
    """As the database gives them: to be compared with others, no more."""

    @property
    def status(self) -> str:
        """The Submission's."""
        return str(self.rows[0][_SUBMISSION_STATUS])

    @property
    def steps(self) -> list[StepStamp]:
        """One of each Step, in their order."""
        return [StepStamp(*row[: len(StepStamp._fields)]) for row in self.rows]


def read_stamp(submission_id: uuid.UUID) -> Stamp | None:
    """The stamp of a Submission as it is now; none where there is none of that id."""
    rows = _STAMP.rows(submission=submission_id)
    return Stamp(tuple(rows)) if rows else None
