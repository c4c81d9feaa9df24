"""Fills in forms as a browser does: from the page's own HTML, with CR LF line ends."""

from html.parser import HTMLParser
from typing import Any


class _Fields(HTMLParser):
    """The fields of the form with that id, as a browser would send them untouched."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.form = form
        self.inside = False
        self.values: dict[str, str] = {}
        self.select = ""
        self.textarea: list[str] | None = None
        self.name = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form":
            self.inside = found.get("id") == self.form
        if not self.inside:
            return
        name = found.get("name") or ""
        if tag == "input" and name and found.get("type") not in {"submit", "button"}:
            if found.get("type") not in {"checkbox", "radio"}:
                self.values[name] = found.get("value") or ""
            elif "checked" in found:
                self.values[name] = found.get("value") or "on"
        elif tag == "textarea":
            self.name, self.textarea = name, []
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and (self.select not in self.values or "selected" in found):
            self.values[self.select] = found.get("value") or ""

    def handle_data(self, data: str) -> None:
        if self.textarea is not None:
            self.textarea.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self.textarea is not None:
            text = "".join(self.textarea).removeprefix("\n")  # a browser drops the first line end
            self.values[self.name] = text.replace("\r\n", "\n").replace("\n", "\r\n")
            self.textarea = None
        elif tag == "select":
            self.select = ""
        elif tag == "form":
            self.inside = False


def fields_of(response: Any, form: str) -> dict[str, str]:
    """What a browser would send if somebody pressed the button of that form at once."""
    parser = _Fields(form)
    parser.feed(response.content.decode())
    assert parser.values, f"there is no form {form!r} on the page"
    return parser.values


def row(prefix: str, number: int, **values: str) -> dict[str, str]:
    """The fields of one row of an inline."""
    return {f"{prefix}-{number}-{name}": value for name, value in values.items()}
