"""The start page and a Submission's page. They show what any caller may see, and nothing of the inside."""

from collections.abc import Mapping
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from analytics_automated.pipelines.models import Job
from analytics_automated.pipelines.plans import FORMAT, Plan
from analytics_automated.runs.models import Submission
from analytics_automated.runs.progress import poll_after, step_progress
from analytics_automated.web import addresses
from analytics_automated.web.calls import curl_call

RESULTS_SHOWN = 100

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""The pages load their own style sheet and icon, and nothing else."""


def _page(request: HttpRequest, template: str, context: Mapping[str, object]) -> HttpResponse:
    response = render(request, template, dict(context))
    response["Content-Security-Policy"] = _POLICY
    return response


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """What this service is, and the jobs that it runs."""
    jobs = Job.objects.filter(runnable=True, snapshot__format=FORMAT).select_related("snapshot")
    shown = [_job(request, job, job.snapshot.plan) for job in jobs if job.snapshot]
    return _page(request, "web/start.html", {"jobs": shown})


def _job(request: HttpRequest, job: Job, plan: Plan) -> dict[str, object]:
    submissions = addresses.absolute(request, addresses.service("jobs", job.name, "submissions"))
    return {
        "row": job,
        "address": addresses.service("jobs", job.name),
        "inputs": list(plan.inputs.items()),
        "call": curl_call(plan, submissions),
    }


@require_safe
@never_cache
def submission(request: HttpRequest, submission: UUID) -> HttpResponse:
    """One Submission: where it stands, and what came of it. Raises `Http404` where there is none."""
    row = Submission.objects.filter(pk=submission, deleted__isnull=True).first()
    if row is None:
        raise Http404("There is no such submission.")
    results = row.results.public().select_related("blob")
    shown = list(results[: RESULTS_SHOWN + 1])
    context = {
        "submission": row,
        "refresh": poll_after(row),
        "steps": step_progress(row),
        "results": [(result, addresses.result(result)) for result in shown[:RESULTS_SHOWN]],
        "more_results": len(shown) > RESULTS_SHOWN,
        "address": addresses.service("submissions", row.pk),
        "archive": addresses.service("submissions", row.pk, "results.zip"),
    }
    return _page(request, "web/submission.html", context)
