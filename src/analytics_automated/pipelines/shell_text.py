"""Shell text taken apart into simple commands, with the place of every word, so that words can be replaced in it.

It knows as much of the grammar (POSIX.1-2017 XCU 2) as is needed to find words that mean just themselves. What it
does not know, such as here-documents, it says so: then the text is better left as it is.
"""

import re
from dataclasses import dataclass, field


class TooComplicated(ValueError):
    """Text that is better left as it is."""


@dataclass(frozen=True, slots=True)
class ShellWord:
    """A word, where it stands, and what it means."""

    value: str
    """Without its quotes."""
    start: int
    end: int
    is_plain: bool
    """True where it means just its value: no expansion, no pattern."""


@dataclass(frozen=True, slots=True)
class Redirection:
    """`2> file` and the like."""

    sign: str
    """With the number in front, such as `>`, `2>` or `<`."""
    target: ShellWord
    start: int
    end: int


@dataclass
class SimpleCommand:
    """A program with its arguments and redirections; assignments in front are among the words."""

    words: list[ShellWord] = field(default_factory=list)
    redirections: list[Redirection] = field(default_factory=list)


@dataclass
class ShellText:
    """All simple commands of a text, in order."""

    commands: list[SimpleCommand] = field(default_factory=list)
    is_single: bool = True
    """True where it is one simple command and nothing else."""


_REDIRECTION = re.compile(r"(?P<sign>[0-9]*(?:<<<|<<-?|<>|<&|>&|>>|>\||<|>)|&>>?)")
_OPERATOR = re.compile(r"&&|\|\||;;|\|&|[;|&()\n]")
_LEADING = frozenset({"if", "then", "do", "else", "elif", "while", "until", "!", "{", "time"})
"""Reserved words behind which a command begins (XCU 2.4)."""
_SPECIAL = frozenset("*?[~{")
"""Signs that make a word without quotes a pattern or something else that is expanded."""


def take_apart(text: str) -> ShellText:
    """Find the simple commands. Raises `TooComplicated`, for text that is no shell text, too."""
    found = ShellText()
    current = SimpleCommand()
    position = 0
    while position < len(text):
        if text[position] in " \t" or text.startswith("\\\n", position):
            position += 1 if text[position] in " \t" else 2
        elif text[position] == "#":
            position = _behind(text, "\n", position) - 1
        elif redirection := _REDIRECTION.match(text, position):
            position = _redirect(text, redirection, current)
        elif operator := _OPERATOR.match(text, position):
            found.is_single = found.is_single and not text[position:].strip()
            current = _next(found, current)
            position = operator.end()
        else:
            word = _word(text, position)
            is_reserved = not current.words and text[word.start : word.end] in _LEADING
            found.is_single = found.is_single and not is_reserved
            current.words += [] if is_reserved else [word]
            position = word.end
    _next(found, current)
    found.is_single = found.is_single and len(found.commands) == 1
    return found


def _next(found: ShellText, current: SimpleCommand) -> SimpleCommand:
    if current.words or current.redirections:
        found.commands.append(current)
    return SimpleCommand()


def _redirect(text: str, found: re.Match[str], current: SimpleCommand) -> int:
    sign = found["sign"]
    if "<<" in sign:
        raise TooComplicated("holds a here-document")
    start = found.end()
    while start < len(text) and text[start] in " \t":
        start += 1
    target = _word(text, start)
    if target.end == target.start:
        raise TooComplicated("holds a redirection without a file")
    current.redirections.append(Redirection(sign, target, found.start(), target.end))
    return target.end


def _word(text: str, start: int) -> ShellWord:
    """The word that begins there; an empty one where none does."""
    value: list[str] = []
    is_plain = True
    position = start
    while position < len(text) and text[position] not in " \t\n;|&()<>":
        sign = text[position]
        if sign == "\\":
            value.append("" if text[position + 1 : position + 2] == "\n" else text[position + 1 : position + 2])
            position += 2
        elif sign == "'":
            end = _behind(text, "'", position + 1)
            value.append(text[position + 1 : end - 1])
            position = end
        elif sign == '"':
            position, inner, is_text = _in_quotes(text, position + 1)
            value.append(inner)
            is_plain = is_plain and is_text
        elif sign in "$`":
            position = _expansion(text, position)
            is_plain = False
        else:
            is_plain = is_plain and sign not in _SPECIAL
            value.append(sign)
            position += 1
    return ShellWord("".join(value), start, min(position, len(text)), is_plain)


def _in_quotes(text: str, position: int) -> tuple[int, str, bool]:
    """What stands in double quotes (XCU 2.2.3): where it ends, its text, and whether that is all it means."""
    value: list[str] = []
    is_text = True
    while position < len(text) and text[position] != '"':
        sign = text[position]
        if sign == "\\" and text[position + 1 : position + 2] in {"$", "`", '"', "\\", "\n"}:
            value.append(text[position + 1].strip("\n"))
            position += 2
        elif sign in "$`":
            position = _expansion(text, position)
            is_text = False
        else:
            value.append(sign)
            position += 1
    if position >= len(text):
        raise TooComplicated("holds a quote that is not closed")
    return position + 1, "".join(value), is_text


def _expansion(text: str, position: int) -> int:
    """Where the expansion that begins there ends."""
    if text[position] == "`":
        return _behind(text, "`", position + 1)
    following = text[position + 1 : position + 2]
    if following == "{":
        return _behind(text, "}", position + 1)
    if following == "(":
        return _behind_bracket(text, position + 2)
    return position + 1


def _behind_bracket(text: str, position: int) -> int:
    depth = 1
    while position < len(text):
        sign = text[position]
        if sign == "\\":
            position += 1
        elif sign == "'":
            position = _behind(text, "'", position + 1) - 1
        elif sign == '"':
            position = _in_quotes(text, position + 1)[0] - 1
        depth += {"(": 1, ")": -1}.get(sign, 0)
        position += 1
        if not depth:
            return position
    raise TooComplicated("holds a bracket that is not closed")


def _behind(text: str, sign: str, position: int) -> int:
    """Behind the next such sign. A comment may end with the text."""
    found = text.find(sign, position)
    if found < 0 and sign != "\n":
        raise TooComplicated(f"holds a {sign} that is not closed")
    return found + 1 if found >= 0 else len(text) + 1
