"""A form (multipart/form-data, RFC 7578) on its way in, part by part."""

from collections.abc import Iterator, Mapping

from multipart import MultipartError, MultipartSegment, PushMultipartParser

from analytics_automated.api.problems import Problem
from analytics_automated.api.request_body import CHUNK, RequestBody
from analytics_automated.pipelines.parameters import parse_texts
from analytics_automated.runs.intake import ENVELOPE, Intake, read_away

LONGEST_TEXT = 65_536
"""Bytes of a field that is no file."""
LONGEST_TEXTS = 2_500_000
"""Bytes of all of them: they are held in memory."""
MOST_PARTS = 5_000


def read_form(body: RequestBody, options: Mapping[str, str], intake: Intake) -> None:
    """Read the whole form. Raises `Problem` where it is none."""
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
        held = sum(len(each) for texts in intake.texts.values() for each in texts)
        if len(text) > LONGEST_TEXT or held + len(text) > LONGEST_TEXTS:
            where = "body" if name in ENVELOPE else "parameters"
            intake.refuse(where, name, "too_long", "is longer than a field may be", LONGEST_TEXT)
        elif not _is_text(text):
            intake.refuse("parameters", name, "no_text", "is not UTF-8 text")
        else:
            intake.texts.setdefault(name, []).append(text.decode())
    else:
        read_away(data)
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
