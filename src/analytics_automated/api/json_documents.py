"""JSON as callers send it: RFC 8259, with nothing in it that two programs would read in two ways."""

import json
from typing import Any

LONGEST_INTEGER = 1000
"""Digits of a whole number."""


def read_json(data: bytes) -> Any:
    """The document. Duplicate keys, NaN and its like, lone surrogates and endless numbers are refused.

    Raises `ValueError` with a sentence for the caller, without its full stop.
    """
    try:
        document = json.loads(data.decode(), object_pairs_hook=_object, parse_constant=_no_constant, parse_int=_integer)
        json.dumps(document, ensure_ascii=False).encode()  # fails for a lone surrogate
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 text, by its byte {error.start + 1}") from None
    except UnicodeEncodeError:
        raise ValueError("it holds a lone surrogate, which is no character") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        if data.startswith(b"\xef\xbb\xbf"):
            raise ValueError("it begins with a byte order mark") from None
        raise ValueError(f"{error.msg}, at line {error.lineno}, column {error.colno}") from None
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in pairs:
        if key in made:
            raise ValueError(f"the key {key[:64]!r} is there twice")
        made[key] = value
    return made


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")


def _integer(text: str) -> int:
    if len(text) > LONGEST_INTEGER:
        raise ValueError(f"a number has more than {LONGEST_INTEGER} digits")
    return int(text)
