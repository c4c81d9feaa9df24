"""Structures of molecules in PDB format."""

import re
from typing import Final, NamedTuple, Self

from pydantic import Field, model_validator

from analytics_automated.pipelines.validators.base import CheckedStream, Invalid, Options, Validator, excerpt

LONGEST_LINE: Final = 1_000
"""Characters of a line, at most. The format has 80, and some programs write remarks of their own below it."""

_INTEGER = re.compile(r" *-?[0-9]+ *")
_HYBRID_36 = re.compile(r"[A-Z][0-9A-Z]+|[a-z][0-9a-z]+")
# With the decimal point: a Fortran program that reads F8.3 takes 12 for 0.012.
_REAL = re.compile(r" *[-+]?[0-9]*\.[0-9]+ *")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# An atom as nearly all are written, in which nothing needs a further look.
_USUAL_ATOM = re.compile(
    r"(?:ATOM  |HETATM)(?:[0-9]{5}| [0-9]{4}|  [0-9]{3}|   [0-9]{2}|    [0-9]) "
    r"(?! {4})[ -~]{5}(?! {3})[ -~]{5}(?:[0-9]{4}| [0-9]{3}|  [0-9]{2}|   [0-9])[ -~]{4}"
    r"(?:(?:[-0-9][0-9]{3}| [-0-9][0-9]{2}|  [-0-9][0-9]|   [0-9])\.[0-9]{3}){3}"
    r"(?:(?:[0-9]{3}| [0-9]{2}|  [0-9])\.[0-9]{2}){2}[ -~]*"
)


class _Column(NamedTuple):
    name: str
    start: int  # from 0
    end: int


_SERIAL = _Column("the atom's serial number", 6, 11)
_NUMBER = _Column("the residue's number", 22, 26)
_NAMES = (_Column("the atom's name", 12, 16), _Column("the residue's name", 17, 20))
_COORDINATES = (_Column("x", 30, 38), _Column("y", 38, 46), _Column("z", 46, 54))
_MAY_BE_BLANK = (_Column("the occupancy", 54, 60), _Column("the temperature factor", 60, 66))
_CHAIN: Final = 21
_MODEL_NUMBER = _Column("the model's number", 6, 14)


class PdbOptions(Options):
    """What is asked of the structure; bounds are inclusive. Atoms are those of all models together."""

    min_atoms: int = Field(1, ge=0, description="Fewest atoms.")
    max_atoms: int | None = Field(None, ge=1, description="Most atoms.")
    max_models: int | None = Field(
        None, ge=1, description="Most models. A file without MODEL records is one model: `1` refuses ensembles."
    )
    max_chains: int | None = Field(
        None, ge=1, description="Most chains: different chain identifiers, blank among them."
    )
    hetero: bool = Field(True, description="Do HETATM records count as atoms? They are checked in any case.")

    @model_validator(mode="after")
    def _bounds_make_sense(self) -> Self:
        if self.max_atoms is not None and self.min_atoms > self.max_atoms:
            raise ValueError(f"min_atoms ({self.min_atoms}) is more than max_atoms ({self.max_atoms})")
        return self


class PdbValidator(Validator[PdbOptions]):
    """Atoms in the fixed columns of wwPDB's format 3.3, with models that begin and end.

    Looked at are the records ATOM, HETATM, MODEL, ENDMDL and END; all others pass. An atom has a serial number, a
    name, a residue with name and number, and three coordinates with a decimal point. Numbers may be written in
    hybrid-36, as structures too large for the format have them. Occupancy and temperature factor are numbers or
    blank; the chain may be blank; the element is not asked for. The text is UTF-8 without control characters but
    tab. Lines may be shorter or longer than the format's 80 characters, up to 1,000.
    """

    name = "pdb"
    Options = PdbOptions

    def check(self, stream: CheckedStream) -> None:
        """Read the stream to its end, or to the first fault."""
        reading = _Reading(self.options)
        for number, line in stream.lines(longest=LONGEST_LINE):
            usual = _USUAL_ATOM.fullmatch(line) is not None
            if not usual and (control := _CONTROL.search(line)):
                message = f"The file holds the control character U+{ord(control[0]):04X}."
                raise Invalid(message, line=number, column=control.start() + 1)
            reading.read(number, line, usual_atom=usual)
        reading.finish()


class _Reading:
    """How far one structure has been read."""

    def __init__(self, options: PdbOptions) -> None:
        self._options = options
        self._atoms = self._models = 0
        self._chains: set[str] = set()
        self._model_line: int | None = None  # of the MODEL that is open
        self._atom_line: int | None = None  # of the first atom outside models
        self._ended = False

    def read(self, number: int, line: str, *, usual_atom: bool) -> None:
        if usual_atom:
            self._read_atom(number, line, check=False)
            return
        match line[:6].rstrip():
            case "ATOM" | "HETATM":
                self._read_atom(number, line, check=True)
            case "MODEL":
                self._begin_model(number, line)
            case "ENDMDL":
                if self._model_line is None:
                    raise Invalid("ENDMDL ends a model that never began.", line=number)
                self._model_line = None
            case "END":
                self._ended = True

    def finish(self) -> None:
        options = self._options
        if self._model_line is not None:
            raise Invalid("A model that begins here is not ended by ENDMDL.", line=self._model_line)
        if self._atoms == 0 < options.min_atoms:
            raise Invalid("The file has no atom.")
        if self._atoms < options.min_atoms:
            raise Invalid(f"The file has too few atoms: {self._atoms}, where {options.min_atoms} are needed.")

    def _begin_model(self, number: int, line: str) -> None:
        if self._model_line is not None:
            raise Invalid("A model begins before the one before it was ended by ENDMDL.", line=number)
        if self._atom_line is not None:
            raise Invalid("A model begins behind atoms that belong to no model.", line=number)
        self._refuse_behind_end(number)
        _check_integer(number, line, _MODEL_NUMBER)
        self._models += 1
        if self._options.max_models is not None and self._models > self._options.max_models:
            raise Invalid(f"The file has more than {_count(self._options.max_models, 'model')}.", line=number)
        self._model_line = number

    def _read_atom(self, number: int, line: str, *, check: bool) -> None:
        self._refuse_behind_end(number)
        if self._model_line is None:
            if self._models:
                raise Invalid("An atom stands outside the models.", line=number)
            self._atom_line = self._atom_line or number
        if check:
            _check_atom(number, line)
        if self._options.hetero or line.startswith("ATOM"):
            self._atoms += 1
            if self._options.max_atoms is not None and self._atoms > self._options.max_atoms:
                raise Invalid(f"The file has more than {_count(self._options.max_atoms, 'atom')}.", line=number)
        if self._options.max_chains is not None:
            self._chains.add(line[_CHAIN])
            if len(self._chains) > self._options.max_chains:
                raise Invalid(f"The file has more than {_count(self._options.max_chains, 'chain')}.", line=number)

    def _refuse_behind_end(self, number: int) -> None:
        if self._ended:
            raise Invalid("Atoms or models stand behind END: is this more than one structure?", line=number)


def _check_atom(number: int, line: str) -> None:
    """Check the columns of an ATOM or HETATM record (wwPDB format 3.3, coordinate section)."""
    _check_integer(number, line, _SERIAL)
    for column in _NAMES:
        if not line[column.start : column.end].strip():
            raise _wrong(number, line, column, "is missing")
    _check_integer(number, line, _NUMBER)
    for column in _COORDINATES:
        if len(line) < column.end:
            raise _wrong(number, line, column, "is cut off")
        if not _REAL.fullmatch(line, column.start, column.end):
            raise _wrong(number, line, column, "is no number with a decimal point")
    for column in _MAY_BE_BLANK:
        if line[column.start : column.end].strip() and not _REAL.fullmatch(line, column.start, column.end):
            raise _wrong(number, line, column, "is no number with a decimal point")


def _check_integer(number: int, line: str, column: _Column) -> None:
    if _INTEGER.fullmatch(line, column.start, column.end):
        return
    text = line[column.start : column.end]
    if len(text) < column.end - column.start or not _HYBRID_36.fullmatch(text):
        raise _wrong(number, line, column, "is no whole number")


def _wrong(number: int, line: str, column: _Column, what: str) -> Invalid:
    columns = f"columns {column.start + 1} to {column.end}"
    text = line[column.start : column.end]
    shown = f", {excerpt(text)}, {what}" if text.strip(" ") else " is missing"
    return Invalid(f"{column.name[0].upper()}{column.name[1:]} in {columns}{shown}.", line=number)


def _count(most: int, what: str) -> str:
    return f"1 {what}" if most == 1 else f"{most} {what}s"
