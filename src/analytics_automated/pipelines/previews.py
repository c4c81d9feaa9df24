"""What a Task would execute for example values: to be read beside its form, never to be run."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analytics_automated.pipelines.checks.parameter import callers_definition
from analytics_automated.pipelines.checks.task import stream_file
from analytics_automated.pipelines.commands import Rendered, ScatterItem, Surroundings, UnsafeValueError, render
from analytics_automated.pipelines.definitions import (
    BackendDefinition,
    ParameterDefinition,
    ParameterType,
    TaskDefinition,
    TaskInputDefinition,
)
from analytics_automated.pipelines.parameters import value_problems
from analytics_automated.pipelines.reference_data import mentioned_data

WORK_FOLDER = Path("/workdir")
"""Stands for the attempt's own folder."""
SCRIPT = "SCRIPT"
"""Stands for the file that the script is in."""
FROM_WORKER = "(a secret of the worker)"
_SUBMISSION = "00000000-0000-4000-8000-000000000000"
_MEMORY_MB = 1000
_MADE_UP: tuple[str, ...] = ("text", "a", "A", "1", "10", "abc", "ABC", "a1", "A1", "2026-01-31", "a@example.org")
"""Texts that are tried, in turn, for a parameter without example and default."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that the Task's process sees."""

    name: str
    value: str
    """Quoted as a shell would need it, where it needs that."""
    always: bool
    """False where it is unset when nothing optional is given."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A Task's command with example values."""

    command: str
    """The words, quoted where a shell would need it; of a script the interpreter's, with `SCRIPT` for its file."""
    without_options: str | None
    """The same with nothing that is optional: no optional input or parameter, and every boolean false. None where
    that makes no difference."""
    streams: tuple[str, ...]
    """What standard input, output and error are, as sentences."""
    variables: tuple[Variable, ...]
    """Those of the Backend and the Task; of a script also its values."""
    notes: tuple[str, ...]
    """What could not be shown, and what would help."""


@dataclass
class _Values:
    """Values for everything that the Task's placeholders name."""

    parameters: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class _Named(dict[str, str]):
    """What is not there is shown by its name."""

    def __missing__(self, name: str) -> str:
        return f"/data/{name}"


def preview(task: TaskDefinition, backend: BackendDefinition | None = None) -> Preview:
    """The Task's command for example values: of each parameter its `example`, else its default, else a made-up
    valid one; of files their names. The task is right by itself: `check_task` finds no error."""
    values = _example_values(task)
    try:
        full = render(task, _around(task, backend, values.parameters, optional=True))
        least = render(task, _around(task, backend, _least(task, values.parameters), optional=False))
    except UnsafeValueError as unsafe:
        note = f"parameter {unsafe.parameter}: its example value would be read as an option, as it begins with '-'"
        return Preview("", None, (), (), (*values.notes, note))
    command, without_options = _line(task, full), _line(task, least)
    around = dict(backend.environment) if backend else {}
    variables = [
        Variable(name, shlex.quote(value), name in least.environment or name in around)
        for name, value in (around | dict(full.environment)).items()
    ]
    return Preview(
        command,
        without_options if without_options != command else None,
        tuple(_streams(task)),
        (*variables, *(Variable(name, FROM_WORKER, always=True) for name in task.secrets)),
        tuple(values.notes),
    )


def _line(task: TaskDefinition, rendered: Rendered) -> str:
    return shlex.join(rendered.argv if task.script is None else (*rendered.argv, SCRIPT))


def _around(
    task: TaskDefinition, backend: BackendDefinition | None, parameters: Mapping[str, Any], *, optional: bool
) -> Surroundings:
    backend = backend or BackendDefinition()
    defaults = backend.defaults.resources if backend.defaults else None
    cpus = task.resources.cpus or (defaults.cpus if defaults else None) or 1
    memory = task.resources.memory or (defaults.memory if defaults else None)
    return Surroundings(
        workdir=WORK_FOLDER,
        submission=_SUBMISSION,
        inputs={name: _files(each) if optional or not each.optional else None for name, each in task.inputs.items()},
        parameters=parameters,
        data=_Named({name: backend.data[name].path for name in mentioned_data(task, backend.data)}),
        cpus=cpus,
        memory_mb=memory // 1_000_000 if memory else _MEMORY_MB,
        scatter=ScatterItem(1, "sample"),
    )


def _files(definition: TaskInputDefinition) -> list[str]:
    if not definition.many:
        return [definition.file]
    return [str(Path(definition.file) / name) for name in ("first", "second")]


def _streams(task: TaskDefinition) -> Iterator[str]:
    if task.stdin and task.stdin in task.inputs:
        yield f"standard input is {task.inputs[task.stdin].file}"
    for stream, words in (("stdout", "standard output"), ("stderr", "standard error")):
        file = stream_file(task, stream)
        if file is not None:
            yield f"{words} goes to {file}"


def _example_values(task: TaskDefinition) -> _Values:
    values = _Values()
    for name in task.parameters:
        definition = callers_definition(task, name)
        value = _example_value(definition)
        if value is None:
            values.notes.append(f"parameter {name}: no valid value is known; give it an `example`, to see it here")
            value = [name.upper()] if definition.many else name.upper()
        values.parameters[name] = value
    return values


def _example_value(definition: ParameterDefinition) -> Any:
    for value in (definition.value, definition.example, definition.default):
        if value is not None:
            return value
    tried = ([value] if definition.many else value for value in _made_up(definition))
    return next((value for value in tried if not value_problems(definition, value)), None)


def _made_up(definition: ParameterDefinition) -> Iterator[Any]:
    match definition.kind:
        case ParameterType.BOOLEAN:
            yield True
        case ParameterType.CHOICE:
            yield from definition.choices or ()
        case ParameterType.STRING:
            yield from _MADE_UP
        case _:
            yield from (bound for bound in (1, definition.minimum, definition.maximum) if bound is not None)


def _least(task: TaskDefinition, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The values when a caller gives nothing that need not be given."""
    least = {}
    for name, definition in task.parameters.items():
        value = parameters[name]
        if definition.stored:
            least[name] = value
        elif definition.kind is ParameterType.BOOLEAN and not definition.many:
            least[name] = False
        elif definition.default is not None or not definition.optional:
            least[name] = value
        else:
            least[name] = None
    return least
