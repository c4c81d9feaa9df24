"""The catalogue of jobs."""

import datetime as dt

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from analytics_automated.api.addresses import Addresses
from analytics_automated.api.answers import json_answer
from analytics_automated.api.problems import Problem
from analytics_automated.api.representations import job_shown, job_summary
from analytics_automated.api.schemas import JobList, JobShown, ProblemDocument
from analytics_automated.pipelines.models import Job
from analytics_automated.pipelines.models.job import job_with_snapshot
from analytics_automated.pipelines.problems import nearest

router = Router(tags=["jobs"])


def find_job(name: str) -> Job:
    """The job of that name or alias, with its snapshot. Raises `Problem`."""
    job = job_with_snapshot(name)
    if job is None:
        hint = nearest(name, Job.objects.filter(runnable=True).values_list("name", flat=True))
        raise Problem("unknown-job", f"There is no job {name[:64]!r}{hint}.")
    return job


@router.get("/jobs", response=JobList, summary="All jobs that take submissions", operation_id="list_jobs")
def list_jobs(
    request: HttpRequest,
    after: str = Query("", description="Names after this one.", max_length=64),  # type: ignore[type-arg]
    limit: int = Query(100, ge=1, le=1000, description="Most jobs in one answer."),  # type: ignore[type-arg]
) -> HttpResponse:
    """Jobs in the order of their names."""
    addresses = Addresses(request)
    jobs = list(Job.objects.filter(runnable=True, snapshot__isnull=False, name__gt=after)[: limit + 1])
    more = f"{addresses.of('jobs')}?after={jobs[limit - 1].name}&limit={limit}" if len(jobs) > limit else None
    return json_answer(request, JobList(jobs=[job_summary(job, addresses) for job in jobs[:limit]], next=more))


@router.get(
    "/jobs/{job}",
    response={200: JobShown, 404: ProblemDocument},
    summary="One job, with the JSON Schema of its parameters",
    operation_id="get_job",
)
def get_job(request: HttpRequest, job: str) -> HttpResponse:
    """What it does, what it takes, what it gives."""
    found, addresses = find_job(job), Addresses(request)
    return announce_deprecation(json_answer(request, job_shown(found, addresses)), found, addresses)


def announce_deprecation(response: HttpResponse, job: Job, addresses: Addresses) -> HttpResponse:
    """Tell clients of a deprecated job so: `Deprecation` (RFC 9745, section 2) with the moment, and the job to use
    instead as a link with the relation `successor-version` (RFC 5829, section 3)."""
    if job.deprecated is not None:
        since = dt.datetime.fromisoformat(job.deprecated["since"]).replace(tzinfo=dt.UTC)
        response["Deprecation"] = f"@{int(since.timestamp())}"
        if successor := job.deprecated.get("successor"):
            response["Link"] = f'<{addresses.of("jobs", successor)}>; rel="successor-version"'
    return response
