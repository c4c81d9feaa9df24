"""Form fields for the values of a configuration.

They judge nothing: what they make of a text is what a pipeline file would have in that place, and the definitions say
what is wrong with it. What nobody touched stays exactly as it is stored.
"""

import re
from collections.abc import Sequence
from typing import Any

from django import forms

from analytics_automated.pipelines.admin.theme import CheckboxSelectMultiple, Select, Textarea, TextInput
from analytics_automated.pipelines.definitions.scalars import Scalar
from analytics_automated.pipelines.files.source import core_value, read_document
from analytics_automated.pipelines.files.writer import value_text

_HEAD = re.compile(r"\A%YAML 1\.2\n---[ \n]")
_TAIL = re.compile(r"\n\.\.\.\n\Z")


class TextArea(Textarea):
    """A text area that is as high as its text, within bounds."""

    least, most = 2, 30
    columns = 100
    """Signs of a line, about, before it is wrapped."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Django's, with the rows counted."""
        context = super().get_context(name, value, attrs)
        lines = sum(1 + len(line) // self.columns for line in str(value or "").split("\n"))
        context["widget"]["attrs"]["rows"] = min(max(lines, self.least), self.most)
        return context


class CodeArea(TextArea):
    """A text area for programs and structured keys."""

    kind = "aa-code"
    columns = 1_000_000

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        plain = {"class": self.kind, "spellcheck": "false", "autocapitalize": "off", "wrap": "off"}
        super().__init__(attrs={**plain, **(attrs or {})})


class CommandArea(CodeArea):
    """A text area for one long line, which is wrapped."""

    columns = 90

    def __init__(self) -> None:
        super().__init__({"wrap": "soft"})


class YamlArea(CodeArea):
    """A text area for data of any shape."""

    kind = "aa-code aa-yaml"


class ValueArea(YamlArea):
    """The same for a value that is short mostly."""

    least = 1


class LinesArea(CodeArea):
    """A text area for a list."""

    kind = "aa-code aa-lines"


class KeptField(forms.Field):
    """A field whose stored value stays as it is where nobody touched it."""

    def __init__(self, *, empty: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.empty = empty
        """What an empty box says."""

    def validate(self, value: Any) -> None:
        """Nothing: `required` is what the page shows, and the definition says what is missing."""

    def shown(self, value: Any) -> str:
        """The text for a stored value."""
        return "" if value is None else str(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """True where more than line ends differ."""
        return _line_ends(self.shown(initial)) != _line_ends(str(data or ""))

    def bound_data(self, data: Any, initial: Any) -> Any:  # noqa: ARG002
        """What was typed, untouched."""
        return _Typed(data or "")

    def prepare_value(self, value: Any) -> Any:
        """The text to show."""
        return str(value) if isinstance(value, _Typed) else self.shown(value)


class _Typed(str):
    """What stands in a sent form, to be shown again as it was typed."""

    __slots__ = ()


def _line_ends(text: str) -> str:
    """The text with LF line ends: browsers send every one as CR LF; authors mean LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


class VerbatimField(KeptField):
    """Text, whose blanks mean something."""

    widget = TextInput

    def __init__(self, *, strip: bool = False, **kwargs: Any) -> None:
        super().__init__(**{"empty": "", **kwargs})
        self.strip = strip

    def to_python(self, value: Any) -> Any:
        """The text with LF line ends."""
        text = _line_ends(str(value or ""))
        if "\x00" in text:  # which no database takes, be it only to look for it
            raise forms.ValidationError("holds a NUL character", code="invalid")
        return text.strip() if self.strip else text


class ScalarField(KeptField):
    """A number, a size, a duration: what a plain word would be in a pipeline file."""

    widget = TextInput

    def shown(self, value: Any) -> str:
        """The text for a stored value."""
        return yaml_text(value) if isinstance(value, bool | float) else super().shown(value)

    def to_python(self, value: Any) -> Any:
        """The scalar."""
        text = str(value or "").strip()
        return Scalar(text, core_value(text)) if text else self.empty


class ChoiceField(VerbatimField):
    """One of a few words. What is stored can always be chosen."""

    def __init__(self, *, choices: Sequence[str], blank: str | None = None, **kwargs: Any) -> None:
        named = [(each, each) for each in choices]
        widget = Select(choices=named if blank is None else [("", blank), *named])
        super().__init__(**{"widget": widget, **kwargs})

    def get_bound_field(self, form: Any, field_name: str) -> Any:
        """Django's, with the value that it shows among the choices."""
        bound = super().get_bound_field(form, field_name)
        value = self.prepare_value(bound.value())
        assert isinstance(self.widget, Select)  # noqa: S101 -- see above
        if value and value not in {each for each, _ in self.widget.choices}:
            self.widget.choices = [*self.widget.choices, (value, value)]
        return bound


class LinesField(KeptField):
    """A list of texts, one per line. Empty lines say nothing."""

    widget = LinesArea

    def shown(self, value: Any) -> str:
        """The lines."""
        return "\n".join([value] if isinstance(value, str) else map(str, value or []))

    def to_python(self, value: Any) -> Any:
        """The list."""
        lines = [line.rstrip() for line in _line_ends(str(value or "")).split("\n")]
        return [line for line in lines if line] or self.empty


class WordsField(KeptField):
    """A list of short words, on one line."""

    widget = TextInput

    def shown(self, value: Any) -> str:
        """The words."""
        return ", ".join([str(value)] if isinstance(value, str | int) else map(str, value or []))

    def to_python(self, value: Any) -> Any:
        """The list."""
        return [word for word in re.split(r"[\s,]+", str(value or "")) if word] or self.empty


class ChecksField(forms.MultipleChoiceField):
    """Some of a few words, each with a box."""

    def __init__(self, *, choices: Sequence[str], empty: Any = None, **kwargs: Any) -> None:
        named = [(each, each) for each in choices]
        boxes = CheckboxSelectMultiple(choices=named)
        super().__init__(**{**kwargs, "choices": named, "required": False, "widget": boxes})
        self.empty = empty

    def validate(self, value: Any) -> None:
        """Nothing: the definition knows the words."""


class YamlField(KeptField):
    """Data of any shape as YAML, read as in a pipeline file."""

    widget = YamlArea

    def shown(self, value: Any) -> str:
        """The text; none for what is none, or empty where the column is never none."""
        return "" if value is None or (value == self.empty and not isinstance(value, str)) else yaml_text(value)

    def to_python(self, value: Any) -> Any:
        """The data, its scalars as typed. Raises `ValidationError` that says what is wrong and in which line."""
        text = _line_ends(str(value or ""))
        if not text.strip():
            return self.empty
        document = read_document(text, "")
        if document.problems:
            raise forms.ValidationError([_sentence(each.where, each.message, each.line) for each in document.problems])
        if isinstance(document.data, Scalar) and document.data.value is None:
            return self.empty
        return document.data


def _sentence(where: str, message: str, line: int | None) -> str:
    said = f"{where}: {message}" if where else message
    return f"{said} (line {line})" if line else said


def yaml_text(value: Any) -> str:
    """A value as YAML, as it would stand behind a key of a pipeline file."""
    return _TAIL.sub("", _HEAD.sub("", value_text(value))).removesuffix("\n")
