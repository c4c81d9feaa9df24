"""Whether a caller may submit at all, before anything of the request's body is read."""

from django.conf import settings
from django.http import HttpRequest

from analytics_automated.api.problems import Problem
from analytics_automated.pipelines.models import Job
from analytics_automated.pipelines.plans import Plan
from analytics_automated.runs import engine
from analytics_automated.runs.callers import caller_at, caller_logged_in
from analytics_automated.runs.outlook import has_room_for

TOO_MANY_SECONDS, NO_ROOM_SECONDS = 10, 60
"""After these it may be worth another try."""


def caller_of(request: HttpRequest) -> int:
    """Who sent the request: the account of who is logged in, else the address."""
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return caller_logged_in(user.pk)
    meta = request.META
    remote, forwarded = str(meta.get("REMOTE_ADDR", "")), str(meta.get("HTTP_X_FORWARDED_FOR", ""))
    return caller_at(remote, forwarded, settings.AA.trusted_proxies)


def check_admission(request: HttpRequest, caller: int, job: Job, plan: Plan) -> None:
    """Refuse, by a `Problem`, whom a limit or a full disk stands against. It is counted again, exactly, when the
    Submission is written: this spares the sending of what would not be taken."""
    try:
        engine.check_caller(caller, job)
    except engine.TooMany as too_many:
        raise too_many_submissions(too_many) from None
    size = str(request.META.get("CONTENT_LENGTH") or "0")
    if not has_room_for(plan, int(size) if size.isdecimal() else 0):
        raise no_room()


def too_many_submissions(too_many: engine.TooMany) -> Problem:
    """The answer to a caller who has as many Submissions in progress as it may."""
    return Problem("too-many-submissions", str(too_many), retry_after=TOO_MANY_SECONDS)


def no_room() -> Problem:
    """The answer while a disk is full."""
    return Problem("no-room", retry_after=NO_ROOM_SECONDS)
