"""The lock of a Submission, under which all that follows from the end of a step is decided."""

import uuid

from analytics_automated.runs.models import Submission
from analytics_automated.storage.statements import Columns, Statement

_SUBMISSION = Columns(Submission, "u")
_LOCK = Statement(f"SELECT {_SUBMISSION} FROM runs_submission u WHERE u.id = %(submission)s {{lock}}")  # noqa: S608


def locked(submission_id: uuid.UUID) -> Submission:
    """The Submission, which nobody else changes until the transaction ends. Raises `Submission.DoesNotExist`."""
    for row in _LOCK.rows(submission=submission_id):
        return _SUBMISSION.read(row)
    raise Submission.DoesNotExist
