"""How fast workers choose and take up steps, by how many wait and of how many callers: `python -m bench.claims`.

It uses the database that `AA_DATABASE_URL` names, else SQLite in a folder of its own, and needs it empty.
"""

import os
import statistics
import tempfile
import time
import uuid

CASES = {10: (1, 10), 100_000: (1, 1_000)}
"""Steps that wait, and how many callers sent them."""
CLAIMS = 100
"""Claims of one measurement, of which none ends: their callers have more and more running."""
PIPELINE = """
format: 1
pipeline: bench
tasks:
  nothing: {outputs: {made: made.txt}, command: "true"}
jobs:
  nothing: {runnable: true, steps: [{task: nothing}]}
"""


def main() -> None:
    """Measure all cases, and print a table."""
    with tempfile.TemporaryDirectory(prefix="aa-bench-") as data:
        os.environ.update(
            AA_DATA_DIR=data, AA_LOG_LEVEL="ERROR", DJANGO_SETTINGS_MODULE="analytics_automated.config.settings"
        )
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        _apply()
        print("waiting | callers | order of arrival | ms per claim: best tenth | median | claims/s")
        for waiting, counts in CASES.items():
            _fill(waiting)
            for callers in counts:
                for order in ("in turn", "in bursts") if callers > 1 else ("in turn",):
                    _share_out(waiting, callers, bursts=order == "in bursts")
                    times = sorted(1000 * seconds for seconds in _measure(min(CLAIMS, waiting)))
                    figures = f"{times[len(times) // 10]:.2f} | {statistics.median(times):.2f}"
                    rate = 1000 * len(times) / sum(times)
                    print(f"{waiting} | {callers} | {order} | {figures} | {rate:.0f}", flush=True)


def _apply() -> None:
    from analytics_automated.pipelines.configuration import apply
    from analytics_automated.pipelines.files.configuration import Configuration
    from analytics_automated.pipelines.files.reader import read_text

    configuration = Configuration()
    read_text(PIPELINE, "bench.yaml", configuration)
    apply(configuration)


def _measure(claims: int) -> list[float]:
    from analytics_automated.runs import engine

    seconds = []
    for _ in range(claims):
        before = time.perf_counter()
        claim = engine.claim_best("bench", ["LOCALHOST"])
        seconds.append(time.perf_counter() - before)
        assert claim is not None
    return seconds


def _share_out(waiting: int, callers: int, *, bursts: bool) -> None:
    """Make all wait again, and say who sent them: one after the other, or each all of theirs at once."""
    from django.db import connection
    from django.db.models import F, Min
    from django.db.models.functions import Mod

    from analytics_automated.runs.models import Attempt, StepRun, Submission

    Attempt.objects.all().delete()
    Submission.objects.update(status="SUBMITTED")
    number = F("pk") - StepRun.objects.aggregate(first=Min("pk"))["first"]
    share = number / (waiting // callers) if bursts else number
    StepRun.objects.update(status="QUEUED", opens="nothing", attempt=0, caller=1 + Mod(share, callers))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def _fill(waiting: int) -> None:
    """Write so many Submissions of the job that nobody has begun."""
    import datetime as dt

    from django.utils import timezone

    from analytics_automated.pipelines.models import Job
    from analytics_automated.runs.models import StepRun, Submission

    job = Job.objects.select_related("snapshot").get(name="nothing")
    assert job.snapshot is not None
    now = timezone.now() - dt.timedelta(days=1)
    StepRun.objects.all().delete()
    Submission.objects.all().delete()
    for start in range(0, waiting, 10_000):
        made = [
            Submission(
                id=uuid.uuid4(),
                job=job,
                job_name=job.name,
                snapshot=job.snapshot,
                unfinished=1,
                created=now + dt.timedelta(milliseconds=number),
            )
            for number in range(start, min(start + 10_000, waiting))
        ]
        Submission.objects.bulk_create(made)
        StepRun.objects.bulk_create(
            StepRun.of(
                submission,
                step="nothing",
                position=0,
                task="nothing",
                backend="local",
                status="QUEUED",
                waiting=0,
                queued=submission.created,
            )
            for submission in made
        )


if __name__ == "__main__":
    main()
