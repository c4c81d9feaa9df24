"""What a Submission has to offer to its steps: the caller's files, and what other steps have made."""

import functools
import operator
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q

from analytics_automated.runs.file_names import safe_name
from analytics_automated.runs.models import Result, SubmissionInput
from analytics_automated.storage.models import Blob


@dataclass(frozen=True, slots=True)
class Available:
    """A file that a step may be given."""

    file: str
    """A safe relative path: a name, or for what a run of a scattered step made, that run's folder and a name."""
    blob: Blob


def offers(submission_id: uuid.UUID, sources: Collection[str]) -> dict[str, list[Available]]:
    """The files of each of these sources (`step.output`, or a job input) that has any, in order. At most two queries,
    however many files there are."""
    given = [source for source in sources if "." not in source]
    made = [source.split(".", 1) for source in sources if "." in source]
    offered: dict[str, list[Available]] = {}
    if given:
        inputs = SubmissionInput.objects.filter(submission_id=submission_id, name__in=given)
        for each in inputs.select_related("blob").order_by("name", "position"):
            offered.setdefault(each.name, []).append(Available(safe_name(each.file), each.blob))
    if made:
        wanted = functools.reduce(operator.or_, (Q(step=step, output=output) for step, output in made))
        results = Result.objects.filter(wanted, submission_id=submission_id)
        for row in results.select_related("blob").order_by("step_run__position", "step_run__item", "position"):
            path = "/".join(safe_name(part) for part in row.file.split("/"))
            offered.setdefault(f"{row.step}.{row.output}", []).append(Available(path, row.blob))
    return offered
