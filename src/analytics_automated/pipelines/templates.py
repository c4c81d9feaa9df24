"""Command templates: words with placeholders, split once when the configuration is read.

A template's words are fixed before any value is known. Values go in afterwards, so no value can become a second
argument, a flag or shell text.
"""

import re
import shlex
from dataclasses import dataclass

KINDS = ("input", "output", "param", "data", "resources", "scatter", "submission")
"""Words that begin a placeholder, before the dot."""

# A name may hold . and - here, though no name does: a mistyped {input.my-file} is an error then, and no literal text.
_NAME = r"[A-Za-z0-9_.\-]*"
_PLACEHOLDER = rf"(?:(?P<kind>{'|'.join(KINDS)})\.(?P<name>{_NAME})|(?P<workdir>workdir))"
_PART = re.compile(rf"\{{\{{(?P<escaped>(?:{'|'.join(KINDS)})\.{_NAME}|workdir)\}}\}}|\{{{_PLACEHOLDER}\}}")

FIXED_NAMES = {
    "resources": ("cpus", "memory_mb"),
    "scatter": ("index", "stem"),
    "submission": ("id",),
}
"""The names behind those kinds that are the same for every task."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    """`{kind.name}`; `{workdir}` has the kind `workdir` and no name."""

    kind: str
    name: str = ""

    def __str__(self) -> str:
        return "{workdir}" if self.kind == "workdir" else f"{{{self.kind}.{self.name}}}"


Part = str | Placeholder


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a command (or one text of the environment): literal text and placeholders in turn."""

    parts: tuple[Part, ...]

    @property
    def lone(self) -> Placeholder | None:
        """The placeholder, where the word is exactly one: only such a word may become none or several words."""
        return self.parts[0] if len(self.parts) == 1 and isinstance(self.parts[0], Placeholder) else None

    @property
    def placeholders(self) -> tuple[Placeholder, ...]:
        """The placeholders of the word, in order."""
        return tuple(part for part in self.parts if isinstance(part, Placeholder))

    @property
    def literal(self) -> str | None:
        """The text, where there is no placeholder in it."""
        return "".join(str(part) for part in self.parts) if not self.placeholders else None

    @property
    def lead(self) -> str:
        """The literal text that the word begins with; empty where a placeholder comes first."""
        return self.parts[0] if self.parts and isinstance(self.parts[0], str) else ""


class TemplateError(ValueError):
    """A command that cannot be split into words. The message says why and what would be right."""


def parse_word(text: str) -> Word:
    """Find the placeholders in one word; every other brace is literal, and `{{input.x}}` is `{input.x}`."""
    parts: list[Part] = []
    literal = ""
    position = 0
    for found in _PART.finditer(text):
        literal += text[position : found.start()]
        position = found.end()
        if found["escaped"] is not None:
            literal += "{" + found["escaped"] + "}"
            continue
        if literal:
            parts.append(literal)
            literal = ""
        parts.append(Placeholder("workdir") if found["workdir"] else Placeholder(found["kind"], found["name"]))
    literal += text[position:]
    if literal:
        parts.append(literal)
    return Word(tuple(parts))


def placeholders_in_shell(text: str) -> tuple[Placeholder, ...]:
    """What would be placeholders in shell text, where `${workdir}` is the shell's own."""
    return parse_word(text.replace("${workdir}", "")).placeholders


def parse_command(command: str) -> tuple[Word, ...]:
    """Split a command into words as a POSIX shell splits (XCU 2.2 quoting), once.

    Raises `TemplateError` for what only a shell could do.
    """
    text, sign = _scan(command)
    if sign:
        raise TemplateError(
            f"holds {sign} outside quotes, which only a shell understands: "
            "put the sign in quotes, or write the command as a `script`"
        )
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise TemplateError(f"cannot be split into words: {str(error).lower()}") from error
    if not words:
        raise TemplateError("is empty")
    return tuple(parse_word(word) for word in words)


_SIGNS = {
    "|": "a pipe or ||",
    ">": "a redirection",
    "<": "a redirection",
    ";": "a ;",
    "&": "a & or &&",
    "`": "a `",
    "$": "a $",
}


def _scan(command: str) -> tuple[str, str | None]:
    """The command with its continued lines joined, as `shlex` does not; and what a shell would act on outside
    quotes, named for people, where there is such a sign."""
    quote = ""
    kept: list[str] = []
    signs = iter(command)
    for sign in signs:
        if sign == "\\" and quote != "'":
            following = next(signs, "")
            kept += [] if following == "\n" else [sign, following]
            continue
        kept.append(sign)
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign in _SIGNS:
            return command, _SIGNS[sign]
    return "".join(kept), None
