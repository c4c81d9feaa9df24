"""The fields around a submission's data: its name, and where to send notices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email

from analytics_automated.pipelines.refusals import Refusal

LONGEST_NAME = 255
LONGEST_ADDRESS = 254
LONGEST_WEBHOOK = 1000


@dataclass(frozen=True, slots=True)
class Envelope:
    """Checked fields; empty where not given."""

    name: str = ""
    email: str = ""
    webhook: str = ""


def check_envelope(texts: Mapping[str, Sequence[str]]) -> tuple[Envelope, list[Refusal]]:
    """The fields, and what is wrong with them."""
    refusals: list[Refusal] = []
    values: dict[str, str] = {}
    for field, longest in (("name", LONGEST_NAME), ("email", LONGEST_ADDRESS), ("webhook", LONGEST_WEBHOOK)):
        given = texts.get(field, [])
        if len(given) > 1:
            refusals.append(Refusal("body", field, "twice", "is given more than once"))
        value = given[0].strip() if given else ""
        message = _problem(field, value, longest)
        if message:
            refusals.append(Refusal("body", field, *message))
        values[field] = value
    return Envelope(**values), refusals


def _problem(field: str, value: str, longest: int) -> tuple[str, str] | None:
    if len(value) > longest:
        return "too_long", f"must have at most {longest} characters"
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in value):
        return "no_match", "must be text on one line, without control characters"
    try:
        if field == "email" and value:
            validate_email(value)
        elif field == "webhook" and value:
            URLValidator(schemes=["http", "https"])(value)
    except ValidationError:
        return "invalid", "must be an e-mail address" if field == "email" else "must be an http or https address"
    return None
