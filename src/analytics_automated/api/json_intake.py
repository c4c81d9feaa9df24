"""A JSON document on its way in."""

import base64
import binascii
import uuid
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import DataError

from analytics_automated.api.json_documents import read_json
from analytics_automated.api.problems import Problem
from analytics_automated.api.request_body import CHUNK, RequestBody
from analytics_automated.pipelines.quantities import format_size
from analytics_automated.runs import engine
from analytics_automated.runs.intake import ENVELOPE, Intake
from analytics_automated.runs.models import Result


def read_json_document(body: RequestBody, intake: Intake) -> None:
    """Read the whole document. Raises `Problem` where it is none, or too large to be held in memory."""
    limit = settings.AA.max_json_size
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
    except (ValueError, DataError):  # no id, or a NUL, which PostgreSQL takes in no text
        rows = []
    if not rows:
        intake.refuse("inputs", name, "no_such_result", "names no result: write <submission id>/<result name>")
        return
    most, limit = intake.limits(name)
    if intake.count(name) + len(rows) > most:
        intake.refuse("inputs", name, "too_many", f"takes at most {most} file{'s' * (most > 1)}", most)
    elif any(row.blob.size > limit for row in rows):
        intake.refuse("inputs", name, "too_large", f"is larger than {format_size(limit)}", limit)
    else:
        intake.inputs += (engine.NewInput(name, row.file, row.blob) for row in rows)
