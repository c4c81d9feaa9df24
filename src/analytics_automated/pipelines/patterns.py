"""Regular expressions of authors: those of parameters, validators and schemas. The syntax is that of `regex`."""

import re

import regex

_ESCAPED = re.compile(r"\\.", re.DOTALL)
_RECURSION = re.compile(r"\(\s*\?\s*(?:R|[-+]?\s*[0-9]+|(?:&|P\s*>)[^()]*)\s*\)")
"""Calls of a group, as the package's documentation names them under 'Recursive patterns'; blanks are for `(?x)`."""


def compile_pattern(pattern: str) -> regex.Pattern[str]:
    """The pattern, ready to match. Raises `ValueError`, whose message goes behind the pattern.

    A pattern that calls itself is refused: what it holds while it matches grows without bound, to a gigabyte for a
    few hundred characters, and the bound on time does not end that soon enough.
    """
    try:
        compiled = regex.compile(pattern)
    except (regex.error, ValueError, OverflowError, RecursionError) as error:
        raise ValueError(f"is no regular expression: {error}") from None
    if found := _RECURSION.search(_ESCAPED.sub("", pattern)):
        raise ValueError(
            f"calls a part of itself by {found[0]}, which may take memory without bound: write it without recursion"
        )
    return compiled
