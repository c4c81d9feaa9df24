"""Which of a backend's reference data a Task needs."""

import re
from collections.abc import Iterable, Iterator

from analytics_automated.pipelines.commands import placed_placeholders
from analytics_automated.pipelines.definitions import TaskDefinition

_NAME = r"data_([A-Za-z]\w*)"
_SHELL = re.compile(r"(.*/)?(ba|da|k|mk|z)?sh( .*)?")
_SHELL_USE = re.compile(rf"(?<!\\)\$(?:{_NAME}|\{{[#!]?{_NAME}(?P<fallback>:?[-+=?])?)")
_BARE = re.compile(rf"(?<![\w$])(?<!\$\{{)(?<!\$\{{[#!]){_NAME}")
_FOREIGN = re.compile(r"^\s*(?:source|\.|eval)\s|[;&|(]\s*(?:source|\.|eval)\s", re.MULTILINE)
"""Shell text that runs other text, which may set any variable."""
_COMMENT = re.compile(r"^\s*#.*$", re.MULTILINE)
_OTHER_USE = re.compile(rf"(?:environ|getenv|ENV|env)\s*[\[({{]\s*['\"]?{_NAME}['\"]?\s*[\])}}]")
_MENTION = re.compile(r"\bdata[_.]([A-Za-z]\w*)")


def needed_data(task: TaskDefinition) -> list[str]:
    """Names of the data that the task cannot do without: those of its placeholders, those that its `software` is, and
    those that its script needs."""
    names = dict.fromkeys(software.data for software in task.software if software.data)
    names |= dict.fromkeys(each.name for _, each in placed_placeholders(task) if each.kind == "data")
    return list(names | dict.fromkeys(name for name, _ in script_data(task)))


def script_data(task: TaskDefinition) -> Iterator[tuple[str, int]]:
    """Name and first line of each of the data whose variable the script surely reads, without a value to fall back on.

    A variable of its own that happens to begin with `data_` is none of them, and none that other text may have set.
    """
    if not isinstance(task.script, str):
        return
    is_shell = task.interpreter is None or _SHELL.fullmatch(task.interpreter) is not None
    if is_shell and _FOREIGN.search(task.script):
        return
    own = set(_BARE.findall(_COMMENT.sub("", f"{task.setup or ''}\n{task.script}"))) if is_shell else set()
    told: set[str] = set()
    for number, line in enumerate(task.script.splitlines(), 1):
        for found in (_SHELL_USE if is_shell else _OTHER_USE).finditer(line):
            name = next(group for group in found.groups() if group)
            if name not in own | told and not (is_shell and found["fallback"]):
                told.add(name)
                yield name, number


def mentioned_data(task: TaskDefinition, there: Iterable[str]) -> list[str]:
    """Of the data that are there, those that the task needs or that its script names in any way."""
    named = set(needed_data(task))
    if isinstance(task.script, str):
        named |= set(_MENTION.findall(task.script))
    return [name for name in there if name in named]
