"""Tables: comma-separated and tab-separated values."""

import csv
import re
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any, Final, Self, TypeVar

from pydantic import BeforeValidator, Field, field_validator, model_validator

from analytics_automated.pipelines.validators.base import (
    CheckedStream,
    Invalid,
    Options,
    Validator,
    excerpt,
)
from analytics_automated.pipelines.validators.table_columns import ColumnOptions, FieldCheck, column, field_check

LONGEST_LINE: Final = 16_777_216
"""Characters of a line, and of the header row, at most: a hundred thousand columns and more."""

LONGEST_MATCHED: Final = 65_536
"""Characters of a line that a regular expression looks at: each quote in it takes memory."""

MOST_COLUMNS: Final = 100_000
"""Columns of a table of which columns are named, at most: the fields of a row are then held one by one."""


def _named(value: Any) -> Any:
    """A list of names is a mapping of each to a column of any texts."""
    if not isinstance(value, list | tuple):
        return value
    for name in value:
        if not isinstance(name, str):
            raise ValueError(f"{name!r} is no name of a column: put it in quotes")
    return {name: ColumnOptions() for name in value}


Columns = Annotated[dict[str, Annotated[ColumnOptions, BeforeValidator(column)]], BeforeValidator(_named)]


class TableOptions(Options):
    """What is asked of the table; bounds are inclusive."""

    header: bool = Field(True, description="Is the first row the names of the columns?")
    columns: Columns = Field(
        {},
        description=(
            "Columns that must be there, in any order, among others: a list of names, or a mapping of names to what "
            "their fields hold, such as `{age: integer, group: {type: choice, choices: [a, b]}}`. Needs `header`."
        ),
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

Check = tuple[int, str, FieldCheck]
"""Place and name of a column, and the check of its fields."""


class TableValidator(Validator[TableOptionsT]):
    """What both kinds of table have in common: rows of one width, in UTF-8.

    The first row decides the width. Blank lines are no rows. Lines end in LF, CRLF or CR. A byte order mark
    at the start is allowed, as spreadsheets write it, and belongs to no name. NUL is refused.
    """

    def __init__(self, options: TableOptionsT) -> None:
        super().__init__(options)
        checks = ((name, field_check(column)) for name, column in options.columns.items())
        self._checks = {name: check for name, check in checks if check is not None}

    def check(self, stream: CheckedStream) -> None:
        """Read the stream to its end, or to the first fault."""
        lines = _text_lines(stream)
        width: int | None = None
        checks: list[Check] = []
        if self.options.header:
            width, checks = self._read_header(lines, stream)
        most = self.options.max_rows
        count = 0
        taken: list[str] = []
        for line, found in self._widths(_collected(lines, taken, "row") if checks else lines, stream):
            width = width or found
            if found != width:
                raise Invalid(f"A row has {_fields(found)}, where the first row has {width}.", line=line)
            if checks:
                _check_fields(self._split("\n".join(taken), line), checks, line)
                taken.clear()
            count += 1
            if most is not None and count > most:
                raise Invalid(f"The table has more than {most} rows.", line=line)
        if count < self.options.min_rows:
            raise Invalid(
                f"The table has too few rows: {count}, where {self.options.min_rows} are needed"
                f"{', not counting the header' if self.options.header else ''}."
            )

    @abstractmethod
    def _widths(self, lines: Lines, stream: CheckedStream) -> Iterator[tuple[int, int]]:
        """Number of the first line, and the number of fields, of each row."""

    @abstractmethod
    def _split(self, row: str, line: int) -> list[str]:
        """The fields of a row that `_widths` has let pass, beginning at that line; line endings in it are LF."""

    def _read_header(self, lines: Lines, stream: CheckedStream) -> tuple[int, list[Check]]:
        """Check the names; return how many there are, and the checks of the fields below them."""
        taken: list[str] = []
        first = next(self._widths(_collected(lines, taken, "header row"), stream), None)
        if first is None:
            raise Invalid("The table is empty: a row with the names of the columns is expected.")
        line, width = first
        if not self.options.columns:
            return width, []
        if width > MOST_COLUMNS:
            raise Invalid(f"The table has more than {MOST_COLUMNS} columns.", line=line)
        names = self._split("\n".join(taken), line)
        places = {name: place for place, name in enumerate(names)}
        counts = Counter(names)
        for name, options in self.options.columns.items():
            if name not in counts and not options.optional:
                raise Invalid(f"The column {excerpt(name)} is missing.", line=line)
            if counts[name] > 1:
                raise Invalid(f"The column {excerpt(name)} is there more than once.", line=line)
        return width, [(places[name], name, check) for name, check in self._checks.items() if name in places]


class TsvValidator(TableValidator[TableOptions]):
    """Tab-separated values, IANA's text/tab-separated-values: fields hold no tabs, quotes mean nothing."""

    name = "tsv"
    Options = TableOptions

    def _widths(self, lines: Lines, stream: CheckedStream) -> Iterator[tuple[int, int]]:  # noqa: ARG002 -- as the other
        for number, line in lines:
            if line:
                yield number, line.count("\t") + 1

    def _split(self, row: str, line: int) -> list[str]:  # noqa: ARG002 -- as the other
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

    def _widths(self, lines: Lines, stream: CheckedStream) -> Iterator[tuple[int, int]]:
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
            delimiters, at_end = self._count_delimiters(line, number, stream, inside=inside)
            width += delimiters
            if at_end and (delimiters or not inside):
                field_line = number
            inside = at_end
            if not inside:
                yield row_line, width
        if inside:
            raise Invalid("A quoted field that begins here is never closed.", line=field_line)

    def _count_delimiters(self, line: str, number: int, stream: CheckedStream, *, inside: bool) -> tuple[int, bool]:
        """The delimiters outside quotes, and whether the line ends inside a quoted field."""
        delimiter = self.options.delimiter
        at = count = 0
        looked = 0  # how far the line went when the time was last looked at
        while True:
            if at - looked > LONGEST_MATCHED:
                stream.seconds_left()
                looked = at
            if inside:
                closing = line.find('"', at)
                while closing >= 0 and line.startswith('"', closing + 1):
                    closing = line.find('"', closing + 2)
                    if closing - looked > LONGEST_MATCHED:
                        stream.seconds_left()
                        looked = closing
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

    def _split(self, row: str, line: int) -> list[str]:
        if '"' not in row:
            return row.split(self.options.delimiter)
        try:
            return next(csv.reader([row], delimiter=self.options.delimiter, strict=True))
        except csv.Error as error:  # a field beyond the module's limit
            raise Invalid(f"The fields of a row cannot be read: {error}.", line=line) from None


def _check_fields(fields: list[str], checks: list[Check], line: int) -> None:
    for place, name, check in checks:
        expected = check(fields[place])
        if expected is not None:
            message = f"The column {excerpt(name)} holds {excerpt(fields[place])}, where {expected} is expected."
            raise Invalid(message, line=line)


def _text_lines(stream: CheckedStream) -> Lines:
    for number, line in stream.lines(longest=LONGEST_LINE):
        if "\0" in line:
            raise Invalid("The table holds a NUL: is it another kind of file, or UTF-16?", line=number)
        yield number, line.removeprefix("\ufeff") if number == 1 else line


def _collected(lines: Lines, taken: list[str], what: str) -> Lines:
    """The lines, of which those of one row are taken: who has read the row clears them."""
    held = 0
    for number, line in lines:
        if not taken:
            held = 0
        if taken or line:  # blank lines in front of a row are no part of it
            held += len(line) + 1
            taken.append(line)
        if held > LONGEST_LINE:
            raise Invalid(f"The {what} is longer than {LONGEST_LINE} characters.", line=number)
        yield number, line


def _fields(count: int) -> str:
    return "1 field" if count == 1 else f"{count} fields"
