"""Structures of molecules in mmCIF format."""

import enum
import re
from collections.abc import Iterator
from typing import Annotated, Final, NamedTuple, Self

from pydantic import Field, field_validator, model_validator

from analytics_automated.pipelines.validators.base import CheckedStream, Invalid, Options, Validator, excerpt

LONGEST_LINE: Final = 1_048_576
"""Characters of a line, at most. CIF 1.1 has 2,048, which programs that write mmCIF exceed."""

MOST_NAMES: Final = 10_000
"""Data names in one block, at most: they are kept to find those that are there twice. Entries have about 2,000."""

LONGEST_NAME: Final = 255
"""Characters of a data name or block name, at most. CIF 1.1 has 75."""

ATOM_SITE: Final = "_atom_site."
COORDINATES: Final = tuple(f"{ATOM_SITE}cartn_{axis}" for axis in "xyz")
REQUIRED: Final = {
    name.lower(): name
    for name in (
        "_atom_site.id",
        "_atom_site.type_symbol",
        "_atom_site.label_atom_id",
        "_atom_site.label_comp_id",
        "_atom_site.label_asym_id",
        "_atom_site.Cartn_x",
        "_atom_site.Cartn_y",
        "_atom_site.Cartn_z",
    )
}
"""What each atom must have. Data names are alike in upper and lower case (CIF 1.1, paragraph 13)."""
MODEL: Final = "_atom_site.pdbx_pdb_model_num"

# CIF 1.1, paragraph 57: a number, with a standard uncertainty in parentheses behind it. None is too large for a float.
_NUMBER = re.compile(r"[-+]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][-+]?[0-9]{1,2})?(?:\([0-9]{1,9}\))?")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# What a line of nothing but plain values does not hold. Every reserved word has a `_`.
_SPECIAL = re.compile(r"""['"#$_\[\]]""")
# Nor does one of words and quoted words, of which none is reserved. Atoms of nucleic acids have names such as "O5'".
_PLAIN = re.compile(
    r"""(?:[ \t]*+(?:"[^" \t]*+"|'[^' \t]*+'|(?!(?i:data|loop|save|stop|global)_)[^ \t'"#$_\[\]][^ \t]*+)"""
    r"""(?![^ \t]))*+[ \t]*+"""
)
_TOKEN = re.compile(
    r"""[ \t]*+(?:
        (?P<comment>\#.*)
      | (?P<single>'(?:[^']|'(?=[^ \t]))*+')(?=[ \t]|$)
      | (?P<double>"(?:[^"]|"(?=[^ \t]))*+")(?=[ \t]|$)
      | (?P<bare>[^ \t]+)
    )""",
    re.VERBOSE,
)


class _Token(NamedTuple):
    text: str  # with its quotes: what is in quotes is no number
    line: int
    column: int
    bare: bool  # not in quotes, nor a text of several lines


class MmcifOptions(Options):
    """What is asked of the structure; bounds are inclusive. Atoms are those of all models and blocks together."""

    atoms: bool = Field(
        True,
        description=(
            "Must there be atoms: a category `_atom_site` whose rows have `id`, `type_symbol`, `label_atom_id`, "
            "`label_comp_id`, `label_asym_id`, and numbers for `Cartn_x`, `Cartn_y` and `Cartn_z`? With `false` "
            "any file of CIF 1.1 is good."
        ),
    )
    max_atoms: int | None = Field(None, ge=1, description="Most atoms.")
    max_models: int | None = Field(
        None, ge=1, le=100_000, description="Most models: different values of `_atom_site.pdbx_PDB_model_num`."
    )
    max_blocks: int | None = Field(1, ge=1, description="Most data blocks.")
    names: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        (), description="Data names that some block must have, such as `_cell.length_a`."
    )

    @field_validator("names")
    @classmethod
    def _are_data_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not re.fullmatch(r"_[!-~]+", name):
                raise ValueError(f"{name!r} is no data name: one begins with _ and holds no blank")
        return names

    @model_validator(mode="after")
    def _options_fit_together(self) -> Self:
        if not self.atoms and (self.max_atoms is not None or self.max_models is not None):
            raise ValueError("max_atoms and max_models belong to atoms: true")
        return self


class MmcifValidator(Validator[MmcifOptions]):
    """Data blocks of the syntax CIF 1.1 (IUCr), with the atoms of the dictionary PDBx/mmCIF.

    Every data name has a value and is in its block once, every loop has names and whole rows, and nothing is in a
    quote or text that never ends. Save frames, `global_` and `stop_` are refused, as mmCIF has none. Unlike CIF
    1.1, lines may have 1,048,576 characters and data names 255, and the text is UTF-8, of which control characters
    but tab are refused. A block has at most 10,000 data names. Names and values are not checked by a dictionary.

    The text is scanned here: libraries such as gemmi read a file whole into memory, and from a path or string.
    """

    name = "mmcif"
    Options = MmcifOptions

    def check(self, stream: CheckedStream) -> None:
        """Read the stream to its end, or to the first fault."""
        reading = _Reading(self.options)
        for number, line in stream.lines(longest=LONGEST_LINE):
            if control := _CONTROL.search(line):
                message = f"The file holds the control character U+{ord(control[0]):04X}."
                raise Invalid(message, line=number, column=control.start() + 1)
            reading.read(number, line)
        reading.finish()


class _Next(enum.Enum):
    """What may come, outside texts of several lines."""

    BLOCK = "'data_' and the name of a block"
    ITEM = "a data name, 'loop_' or 'data_'"
    VALUE = "a value"
    LOOP_NAME = "the first data name of a loop"
    LOOP_NAMES_OR_VALUES = "a data name or value of a loop"
    LOOP_VALUES = "a value of a loop, or what ends it"


class _Reading:
    """How far one file has been read. Holds the data names of a block, and one row of atoms at most."""

    def __init__(self, options: MmcifOptions) -> None:
        self._options = options
        self._next = _Next.BLOCK
        self._blocks = 0
        self._names: set[str] = set()  # of this block, in lower case
        self._wanted = {name.lower(): name for name in options.names}
        self._text_line: int | None = None  # where a text of several lines begins, while it is read
        self._name = ""  # that waits for its value
        self._place = 0  # line of that name, or of `loop_`
        self._loop: list[str] = []  # the names of the loop that is read, in lower case
        self._values = 0  # in that loop
        self._atoms = _Atoms(options)

    def read(self, number: int, line: str) -> None:
        at = 0
        if self._text_line is not None:
            if not line.startswith(";"):
                return
            if line[1:2] not in ("", " ", "\t"):
                raise Invalid("Behind the ';' that ends a text a blank is expected.", line=number, column=2)
            self._text_line = None
            at = 1
        elif line.startswith(";"):
            self._take_value(_Token("", number, 1, bare=False))
            self._text_line = number
            return
        elif self._next is _Next.LOOP_VALUES and (not _SPECIAL.search(line) or _PLAIN.fullmatch(line)):
            self._take_plain_values(line.split(), number)
            return
        for token in _tokens(line, number, at):
            self._take(token)

    def finish(self) -> None:
        if self._text_line is not None:
            raise Invalid("A text that begins here with ';' is not ended by a ';' of its own.", line=self._text_line)
        if self._next is _Next.BLOCK:
            raise Invalid("The file has no data block: it begins with 'data_' and a name.")
        self._end_item()
        self._end_block()
        if self._wanted:
            raise Invalid(f"The data name {excerpt(next(iter(self._wanted.values())), 80)} is missing.")
        self._atoms.finish()

    def _take(self, token: _Token) -> None:
        word = token.text.lower() if token.bare else ""
        if word.startswith("data_"):
            self._begin_block(token)
        elif self._next is _Next.BLOCK:
            raise _refusal(f"{excerpt(token.text)} stands where {self._next.value} is expected.", token)
        elif word == "loop_":
            self._end_item()
            self._next, self._place, self._loop, self._values = _Next.LOOP_NAME, token.line, [], 0
        elif word.startswith("_"):
            self._take_name(word, token)
        elif word.startswith("save_") or word in {"global_", "stop_"}:
            raise _refusal(f"{excerpt(token.text)} is a reserved word, which mmCIF files do not use.", token)
        elif word.startswith(("'", '"')):
            raise _refusal("A quote that begins here is not closed in its line.", token)
        elif word.startswith(("$", "[", "]")):
            raise _refusal(f"A value that begins with {excerpt(word[0])} must be in quotes.", token)
        else:
            self._take_value(token)

    def _begin_block(self, token: _Token) -> None:
        self._end_item()
        self._end_block()
        self._blocks += 1
        if len(token.text) == len("data_") or len(token.text) > LONGEST_NAME:
            raise _refusal(f"Behind 'data_' a name of at most {LONGEST_NAME} characters is expected.", token)
        if self._options.max_blocks is not None and self._blocks > self._options.max_blocks:
            raise _refusal(f"The file has more than {_counted(self._options.max_blocks, 'data block')}.", token)
        self._next = _Next.ITEM

    def _end_block(self) -> None:
        self._names.clear()
        self._atoms.end_block()

    def _take_name(self, word: str, token: _Token) -> None:
        if len(word) == 1 or len(word) > LONGEST_NAME:
            raise _refusal(f"A data name has 1 to {LONGEST_NAME - 1} characters behind its '_'.", token)
        in_loop = self._next in (_Next.LOOP_NAME, _Next.LOOP_NAMES_OR_VALUES)
        if not in_loop:
            self._end_item()
        if word in self._names:
            raise _refusal(f"The data name {excerpt(token.text, 80)} is there more than once in its block.", token)
        if len(self._names) == MOST_NAMES:
            raise _refusal(f"A block has more than {MOST_NAMES} data names.", token)
        self._names.add(word)
        self._wanted.pop(word, None)
        if in_loop:
            self._loop.append(word)
            self._next = _Next.LOOP_NAMES_OR_VALUES
        else:
            self._name, self._place, self._next = word, token.line, _Next.VALUE

    def _take_value(self, token: _Token) -> None:
        if self._next is _Next.VALUE:
            self._atoms.take_pair(self._name, token.text, token.line)
            self._next = _Next.ITEM
        elif self._next in (_Next.LOOP_NAMES_OR_VALUES, _Next.LOOP_VALUES):
            if self._next is _Next.LOOP_NAMES_OR_VALUES:
                self._atoms.begin_loop(self._loop, token.line)
                self._next = _Next.LOOP_VALUES
            self._take_plain_values([token.text], token.line)
        else:
            shown = excerpt(token.text) if token.text else "A text"
            raise _refusal(f"{shown} stands where {self._next.value} is expected.", token)

    def _take_plain_values(self, values: list[str], line: int) -> None:
        self._atoms.take_values(values, line)
        self._values += len(values)

    def _end_item(self) -> None:
        """End the item or loop that was read, before what follows it."""
        if self._next is _Next.VALUE:
            raise Invalid(f"The data name {excerpt(self._name, 80)} has no value.", line=self._place)
        if self._next is _Next.LOOP_NAME:
            raise Invalid("A loop has no data names.", line=self._place)
        if self._next is _Next.LOOP_NAMES_OR_VALUES:
            raise Invalid("A loop has no values.", line=self._place)
        if self._next is _Next.LOOP_VALUES and self._values % len(self._loop):
            message = (
                f"A loop that begins here has {self._values} values for {len(self._loop)} data names: "
                "its last row is not whole."
            )
            raise Invalid(message, line=self._place)
        if self._next is not _Next.BLOCK:
            self._next = _Next.ITEM
        self._atoms.end_loop()


class _Atoms:
    """What is asked of the category `_atom_site`, whose rows are those of a loop, or one of single items."""

    def __init__(self, options: MmcifOptions) -> None:
        self._options = options
        self._count = 0
        self._models: set[str] = set()
        self._columns: list[str] | None = None  # of the loop of atoms that is read
        self._row: list[str] = []  # what is there of a row
        self._checked: list[int] = []  # places of the coordinates in a row
        self._model_place: int | None = None
        self._single: dict[str, str] = {}
        self._single_line = 0

    def begin_loop(self, names: list[str], line: int) -> None:
        if self._options.atoms and any(name.startswith(ATOM_SITE) for name in names):
            self._begin_rows(names, line)

    def take_values(self, values: list[str], line: int) -> None:
        if self._columns is None:
            return
        width = len(self._columns)
        if not self._row and len(values) == width:
            self._take_row(values, line)
            return
        # Cut, as a row of many long values would be much to hold.
        self._row += [value[:LONGEST_NAME] for value in values]
        whole = len(self._row) - len(self._row) % width
        for at in range(0, whole, width):
            self._take_row(self._row[at : at + width], line)
        del self._row[:whole]

    def end_loop(self) -> None:
        self._columns = None
        self._row = []

    def take_pair(self, name: str, value: str, line: int) -> None:
        if self._options.atoms and name.startswith(ATOM_SITE):
            self._single[name] = value[:LONGEST_NAME]
            self._single_line = line

    def end_block(self) -> None:
        if self._single:
            self._begin_rows(list(self._single), self._single_line)
            self._take_row(list(self._single.values()), self._single_line)
            self._columns = None
            self._single = {}

    def finish(self) -> None:
        if self._options.atoms and not self._count:
            raise Invalid("The file has no atom: the category _atom_site is missing.")

    def _begin_rows(self, columns: list[str], line: int) -> None:
        for lower, name in REQUIRED.items():
            if lower not in columns:
                raise Invalid(f"The category _atom_site has no {name}.", line=line)
        self._columns = columns
        self._checked = [columns.index(name) for name in COORDINATES]
        self._model_place = columns.index(MODEL) if MODEL in columns and self._options.max_models is not None else None

    def _take_row(self, row: list[str], line: int) -> None:
        for place in self._checked:
            if not _NUMBER.fullmatch(row[place]):
                name = REQUIRED[COORDINATES[self._checked.index(place)]]
                raise Invalid(f"{excerpt(row[place])} is no number, as {name} must be.", line=line)
        self._count += 1
        options = self._options
        if options.max_atoms is not None and self._count > options.max_atoms:
            raise Invalid(f"The file has more than {_counted(options.max_atoms, 'atom')}.", line=line)
        if self._model_place is not None and options.max_models is not None:
            self._models.add(row[self._model_place][:LONGEST_NAME])
            if len(self._models) > options.max_models:
                raise Invalid(f"The file has more than {_counted(options.max_models, 'model')}.", line=line)


def _tokens(line: str, number: int, at: int) -> Iterator[_Token]:
    while found := _TOKEN.match(line, at):
        kind = found.lastgroup
        if kind in (None, "comment"):
            return
        yield _Token(found[kind], number, found.start(kind) + 1, bare=kind == "bare")
        at = found.end()


def _refusal(message: str, token: _Token) -> Invalid:
    return Invalid(message, line=token.line, column=token.column)


def _counted(most: int, what: str) -> str:
    return f"1 {what}" if most == 1 else f"{most} {what}s"
