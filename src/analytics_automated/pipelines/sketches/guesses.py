"""What each word of a command line is likely to be: an input, an output, a parameter, or just text."""

import enum
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from analytics_automated.pipelines.checks.interpreters import INTERPRETERS


class Kind(enum.Enum):
    """What a word is taken for."""

    TEXT = enum.auto()
    """A fixed part of the command."""
    INPUT = enum.auto()
    """A file that is read."""
    OUTPUT = enum.auto()
    """A file that is written."""
    FOLDER = enum.auto()
    """A folder that files are written to."""
    SHIPPED = enum.auto()
    """A file that belongs to the pipeline: a script, a model."""
    VALUE = enum.auto()
    """A parameter's value."""
    SWITCH = enum.auto()
    """A parameter that is given or not."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A word and what it is taken for."""

    kind: Kind
    word: str
    lead: str = ""
    """What of the word stands before the value, such as `--threads=`."""
    option: str = ""
    """The option that it belongs to."""

    @property
    def value(self) -> str:
        """The file or value in the word."""
        return self.word.removeprefix(self.lead)

    @property
    def is_behind_option(self) -> bool:
        """True where the word before is its option."""
        return bool(self.option) and not self.lead and self.kind is not Kind.SWITCH


Exists = Callable[[str], bool]
"""Whether a word names a file that is there."""

INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
"""Numbers as JSON has them (RFC 8259, section 6)."""
_OPTION = re.compile(r"--?[A-Za-z][\w.:-]*")
_WITH_VALUE = re.compile(r"(?P<lead>(?P<option>-{0,2}[A-Za-z][\w.-]*)=)(?P<value>.+)", re.DOTALL)
_ATTACHED = re.compile(r"(?P<option>-[A-Za-z])(?P<value>[0-9]+(\.[0-9]+)?)")
_PATH = re.compile(r"(?!.*(//|@))[\w./+~-]*[\w+-]\.[A-Za-z][A-Za-z0-9]{0,9}(\.(gz|bz2|xz|zst))?")
_OUTPUT = re.compile(
    r"o|of|out|output|outfile|dest|destination|result|results|out[-_]?(file|put|path)?|output[-_]?(file|path|name)|log(file)?"
)
_ENDS_AS_OUTPUT = re.compile(r"\w*[a-z][-_]?out([-_]?(file|path))?")
"""Such as `--tblout`. Only of a file that is there, and was made when the command was tried: `--layout` has a word."""
_OUTPUT_FOLDER = re.compile(r"(out|output|result|results)[-_]?(dir|directory|folder)|outdir|dir[-_]?out")
_OUTPUT_STEM = re.compile(r"(.*[_.-])?(out|output|results?|sorted|aligned|filtered)([_.-].*)?", re.IGNORECASE)
_SWITCH = re.compile(
    r"(no|with|without|keep|skip|ignore|use|allow|enable|disable|only|print|show|write)[-_].*|quiet|silent|verbose|"
    r"debug|force|auto|all|recursive|progress|numeric|reverse|unique|header|strict|fast|overwrite|help|version"
)
_SHIPPED = re.compile(
    r".*\.(py|pyc|R|r|Rmd|pl|pm|rb|js|mjs|jl|sh|bash|lua|php|jar|awk|sed|gp|m|nf|smk|pkl|pickle|joblib|pt|pth|onnx|h5|"
    r"keras|rds|RDS|RData|rda|safetensors)"
)
_PRINTS_O = frozenset({"grep", "egrep", "fgrep", "zgrep", "rg", "ag", "ps", "set", "ssh", "mount"})
"""Programs whose `-o` names no output."""
_VALUED = {
    **dict.fromkeys(("grep", "egrep", "fgrep", "zgrep"), "efmABCdD"),
    **dict.fromkeys(("head", "tail"), "nc"),
    **dict.fromkeys(("cat", "tac", "rev", "wc", "tr", "comm", "cp", "mv", "md5sum", "sha256sum", "gzip", "gunzip"), ""),
    "sort": "kotST",
    "cut": "bcdf",
    "uniq": "fsw",
    "fold": "w",
    "paste": "d",
    "join": "12toaev",
    "nl": "bdfhilnsvw",
    "sed": "efl",
    **dict.fromkeys(("awk", "gawk", "mawk"), "fvF"),
}
"""The short options that take a value, of programs that most people have: all others of theirs are switches."""


def guess_words(words: Sequence[str | None], exists: Exists) -> list[Guess]:
    """A guess for each word. A word that is `None` means something that only its shell knows.

    The first word is the program.
    """
    known = [word if word is not None else "" for word in words]
    guesses = list(_each(known, [word is None for word in words], exists))
    guesses = _script_of_interpreter(guesses, exists)
    return _first_of_missing(guesses)


def _each(words: Sequence[str], opaque: Sequence[bool], exists: Exists) -> Iterator[Guess]:
    program = words[0].rpartition("/")[2] if words else ""
    option, only_operands, has_input = "", False, False
    for index, word in enumerate(words):
        following = words[index + 1] if index + 1 < len(words) and not opaque[index + 1] else None
        if index == 0 or opaque[index]:
            guess = Guess(Kind.TEXT, word)
            option = ""
        elif option:
            guess, option = _behind(program, option, word, exists), ""
        elif only_operands or word == "-":
            guess = _operand(word, exists, has_input=has_input)
        elif word == "--":
            guess, only_operands = Guess(Kind.TEXT, word), True
        elif _OPTION.fullmatch(word):
            option = word if _takes(program, word, following) else ""
            is_switch = not option and word.startswith("--") and len(word) > 3
            guess = Guess(Kind.SWITCH if is_switch else Kind.TEXT, word, option=word)
            if _ATTACHED.fullmatch(word) and not option:
                guess = _attached(word)
        elif found := _WITH_VALUE.fullmatch(word):
            guess = _within(word, found["lead"], found["option"], found["value"], exists)
        else:
            guess = _operand(word, exists, has_input=has_input)
        has_input = has_input or guess.kind is Kind.INPUT
        yield guess


def _takes(program: str, option: str, following: str | None) -> bool:
    """Whether the word behind belongs to the option."""
    if following is None or (following.startswith("-") and not NUMBER.fullmatch(following)) or not following:
        return False
    name = option.lstrip("-")
    if option.startswith("--"):
        return not _SWITCH.fullmatch(name)
    if program in _VALUED:
        return name[-1] in _VALUED[program] and not any(letter in _VALUED[program] for letter in name[:-1])
    return not _ATTACHED.fullmatch(option) and not (name == "o" and program in _PRINTS_O)


def _attached(word: str) -> Guess:
    found = _ATTACHED.fullmatch(word)
    if found is None or not NUMBER.fullmatch(found["value"]):
        return Guess(Kind.TEXT, word)
    return Guess(Kind.VALUE, word, lead=found["option"], option=found["option"])


def _behind(program: str, option: str, word: str, exists: Exists) -> Guess:
    kind = _kind_of_value(option, word, exists)
    if kind is Kind.VALUE and program in _VALUED and number_of(word) is None:
        kind = Kind.TEXT  # a pattern, a delimiter or a list of columns, which belongs to what the command does
    return Guess(kind, word, option=option)


def _within(word: str, lead: str, option: str, value: str, exists: Exists) -> Guess:
    kind = _kind_of_value(option, value, exists)
    if not option.startswith("-") and kind is Kind.VALUE:
        kind = Kind.TEXT  # a word such as `a=b`, which may mean anything
    return Guess(kind, word, lead=lead, option=option)


def _kind_of_value(option: str, value: str, exists: Exists) -> Kind:
    name = option.lstrip("-").lower()
    is_number = NUMBER.fullmatch(value) is not None
    if _OUTPUT_FOLDER.fullmatch(name) or (_OUTPUT.fullmatch(name) and value.endswith("/")):
        return Kind.FOLDER
    if _OUTPUT.fullmatch(name) and not is_number and not value.startswith("/dev/"):
        return Kind.OUTPUT
    if exists(value):
        made = Kind.OUTPUT if _ENDS_AS_OUTPUT.fullmatch(name) else Kind.INPUT
        return Kind.SHIPPED if _SHIPPED.fullmatch(value) else made
    if is_number:
        return Kind.VALUE
    if _PATH.fullmatch(value):
        return Kind.OUTPUT
    # Paths are the server's: callers do not choose them.
    return Kind.TEXT if "/" in value or value.startswith("~") else Kind.VALUE


def _operand(word: str, exists: Exists, *, has_input: bool) -> Guess:
    if exists(word):
        if _SHIPPED.fullmatch(word):
            return Guess(Kind.SHIPPED, word)
        stem = word.rpartition("/")[2].rpartition(".")[0]
        return Guess(Kind.OUTPUT if has_input and _OUTPUT_STEM.fullmatch(stem) else Kind.INPUT, word)
    if NUMBER.fullmatch(word) and not word.startswith("-"):
        return Guess(Kind.VALUE, word)
    return Guess(Kind.OUTPUT if _PATH.fullmatch(word) and not word.startswith("-") else Kind.TEXT, word)


def _script_of_interpreter(guesses: list[Guess], exists: Exists) -> list[Guess]:
    """The first file that an interpreter is given is its script, whatever it is called."""
    program = guesses[0].word.rpartition("/")[2] if guesses else ""
    if not any(each.takes_script and re.fullmatch(each.programs, program) for each in INTERPRETERS):
        return guesses
    for index, guess in enumerate(guesses[1:], 1):
        if guess.kind is Kind.SHIPPED:
            break
        if guess.kind is Kind.INPUT and not guess.lead and not guess.word.startswith("-") and exists(guess.word):
            return [*guesses[:index], Guess(Kind.SHIPPED, guess.word), *guesses[index + 1 :]]
        if guess.kind is Kind.TEXT and not guess.word.startswith("-"):
            break  # code on the command line, or what it is behind
    return guesses


def _first_of_missing(guesses: list[Guess]) -> list[Guess]:
    """Of several files none of which is there, the first is what is read."""
    files = [index for index, guess in enumerate(guesses) if guess.kind is Kind.OUTPUT]
    if any(guess.kind is Kind.INPUT for guess in guesses) or len(files) < 2:
        return guesses
    first = next((index for index in files if not guesses[index].option), None)
    if first is None or first == files[-1] == files[0]:
        return guesses
    changed = Guess(Kind.INPUT, guesses[first].word, guesses[first].lead, guesses[first].option)
    return [*guesses[:first], changed, *guesses[first + 1 :]]


def number_of(text: str) -> int | float | None:
    """The number that the text is; none where it is something else, or too large for a number."""
    if INTEGER.fullmatch(text) and len(text) <= 18:
        return int(text)
    if NUMBER.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return None
