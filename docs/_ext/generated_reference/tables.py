"""Markdown tables, and what may stand in their cells."""

from collections.abc import Iterable, Sequence

NOTHING = "\N{EN DASH}"
"""A cell that has nothing to say."""


def cell(text: str) -> str:
    """The text on one line, so that neither a line end nor a `|` ends the cell."""
    return " ".join(text.split()).replace("|", "\\|") or NOTHING


def code(text: str) -> str:
    """The text as typed."""
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}"


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of GitHub Flavored Markdown, with a line end after it."""
    lines = [headers, ["---"] * len(headers), *([cell(each) for each in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
