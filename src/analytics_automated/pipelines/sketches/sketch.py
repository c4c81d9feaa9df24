"""A first pipeline from a command line: guessed, checked, and written with comments that teach."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analytics_automated.pipelines.checks.configuration import check_configuration
from analytics_automated.pipelines.checks.interpreters import RUNNERS
from analytics_automated.pipelines.files.configuration import Configuration
from analytics_automated.pipelines.files.reader import read_text
from analytics_automated.pipelines.plans import Plan
from analytics_automated.pipelines.shell_text import ShellText, TooComplicated, take_apart
from analytics_automated.pipelines.sketches.command_sketch import sketch_command, streams_of
from analytics_automated.pipelines.sketches.commented_file import write_file
from analytics_automated.pipelines.sketches.parts import LEVELS, Ground, Parts, clean_name
from analytics_automated.pipelines.sketches.script_sketch import (
    code_of,
    shell_text_of,
    sketch_code,
    sketch_script,
    sketch_unknown_text,
)

_OPERAND = re.compile(r"(?![-+]|[0-9.]+$)[^=]+")
"""A word that may be a program or what it works on, and is no option, number or assignment."""


class NoSketch(ValueError):
    """The command line is none. The message says why."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """A pipeline file that is right, and what was taken for what."""

    name: str
    """Of the pipeline, its Task and its Job."""
    text: str
    """The pipeline file."""
    plan: Plan
    """Its Job, resolved."""
    paths: dict[str, list[str]]
    """The files that were named on the command line, by input of the Job; from where the command was typed."""
    has_example: bool
    notes: list[str]
    """What the author should look at."""


def sketch(words: Sequence[str], *, here: Path, folder: Path, name: str | None = None) -> Sketch:
    """Sketch a pipeline for a command that was typed in `here`; its file is to lie in `folder`.

    A lone word is shell text; among several words a `>` is one that was in quotes. Raises `NoSketch` where there is
    no command.
    """
    command = words[0] if len(words) == 1 else shlex.join(words)
    given = shell_text_of(words) or (command if len(words) == 1 else None)
    shell = _taken_apart(given) if given is not None else None
    is_nothing = shell is not None and not any(each.words for each in shell.commands)
    if not command.strip() or is_nothing or (given is None and not words[0]):
        raise NoSketch("names no program")
    if any("\ud800" <= sign <= "\udfff" for sign in command) or "\0" in command:
        raise NoSketch("is not UTF-8 text")
    ground = Ground(here, folder)
    named = name or clean_name(_subject(words, given, shell), "pipeline")
    for level in LEVELS:
        parts = Parts(ground, level)
        task = _task(list(words), given, shell, parts)
        example = _example(parts)
        text = write_file(named, command, task, parts.paths, example)
        configuration = Configuration()
        read_text(text, "sketch", configuration, folder)
        checked = check_configuration(configuration.backends, configuration.tasks, configuration.jobs)
        if named in checked.plans:
            plan = checked.plans[named]
            notes = _notes(parts)
            if given is not None and shell is None:
                notes.append("the script is kept as it was typed: look whether its inputs and outputs are all there")
            return Sketch(named, text, plan, parts.paths, example is not None, notes)
    raise NoSketch(
        "is none that a pipeline file can hold: " + "; ".join(map(str, [*configuration.problems, *checked.problems]))
    )


def _taken_apart(text: str) -> ShellText | None:
    try:
        return take_apart(text)
    except TooComplicated:
        return None


def _subject(words: Sequence[str], given: str | None, shell: ShellText | None) -> str:
    """What the pipeline is named after: the program, or the script that an interpreter is given."""
    if given is not None:
        words = [word.value for command in shell.commands for word in command.words] if shell else given.split()
    words = [word for word in words if _OPERAND.fullmatch(word)] or list(words)
    while len(words) > 1 and words[0].rpartition("/")[2] in RUNNERS:
        words = words[1:]
    script = next((word for word in words[1:2] if word.endswith((".py", ".R", ".pl", ".sh", ".rb", ".jl", ".js"))), "")
    return (script or words[0]).rpartition("/")[2].partition(".")[0]


def _task(words: list[str], given: str | None, shell: ShellText | None, parts: Parts) -> dict[str, Any]:
    """The whole Task, as a pipeline file has it."""
    if given is None and (code := code_of(words)) is not None:
        keys = sketch_code(words[0], code, parts)
    elif given is None:
        keys = sketch_command(words, {}, parts)
    elif shell is None:
        keys = sketch_unknown_text(given, parts)
    else:
        command = shell.commands[0]
        streams = streams_of(command) if shell.is_single else None
        plain = all(word.is_plain for word in command.words) and command.words and "=" not in command.words[0].value
        if streams is not None and plain:
            keys = sketch_command([word.value for word in command.words], streams, parts)
        else:
            keys = sketch_script(given, shell, parts)
    files = {"inputs": parts.inputs, "outputs": parts.outputs, "files": parts.files}
    order = (
        "inputs",
        "outputs",
        "files",
        "command",
        "interpreter",
        "script",
        "stdin",
        "stdout",
        "stderr",
        "parameters",
    )
    every = {**files, **keys, "parameters": parts.parameters}
    return {key: every[key] for key in order if every.get(key)}


def _example(parts: Parts) -> dict[str, Any] | None:
    """The files of an example call, from the folder of the pipeline file; none where one of them is not there."""
    example: dict[str, Any] = {}
    for name, paths in parts.paths.items():
        files = [parts.ground.beside(path) if parts.ground.exists(path) else None for path in paths]
        if None in files:
            return None
        example[name] = files if parts.inputs[name].get("many") else files[0]
    return example or None


def _notes(parts: Parts) -> list[str]:
    notes = []
    for name, paths in parts.paths.items():
        if not parts.ground.exists(paths[0]):
            notes.append(f"there is no file {paths[0]} here: it is taken for the input {name}")
    for path in parts.left:
        notes.append(f"{path} is used where it is, so the pipeline only runs on machines that have it there")
    if not parts.paths:
        notes.append("no word names a file that is here, so the pipeline has no input")
    return notes
