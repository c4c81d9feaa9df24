"""Differences as pages show them: each line with its sign, and a colour besides."""

from collections.abc import Iterable

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString


def shown_difference(lines: Iterable[str]) -> SafeString:
    """Lines of a unified difference as HTML; nothing where there are none."""
    marked = [
        (format_html('<{0} class="aa-line{1}">{2}</{0}>', *_marks(line, place), line),)
        for place, line in enumerate(lines)
    ]
    return (
        format_html('<pre class="aa-code aa-difference">{}</pre>', format_html_join("\n", "{}", marked))
        if marked
        else SafeString("")
    )


def _marks(line: str, place: int) -> tuple[str, str]:
    """The element that a line is, and what it is called for its colour."""
    if place < 2 and line.startswith(("--- ", "+++ ")):
        return "span", " aa-head"
    if line.startswith("+"):
        return "ins", ""
    if line.startswith("-"):
        return "del", ""
    return "span", " aa-head" if line.startswith("@@") else ""


def shown_text(text: str) -> SafeString:
    """YAML or another text as it stands."""
    return format_html('<pre class="aa-code">{}</pre>', text)
