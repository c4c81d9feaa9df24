"""How fast workers choose and take up steps, by how many wait and of how many callers: `python -m bench.claims`.

It uses the database that `AA_DATABASE_URL` names, else SQLite in a folder of its own, and needs it empty.
"""

import os
import statistics
import tempfile
import time
import uuid

CASES = ((10, 1), (10, 10), (100_000, 1), (100_000, 1_000))
"""Steps that wait, and callers who sent them."""
CLAIMS = 200
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
        print("waiting | callers | order of arrival | median ms per claim | claims/s")
        for waiting, callers in CASES:
            for order in ("in turn", "in bursts") if callers > 1 else ("in turn",):
                seconds = _measure(waiting, callers, bursts=order == "in bursts")
                median = statistics.median(seconds)
                print(f"{waiting} | {callers} | {order} | {1000 * median:.2f} | {len(seconds) / sum(seconds):.0f}")


def _apply() -> None:
    from analytics_automated.pipelines.configuration import apply
    from analytics_automated.pipelines.files.configuration import Configuration
    from analytics_automated.pipelines.files.reader import read_text

    configuration = Configuration()
    read_text(PIPELINE, "bench.yaml", configuration)
    apply(configuration)


def _measure(waiting: int, callers: int, *, bursts: bool) -> list[float]:
    from analytics_automated.runs import engine
    from analytics_automated.runs.models import StepRun, Submission

    StepRun.objects.all().delete()
    Submission.objects.all().delete()
    _fill(waiting, callers, bursts=bursts)
    seconds = []
    for _ in range(min(CLAIMS, waiting)):
        before = time.perf_counter()
        claim = engine.claim_best("bench", ["LOCALHOST"])
        seconds.append(time.perf_counter() - before)
        assert claim is not None
    return seconds


def _fill(waiting: int, callers: int, *, bursts: bool) -> None:
    """Write Submissions of the job that nobody has begun."""
    import datetime as dt

    from django.db import connection
    from django.utils import timezone

    from analytics_automated.pipelines.models import Job
    from analytics_automated.runs.models import StepRun, Submission

    job = Job.objects.select_related("snapshot").get(name="nothing")
    assert job.snapshot is not None
    now = timezone.now() - dt.timedelta(days=1)
    each = max(1, waiting // callers)
    for start in range(0, waiting, 10_000):
        made = [
            Submission(
                id=uuid.uuid4(),
                job=job,
                job_name=job.name,
                snapshot=job.snapshot,
                caller=1 + (number // each if bursts else number) % callers,
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
                opens=job.name,
                queued=submission.created,
            )
            for submission in made
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


if __name__ == "__main__":
    main()
