"""A new Submission of the same data."""

from analytics_automated.runs import engine
from analytics_automated.runs.intake import Intake
from analytics_automated.runs.models import Submission


def resubmit(submission: Submission, caller: int) -> engine.Submitted:
    """Submit the same inputs and parameters to the same Job, as it is now, as a new call of it by `caller`.

    The data is checked again, as the Job may have changed. Raises `NotResumable` where the Job takes no submissions any
    more, and where its data is just being deleted, `TooMany`, and `Refused` where it would not take these.
    """
    job = submission.job
    if job is None or not job.runnable or job.snapshot is None or not job.snapshot.is_readable:
        raise engine.NotResumable("Its job takes no submissions any more.")
    intake = Intake(job.snapshot.plan, caller)
    for given in submission.inputs.select_related("blob").order_by("pk"):
        intake.inputs.append(engine.NewInput(given.name, given.file, given.blob))
    for name, value in submission.parameters.items():
        intake.add_parameter(name, value)
    for field in ("name", "email", "webhook"):
        if text := getattr(submission, field):
            intake.texts[field] = [text]
    try:
        return intake.submit(job, job.snapshot)
    except (engine.BytesGone, FileNotFoundError):
        raise engine.NotResumable("It was deleted.") from None
