"""A `script` from shell text, or from code on the command line of an interpreter."""

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from analytics_automated.pipelines.shell_text import ShellText, ShellWord, SimpleCommand
from analytics_automated.pipelines.sketches.command_sketch import interpreter_of
from analytics_automated.pipelines.sketches.guesses import Guess, Kind, guess_words, number_of
from analytics_automated.pipelines.sketches.parts import Parts

Edit = tuple[int, int, str]
"""Start, end, and what stands there instead."""

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_WRITES = re.compile(r"1?>>?|1?>\||2>>?|&>>?")
_PATTERN = re.compile(r"(?P<folder>[\w.-]+(?:/[\w.-]+)*/)?[\w.?*-]*[*?][\w.?*-]*")
_MOST_EXAMPLES = 5
"""Files of a pattern that an example call sends."""
_LIKE_A_FILE = re.compile(r"[\w+-][\w./+-]*")
_CODE = {
    r"(python|pypy)[\d.]*": "-c",
    r"Rscript": "-e",
    r"perl[\d.]*": "-e",
    r"ruby[\d.]*": "-e",
    r"node|nodejs": "-e",
    r"lua[\d.]*": "-e",
    r"julia": "-e",
}
"""Options behind which code stands that may as well stand in a file."""
_SHELLS = re.compile(r"(.*/)?(ba|da)?sh")


def shell_text_of(words: Sequence[str]) -> str | None:
    """The text that a shell is given to run, where the words are that and nothing else."""
    is_shell = len(words) == 3 and _SHELLS.fullmatch(words[0]) and words[1] in {"-c", "-ec", "-lc", "-euc"}
    return words[2] if is_shell else None


def code_of(words: Sequence[str]) -> str | None:
    """The code that an interpreter is given to run, where the words are that and nothing else."""
    if len(words) != 3:
        return None
    program = words[0].rpartition("/")[2]
    return next((words[2] for each, flag in _CODE.items() if re.fullmatch(each, program) and words[1] == flag), None)


def sketch_code(program: str, code: str, parts: Parts) -> dict[str, Any]:
    """The task's keys for code in another language. It opens its files by their names, so they keep these."""
    _declare_files(code, parts)
    return {"interpreter": program, "script": _with_line_end(code), "stdout": parts.printed()}


def sketch_unknown_text(text: str, parts: Parts) -> dict[str, Any]:
    """The task's keys for shell text that nothing is replaced in."""
    _declare_files(text, parts)
    return {"script": _with_line_end(text), "stdout": parts.printed()}


def sketch_script(text: str, shell: ShellText, parts: Parts) -> dict[str, Any]:
    """The task's keys for shell text: files and numbers in it become variables."""
    edits: list[Edit] = []
    read_again: set[str] = set()
    for command in shell.commands:
        edits += _arguments(command, text, parts, read_again)
        edits += _redirections(command, parts)
    for start, end, word in sorted(set(edits), reverse=True):
        text = text[:start] + word + text[end:]
    for name in read_again & set(parts.outputs):
        parts.outputs[name]["publish"] = False
    keys: dict[str, Any] = {"script": _with_line_end(text)}
    if all(each.get("publish") is False for each in parts.outputs.values()):
        keys["stdout"] = parts.printed()
    return keys


def _arguments(command: SimpleCommand, text: str, parts: Parts, read_again: set[str]) -> Iterator[Edit]:
    words = list(command.words)
    while words and _ASSIGNMENT.fullmatch(words[0].value):
        yield from _assigned(words.pop(0), parts, read_again)
    if not words:
        return
    yield from _program(words[0], parts)
    guesses = guess_words([word.value if word.is_plain else None for word in words], parts.ground.exists)
    for word, guess in list(zip(words, guesses, strict=True))[1:]:
        known = parts.known(guess.value) if word.is_plain and guess.kind is not Kind.VALUE else None
        if known and known[0] == "output":
            read_again.add(known[1])
            yield word.start, word.end, _variable(guess.lead, f"output_{known[1]}")
        elif word.is_plain:
            yield from _argument(word, guess, parts)
        else:
            _pattern(word, text, parts)


def _assigned(word: ShellWord, parts: Parts, read_again: set[str]) -> Iterator[Edit]:
    name, _, value = word.value.partition("=")
    known = parts.known(value)
    if known and known[0] == "output" and word.is_plain:
        read_again.add(known[1])
        yield word.start, word.end, _variable(f"{name}=", f"output_{known[1]}")
    elif word.is_plain and parts.ground.exists(value) and parts.level.files:
        yield word.start, word.end, _variable(f"{name}=", f"input_{parts.input(value)}")


def _argument(word: ShellWord, guess: Guess, parts: Parts) -> Iterator[Edit]:
    match guess.kind:
        case Kind.INPUT if parts.level.files:
            yield word.start, word.end, _variable(guess.lead, f"input_{parts.input(guess.value, guess.option)}")
        case Kind.OUTPUT if parts.level.files:
            yield word.start, word.end, _variable(guess.lead, f"output_{parts.output(guess.value, guess.option)}")
        case Kind.FOLDER if parts.level.files:
            parts.output_folder(guess.value, guess.option)
        case Kind.SHIPPED:
            path = parts.ship(guess.value)
            if path != guess.value:
                yield word.start, word.end, shlex.quote(guess.lead + path)
        case Kind.VALUE if number_of(guess.value) is not None and guess.option and guess.lead != guess.option:
            # A text may be anything, which a script seldom expects: only numbers become parameters. Those that are
            # written together with their option, as in `fold -w1`, are mostly a part of what is done.
            name = parts.parameter(guess)
            if name is not None:
                yield word.start, word.end, _variable(guess.lead, f"param_{name}")


def _program(word: ShellWord, parts: Parts) -> Iterator[Edit]:
    if word.is_plain and "/" in word.value and parts.ground.exists(word.value):
        runs = interpreter_of(word.value, parts)
        path = parts.ship(word.value) if runs else parts.leave(word.value)
        yield word.start, word.end, shlex.join([*runs, path])


def _pattern(word: ShellWord, text: str, parts: Parts) -> None:
    """Files by a pattern: several, in the folder where the pattern looks for them."""
    found = _PATTERN.fullmatch(text[word.start : word.end])
    folder = (found["folder"] or "").rstrip("/") if found else ""
    if found is None or not parts.level.files or any(part in {".", ".."} for part in folder.split("/")):
        return
    matching = sorted((parts.ground.here / folder).glob(found[0].rpartition("/")[2]))
    files = [path.relative_to(parts.ground.here).as_posix() for path in matching if path.is_file()]
    if files and not parts.known(found[0]):
        parts.input(found[0], place=folder or ".", files=files[:_MOST_EXAMPLES])


def _redirections(command: SimpleCommand, parts: Parts) -> Iterator[Edit]:
    for redirection in command.redirections:
        target = redirection.target
        if not target.is_plain or target.value.startswith("/dev/") or not parts.level.files:
            continue
        if _WRITES.fullmatch(redirection.sign):
            variable = f"output_{parts.output(target.value)}"
        elif redirection.sign == "<" and (known := parts.known(target.value)):
            variable = "_".join(known)
        elif redirection.sign == "<":
            variable = f"input_{parts.input(target.value)}"
        else:
            continue
        yield target.start, target.end, _variable("", variable)


def _declare_files(text: str, parts: Parts) -> None:
    """Files that the text names become inputs, under the very names by which it opens them."""
    if not parts.level.files:
        return
    for word in dict.fromkeys(_LIKE_A_FILE.findall(text)):
        if any(part in {"", ".", ".."} for part in word.split("/")) or not parts.ground.exists(word):
            continue
        if "." in word or "/" in word:
            parts.input(word, place=word)


def _variable(lead: str, name: str) -> str:
    return (shlex.quote(lead) if lead else "") + f'"${name}"'


def _with_line_end(text: str) -> str:
    return text if text.endswith("\n") else text + "\n"
