"""Fills in forms as a browser does: from the page's own HTML, with CR LF line ends."""

import shlex
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from analytics_automated.pipelines.definitions.scalars import Scalar
from yaml_text import written


class _Fields(HTMLParser):
    """The fields of the form with that id, as a browser would send them untouched."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.form = form
        self.inside = False
        self.values: dict[str, Any] = {}
        """Texts; lists where several boxes of one name are ticked."""
        self.kinds: dict[str, str] = {}
        """`text`, `checkbox`, `file`, `select`, or the classes of a text area."""
        self.options: dict[str, dict[str, str]] = {}
        """The values of each select, by what is read there."""
        self.select = ""
        self.option: str | None = None
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
            self.kinds[name] = found.get("type") or "text"
            if found.get("type") not in {"checkbox", "radio"}:
                self.values[name] = found.get("value") or ""
            elif "checked" in found:
                value = found.get("value") or "on"
                self.values[name] = value if name not in self.values else [*_listed(self.values[name]), value]
        elif tag == "textarea":
            self.name, self.textarea = name, []
            self.kinds[name] = found.get("class") or ""
        elif tag == "select":
            self.select = name
            self.kinds[name] = "select"
        elif tag == "option" and self.select:
            self.option = found.get("value") or ""
            if self.select not in self.values or "selected" in found:
                self.values[self.select] = self.option

    def handle_data(self, data: str) -> None:
        if self.textarea is not None:
            self.textarea.append(data)
        elif self.option is not None:
            self.options.setdefault(self.select, {})[data.strip()] = self.option

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self.textarea is not None:
            text = "".join(self.textarea).removeprefix("\n")  # a browser drops the first line end
            self.values[self.name] = text.replace("\r\n", "\n").replace("\n", "\r\n")
            self.textarea = None
        elif tag == "option":
            self.option = None
        elif tag == "select":
            self.select = ""
        elif tag == "form":
            self.inside = False


def _read(response: Any, form: str) -> _Fields:
    parser = _Fields(form)
    parser.feed(response.content.decode())
    assert parser.values, f"there is no form {form!r} on the page"
    return parser


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def fields_of(response: Any, form: str) -> dict[str, Any]:
    """What a browser would send if somebody pressed the button of that form at once."""
    return _read(response, form).values


def row(prefix: str, number: int, **values: str) -> dict[str, str]:
    """The fields of one row of an inline."""
    return {f"{prefix}-{number}-{name}": value for name, value in values.items()}


LONE = {
    "inputs": "file",
    "outputs": "file",
    "data": "path",
    "results": "source",
    "environment": "value",
    "steps": "task",
    "container": "image",
    "scatter": "over",
}
"""The key that a lone value stands for."""


class CannotBeTyped(Exception):
    """The page has no way to say it. The argument is the field."""


class BlankPage:
    """The page of a new Backend, Task or Job, to be filled in from the data of a pipeline file."""

    def __init__(self, response: Any, form: str) -> None:
        self.fields = _read(response, form)

    def filled(self, name: str, pipeline: str, data: dict[str, Any]) -> dict[str, Any]:
        """What a browser would send, with the thing of that name typed in: `data` as `read_document` has it."""
        sent: dict[str, Any] = {**self.fields.values, "name": name}
        if "pipeline" in sent:
            sent["pipeline"] = pipeline
        for key, value in _without_validators(data).items():
            if f"{key}-TOTAL_FORMS" in sent:
                self._type_rows(sent, key, value)
            else:
                self._type(sent, "", (key,), value)
        return {field: value for field, value in sent.items() if value is not None}

    def _type_rows(self, sent: dict[str, Any], key: str, value: Any) -> None:
        if not value and f"no_{key}" in self.fields.kinds:
            sent[f"no_{key}"] = "on"
        rows = list(_rows(key, value))
        sent[f"{key}-TOTAL_FORMS"] = str(len(rows))
        blank = f"{key}-__prefix__-"
        for number, entry in enumerate(rows):
            prefix = f"{key}-{number}-"
            for field in [field for field in self.fields.values if field.startswith(blank)]:
                sent[prefix + field.removeprefix(blank)] = self.fields.values[field]
            for each, typed in entry.items():
                self._type(sent, prefix, (each,), typed)

    def _type(self, sent: dict[str, Any], prefix: str, keys: tuple[str, ...], value: Any) -> None:
        """Type one key, or what is below it."""
        field = "_".join(keys)
        known = prefix if not prefix else f"{prefix.split('-')[0]}-__prefix__-"
        kind = self.fields.kinds.get(known + field)
        if kind is None and isinstance(value, dict):
            for key, below in value.items():
                self._type(sent, prefix, (*keys, key), below)
        elif kind is None and keys[-1] in LONE:
            self._type(sent, prefix, (*keys, LONE[keys[-1]]), value)
        elif kind is None:
            raise CannotBeTyped(field)
        elif field == "access" and isinstance(value, list):
            sent |= {"access": "groups", "access_groups": "\r\n".join(value)}
        elif field == "needs" and value == []:
            sent[f"{prefix}no_needs"] = "on"
        else:
            sent[prefix + field] = self._typed(kind, known + field, value)

    def _typed(self, kind: str, field: str, value: Any) -> Any:
        """What is typed into a field of that kind."""
        if kind == "file":
            return value
        if kind == "checkbox" and isinstance(value, list):
            return [str(each) for each in value]
        if kind == "checkbox":
            if not isinstance(value.value, bool):
                raise CannotBeTyped(field)
            return "on" if value.value else None
        if kind == "select" and field in {"backend", "steps-__prefix__-task"}:
            if value not in self.fields.options[field]:
                raise CannotBeTyped(field)
            return self.fields.options[field][value]
        if "aa-lines" in kind:
            return "\r\n".join([value] if isinstance(value, str) else value)
        if "aa-yaml" in kind:
            return as_yaml(value)
        if isinstance(value, list):
            words = [str(each) for each in value]
            return shlex.join(words) if field in {"command", "interpreter"} else ", ".join(words)
        if isinstance(value, dict):
            raise CannotBeTyped(field)
        return str(value).replace("\n", "\r\n")


def as_yaml(value: Any) -> str:
    """The value as somebody would type it into a box for YAML."""
    text = written({"x": value})[0].removeprefix("x:").replace("\n  ", "\n")
    return text.strip().replace("\n", "\r\n")


def _without_validators(data: dict[str, Any]) -> dict[str, Any]:
    """The validators of inputs among those of the job, where the pages have them."""
    if "steps" not in data:
        return data
    uses = [("", use) for use in data.get("validators", [])]
    bare = {name: dict(entry) for name, entry in data.get("inputs", {}).items()}
    for name, keys in bare.items():
        uses += [(name, use) for use in keys.pop("validators", [])]
    inputs = {"inputs": bare} if "inputs" in data else {}
    return {**data, **inputs, "validators": [_validator(name, use) for name, use in uses]}


def _validator(name: str, use: Any) -> dict[str, Any]:
    if not isinstance(use, dict) or "name" in use:
        return {"input": name, **(use if isinstance(use, dict) else {"name": use})}
    ((called, options),) = use.items()
    return {"input": name, "name": called, "options": options}


def _rows(key: str, value: Any) -> Iterator[dict[str, Any]]:
    """What stands in the rows below a key."""
    if key == "files":
        yield from ({"path": path, "upload": SimpleUploadedFile("any", str(path).encode())} for path in value)
    elif isinstance(value, dict):
        for name, entry in value.items():
            keys = entry if isinstance(entry, dict) else {LONE[key]: entry} if entry is not None else {}
            yield {"name": Scalar(name, name), **{("source" if each == "from" else each): keys[each] for each in keys}}
    else:
        for entry in value or []:
            yield entry if isinstance(entry, dict) else {LONE[key]: entry}
