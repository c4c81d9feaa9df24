"""Changing what goes first."""

import uuid
from collections.abc import Iterable

from django.db import transaction

from analytics_automated.runs.models import Submission
from analytics_automated.runs.states import TERMINAL_STEPS

LARGEST_PRIORITY = 1000
"""And the smallest, negative. A Submission has 0 unless the operator says something else."""


def prioritise(submissions: Iterable[uuid.UUID], priority: int) -> int:
    """Give the Submissions that are in progress that priority, with all their steps; how many there were.

    For the operator. What runs is not interrupted. Raises `ValueError` where there is no such priority.
    """
    if abs(priority) > LARGEST_PRIORITY:
        raise ValueError(f"a priority is from -{LARGEST_PRIORITY} to {LARGEST_PRIORITY}, not {priority}")
    changed = 0
    for submission_id in submissions:
        with transaction.atomic():
            if Submission.objects.in_progress().filter(pk=submission_id).update(priority=priority):
                changed += 1
                rows = Submission(pk=submission_id).step_runs.exclude(status__in=TERMINAL_STEPS)
                rows.update(priority=priority)
    return changed
