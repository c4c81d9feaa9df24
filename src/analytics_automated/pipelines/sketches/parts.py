"""What is gathered while a command line is read: files, parameters, and their names."""

import os
import re
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analytics_automated.pipelines.checks.job import RESERVED_STEPS
from analytics_automated.pipelines.checks.public_parameters import RESERVED_FIELDS
from analytics_automated.pipelines.files.source import core_value
from analytics_automated.pipelines.sketches.guesses import Guess, number_of

_NAMES_BY_EXTENSION = {
    "sequences": "fa fas fasta faa fna ffn frn",
    "reads": "fq fastq",
    "table": "csv tsv tab xls xlsx parquet",
    "structure": "pdb cif mmcif ent",
    "alignment": "aln sto stockholm a3m clustal phy phylip msf bam sam cram",
    "tree": "nwk newick tree treefile",
    "variants": "vcf bcf",
    "features": "gff gff3 gtf bed",
    "model": "hmm pssm",
    "picture": "png svg jpg jpeg gif tif tiff bmp webp",
    "document": "pdf html htm xml md docx",
    "settings": "ini cfg conf toml yaml yml",
    "archive": "zip tar tgz",
    "log": "log",
}
_NAME_OF_EXTENSION = {each: name for name, text in _NAMES_BY_EXTENSION.items() for each in text.split()}
_PACKED = re.compile(r"\.(gz|bz2|xz|zst)$")
_NAMELESS = re.compile(r"(in|input|infile|in[-_]?file|i|f|file|files|path|o|of|if|out|output|outfile|out[-_]?file)")
"""Options whose name says nothing that the file does not say better."""
_LONGEST_TEXT = 255


@dataclass(frozen=True, slots=True)
class Level:
    """How much is made of what was guessed. Where checks refuse the result, less is made of it."""

    texts: bool = True
    """Texts become parameters."""
    numbers: bool = True
    """Numbers and switches become parameters."""
    ships: bool = True
    """Scripts and models are shipped with the pipeline."""
    files: bool = True
    """Files become inputs and outputs."""


LEVELS = (
    Level(),
    Level(ships=False),
    Level(texts=False),
    Level(texts=False, ships=False),
    Level(texts=False, numbers=False),
    Level(texts=False, numbers=False, ships=False),
    Level(texts=False, numbers=False, ships=False, files=False),
)


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a command was typed, and where its pipeline file will lie."""

    here: Path
    folder: Path

    def exists(self, word: str) -> bool:
        """Whether the word names a file that is there: a regular one, as only these are data."""
        try:
            return bool(word) and stat.S_ISREG((self.here / word).stat().st_mode)
        except (OSError, ValueError):
            return False

    def absolute(self, word: str) -> str:
        """The file's absolute path."""
        return str((self.here / word).absolute())

    def beside(self, word: str) -> str | None:
        """The file's path from the folder of the pipeline file; none where it lies elsewhere, or has a name that a
        pipeline file does not take."""
        path = Path(os.path.normpath(self.here / word))
        folder = Path(os.path.normpath(self.folder))
        if not path.is_relative_to(folder) or not path.resolve().is_relative_to(folder.resolve()):
            return None
        relative = path.relative_to(folder).as_posix()
        return relative if relative.isprintable() and not relative.startswith("-") else None


@dataclass
class Parts:
    """The files and parameters of the Task that is sketched."""

    ground: Ground
    level: Level
    inputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    """As a pipeline file has them; always spelt out."""
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    """Shipped ones."""
    left: list[str] = field(default_factory=list)
    """Files of the author's that are not shipped, but used where they are."""
    paths: dict[str, list[str]] = field(default_factory=dict)
    """The files that were named, by input."""
    _known: dict[str, tuple[str, str]] = field(default_factory=dict)
    """`input` or `output` and its name, by normal path."""
    _taken: set[str] = field(default_factory=lambda: set(RESERVED_FIELDS))
    _places: set[str] = field(default_factory=set)

    def known(self, path: str) -> tuple[str, str] | None:
        """`input` or `output`, and its name, where the file was met before."""
        return self._known.get(os.path.normpath(path))

    def input(
        self, path: str, option: str = "", *, place: str | None = None, files: Sequence[str] | None = None
    ) -> str:
        """The name of the input that this file is; `place` is its name in the work folder, where that is fixed. With
        `files` it is a pattern that stands for these."""
        known, many = self.known(path), files is not None
        if known and known[0] == "input" and not many:
            return known[1]
        name = self._name(_name_of_option(option) or self._name_of_file(path, many=many))
        self.inputs[name] = {"file": self._place(path if place is None else place, keep=place is not None)}
        self.inputs[name] |= {"many": True} if many else {}
        self.paths[name] = [path] if files is None else [*files]
        self._known[os.path.normpath(path)] = ("input", name)
        return name

    def output(self, path: str, option: str = "", *, keep: bool = False) -> str:
        """The name of the output that this file is."""
        known = self.known(path)
        if known and known[0] == "output":
            return known[1]
        name = self._name(_name_of_option(option) or self._name_of_file(path))
        self.outputs[name] = {"file": self._place(path, keep=keep)}
        self._known[os.path.normpath(path)] = ("output", name)
        return name

    def output_folder(self, path: str, option: str) -> None:
        """All files of a folder as an output, where its path lies in the work folder."""
        place = os.path.normpath(path)
        if not re.fullmatch(r"[\w.-]+(/[\w.-]+)*", place) or place.startswith((".", "-")):
            return
        name = self._name(_name_of_option(option) or _name_of_file(place))
        self.outputs[name] = {"file": f"{place}/*", "many": True}
        self._places.add(place)

    def printed(self) -> str:
        """The output that takes what the command prints."""
        name = self._name("output")
        self.outputs[name] = {"file": self._place("output.txt")}
        return name

    def parameter(self, guess: Guess, *, flag: str | None = None) -> str | None:
        """The name of the parameter that this value is; none where it is better left as it is."""
        number = number_of(guess.value)
        if not (self.level.numbers if number is not None else self.level.texts and _is_fit(guess.value)):
            return None
        kind = "string" if number is None else "integer" if isinstance(number, int) else "number"
        made: dict[str, Any] = {"type": kind}
        if flag is not None:
            made["flag"] = flag
            made |= {"separator": guess.lead.removeprefix(flag)} if guess.lead else {}
        name = self._name(_clean(guess.option) or "value")
        self.parameters[name] = {**made, "default": guess.value if number is None else number}
        return name

    def switch(self, option: str) -> str | None:
        """The name of the parameter that this option is."""
        if not self.level.numbers:
            return None
        name = self._name(_clean(option))
        self.parameters[name] = {"type": "boolean", "flag": option, "default": True}
        return name

    def ship(self, path: str) -> str:
        """The path by which a command finds a file that belongs to the pipeline."""
        beside = self.ground.beside(path)
        if beside is None or not self.level.ships:
            return self.leave(path)
        self.files += [] if beside in self.files else [beside]
        self._places.add(beside)
        return beside

    def leave(self, path: str) -> str:
        """The path of a file that stays where it is."""
        absolute = self.ground.absolute(path)
        self.left += [] if absolute in self.left else [absolute]
        return absolute

    def _name_of_file(self, path: str, *, many: bool = False) -> str:
        """What kind of file it is; its own name where another of that kind is there already."""
        kind = _name_of_file(path, many=many)
        own = _clean(_PACKED.sub("", path.rpartition("/")[2]).partition(".")[0])
        return own if own and kind.lower() in self._taken else kind

    def _name(self, wanted: str) -> str:
        name = _next_free(wanted[:50], self._taken, "_")
        self._taken.add(name.lower())
        return name

    def _place(self, path: str, *, keep: bool = False) -> str:
        """The file's name in the work folder: its own, without folders and signs that mean something."""
        name = path if keep else re.sub(r"[^\w.+-]+", "_", path.rpartition("/")[2], flags=re.ASCII).lstrip("-")[-100:]
        stem, dot, extension = (name if name.strip(".") or keep else "file").partition(".")
        place = stem + dot + extension if keep else _next_free(stem or "file", self._places, "_", dot + extension)
        self._places.add(place)
        return place


def clean_name(text: str, otherwise: str) -> str:
    """A name for a pipeline, Task and Job, made of any text."""
    name = _clean(text) or otherwise
    return f"{name}_task" if name.lower() in {*RESERVED_STEPS, *RESERVED_FIELDS} else name


def _clean(text: str) -> str:
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")
    name = f"n_{name}" if name[:1].isdigit() else name
    if not isinstance(core_value(name), str):
        return f"{name}_" if name else ""  # such as `null`, which YAML would take for something else
    return name[:50]


def _is_fit(text: str) -> bool:
    """Whether it may be the default of a parameter that callers set."""
    return text.isprintable() and len(text) <= _LONGEST_TEXT and not text.startswith("-") and bool(text)


def _name_of_option(option: str) -> str:
    name = _clean(option)
    return "" if len(name) < 3 or _NAMELESS.fullmatch(name.lower()) else name


def _name_of_file(path: str, *, many: bool = False) -> str:
    stem, _, extension = _PACKED.sub("", path.rpartition("/")[2]).rpartition(".")
    name = _NAME_OF_EXTENSION.get(extension.lower()) or _clean(stem or extension)
    return name if name and not many else "files" if many else "file"


def _next_free(wanted: str, taken: Iterable[str], separator: str, end: str = "") -> str:
    """The wanted text, with a number where it is taken."""
    lower = {each.lower() for each in taken}
    tried, number = wanted + end, 1
    while tried.lower() in lower:
        number += 1
        tried = f"{wanted}{separator}{number}{end}"
    return tried
