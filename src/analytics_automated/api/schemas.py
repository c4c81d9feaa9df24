"""The shapes of the service's answers. Fields are added within v1, never changed or taken away."""

import datetime as dt
import uuid
from typing import Annotated, Any

from ninja import Schema
from pydantic import Field, PlainSerializer, create_model


def _rfc3339(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Time = Annotated[dt.datetime, PlainSerializer(_rfc3339, return_type=str, when_used="json")]
"""RFC 3339, in UTC."""


class _Wrong(Schema):
    """One thing that is wrong with a request."""

    name: str | None = Field(description="The field.")
    code: str = Field(description="Stable, for programs.")
    message: str = Field(description="For people.")
    limit: Any = Field(None, description="The bound that was passed, where there is one.")


# `in` is no name in Python's own class syntax, and the document shows fields by their names.
_IN: Any = {"in": (str, Field(description="The part of the request: parameters, inputs, body or query."))}
ProblemEntry = create_model("ProblemEntry", __base__=_Wrong, __doc__=_Wrong.__doc__, **_IN)


class ProblemDocument(Schema):
    """Problem details (RFC 9457)."""

    type: str = Field(description="Which kind of problem it is; stable.")
    title: str
    status: int
    detail: str
    errors: list[ProblemEntry] = []


class InputFile(Schema):
    """A file that was sent."""

    name: str = Field(description="The job's input.")
    file: str = Field(description="The file's own name.")
    size: int = Field(description="Bytes.")
    sha256: str
    url: str


class StepCounts(Schema):
    """Runs of one step."""

    total: int
    complete: int
    failed: int
    running: int
    url: str = Field(description="Address of the list of them.")


class Progress(Schema):
    """How far a running command says that it is."""

    value: float = Field(description="From 0 to 1.")
    text: str


class StepState(Schema):
    """Where one step stands."""

    name: str
    task: str
    backend: str
    status: str
    attempt: int = Field(description="Number of the latest attempt; 0 before the first.")
    started: Time | None
    finished: Time | None
    exit_code: int | None
    message: str
    progress: Progress | None = Field(description="While it runs, where its command tells; else none.")
    runs: StepCounts


class ResultFile(Schema):
    """A result."""

    name: str = Field(description="Its public name.")
    file: str = Field(description="The file's own name.")
    step: str
    output: str
    size: int = Field(description="Bytes.")
    media_type: str
    sha256: str
    url: str


class Stopped(Schema):
    """Where a job ended well before its last step."""

    step: str
    message: str


class SubmissionLinks(Schema):
    """Where to go on."""

    self: str
    cancel: str | None = Field(description="None: it cannot be cancelled.")
    events: str
    results: str
    archive: str
    page: str


class SubmissionState(Schema):
    """A submission."""

    id: uuid.UUID
    job: str
    job_version: str
    definition: str = Field(description="Digest of the definition that it runs by, whatever becomes of the job.")
    name: str
    status: str = Field(description="SUBMITTED, RUNNING, COMPLETE, ERROR, CRASH or CANCELLED.")
    message: str
    cause: str | None
    stopped: Stopped | None
    created: Time
    started: Time | None
    finished: Time | None
    expires: Time | None
    poll_after: int | None = Field(description="Seconds after which to ask again; none once it has ended.")
    inputs: list[InputFile]
    parameters: dict[str, Any] = Field(description="All values, defaults included.")
    steps: list[StepState]
    results: list[ResultFile] = Field(description="The first 100; all are under links.results.")
    links: SubmissionLinks


class EventLine(Schema):
    """A line of a submission's history: something took on a status."""

    id: int
    time: Time
    step: str | None = Field(description="None: the submission as a whole.")
    item: int | None = Field(description="Which run of a scattered step, from 1; none where it does not scatter.")
    attempt: int | None
    status: str
    message: str


class RunLine(Schema):
    """One run of a step."""

    item: int | None = Field(description="Of a scattered step, from 1; none where it does not scatter.")
    name: str | None = Field(description="Of a scattered step, the folder of its results: index and its file's stem.")
    status: str = Field(description="PENDING, QUEUED, RUNNING, COMPLETE, SKIPPED, ERROR, CRASH or CANCELLED.")
    attempt: int = Field(description="Number of the latest attempt; 0 before the first.")
    started: Time | None
    finished: Time | None
    exit_code: int | None
    cause: str | None
    message: str


class RunPage(Schema):
    """Runs of one step, in the order of their items."""

    runs: list[RunLine]
    next: str | None = Field(description="Address of the runs after these.")


class EventPage(Schema):
    """Events, oldest first."""

    events: list[EventLine]
    next: str | None = Field(description="Address of the events after these.")


class ResultPage(Schema):
    """Results."""

    results: list[ResultFile]
    next: str | None = Field(description="Address of the results after these.")


class JobSummary(Schema):
    """A job in the catalogue."""

    name: str
    title: str
    description: str
    version: str
    runnable: bool
    url: str


class JobList(Schema):
    """The catalogue."""

    jobs: list[JobSummary]
    next: str | None = Field(description="Address of the jobs after these.")


class ValidatorShown(Schema):
    """A check that an input's files must pass."""

    name: str
    options: dict[str, Any]


class JobInputShown(Schema):
    """An input of a job."""

    name: str
    title: str
    description: str
    optional: bool
    many: bool
    max_size: int = Field(description="Most bytes of one file.")
    max_files: int
    unpack: list[str] = Field(description="Archives that are taken apart: zip, tar.")
    validators: list[ValidatorShown]


class JobStepShown(Schema):
    """A step of a job."""

    name: str
    task: str
    title: str
    needs: list[str]


class JobResultShown(Schema):
    """A result that a job gives."""

    name: str
    title: str
    many: bool
    step: str
    output: str


class JobLinks(Schema):
    """Where to go on."""

    self: str
    submissions: str


class SoftwareShown(Schema):
    """Something that a job uses and that its results are to be cited with."""

    name: str
    type: str = Field(description="software, dataset or misc.")
    version: str | None


class DeprecationShown(Schema):
    """That callers should move on."""

    since: str = Field(description="Date.")
    successor: str | None = Field(description="The job to use instead.")
    url: str | None = Field(description="Address of that job.")


class ExampleShown(Schema):
    """An example call."""

    title: str
    inputs: dict[str, list[str]] = Field(description="Names of the files, by input.")
    parameters: dict[str, Any]


class JobShown(JobSummary):
    """A job with all that a caller needs."""

    definition: str | None = Field(description="Digest of its definition as it is now.")
    contact: str
    citation: str
    licence: str
    terms: str
    aliases: list[str] = Field(description="Other names under which it is found.")
    deprecated: DeprecationShown | None
    software: list[SoftwareShown]
    examples: list[ExampleShown]
    inputs: list[JobInputShown]
    parameters: dict[str, Any] = Field(description="JSON Schema (2020-12) of the parameters.")
    steps: list[JobStepShown]
    results: list[JobResultShown]
    links: JobLinks
