"""JSON."""

import enum
import re
from typing import Any, Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from analytics_automated.pipelines.quantities import Size, format_size
from analytics_automated.pipelines.validators.base import (
    CheckedStream,
    Invalid,
    Options,
    Position,
    Validator,
    excerpt,
)
from analytics_automated.pipelines.validators.json_schema import DocumentSchema, read_document

LONGEST_NUMBER: Final = 65_536
"""Characters of a number, at most. RFC 8259, section 9, lets an implementation limit them."""

LARGEST_WITH_SCHEMA: Final = 100_000_000
"""Bytes that `max_size` may be, at most."""

DEEPEST_WITH_SCHEMA: Final = 100
"""Objects and arrays inside one another, at most, in a value that is checked by a schema: each takes Python's stack."""

# The forms that nearly all values have, so that runs of them are passed over at once: strings without
# escapes, numbers of usual length, and objects and arrays of these, a few inside one another.
_BLANKS = r"[ \t\n\r]*+"
_STRING = r'"[^"\\\x00-\x1f]*+"'
_NUMBER = r"-?(?:0|[1-9][0-9]{0,40}+)(?:\.[0-9]{1,40}+)?(?:[eE][-+]?[0-9]{1,40}+)?"


def _usual_value(depth: int) -> str:
    """Pattern of a value of at most that depth, and of the blanks behind it."""
    scalar = rf"{_STRING}|{_NUMBER}|true|false|null"
    if depth == 0:
        return rf"(?:{scalar}){_BLANKS}"
    value = _usual_value(depth - 1)
    # Behind each value stands a comma, with something more behind it, or the end.
    members = rf"(?:{_STRING}{_BLANKS}:{_BLANKS}{value}(?:,{_BLANKS}(?!\}})|(?=\}})))*"
    elements = rf"(?:{value}(?:,{_BLANKS}(?!\])|(?=\])))*"
    return rf"(?:{scalar}|\{{{_BLANKS}{members}\}}|\[{_BLANKS}{elements}\]){_BLANKS}"


_RUN_DEPTH: Final = 5
_ELEMENTS = [re.compile(rf"(?:{_BLANKS}{_usual_value(depth)}(?:,|(?=\])))*") for depth in range(_RUN_DEPTH + 1)]
_MEMBERS = [
    re.compile(rf"(?:{_BLANKS}{_STRING}{_BLANKS}:{_BLANKS}{_usual_value(depth)}(?:,|(?=\}})))*")
    for depth in range(_RUN_DEPTH + 1)
]

_SPACE = re.compile(r"[ \t\n\r]*")
_IN_STRING = re.compile(r'[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[^"\\\x00-\x1f]*)*')
_ESCAPE_BEGUN = re.compile(r"\\(?:u[0-9A-Fa-f]{0,3})?")
_WORD = re.compile(r"[-+.0-9A-Za-z_]+")
_WHOLE_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_LITERALS = frozenset({"true", "false", "null"})


class JsonOptions(Options):
    """What is asked of the JSON text."""

    type: Literal["object", "array", "any"] = Field("any", description="What the outermost value must be.")
    max_depth: int = Field(
        100,
        ge=0,
        le=100_000,
        description=(
            "Most objects and arrays inside one another; with a schema the bound is at most 100. "
            "A lone number or string has the depth 0."
        ),
    )
    document_schema: dict[str, Any] | None = Field(
        None,
        alias="schema",
        description=(
            "A JSON Schema that the value must fit: draft 2020-12, or 2019-09 or 07 if its `$schema` says so. "
            "Its references stay within it, and `format` is not checked."
        ),
    )
    max_size: Size = Field(
        5_000_000,
        description=(
            "Most bytes of a file that is checked by a schema, up to 100MB: it is held in memory, which may take 40 "
            "times as much."
        ),
    )

    @field_validator("max_size")
    @classmethod
    def _can_be_held(cls, size: int) -> int:
        if size > LARGEST_WITH_SCHEMA:
            raise ValueError(f"must be at most {format_size(LARGEST_WITH_SCHEMA)}, as the file is held in memory")
        return size

    @field_validator("document_schema")
    @classmethod
    def _is_a_schema(cls, schema: dict[str, Any] | None) -> dict[str, Any] | None:
        if schema is not None:
            DocumentSchema(schema)
        return schema

    @model_validator(mode="after")
    def _options_fit_together(self) -> Self:
        if self.document_schema is None and "max_size" in self.model_fields_set:
            raise ValueError("max_size belongs to a schema; the validator `size` bounds files without one")
        if self.document_schema is not None and self.max_depth > DEEPEST_WITH_SCHEMA:
            raise ValueError(f"max_depth is at most {DEEPEST_WITH_SCHEMA} where there is a schema")
        return self


class JsonValidator(Validator[JsonOptions]):
    """One well-formed JSON text: RFC 8259, in UTF-8, with nothing behind it.

    `NaN`, comments, trailing commas and a byte order mark are not JSON. Strings may have any length, numbers
    65,536 characters. Names within an object need not be unique (the RFC only says that they should be), and
    escaped lone surrogates pass, as they do in the RFC's grammar.

    A text that is checked by a schema is read whole once it is known to be well-formed, so it has a bound of its
    size. Names within an object must then be unique, and numbers within the range of a float: otherwise what the
    schema is shown, and what a program reads later, may differ. Patterns are those of the Python package `regex`,
    and end at the time bound.

    The text is scanned here, and not through the events of a parser such as ijson: those hold every string
    whole, convert numbers, so that well-formed ones with many digits or large exponents fail, and do not say
    where a fault is.
    """

    name = "json"
    Options = JsonOptions

    def __init__(self, options: JsonOptions) -> None:
        super().__init__(options)
        self._schema = None if options.document_schema is None else DocumentSchema(options.document_schema)

    def check(self, stream: CheckedStream) -> None:
        """Read the stream to its end, or to the first fault; with a schema twice."""
        if self._schema is not None and stream.size > self.options.max_size:
            most = format_size(self.options.max_size)
            raise Invalid(f"The file has {stream.size} bytes; at most {most} are allowed.")
        scan = _Scan(self.options)
        for piece in stream.text():
            scan.feed(piece)
        scan.finish()
        if self._schema is not None:
            self._schema.check(stream, read_document(stream))


class _Next(enum.Enum):
    """What the grammar asks for at a place outside strings."""

    VALUE = "a value"
    FIRST_VALUE = "a value or ']'"
    NAME = "a name in double quotes"
    FIRST_NAME = "a name in double quotes or '}'"
    COLON = "':'"
    COMMA_IN_OBJECT = "',' or '}'"
    COMMA_IN_ARRAY = "',' or ']'"
    NOTHING = "nothing more"


_VALUES = (_Next.VALUE, _Next.FIRST_VALUE)
_NAMES = (_Next.NAME, _Next.FIRST_NAME)
_OPENED = {"{": _Next.FIRST_NAME, "[": _Next.FIRST_VALUE}
_AFTER_COMMA = {_Next.COMMA_IN_OBJECT: _Next.NAME, _Next.COMMA_IN_ARRAY: _Next.VALUE}
_MAY_CLOSE = {
    "}": (_Next.FIRST_NAME, _Next.COMMA_IN_OBJECT),
    "]": (_Next.FIRST_VALUE, _Next.COMMA_IN_ARRAY),
}


class _Scan:
    """How far a text has been scanned. Holds a word or an escape that is not yet whole, and no more."""

    def __init__(self, options: JsonOptions) -> None:
        self._type = options.type
        self._max_depth = options.max_depth
        self._position = Position()  # where `_held` begins
        self._held = ""
        self._next = _Next.VALUE
        self._open: list[str] = []  # the brackets that are open, outermost first
        self._in_string = False

    def feed(self, piece: str) -> None:
        text = self._held + piece
        at = self._scan(text, final=False)
        self._position.pass_over(text[:at])
        self._held = text[at:]

    def finish(self) -> None:
        at = self._scan(self._held, final=True)
        if self._in_string:
            raise self._refusal("The text ends within a string.", self._held, at)
        if self._next is not _Next.NOTHING:
            raise self._refusal(f"The text ends where {self._next.value} is expected.", self._held, at)

    def _scan(self, text: str, *, final: bool) -> int:
        """Scan the text, which goes on what was scanned; return where what must wait for more begins."""
        at = 0
        while True:
            if self._in_string:
                at = _end(_IN_STRING, text, at)
                if at == len(text) or (not final and _ESCAPE_BEGUN.fullmatch(text, at)):
                    return at
                self._end_string(text, at)
                at += 1
                continue
            at = _end(_SPACE, text, self._pass_run(text, at))
            if at == len(text):
                return at
            character = text[at]
            if character in '{["' and self._next in _VALUES:
                self._begin_value(text, at)
                at += 1
            elif self._next in _MAY_CLOSE.get(character, ()):
                self._open.pop()
                self._end_value()
                at += 1
            elif character == "," and self._next in _AFTER_COMMA:
                self._next = _AFTER_COMMA[self._next]
                at += 1
            elif character == '"' and self._next in _NAMES:
                self._next = _Next.COLON
                self._in_string = True
                at += 1
            elif character == ":" and self._next is _Next.COLON:
                self._next = _Next.VALUE
                at += 1
            elif self._next in _VALUES:
                stop = _end(_WORD, text, at)
                if stop == len(text) and not final and stop - at <= LONGEST_NUMBER:
                    return at
                self._read_word(text, at, stop)
                at = stop
            else:
                raise self._unexpected(text, at)

    def _pass_run(self, text: str, at: int) -> int:
        """Pass over values that need no further look, each with the comma behind it if there is one."""
        if self._next in _NAMES:
            patterns, behind_comma = _MEMBERS, _Next.NAME
        elif self._next in _VALUES and self._open and self._open[-1] == "[":
            patterns, behind_comma = _ELEMENTS, _Next.VALUE
        else:
            return at
        stop = _end(patterns[min(self._max_depth - len(self._open), _RUN_DEPTH)], text, at)
        if stop > at:
            self._end_value()
            if text[stop - 1] == ",":
                self._next = behind_comma
        return stop

    def _begin_value(self, text: str, at: int) -> None:
        bracket = text[at]
        self._check_outermost(bracket, text, at)
        if bracket == '"':
            self._in_string = True
            self._end_value()
        elif len(self._open) == self._max_depth:
            message = f"Objects and arrays are more than {self._max_depth} deep inside one another."
            raise self._refusal(message, text, at)
        else:
            self._open.append(bracket)
            self._next = _OPENED[bracket]

    def _end_value(self) -> None:
        if not self._open:
            self._next = _Next.NOTHING
        else:
            self._next = _Next.COMMA_IN_OBJECT if self._open[-1] == "{" else _Next.COMMA_IN_ARRAY

    def _check_outermost(self, character: str, text: str, at: int) -> None:
        wanted = {"object": "{", "array": "[", "any": character}[self._type]
        if not self._open and character != wanted:
            raise self._refusal(f"The outermost value is not an {self._type}.", text, at)

    def _read_word(self, text: str, at: int, stop: int) -> None:
        word = text[at:stop]
        if not word:
            raise self._unexpected(text, at)
        self._check_outermost(word[0], text, at)
        if stop - at > LONGEST_NUMBER:
            raise self._refusal(f"A number or word is longer than {LONGEST_NUMBER} characters.", text, at)
        if word not in _LITERALS and not _WHOLE_NUMBER.fullmatch(word):
            raise self._refusal(f"{excerpt(word)} is no JSON value.", text, at)
        self._end_value()

    def _end_string(self, text: str, at: int) -> None:
        if text[at] == "\\":
            message = f"{excerpt(text[at : at + 2])} begins no escape that JSON has."
            if text[at : at + 2] == "\\u":
                message = "Four hexadecimal digits are expected after '\\u'."
            raise self._refusal(message, text, at)
        if text[at] != '"':
            message = f"A string holds the control character U+{ord(text[at]):04X}, which must be escaped."
            raise self._refusal(message, text, at)
        self._in_string = False

    def _unexpected(self, text: str, at: int) -> Invalid:
        if text[at] == "\ufeff" and at == 0 and self._position.line == self._position.column == 1:
            return self._refusal("The file begins with a byte order mark, which is not JSON.", text, at)
        return self._refusal(f"{excerpt(text[at])} stands where {self._next.value} is expected.", text, at)

    def _refusal(self, message: str, text: str, at: int) -> Invalid:
        self._position.pass_over(text[:at])
        return Invalid(message, line=self._position.line, column=self._position.column)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at
