"""Text that matches a regular expression."""

from typing import Final

from pydantic import Field, field_validator

from analytics_automated.pipelines.patterns import compile_pattern
from analytics_automated.pipelines.validators.base import (
    CheckedStream,
    Invalid,
    Options,
    TooSlow,
    Validator,
    excerpt,
    too_much_memory,
)

LONGEST: Final = 1_048_576
"""Characters that one match looks at, at most: those of a line, or of the whole text."""


class RegexOptions(Options):
    """The pattern, and what it is matched with."""

    pattern: str = Field(
        min_length=1,
        max_length=10_000,
        description=(
            "Regular expression, in the syntax of the Python package `regex`, which includes that of `re`. "
            "It must match the whole line or text, not only a part. Recursion, such as `(?R)` or `(?1)`, is refused."
        ),
    )
    every_line: bool = Field(
        True,
        description=(
            "`true`: every line must match, without its line ending. `false`: the text must match as a "
            "whole, with every line ending made `\\n` and the one at its end left off."
        ),
    )

    @field_validator("pattern")
    @classmethod
    def _pattern_compiles(cls, pattern: str) -> str:
        compile_pattern(pattern)
        return pattern


class RegexValidator(Validator[RegexOptions]):
    """Every line, or the whole text, matches a regular expression from beginning to end.

    The text is UTF-8. An empty file is one empty line. A line, or the whole text where it is matched as
    such, has at most 1,048,576 characters. Matching ends at the time bound, so a pattern that backtracks
    without end holds up nobody; while it matches, the bound counts processor time of the whole process. A match
    that needs more memory than there is refuses the file.
    """

    name = "regex"
    Options = RegexOptions

    def __init__(self, options: RegexOptions) -> None:
        super().__init__(options)
        self._pattern = compile_pattern(options.pattern)

    def check(self, stream: CheckedStream) -> None:
        """Read the stream to its end, or to the first line that does not match."""
        if self.options.every_line:
            self._check_lines(stream)
        else:
            self._check_whole(stream)

    def _check_lines(self, stream: CheckedStream) -> None:
        number = 0
        for number, text in stream.lines(longest=LONGEST):
            if not self._matches(text, stream):
                raise Invalid(f"{excerpt(text)} does not match the pattern {self._shown()}.", line=number)
        if number == 0 and not self._matches("", stream):
            raise Invalid(f"The file is empty, which does not match the pattern {self._shown()}.")

    def _check_whole(self, stream: CheckedStream) -> None:
        pieces: list[str] = []
        held = 0
        for piece in stream.text():
            pieces.append(piece)
            held += len(piece)
            if held > LONGEST:
                raise _too_long()
        if not self._matches("".join(pieces).removesuffix("\n"), stream):
            raise Invalid(f"The text does not match the pattern {self._shown()}.")

    def _matches(self, text: str, stream: CheckedStream) -> bool:
        try:
            return self._pattern.fullmatch(text, timeout=stream.seconds_left()) is not None
        except TimeoutError:
            raise TooSlow from None
        except MemoryError:
            raise too_much_memory(self.options.pattern) from None

    def _shown(self) -> str:
        return excerpt(self.options.pattern, 100)


def _too_long() -> Invalid:
    return Invalid(f"The text is longer than the {LONGEST} characters that can be matched as a whole.")
