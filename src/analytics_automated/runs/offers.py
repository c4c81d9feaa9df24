"""What a Submission has to offer to its steps: the caller's files, and what other steps have made."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from analytics_automated.runs.file_names import safe_name
from analytics_automated.storage.models import Blob
from analytics_automated.storage.statements import Columns, Statement

_BLOB = Columns(Blob, "b")
_GIVEN = Statement(f"""
SELECT i.name, i.file, {_BLOB} FROM runs_submissioninput i JOIN storage_blob b ON b.id = i.blob_id
WHERE i.submission_id = %(submission)s AND i.name {{among[names]}} ORDER BY i.name, i.position
""")  # noqa: S608 -- names of ours
_MADE = Statement(f"""
SELECT r.step, r.output, r.file, {_BLOB} FROM runs_result r
JOIN storage_blob b ON b.id = r.blob_id JOIN runs_steprun s ON s.id = r.step_run_id
WHERE r.submission_id = %(submission)s AND r.step {{among[steps]}} AND r.output {{among[outputs]}}
ORDER BY s.position, s.item, r.position
""")  # noqa: S608 -- names of ours


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
        for name, file, *blob in _GIVEN.rows(submission=submission_id, names=given):
            offered.setdefault(name, []).append(Available(safe_name(file), _BLOB.read(blob)))
    if made:
        steps, outputs = (list(names) for names in zip(*made, strict=True))
        for step, output, file, *blob in _MADE.rows(submission=submission_id, steps=steps, outputs=outputs):
            path = "/".join(safe_name(part) for part in file.split("/"))
            if f"{step}.{output}" in sources:
                offered.setdefault(f"{step}.{output}", []).append(Available(path, _BLOB.read(blob)))
    return offered
