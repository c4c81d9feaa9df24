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
    max_line_length: int | None = Field(
        None, ge=1, description="Most characters in a line, without the line's ending."
    )

    @model_validator(mode="after")
    def _bounds_make_sense(self) -> Self:
        if self.max_lines is not None and self.min_lines > self.max_lines:
            raise ValueError(f"min_lines ({self.min_lines}) is more than max_lines ({self.max_lines})")
        return self


class TextValidator(Validator[TextOptions]):
    """The file is text: it decodes, and holds no control characters but tab and line endings (LF, CRLF or CR).

    Control characters are Unicode's category Cc, C1 among them. A UTF-8 byte order mark at the start is allowed, and
    no character. The last line counts whether or not it ends in a line ending.
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
            if control := _CONTROL.search(text):
                self._refuse_control(text, control.start(), position)
            if longest is not None:
                _check_line_lengths(text, longest, position)
            position.pass_over(text)
            if most_lines is not None and _lines_before(position) > most_lines:
                raise Invalid(f"The text has more than {most_lines} lines.", line=most_lines + 1)
        if _lines_before(position) < self.options.min_lines:
            raise Invalid(
                f"The text has {_lines_before(position)} lines; at least {self.options.min_lines} are needed."
            )

    def _refuse_control(self, text: str, at: int, position: Position) -> None:
        position.pass_over(text[:at])
        hint = " Is it a binary file, or UTF-16?" if text[at] == "\0" else ""
        raise Invalid(
            f"The text holds the control character U+{ord(text[at]):04X}.{hint}",
            line=position.line,
            column=position.column,
        )


def _lines_before(position: Position) -> int:
    return position.line if position.column > 1 else position.line - 1


def _check_line_lengths(text: str, longest: int, position: Position) -> None:
    first, *others = text.split("\n")
    lengths = [position.column - 1 + len(first), *map(len, others)]
    if max(lengths) > longest:
        index = next(i for i, length in enumerate(lengths) if length > longest)
        raise Invalid(f"A line is longer than {longest} characters.", line=position.line + index)
