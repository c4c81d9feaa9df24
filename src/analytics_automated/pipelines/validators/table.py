"""Tables: comma-separated and tab-separated values."""

import csv
import io
import re
from abc import abstractmethod
from collections.abc import Iterator
from typing import Annotated, Final, Self, TypeVar

from pydantic import Field, field_validator, model_validator

from analytics_automated.pipelines.validators.base import (
    CheckedStream,
    Invalid,
    Options,
    Validator,
    excerpt,
)

LONGEST_LINE: Final = 16_777_216
"""Characters of a line, and of the header row, at most: a hundred thousand columns and more."""

LONGEST_MATCHED: Final = 65_536
"""Characters of a line that a regular expression looks at: each quote in it takes memory."""


class TableOptions(Options):
    """What is asked of the table; bounds are inclusive."""

    header: bool = Field(True, description="Is the first row the names of the columns?")
    columns: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        (), description="Names of columns that must be there, in any order, among others. Needs `header`."
    )
    min_rows: int = Field(1, ge=0, description="Fewest rows, the header not counted.")
    max_rows: int | None = Field(None, ge=0, description="Most rows, the header not counted.")

    @model_validator(mode="after")
    def _options_fit_together(self) -> Self:
        if self.columns and not self.header:
            raise ValueError("columns have names only where header is true")
        if self.max_rows is not None and self.min_rows > self.max_rows:
            raise ValueError(f"min_rows ({self.min_rows}) is more than max_rows ({self.max_rows})")
        return self


class CsvOptions(TableOptions):
    """The options of every table, and the delimiter."""

    delimiter: str = Field(
        ",", min_length=1, max_length=1, description="The character between fields: `,` or `;`, for example."
    )

    @field_validator("delimiter")
    @classmethod
    def _delimits(cls, delimiter: str) -> str:
        if not delimiter.isascii() or delimiter in '"\r\n\0':
            raise ValueError("the delimiter is an ASCII character other than a quote, a line ending or NUL")
        return delimiter


TableOptionsT = TypeVar("TableOptionsT", bound=TableOptions)

Lines = Iterator[tuple[int, str]]
"""Number and text of each line."""


class TableValidator(Validator[TableOptionsT]):
    """What both kinds of table have in common: rows of one width, in UTF-8.

    The first row decides the width. Blank lines are no rows. Lines end in LF, CRLF or CR. A byte order mark
    at the start is allowed, as spreadsheets write it, and belongs to no name. NUL is refused.
    """

    def check(self, stream: CheckedStream) -> None:
        """Read the stream to its end, or to the first fault."""
        lines = _text_lines(stream)
        width = self._read_header(lines) if self.options.header else None
        most = self.options.max_rows
        count = 0
        for line, found in self._widths(lines):
            width = width or found
            if found != width:
                raise Invalid(f"A row has {_fields(found)}, where the first row has {width}.", line=line)
            count += 1
            if most is not None and count > most:
                raise Invalid(f"The table has more than {most} rows.", line=line)
        if count < self.options.min_rows:
            raise Invalid(
                f"The table has too few rows: {count}, where {self.options.min_rows} are needed"
                f"{', not counting the header' if self.options.header else ''}."
            )

    @abstractmethod
    def _widths(self, lines: Lines) -> Iterator[tuple[int, int]]:
        """Number of the first line, and the number of fields, of each row."""

    @abstractmethod
    def _split(self, row: str) -> list[str]:
        """The fields of a row that `_widths` has let pass; line endings in it are LF."""

    def _read_header(self, lines: Lines) -> int:
        """Check the names; return how many there are."""
        taken: list[str] = []
        first = next(self._widths(_collected(lines, taken)), None)
        if first is None:
            raise Invalid("The table is empty: a row with the names of the columns is expected.")
        line, width = first
        names = self._split("\n".join(taken)) if self.options.columns else []
        for column in self.options.columns:
            if column not in names:
                raise Invalid(f"The column {excerpt(column)} is missing.", line=line)
            if names.count(column) > 1:
                raise Invalid(f"The column {excerpt(column)} is there more than once.", line=line)
        return width


class TsvValidator(TableValidator[TableOptions]):
    """Tab-separated values, IANA's text/tab-separated-values: fields hold no tabs, quotes mean nothing."""

    name = "tsv"
    Options = TableOptions

    def _widths(self, lines: Lines) -> Iterator[tuple[int, int]]:
        for number, line in lines:
            if line:
                yield number, line.count("\t") + 1

    def _split(self, row: str) -> list[str]:
        return row.split("\t")


class CsvValidator(TableValidator[CsvOptions]):
    """Comma-separated values: RFC 4180, with any delimiter.

    A field in double quotes may hold delimiters, line endings, and quotes written twice. A quote anywhere
    else is refused, since programs read it in different ways.
    """

    name = "csv"
    Options = CsvOptions

    def __init__(self, options: CsvOptions) -> None:
        super().__init__(options)
        delimiter = re.escape(options.delimiter)
        self._quoted_fields = re.compile(rf'(?:^|(?<={delimiter}))"[^"]*(?:""[^"]*)*"(?={delimiter}|\Z)')

    def _widths(self, lines: Lines) -> Iterator[tuple[int, int]]:
        delimiter = self.options.delimiter
        inside = False  # a quoted field that goes on in the next line
        row_line = field_line = width = 0
        for number, line in lines:
            if not inside:
                if not line:
                    continue
                # Without the quoted fields that begin and end in the line, delimiters are what counts.
                short = len(line) <= LONGEST_MATCHED
                plain = self._quoted_fields.sub("", line) if short and '"' in line else line
                if '"' not in plain:
                    yield number, plain.count(delimiter) + 1
                    continue
                row_line, width = number, 1
            delimiters, at_end = self._count_delimiters(line, number, inside=inside)
            width += delimiters
            if at_end and (delimiters or not inside):
                field_line = number
            inside = at_end
            if not inside:
                yield row_line, width
        if inside:
            raise Invalid("A quoted field that begins here is never closed.", line=field_line)

    def _count_delimiters(self, line: str, number: int, *, inside: bool) -> tuple[int, bool]:
        """The delimiters outside quotes, and whether the line ends inside a quoted field."""
        delimiter = self.options.delimiter
        at = count = 0
        while True:
            if inside:
                closing = line.find('"', at)
                while closing >= 0 and line.startswith('"', closing + 1):
                    closing = line.find('"', closing + 2)
                if closing < 0:
                    return count, True
                at = closing + 1
                if at == len(line):
                    return count, False
                if not line.startswith(delimiter, at):
                    message = (
                        f"{excerpt(line[at])} stands behind a closing quote, where a field must end: "
                        "a quote inside a quoted field is written twice."
                    )
                    raise Invalid(message, line=number, column=at + 1)
                count, at = count + 1, at + 1
            inside = line.startswith('"', at)
            if inside:
                at += 1
                continue
            field_end = line.find(delimiter, at)
            quote = line.find('"', at, len(line) if field_end < 0 else field_end)
            if quote >= 0:
                message = (
                    "A quote stands inside a field that does not begin with one: "
                    "put the field in quotes, and write the quote twice."
                )
                raise Invalid(message, line=number, column=quote + 1)
            if field_end < 0:
                return count, False
            count, at = count + 1, field_end + 1

    def _split(self, row: str) -> list[str]:
        text = io.StringIO(row, newline="")
        try:
            return next(csv.reader(text, delimiter=self.options.delimiter, strict=True))
        except csv.Error as error:  # a name beyond the module's limit
            raise Invalid(f"The names of the columns cannot be read: {error}.") from None


def _text_lines(stream: CheckedStream) -> Lines:
    for number, line in stream.lines(longest=LONGEST_LINE):
        if "\0" in line:
            raise Invalid("The table holds a NUL: is it another kind of file, or UTF-16?", line=number)
        yield number, line.removeprefix("\ufeff") if number == 1 else line


def _collected(lines: Lines, taken: list[str]) -> Lines:
    held = 0
    for number, line in lines:
        if taken or line:  # blank lines in front of the header are no part of it
            held += len(line) + 1
            taken.append(line)
        if held > LONGEST_LINE:
            raise Invalid(f"The header row is longer than {LONGEST_LINE} characters.", line=number)
        yield number, line


def _fields(count: int) -> str:
    return "1 field" if count == 1 else f"{count} fields"
