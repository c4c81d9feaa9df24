"""Deleting a Submission: it ends, its files and personal data go, and an anonymous row stays for statistics."""

import uuid

from django.db import transaction
from django.utils import timezone

from analytics_automated.runs.engine.cancelling import cancel_locked
from analytics_automated.runs.models import Attempt, Submission
from analytics_automated.storage.models import Blob
from analytics_automated.storage.sweeping import remove_unnamed


def delete(submission_id: uuid.UUID) -> None:
    """Delete a Submission. What still runs is cancelled, and the rest goes once that has ended.

    Idempotent. Raises `Submission.DoesNotExist`.
    """
    with transaction.atomic():
        submission = Submission.objects.select_for_update(no_key=True).get(pk=submission_id)
        if submission.deleted is None:
            submission.deleted = timezone.now()
            submission.save(update_fields=["deleted"])
        cancel_locked(submission)
    erase(submission_id)


def erase(submission_id: uuid.UUID) -> bool:
    """Remove what is left of a deleted Submission that has ended: inputs, Results, Events, parameters, names, messages
    and logs. Bytes that others still name stay. False where there is nothing to do yet, or any more."""
    with transaction.atomic():
        submission = Submission.objects.select_for_update(no_key=True).get(pk=submission_id)
        if submission.deleted is None or submission.erased or not submission.is_terminal:
            return False
        blobs = {*submission.inputs.values_list("blob", flat=True), *submission.results.values_list("blob", flat=True)}
        submission.inputs.all().delete()
        submission.results.all().delete()
        submission.events.all().delete()
        submission.step_runs.update(caller=0, message="", progress_text="", worker="", item_name="", item_blob=None)
        submission.scatters.update(message="")
        Attempt.objects.filter(step_run__submission=submission).update(
            argv=[],
            environment=[],
            data={},
            secrets=[],
            work_folder="",
            detail="",
            stdout="",
            stderr="",
            setup_output="",
        )
        submission.name = submission.email = submission.webhook = submission.message = submission.stopped_message = ""
        submission.parameters, submission.caller, submission.erased = {}, 0, True
        submission.save()
    remove_unnamed(Blob.objects.filter(pk__in=blobs))
    return True


def erase_deleted() -> int:
    """Erase the deleted Submissions that have ended meanwhile; how many."""
    waiting = Submission.objects.ended().filter(deleted__isnull=False, erased=False).values_list("pk", flat=True)
    return sum(erase(submission_id) for submission_id in list(waiting[:1000]))
