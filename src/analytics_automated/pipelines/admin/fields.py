"""Form fields that give back exactly what the author wrote."""

import json
import math
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget

_KINDS: dict[type, str] = {dict: 'a mapping, such as {"name": "value"}', list: 'a list, such as ["value"]'}


class TextArea(AdminTextareaWidget):
    """A text area that is as high as its text, within bounds."""

    least, most = 2, 30

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Django's, with the rows counted."""
        context = super().get_context(name, value, attrs)
        lines = str(value or "").count("\n") + 1
        context["widget"]["attrs"]["rows"] = min(max(lines + 1, self.least), self.most)
        return context


class CodeArea(TextArea):
    """A text area for programs and structured keys."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        plain = {
            "class": "vLargeTextField aa-code",
            "spellcheck": "false",
            "autocapitalize": "off",
            "wrap": "off",
        }
        super().__init__(attrs={**plain, **(attrs or {})})


class VerbatimField(forms.CharField):
    """Text whose blanks mean something. Browsers send every line end as CR LF; authors mean LF."""

    def __init__(self, *, strip: bool = False, **kwargs: Any) -> None:
        super().__init__(strip=strip, **kwargs)

    def to_python(self, value: Any) -> Any:
        """The text with LF line ends."""
        text = super().to_python(value)
        return text.replace("\r\n", "\n").replace("\r", "\n") if isinstance(text, str) else text

    def has_changed(self, initial: Any, data: Any) -> bool:
        """True where more than line ends differ."""
        return bool(self.to_python(initial) != self.to_python(data))


class _Typed(str):
    """What stands in a sent form, to be shown again as it was typed."""

    __slots__ = ()


class StructureField(forms.Field):
    """Data as JSON text: indented, its keys in the author's order, every character as itself.

    An empty box is none, or an empty mapping or list where the column is one; `""` is the empty text.
    """

    widget = CodeArea

    def __init__(
        self,
        *,
        empty: Callable[[], Any] | None = None,
        max_length: int | None = None,  # noqa: ARG002 -- the column's, which bounds the data, not its text
        empty_value: Any = None,  # noqa: ARG002
        **kwargs: Any,
    ) -> None:
        super().__init__(**{**kwargs, "show_hidden_initial": False})
        self.empty = empty() if empty else None

    def to_python(self, value: Any) -> Any:
        """The data. Raises `ValidationError` that says what is wrong and where."""
        if value is None or not str(value).strip():
            return self.empty
        try:
            data = json.loads(value, object_pairs_hook=_each_key_once, parse_constant=_no_number, parse_float=_finite)
            json.dumps(data, ensure_ascii=False).encode()
        except json.JSONDecodeError as error:
            place = f"{error.msg} (line {error.lineno}, column {error.colno})"
            raise forms.ValidationError(
                f'This is no JSON: {place}. Texts and keys stand in double quotes: {{"name": "value"}}.',
                code="invalid",
            ) from None
        except UnicodeEncodeError:
            raise forms.ValidationError("This holds half a character (a lone surrogate).", code="invalid") from None
        except (ValueError, RecursionError) as error:
            reason = str(error) if isinstance(error, ValueError) else "it is nested too deeply"
            raise forms.ValidationError(f"This is no JSON that can be kept: {reason}.", code="invalid") from None
        if self.empty is not None and not isinstance(data, type(self.empty)):
            raise forms.ValidationError(f"This must be {_KINDS[type(self.empty)]}.", code="invalid")
        return data

    def has_changed(self, initial: Any, data: Any) -> bool:
        """True where anything differs, the order of keys too."""
        try:
            return json.dumps(initial) != json.dumps(self.to_python(data))
        except forms.ValidationError:
            return True

    def bound_data(self, data: Any, initial: Any) -> Any:  # noqa: ARG002
        """What was typed, untouched."""
        return _Typed(data or "")

    def prepare_value(self, value: Any) -> Any:
        """The text to show."""
        if isinstance(value, _Typed):
            return str(value)
        return "" if value is None else pretty(value)


def pretty(data: Any) -> str:
    """Indented JSON with the author's order of keys and every character as itself."""
    return json.dumps(data, indent=2, ensure_ascii=False)


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it has the key {twice!r} twice")
    return data


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large a number")
    return number
