"""What is worth a warning in a script: values that its shell takes apart."""

import re
from collections.abc import Iterator

from analytics_automated.pipelines.definitions import TaskDefinition
from analytics_automated.pipelines.problems import Problem

_SHELL = re.compile(r"(.*/)?(ba|da|k|mk)?sh( .*)?")
_HEREDOC = re.compile(r"(?<!<)<<-?\s*(?P<quote>['\"\\]?)(?P<end>[A-Za-z_]\w*)['\"]?")
# ${x+y} and ${x:+y} stand for y, and are left without quotes on purpose.
_VALUE = re.compile(r"\$(?P<name>(?:param|input|output)_\w+)|\$\{(?P<braced>(?:param|input|output)_\w+)(?!:?\+)[^}]*\}")
_UNSPLIT = re.compile(
    r"(?:^|[\s;|&({])(?:(?:export|local|readonly|declare)\s+)?[A-Za-z_]\w*\+?=(?!\()\S*$|\bcase\s+$|\[\[[^\]]*$|\(\([^)]*$"
)
"""Places where a shell splits no value (POSIX.1-2017 XCU 2.6): behind `name=`, `case`, in `[[ ]]` and `(( ))`."""


def script_warnings(task: TaskDefinition) -> Iterator[Problem]:
    """Warn of parameters and of names of files that stand without quotes in a shell script, once for each,
    with all lines of the script in which it does."""
    if not isinstance(task.script, str):
        return
    if task.interpreter is not None and not _SHELL.fullmatch(task.interpreter):
        return
    found: dict[str, list[int]] = {}
    files = {f"input_{name}" for name in task.inputs} | {f"output_{name}" for name in task.outputs}
    for line, name in _unquoted(task.script):
        # A script may have variables of its own with such names; those of files that the task has are A_A's.
        if name.startswith("param_") or name in files:
            found.setdefault(name, []).append(line)
    for name, lines in found.items():
        message = (
            f"${name} stands without quotes in {_lines(lines)} of the script, so blanks and * in the value take it "
            f'apart: write "${name}"'
        )
        yield Problem(("script",), message, warning=True)


def _lines(numbers: list[int]) -> str:
    """`line 3`, or `lines 3, 5 and 7`."""
    *others, last = dict.fromkeys(numbers)
    return f"lines {', '.join(map(str, others))} and {last}" if others else f"line {last}"


def _unquoted(script: str) -> Iterator[tuple[int, str]]:
    """Line, from 1, and name of each parameter and file outside quotes, comments and here-documents."""
    quotes = [""]
    end_of_document = ""
    for number, line in enumerate(script.splitlines(), 1):
        if end_of_document:
            end_of_document = "" if line.strip() == end_of_document else end_of_document
            continue
        place = 0
        while place < len(line):
            sign, quote = line[place], quotes[-1]
            if quote == "'":
                quotes[-1:] = [] if sign == "'" else ["'"]
            elif sign == "\\":
                place += 1
            elif quote == "$'":
                quotes[-1:] = [] if sign == "'" else ["$'"]
            elif line.startswith("$'", place) and quote != '"':
                quotes.append("$'")
                place += 1
            elif sign == "`":
                quotes[-1:] = [] if quote == "`" else [quote, "`"]
            elif sign == "'" and quote != '"':
                quotes.append("'")
            elif sign == '"':
                quotes[-1:] = [] if quote == '"' else [quote, '"']
            elif line.startswith("$(", place):
                quotes.append(")")
                place += 1
            elif sign == ")" and quote == ")":
                quotes.pop()
            elif quote != '"':
                if sign == "#" and (place == 0 or line[place - 1] in " \t;"):
                    break
                if found := _HEREDOC.match(line, place):
                    end_of_document = found["end"]
                if (found := _VALUE.match(line, place)) and not _UNSPLIT.search(line[:place]):
                    yield number, found["name"] or found["braced"]
            place += 1
