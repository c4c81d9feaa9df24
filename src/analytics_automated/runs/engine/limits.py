"""How much may be under way: of a Backend, of a Job, and of a caller.

Each limit is counted under a lock, so that it holds exactly, however many workers and web servers there are: on the
Backend's or Job's row, which is locked only where it has such a limit, and on the caller. Locks are taken in the order
caller, Backend, Job, Submission, StepRun.
"""

from collections.abc import Iterable, Set
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from analytics_automated.pipelines.models import Backend, Job
from analytics_automated.runs.models import StepRun, Submission
from analytics_automated.runs.states import SubmissionStatus


@dataclass
class TooMany(Exception):
    """A caller has as many Submissions in progress as it may."""

    limit: int
    job: str | None
    """The Job that it holds for; none: for all together."""

    def __str__(self) -> str:
        what = f"to the job {self.job!r}" if self.job else "to this service"
        return f"At most {self.limit} submission{'s' * (self.limit > 1)} of one caller {what} may be in progress."


def with_room(backends: Iterable[Backend]) -> list[Backend]:
    """Those that run fewer steps than they may, as far as can be told without a lock."""
    return [each for each in backends if each.max_running is None or _running_on(each.name) < each.max_running]


def may_take(backend: Backend) -> bool:
    """Whether one step more may run on the Backend: it stays so until the transaction ends."""
    if backend.max_running is None:
        return True
    most = Backend.objects.select_for_update(no_key=True).values_list("max_running", flat=True).get(pk=backend.pk)
    return most is None or _running_on(backend.name) < most


def _running_on(backend: str) -> int:
    return StepRun.objects.filter(taken=True, backend=backend).count()


def full_jobs(names: Set[str]) -> set[str]:
    """Of the Jobs of these names those of which no Submission more may begin, as far as can be told without a lock."""
    limits = Job.objects.filter(name__in=names, limits__isnull=False) if names else Job.objects.none()
    return {job.name for job in limits.only("name", "limits") if _is_full(job)}


def may_begin(name: str) -> bool:
    """Whether a Submission of the Job of that name may begin: it stays so until the transaction ends."""
    limited = Job.objects.filter(name=name, limits__isnull=False).only("name", "limits")
    job = limited.first()
    if job is None or _most_of(job) is None:
        return True
    locked = limited.select_for_update(no_key=True).first()
    return locked is None or not _is_full(locked)


def _most_of(job: Job) -> int | None:
    limit = (job.limits or {}).get("max_running")
    return int(limit) if limit else None


def _is_full(job: Job) -> bool:
    most = _most_of(job)
    if most is None:
        return False
    return Submission.objects.filter(job_name=job.name, status=SubmissionStatus.RUNNING).count() >= most


def check_caller(caller: int, job: Job, more: int = 1) -> None:
    """Raise `TooMany` where the caller may not have so many Submissions more in progress. Nobody in particular may."""
    if not caller:
        return
    per_caller = (job.limits or {}).get("per_caller")
    in_progress = Submission.objects.in_progress().filter(caller=caller)
    for limit, name in ((settings.AA.caller_limit, None), (per_caller, job.name)):
        if limit:
            counted = in_progress.filter(job_name=name) if name else in_progress
            if counted.count() + more > limit:
                raise TooMany(int(limit), name)


def hold_caller(caller: int, job: Job) -> None:
    """Let nobody else submit for the caller until the transaction ends, where a limit has to be counted.

    On SQLite the transaction itself does that: it is IMMEDIATE, and there is one writer at a time.
    """
    is_limited = settings.AA.caller_limit or (job.limits or {}).get("per_caller")
    if caller and is_limited and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [caller])
