"""Plain text."""

import re
from typing import Literal, Self

from pydantic import Field, model_validator

from analytics_automated.pipelines.validators.base import CheckedStream, Invalid, Options, Position, Validator

# Unicode's category Cc but for tab and LF (every other line ending has become LF by then).
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class TextOptions(Options):
    """What is asked of the text; all bounds are inclusive."""

    encoding: Literal["utf-8", "ascii"] = Field("utf-8", description="The encoding that the bytes must have.")
    min_lines: int = Field(0, ge=0, description="Fewest lines.")
    max_lines: int | None = Field(None, ge=0, description="Most lines.")
    max_line_length: int | None = Field(None, ge=1, description="Most characters in a line, without the line's ending.")

    @model_validator(mode="after")
    def _bounds_make_sense(self) -> Self:
        if self.max_lines is not None and self.min_lines > self.max_lines:
            raise ValueError(f"min_lines ({self.min_lines}) is more than max_lines ({self.max_lines})")
        return self


class TextValidator(Validator[TextOptions]):
    """Text: it decodes, and holds no control characters but tab and line endings (LF, CRLF or CR).

    Control characters are those of Unicode's category Cc, C1 among them. A UTF-8 byte order mark is allowed
    at the start, and is no character of the first line. The last line counts with and without an ending.
    """

    name = "text"
    Options = TextOptions

    def check(self, stream: CheckedStream) -> None:
        """Read the stream to its end, or to the first fault."""
        most_lines, longest = self.options.max_lines, self.options.max_line_length
        position = Position()
        at_start = True
        for piece in stream.text(self.options.encoding):
            text = piece.removeprefix("\ufeff") if at_start else piece
            at_start = False
            control = _CONTROL.search(text)
            good = text[: control.start()] if control else text
            long_line = _first_longer_line(good, longest, position) if longest is not None else None
            position.pass_over(good)
            if most_lines is not None and min(_lines_before(position), long_line or most_lines + 1) > most_lines:
                raise Invalid(f"The text has more than {most_lines} lines.", line=most_lines + 1)
            if long_line is not None:
                raise Invalid(f"A line is longer than {longest} characters.", line=long_line)
            if control:
                raise _control_refusal(control[0], position)
        if _lines_before(position) < self.options.min_lines:
            raise Invalid(
                f"The text has too few lines: {_lines_before(position)}, where {self.options.min_lines} are needed."
            )


def _control_refusal(character: str, position: Position) -> Invalid:
    message = f"The text holds the control character U+{ord(character):04X}."
    if character == "\0":
        message = "The text holds a NUL: is it a binary file, or UTF-16?"
    return Invalid(message, line=position.line, column=position.column)


def _lines_before(position: Position) -> int:
    return position.line if position.column > 1 else position.line - 1


def _first_longer_line(text: str, longest: int, position: Position) -> int | None:
    """Number of the first line that is longer, in a text that follows the position."""
    first, *others = text.split("\n")
    lengths = [position.column - 1 + len(first), *map(len, others)]
    if max(lengths) <= longest:
        return None
    return position.line + next(index for index, length in enumerate(lengths) if length > longest)
