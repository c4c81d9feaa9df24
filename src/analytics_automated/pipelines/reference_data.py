"""Which of a backend's reference data a Task needs."""

import re
from collections.abc import Iterable, Iterator

from analytics_automated.pipelines.commands import command_words
from analytics_automated.pipelines.definitions import TaskDefinition
from analytics_automated.pipelines.templates import TemplateError, Word, parse_word

_NAME = r"data_([A-Za-z]\w*)"
_SHELL = re.compile(r"(.*/)?(ba|da|k|mk|z)?sh( .*)?")
_SHELL_USE = re.compile(rf"\$(?:{_NAME}|\{{[#!]?{_NAME}(?P<fallback>:?[-+=?])?)")
_SHELL_SETS = re.compile(
    rf"(?:^|[\s;&|(]){_NAME}(?:\+?=|\[)|\b(?:for|read|mapfile|readarray)\b[^\n;]*\b{_NAME}\b", re.MULTILINE
)
_OTHER_USE = re.compile(rf"(?:environ|getenv|ENV|env)\s*[\[({{]\s*['\"]?{_NAME}['\"]?\s*[\])}}]")
_MENTION = re.compile(r"\bdata[_.]([A-Za-z]\w*)")


def needed_data(task: TaskDefinition) -> list[str]:
    """Names of the data that the task cannot do without: those of its placeholders, those that its `software` is, and
    those whose variable its script surely reads.

    A script's own variable that happens to begin with `data_` is none of them, nor is one that is read with a value
    to fall back on.
    """
    names = dict.fromkeys(software.data for software in task.software if software.data)
    names |= dict.fromkeys(_placeholders(task))
    if isinstance(task.script, str):
        names |= dict.fromkeys(_read_by_script(task.script, task.interpreter))
    return list(names)


def mentioned_data(task: TaskDefinition, there: Iterable[str]) -> list[str]:
    """Of the data that are there, those that the task needs or that its script names in any way."""
    named = set(needed_data(task))
    if isinstance(task.script, str):
        named |= {found[1] for found in _MENTION.finditer(task.script)}
    return [name for name in there if name in named]


def _placeholders(task: TaskDefinition) -> Iterator[str]:
    try:
        words: list[Word] = [*command_words(task)]
    except TemplateError:
        words = []  # which is a problem of its own
    texts = [*task.environment.values(), *([task.container.image] if task.container else [])]
    for word in [*words, *map(parse_word, texts)]:
        yield from (each.name for each in word.placeholders if each.kind == "data")


def _read_by_script(script: str, interpreter: str | None) -> Iterator[str]:
    if interpreter is not None and not _SHELL.fullmatch(interpreter):
        yield from (found[1] for found in _OTHER_USE.finditer(script))
        return
    own = {name for found in _SHELL_SETS.finditer(script) for name in found.groups() if name}
    for found in _SHELL_USE.finditer(script):
        name = found[1] or found[2]
        if name not in own and not found["fallback"]:
            yield name
