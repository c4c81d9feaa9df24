"""The API as a whole: its routes, its document, and how it says that something is wrong."""

import logging

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Schema
from ninja.errors import ValidationError

from analytics_automated import __version__
from analytics_automated.api import acting, jobs, submitting
from analytics_automated.api.problems import KINDS, Problem, problem_response
from analytics_automated.pipelines.refusals import Refusal
from analytics_automated.runs.outages import RETRY_AFTER, is_outage, tell_outage

logger = logging.getLogger(__name__)

api = NinjaAPI(
    title="A_A",
    version=__version__,
    description="Data-analysis pipelines as a service: submit data to a job, poll, fetch the results.",
    openapi_url="openapi.json",
    docs_url="docs",
)
api.add_router("v1", jobs.router)
api.add_router("v1", submitting.router)
api.add_router("v1", acting.router)  # which is that of `submissions`, with more


class KindShown(Schema):
    """A kind of problem."""

    type: str
    status: int
    title: str
    meaning: str


@api.get("problems/{kind}", response=KindShown, tags=["problems"], summary="What a problem's type means")
def get_problem_kind(request: HttpRequest, kind: str) -> KindShown:  # noqa: ARG001
    """Every problem's `type` leads here."""
    if kind not in KINDS:
        raise Problem("not-found", "There is no such kind of problem.")
    known = KINDS[kind]
    return KindShown(type=f"/api/problems/{kind}", status=known.status, title=known.title, meaning=known.meaning)


@api.exception_handler(Problem)
def _problem(request: HttpRequest, problem: Problem) -> HttpResponse:  # noqa: ARG001
    return problem_response(problem)


@api.exception_handler(Http404)
def _not_found(request: HttpRequest, error: Http404) -> HttpResponse:  # noqa: ARG001
    return problem_response(Problem("not-found"))


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:  # noqa: ARG001
    entries = [
        Refusal(str(each["loc"][0]), str(each["loc"][-1]), str(each["type"]), str(each["msg"])) for each in error.errors
    ]
    return problem_response(Problem("invalid-request", errors=entries))


@api.exception_handler(Exception)
def _broken(request: HttpRequest, error: Exception) -> HttpResponse:
    if is_outage(error):
        tell_outage(error)
        answer = problem_response(Problem("unavailable", "The service cannot reach its database at present."))
        answer["Retry-After"] = str(RETRY_AFTER)
        return answer
    request_id = request.META.get("aa.request_id")
    logger.error("a request failed", exc_info=error, extra={"request": request_id, "path": request.path})
    detail = f"The service failed. Its operator finds why by the id {request_id}."
    return problem_response(Problem("internal-error", detail))
