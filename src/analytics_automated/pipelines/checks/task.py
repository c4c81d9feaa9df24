"""What must hold within one Task."""

import re
from collections.abc import Iterable, Iterator

from analytics_automated.pipelines.checks.interpreters import takes_text
from analytics_automated.pipelines.checks.parameter import check_parameter, is_callers_text, negative_numbers
from analytics_automated.pipelines.checks.programs import program_problems
from analytics_automated.pipelines.checks.provisions import own_variables, provision_problems
from analytics_automated.pipelines.checks.scripts import script_warnings
from analytics_automated.pipelines.checks.variables import PRIVATE_VARIABLES, loads_code
from analytics_automated.pipelines.commands import command_words, interpreter_words, placed_placeholders
from analytics_automated.pipelines.definitions import (
    TaskDefinition,
)
from analytics_automated.pipelines.problems import Path, Problem, nearest
from analytics_automated.pipelines.templates import (
    FIXED_NAMES,
    Placeholder,
    TemplateError,
    Word,
    parse_word,
)

LONGEST_MESSAGE = 1000
"""Characters of what a caller reads for an exit code."""
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9][\w!#$&^.+\-]*/[A-Za-z0-9][\w!#$&^.+\-]*(;.*)?", re.ASCII)
"""RFC 6838, section 4.2, with parameters."""


def check_task(task: TaskDefinition) -> list[Problem]:
    """Everything that is wrong within the task; paths begin at the task."""
    return [
        *_what_to_execute(task),
        *_names(task),
        *_files(task),
        *_streams(task),
        *_exit_codes(task),
        *(problem for name, parameter in task.parameters.items() for problem in check_parameter(name, parameter)),
        *_environment(task),
        *provision_problems(task),
    ]


def _what_to_execute(task: TaskDefinition) -> Iterator[Problem]:
    if (task.command is None) == (task.script is None):
        yield Problem(() if task.command is None else ("script",), "needs either `command` or `script`, one of the two")
        return
    if task.script is not None:
        if isinstance(task.script, str) and not task.script.strip():
            yield Problem(("script",), "is empty")
        if task.interpreter is not None:
            yield from _interpreter(task)
        yield from script_warnings(task)
        return
    if task.interpreter is not None:
        yield Problem(("interpreter",), "belongs to a `script`: a command names its program itself")
    try:
        words = command_words(task)
    except TemplateError as error:
        yield Problem(("command",), str(error))
        return
    for word in words:
        for placeholder in word.placeholders:
            yield from _placeholder(task, placeholder, ("command",))
        yield from _within_word(task, word)
    yield from _unused(task)
    yield from negative_numbers(task)
    yield from program_problems(task, words)


def _interpreter(task: TaskDefinition) -> Iterator[Problem]:
    try:
        words = interpreter_words(task)
    except TemplateError as error:
        yield Problem(("interpreter",), str(error))
        return
    if "" in words:
        yield Problem(("interpreter",), "must be a program, or a list of words, without placeholders")
    elif takes_text(words):
        message = f"ends with {words[-1]}, behind which its program takes text, and the script is a file: leave it out"
        yield Problem(("interpreter",), message)


def _placeholder(task: TaskDefinition, placeholder: Placeholder, path: Path) -> Iterator[Problem]:
    kind, name = placeholder.kind, placeholder.name
    known: dict[str, list[str]] = {
        "input": list(task.inputs),
        "output": list(task.outputs),
        "param": list(task.parameters),
        **{fixed: list(names) for fixed, names in FIXED_NAMES.items()},
    }
    if kind in known and name not in known[kind]:
        hint = nearest(name, known[kind]) or f"; known: {', '.join(known[kind]) or 'none'}"
        yield Problem(path, f"{placeholder} names no {_KIND_WORDS[kind]} of this task{hint}")
    elif kind == "data" and not name:
        yield Problem(path, f"{placeholder} names no data")
    elif kind == "output" and (task.outputs[name].many or task.outputs[name].is_glob):
        yield Problem(path, f"{placeholder} stands for one file, but the output {name!r} is a glob or `many`")


_KIND_WORDS = {
    "input": "input",
    "output": "output",
    "param": "parameter",
    "resources": "resource",
    "scatter": "scatter value",
    "submission": "submission value",
}


def _within_word(task: TaskDefinition, word: Word) -> Iterator[Problem]:
    if word.lone is not None:
        return
    for placeholder in word.placeholders:
        parameter = task.parameters.get(placeholder.name) if placeholder.kind == "param" else None
        if parameter is not None and parameter.many:
            yield Problem(("command",), f"{placeholder} is a list, so it must be a word of its own")
        if parameter is not None and parameter.flag is not None:
            yield Problem(("command",), f"{placeholder} has a flag, so it must be a word of its own")
        file = task.inputs.get(placeholder.name) if placeholder.kind == "input" else None
        if file is not None and file.flag is not None:
            yield Problem(("command",), f"{placeholder} has a flag, so it must be a word of its own")
    first = word.placeholders[0] if word.lead in {"-", "--"} and word.placeholders else None
    chosen = task.parameters.get(first.name) if first is not None and first.kind == "param" else None
    if chosen is not None and is_callers_text(chosen):
        message = f"{word.lead}{first} lets a caller choose the option itself: write the option out"
        yield Problem(("command",), message)


def _names(task: TaskDefinition) -> Iterator[Problem]:
    for key, names in (("inputs", task.inputs), ("outputs", task.outputs), ("parameters", task.parameters)):
        taken: dict[str, str] = {}
        for name in names:
            other = taken.setdefault(name.lower(), name)
            if other != name:
                yield Problem((key, name), f"differs from {other!r} only by its case")
    if task.container is not None:
        for placeholder in parse_word(task.container.image).placeholders:
            path: Path = ("container", "image")
            yield from _placeholder(task, placeholder, path)
            chosen = task.parameters.get(placeholder.name) if placeholder.kind == "param" else None
            if placeholder.kind in {"input", "scatter"} or (chosen is not None and is_callers_text(chosen)):
                yield Problem(path, f"holds {placeholder}, by which a caller would name the image: make it a choice")


def _exit_codes(task: TaskDefinition) -> Iterator[Problem]:
    codes = task.exit_codes
    taken: dict[int, str] = {}
    for key, ranges in (("stop", codes.stop), ("continue", codes.ok), ("fail", codes.fail)):
        twice = next((code for code in _codes(ranges) if taken.get(code, key) != key), None)
        if twice is not None:
            message = f"names {twice}, and so does `{taken[twice]}`: a code means one thing"
            yield Problem(("exit_codes", key), message)
        taken |= dict.fromkeys(_codes(ranges), key)
    told: dict[int, str] = {}
    for span, text in codes.messages.items():
        path = ("exit_codes", "messages", span)
        if len(text) > LONGEST_MESSAGE:
            yield Problem(path, f"is longer than {LONGEST_MESSAGE} characters")
        twice = next((code for code in _codes([span]) if code in told), None)
        if twice is not None:
            yield Problem(path, f"is about {twice}, and so is {told[twice]!r}: a code has one message")
        told |= dict.fromkeys(_codes([span]), span)


def _codes(ranges: Iterable[str]) -> list[int]:
    bounds = ((int(low), int(high or low)) for low, _, high in (text.partition("-") for text in ranges))
    return [code for low, high in bounds for code in range(low, high + 1)]


def _unused(task: TaskDefinition) -> Iterator[Problem]:
    used = {(placeholder.kind, placeholder.name) for _, placeholder in placed_placeholders(task)}
    for name, parameter in task.parameters.items():
        if ("param", name) not in used and not parameter.env_only:
            message = f"the command does not use it: write {{param.{name}}} in the command, or `env_only: true` here"
            yield Problem(("parameters", name), message)
    for name, file in task.inputs.items():
        if ("input", name) not in used and not file.env_only and task.stdin != name:
            message = f"the command does not use it: write {{input.{name}}} in the command, or `env_only: true` here"
            yield Problem(("inputs", name), message)


def _files(task: TaskDefinition) -> Iterator[Problem]:
    taken: dict[str, Path] = {}
    for name, file in task.inputs.items():
        path: Path = ("inputs", name)
        if file.file == "." and not file.many:
            yield Problem(path, "'.' is the work folder itself, which only an input with `many` can be")
        if any(sign in file.file for sign in "*?[") and not file.many:
            yield Problem(path, "is a file name, which holds no *, ? or [")
        if file.file != "." and file.file in taken:
            yield Problem(path, f"has the same file name as {taken[file.file][-1]!r}")
        if file.separator is not None and file.flag is None:
            yield Problem((*path, "separator"), "stands between `flag` and file, and there is no flag")
        taken[file.file] = path
    for name, output in task.outputs.items():
        path = ("outputs", name)
        if output.file == ".":
            yield Problem(path, "names a file or a glob, such as '*.tsv'")
        elif output.file in taken:
            yield Problem(path, f"has the same file name as {taken[output.file][-1]!r}")
        if output.many and not output.is_glob:
            yield Problem(path, "is `many`, so its file is a glob, such as 'out/*.png'")
        if any("**" in part and part != "**" for part in output.file.split("/")):
            yield Problem(path, "'**' stands for folders, so it is a part of its own between two /")
        if output.media_type is not None and not _MEDIA_TYPE.fullmatch(output.media_type):
            yield Problem((*path, "media_type"), f"{output.media_type!r} is no media type, such as image/png")
        taken.setdefault(output.file, path)
    for index, software in enumerate(task.software):
        if software.data is not None and software.type != "dataset":
            yield Problem(("software", index, "data"), "belongs to software of `type: dataset`")
    folders = {each.file for each in task.inputs.values() if each.many}
    for place, path in taken.items():
        around = next((other for other in taken if place.startswith(f"{other}/") and other not in folders), None)
        if around is not None:
            yield Problem(path, f"lies in {around!r}, which is the file of {taken[around][-1]!r} and no folder")


def _streams(task: TaskDefinition) -> Iterator[Problem]:
    if task.stdin is not None:
        if task.stdin not in task.inputs:
            yield Problem(("stdin",), f"names no input of this task{nearest(task.stdin, task.inputs)}")
        elif task.inputs[task.stdin].many:
            yield Problem(("stdin",), f"is one file, but the input {task.stdin!r} is `many`")
    for key, name in (("stdout", task.stdout), ("stderr", task.stderr)):
        if name is None:
            continue
        if name not in task.outputs:
            yield Problem((key,), f"names no output of this task{nearest(name, task.outputs)}")
        elif stream_file(task, key) is None:
            yield Problem((key,), f"is one file, but the glob of the output {name!r} does not say which")


def stream_file(task: TaskDefinition, stream: str) -> str | None:
    """The file in the work folder that `stdout` or `stderr` is written to; none where it is kept as a log.

    For an output that is a glob with `*`, the stream's name takes the place of the `*`.
    """
    name = task.stdout if stream == "stdout" else task.stderr
    if name is None or name not in task.outputs:
        return None
    file = task.outputs[name].file.replace("*", stream)
    return None if any(sign in file for sign in "?[") else file


def _environment(task: TaskDefinition) -> Iterator[Problem]:
    own = own_variables(task)
    for name, text in task.environment.items():
        path = ("environment", name)
        if name in PRIVATE_VARIABLES:
            yield Problem(path, "is set by A_A for every command" + (": use the backend's `path`" * (name == "PATH")))
        if name in own:
            yield Problem(path, "is the variable in which A_A gives this value: choose another name")
        word = parse_word(text)
        for placeholder in word.placeholders:
            yield from _placeholder(task, placeholder, path)
            parameter = task.parameters.get(placeholder.name) if placeholder.kind == "param" else None
            is_callers = placeholder.kind in {"input", "scatter"} or (
                parameter is not None and is_callers_text(parameter)
            )
            if is_callers and loads_code(name):
                message = f"holds {placeholder}, which is a caller's, but programs load code by this variable"
                yield Problem(path, message)
