"""A request's body on its way in: fields and files, the files streamed to storage as they come."""

import base64
import binascii
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.conf import settings
from django.http import HttpRequest
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from analytics_automated.api.json_documents import read_json
from analytics_automated.api.problems import Problem
from analytics_automated.pipelines.parameters import parse_texts
from analytics_automated.pipelines.plans import Plan
from analytics_automated.pipelines.problems import nearest
from analytics_automated.pipelines.quantities import format_size
from analytics_automated.pipelines.refusals import Refusal
from analytics_automated.runs import engine
from analytics_automated.runs.models import Result
from analytics_automated.runs.storage import StoredFile, remove, store

CHUNK = 1_048_576
LONGEST_TEXT = 65_536
"""Bytes of a form field that is no file."""
MOST_PARTS = 5_000
ENVELOPE = ("name", "email", "webhook")
SINGLE_INPUT = "input_data"
"""Names the input of a job that has just one."""


class Readable(Protocol):
    """A body that is read to its end."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; none at the end."""


class TooLarge(Exception):
    """More bytes than may be."""


@dataclass
class Intake:
    """What a request holds, so far. Its stored files are nobody's until they are submitted: see `discard`."""

    plan: Plan
    texts: dict[str, list[str]] = field(default_factory=dict)
    """Envelope fields of a form."""
    parameters: dict[str, Any] = field(default_factory=dict)
    inputs: list[engine.NewInput] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    is_too_large: bool = False
    """Something was too large: nothing more is stored, the rest is only read."""

    def discard(self) -> None:
        """Remove what was stored."""
        remove(each.stored.key for each in self.inputs if isinstance(each.stored, StoredFile))
        self.inputs.clear()

    def refuse(self, where: str, name: str | None, code: str, message: str, limit: Any = None) -> None:
        """Note something that is wrong."""
        self.refusals.append(Refusal(where, name, code, message, limit))

    def count(self, name: str) -> int:
        """Files of that input so far."""
        return sum(1 for each in self.inputs if each.name == name)

    def input_name(self, given: str) -> str:
        """The input that a field names."""
        if given == SINGLE_INPUT and given not in self.plan.inputs and len(self.plan.inputs) == 1:
            return next(iter(self.plan.inputs))
        return given

    def store_input(self, name: str, file: str, source: Iterable[bytes]) -> None:
        """Store one file of an input. Above its limits storing stops at once, and the rest is read away."""
        definition = self.plan.inputs[name]
        most = (definition.max_files or settings.AA.max_files) if definition.many else 1
        if self.is_too_large or self.count(name) >= most:
            if not self.is_too_large:
                self.refuse("inputs", name, "too_many", f"takes at most {most} file{'s' * (most > 1)}", most)
            _read_away(source)
            return
        limit = definition.max_size or settings.AA.max_file_size
        rest = iter(source)
        try:
            stored = store(_bounded(rest, limit), f"input-{uuid.uuid4().hex[:8]}")
        except TooLarge:
            self.is_too_large = True
            self.refuse("inputs", name, "too_large", f"is larger than {format_size(limit)}", limit)
            _read_away(rest)
            return
        self.inputs.append(engine.NewInput(name, _shown(file), stored))

    def add_parameter(self, given: str, value: Any) -> None:
        """Take one parameter under its public name; twice is once too often."""
        name = self.plan.public_name(given)
        if name in self.parameters:
            self.refuse("parameters", given, "twice", "is given more than once")
        self.parameters[name] = value

    def refuse_unknown(self, where: str, name: str, known: Iterable[str]) -> None:
        """Note a field that nobody knows, with the nearest that somebody does."""
        self.refuse(where, name, "unknown", f"is not known here{nearest(name, known)}")


def _shown(file: str) -> str:
    """A user's file name as it is kept: printable, and its end rather than its beginning."""
    return "".join(sign if sign.isprintable() else "_" for sign in file)[-255:]


def read_request(request: HttpRequest, plan: Plan) -> Intake:
    """Read a POST of a submission. What is wrong with its content is in `refusals`.

    Raises `Problem` for what cannot be read at all; then nothing stays stored.
    """
    intake = Intake(plan)
    media_type, options = parse_options_header(request.headers.get("Content-Type", ""))
    try:
        match media_type:
            case "multipart/form-data":
                _read_form(request, options, intake)
            case "application/json":
                _read_json(request, intake)
            case _:
                raise Problem("unsupported-media-type")
    except BaseException:
        intake.discard()
        raise
    return intake


class _Body:
    """A request's body, read no further than the largest request."""

    def __init__(self, request: HttpRequest) -> None:
        # Django takes a body that comes in chunks for an empty one, as it has no Content-Length.
        is_chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
        self.stream: Readable = request.META["wsgi.input"] if is_chunked else request
        self.left: int = settings.AA.max_request_size

    def read(self, size: int = -1, /) -> bytes:
        try:
            data = self.stream.read(size)
        except Exception as error:  # whatever a server raises for a body that is cut off, malformed or too slow
            raise Problem("malformed-request", "The request came to an early end.", close=True) from error
        self.left -= len(data)
        if self.left < 0:
            limit = settings.AA.max_request_size
            raise Problem("too-large", f"The request is larger than {format_size(limit)}.", close=True)
        return data


def _read_form(request: HttpRequest, options: Mapping[str, str], intake: Intake) -> None:
    body = _Body(request)
    try:
        parser = PushMultipartParser(options.get("boundary", ""), max_segment_count=MOST_PARTS)
        events = parser.parse_blocking(body.read, CHUNK)
        for segment in events:
            if isinstance(segment, MultipartSegment):
                _read_part(segment, _data(events), intake)
    except (MultipartError, UnicodeDecodeError) as error:
        raise Problem("malformed-request", f"The form cannot be read: {_fault(error)}.", close=True) from error
    for name, texts in intake.texts.items():
        if name not in ENVELOPE:
            definition = intake.plan.public_parameters[intake.plan.public_name(name)]
            intake.add_parameter(name, parse_texts(definition, texts))


def _fault(error: ValueError) -> str:
    if isinstance(error, UnicodeDecodeError) or isinstance(error.args[-1], UnicodeDecodeError):
        return "the header of a part is not UTF-8 text"
    return str(error).removesuffix(" (parser closed)")


def _data(events: Iterator[MultipartSegment | bytes | None]) -> Iterator[bytes]:
    """The bytes of the part that has begun."""
    for event in events:
        if event is None:
            return
        assert not isinstance(event, MultipartSegment)  # noqa: S101 -- the parser ends one part before the next
        yield bytes(event)


def _read_part(segment: MultipartSegment, data: Iterator[bytes], intake: Intake) -> None:
    plan, name = intake.plan, segment.name
    input_name = intake.input_name(name)
    if input_name in plan.inputs:
        first = next(data, b"")
        if segment.filename == "" and not first:
            return  # how browsers send a file field that was left empty
        intake.store_input(input_name, segment.filename or f"{input_name}.txt", _again(first, data))
    elif name in ENVELOPE or plan.public_name(name) in plan.parameters:
        text = b""
        for piece in data:
            text = text + piece if len(text) <= LONGEST_TEXT else text
        if len(text) > LONGEST_TEXT:
            where = "body" if name in ENVELOPE else "parameters"
            intake.refuse(where, name, "too_long", f"is longer than {LONGEST_TEXT} bytes", LONGEST_TEXT)
        elif not _is_text(text):
            intake.refuse("parameters", name, "no_text", "is not UTF-8 text")
        else:
            intake.texts.setdefault(name, []).append(text.decode())
    else:
        _read_away(data)
        intake.refuse_unknown("body", name, [*plan.inputs, *plan.parameters, *ENVELOPE])


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _again(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


def _bounded(source: Iterator[bytes], limit: int) -> Iterator[bytes]:
    size = 0
    for piece in source:
        size += len(piece)
        if size > limit:
            raise TooLarge
        yield piece


def _read_away(source: Iterable[bytes]) -> None:
    for _ in source:
        pass


def _read_json(request: HttpRequest, intake: Intake) -> None:
    limit = settings.AA.max_json_size
    body = _Body(request)
    data = b""
    while piece := body.read(CHUNK):
        data = data + piece if len(data) <= limit else data
    if len(data) > limit:
        detail = f"A JSON request has at most {format_size(limit)}: send large files as multipart/form-data."
        raise Problem("too-large", detail)
    try:
        document = read_json(data)
    except ValueError as error:
        raise Problem("malformed-request", f"The JSON cannot be read: {error}.") from None
    if not isinstance(document, dict):
        raise Problem("malformed-request", "The JSON must be an object.")
    known = (*ENVELOPE, "parameters", "inputs")
    for key, value in document.items():
        if key not in known:
            intake.refuse_unknown("body", key, known)
        elif key in ENVELOPE and value is not None:
            if isinstance(value, str):
                intake.texts[key] = [value]
            else:
                intake.refuse("body", key, "wrong_type", "must be a text")
    for key, value in _mapping(document, "parameters", intake).items():
        intake.add_parameter(key, value)
    for key, value in _mapping(document, "inputs", intake).items():
        _read_input(intake.input_name(key), value, intake)


def _mapping(document: Mapping[str, Any], key: str, intake: Intake) -> Mapping[str, Any]:
    value = document.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        intake.refuse("body", key, "wrong_type", "must be an object")
        return {}
    return value


def _read_input(name: str, value: Any, intake: Intake) -> None:
    definition = intake.plan.inputs.get(name)
    if definition is None:
        intake.refuse_unknown("inputs", name, intake.plan.inputs)
        return
    if value is None:
        return
    if isinstance(value, list) and not definition.many:
        intake.refuse("inputs", name, "wrong_type", "is one file, not a list")
        return
    for each in value if isinstance(value, list) else [value]:
        _read_value(name, each, intake)


def _read_value(name: str, value: Any, intake: Intake) -> None:
    """Text, or an object with `text`, `base64` or `result`."""
    if isinstance(value, str):
        value = {"text": value}
    forms = {"text", "base64", "result"}
    kind = next(iter(forms & set(value)), "") if isinstance(value, dict) else ""
    allowed = {kind, "file_name"} if kind != "result" else {kind}
    right = isinstance(value, dict) and kind and set(value) <= allowed
    if not right or not all(isinstance(part, str) for part in value.values()):
        message = "must be a text, or an object with one of text, base64 (each with file_name) or result"
        intake.refuse("inputs", name, "wrong_type", message)
        return
    if kind == "result":
        _take_result(name, value["result"], intake)
        return
    try:
        data = value["text"].encode() if kind == "text" else base64.b64decode(value["base64"], validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        reason = "is no base64 (RFC 4648)" if kind == "base64" else "is no Unicode text"
        intake.refuse("inputs", name, "malformed", reason)
        return
    intake.store_input(name, value.get("file_name") or f"{name}.txt", [data])


def _take_result(name: str, reference: str, intake: Intake) -> None:
    """An earlier submission's result as an input: nothing is copied, the same blob gets another name."""
    submission, _, result = reference.partition("/")
    try:
        found = Result.objects.public().filter(submission_id=uuid.UUID(submission), name=result)
        rows = list(found.select_related("blob").order_by("pk"))
    except ValueError:  # no id, or a NUL, which PostgreSQL takes in no text
        rows = []
    if not rows:
        intake.refuse("inputs", name, "no_such_result", "names no result: write <submission id>/<result name>")
        return
    definition = intake.plan.inputs[name]
    most = (definition.max_files or settings.AA.max_files) if definition.many else 1
    limit = definition.max_size or settings.AA.max_file_size
    if intake.count(name) + len(rows) > most:
        intake.refuse("inputs", name, "too_many", f"takes at most {most} file{'s' * (most > 1)}", most)
    elif any(row.blob.size > limit for row in rows):
        intake.refuse("inputs", name, "too_large", f"is larger than {format_size(limit)}", limit)
    else:
        intake.inputs += (engine.NewInput(name, row.file, row.blob) for row in rows)
