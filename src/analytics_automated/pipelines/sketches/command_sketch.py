"""A `command` from the words of a command line, or from shell text that is one command with redirections."""

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from analytics_automated.pipelines.shell_text import SimpleCommand
from analytics_automated.pipelines.sketches.guesses import Guess, Kind, guess_words
from analytics_automated.pipelines.sketches.parts import Parts
from analytics_automated.pipelines.templates import KINDS

_LIKE_A_PLACEHOLDER = re.compile(rf"\{{((?:{'|'.join(KINDS)})\.[A-Za-z0-9_.\-]*|workdir)\}}")
_NEEDS_NO_QUOTES = re.compile(r"[\w@%+=:,./{}-]+", re.ASCII)
_STREAMS = {"<": "stdin", "0<": "stdin", **dict.fromkeys((">", "1>", ">>", "1>>", ">|"), "stdout"),
            **dict.fromkeys(("2>", "2>>"), "stderr")}  # fmt: skip
_NOWHERE = "/dev/null"


def streams_of(command: SimpleCommand) -> dict[str, str] | None:
    """The files of the standard streams; none where only a shell can do what the command asks for."""
    streams: dict[str, str] = {}
    for redirection in command.redirections:
        stream = _STREAMS.get(redirection.sign)
        if stream is None or stream in streams or not redirection.target.is_plain:
            return None
        if redirection.target.value != _NOWHERE:
            streams[stream] = redirection.target.value
    return streams


def sketch_command(words: Sequence[str], streams: Mapping[str, str], parts: Parts) -> dict[str, Any]:
    """The task's keys that say what is executed."""
    guesses = guess_words(words, parts.ground.exists)
    templates: list[str] = [*_program(words[0], parts)]
    for guess in guesses[1:]:
        known = parts.known(guess.value)
        if guess.kind is Kind.VALUE:
            _add_value(templates, guess, parts)
        else:
            templates += _word(guess, known, parts)
    keys: dict[str, Any] = {"command": " ".join(templates)}
    for stream, path in streams.items():
        keys[stream] = parts.input(path) if stream == "stdin" else parts.output(path)
    if set(parts.outputs) <= {keys.get("stderr")}:
        keys["stdout"] = parts.printed()
    return keys


def _program(word: str, parts: Parts) -> list[str]:
    if "/" not in word or not parts.ground.exists(word):
        return [quoted(word)]
    runs = interpreter_of(word, parts)
    return [quoted(each) for each in (*runs, parts.ship(word) if runs else parts.leave(word))]


def interpreter_of(word: str, parts: Parts) -> list[str]:
    """What runs a script of the author's own, by its first line; nothing for other programs, and for scripts that
    cannot be shipped. Named with its interpreter, a script runs on any backend that has that on its PATH."""
    if parts.ground.beside(word) is None or not parts.level.ships:
        return []
    try:
        with (parts.ground.here / word).open("rb") as file:
            first = file.readline(200).decode("utf-8", errors="replace")
    except OSError:
        return []
    words = first.removeprefix("#!").split() if first.startswith("#!") else []
    return words[1:] if words[:1] and words[0].endswith("/env") and words[1:2] != ["-S"] else words


def _word(guess: Guess, known: tuple[str, str] | None, parts: Parts) -> list[str]:
    lead = guess.lead
    if guess.kind is Kind.SWITCH:
        name = parts.switch(guess.word)
        return [quoted(guess.word) if name is None else f"{{param.{name}}}"]
    if guess.kind is Kind.FOLDER and parts.level.files:
        parts.output_folder(guess.value, guess.option)
    if guess.kind is Kind.SHIPPED:
        return [quoted(lead + parts.ship(guess.value))]
    if guess.kind in {Kind.INPUT, Kind.OUTPUT} and parts.level.files:
        is_input = guess.kind is Kind.INPUT and not (known and known[0] == "output")
        name = parts.input(guess.value, guess.option) if is_input else parts.output(guess.value, guess.option)
        return [quoted(lead, f"{{{'input' if is_input else 'output'}.{name}}}")]
    return [quoted(guess.word)]


def _add_value(templates: list[str], guess: Guess, parts: Parts) -> None:
    """A parameter with its flag in place of both words."""
    name = parts.parameter(guess, flag=guess.option or None)
    if name is None:
        templates.append(quoted(guess.word))
        return
    if guess.is_behind_option:
        templates.pop()
    templates.append(f"{{param.{name}}}")


def quoted(text: str, placeholder: str = "") -> str:
    """The text as one word of a command, with a placeholder at its end."""
    word = _LIKE_A_PLACEHOLDER.sub(r"{{\1}}", text) + placeholder
    return word if _NEEDS_NO_QUOTES.fullmatch(word) else shlex.quote(word)
