"""Command rendering: a Task and its values become an argv list and an environment. No shell is ever met."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from typing import cast

from analytics_automated.pipelines.definitions import (
    ParameterDefinition,
    ParameterType,
    TaskDefinition,
    TaskInputDefinition,
    Value,
)
from analytics_automated.pipelines.templates import Placeholder, TemplateError, Word, parse_command, parse_word

DEFAULT_INTERPRETER = ("bash", "-euo", "pipefail")


@dataclass(frozen=True, slots=True)
class ScatterItem:
    """Which run of a scattered step it is."""

    index: int
    """Counted from 1."""
    stem: str
    """Its file's name without the last ending."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a Task's placeholders stand for in one attempt."""

    workdir: Path
    """The work folder, absolute."""
    submission: str
    """The Submission's id."""
    inputs: Mapping[str, Sequence[str] | None]
    """Staged files by input, relative to the work folder; none where the input is absent."""
    parameters: Mapping[str, Value | None]
    """Checked values by the Task's own names, defaults and stored ones included; none where absent."""
    data: Mapping[str, str] = field(default_factory=dict)
    """Absolute paths of the backend's reference data."""
    cpus: int = 1
    memory_mb: int = 0
    scatter: ScatterItem | None = None
    """None where the step does not scatter: then no placeholder asks for it."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A command that is ready but for where it runs."""

    argv: tuple[str, ...]
    """The words; of a script the interpreter's, to which the script file's path is to be added."""
    environment: Mapping[str, str]
    """The Task's own variables, and for a script also its values. Paths in it are absolute."""
    values: Mapping[str, object]
    """Everything, for the JSON file that `$task_file` names."""


class UnsafeValueError(ValueError):
    """A parameter's value that would be read as an option. `parameter` is the Task's own name of it."""

    def __init__(self, parameter: str) -> None:
        super().__init__("would be read as an option, as it begins with '-'")
        self.parameter = parameter


_words = lru_cache(maxsize=1024)(parse_command)


def command_words(task: TaskDefinition) -> tuple[Word, ...]:
    """The words of the Task's command; none for a script. Raises `TemplateError`."""
    return () if task.command is None else _words(task.command)


def value_text(value: Value) -> str:
    """A value as one text: numbers as JSON writes them, a boolean as `true` or `false`, a list by lines."""
    if isinstance(value, list):
        return "\n".join(value_text(item) for item in value)
    return value if isinstance(value, str) else json.dumps(value)


def render(task: TaskDefinition, around: Surroundings) -> Rendered:
    """Render the Task's command and environment.

    On the command line files are relative to the work folder, which is the working directory; in the
    environment they are absolute. Raises `UnsafeValueError` for a value that would become an option.
    """
    renderer = _Renderer(task, around)
    values = renderer.values()
    environment = {name: renderer.text(parse_word(text), absolute=True) for name, text in task.environment.items()}
    if task.command is None:
        argv = interpreter_words(task)
        environment |= renderer.variables(values)
    else:
        argv = tuple(word for template in command_words(task) for word in renderer.words(template))
        environment |= renderer.variables(values, only=_env_only(task))
    return Rendered(argv, environment, values)


def interpreter_words(task: TaskDefinition) -> tuple[str, ...]:
    """The words in front of the script file."""
    if task.interpreter is None:
        return DEFAULT_INTERPRETER
    return tuple(word.literal or "" for word in _words(task.interpreter))


def placed_placeholders(task: TaskDefinition) -> Iterator[tuple[tuple[str, ...], Placeholder]]:
    """All placeholders of the Task, each with the path of the key that holds it. A command that cannot be split has
    none."""
    try:
        words = command_words(task)
    except TemplateError:
        words = ()
    places: list[tuple[tuple[str, ...], Word]] = [(("command",), word) for word in words]
    places += [(("environment", name), parse_word(text)) for name, text in task.environment.items()]
    if task.container is not None:
        places.append((("container", "image"), parse_word(task.container.image)))
    for path, word in places:
        yield from ((path, placeholder) for placeholder in word.placeholders)


def leading_parameters(task: TaskDefinition) -> list[str]:
    """Parameters whose value a word of the command may begin with, so that a `-` in front of it is an option's.

    Those with a flag are not among them. Raises `TemplateError`.
    """
    names: dict[str, None] = {}
    for word in command_words(task):
        leading = takewhile(lambda part: isinstance(part, Placeholder), word.parts)
        names |= {part.name: None for part in leading if isinstance(part, Placeholder) and part.kind == "param"}
    return [name for name in names if name in task.parameters and task.parameters[name].flag is None]


def may_begin_with_dash(definition: ParameterDefinition) -> bool:
    """True where the author chose the value, or allowed that it begins with `-`."""
    return definition.allow_dash or definition.kind is ParameterType.CHOICE or definition.stored


def _env_only(task: TaskDefinition) -> set[str]:
    """Variables that a command gets, too: of those parameters and inputs that it does not name by design."""
    parameters = {f"param_{name}" for name, parameter in task.parameters.items() if parameter.env_only}
    return parameters | {f"input_{name}" for name, file in task.inputs.items() if file.env_only}


class _Renderer:
    def __init__(self, task: TaskDefinition, around: Surroundings) -> None:
        self.task = task
        self.around = around

    def words(self, template: Word) -> list[str]:
        """None, one or several words where the template is a lone placeholder; else exactly one."""
        lone = template.lone
        if lone is not None and lone.kind == "param":
            return self._parameter_words(lone.name)
        if lone is not None and lone.kind == "input":
            return self._input_words(lone.name)
        word = self.text(template, absolute=False)
        if word.startswith("-") and not template.lead:
            self._check_first(template)
        return [word]

    def _check_first(self, template: Word) -> None:
        """A word that begins with a placeholder begins with `-` only where the author allowed it."""
        first = next(part for part in template.parts if self.text(Word((part,)), absolute=False))
        parameter = first if isinstance(first, Placeholder) else template.parts[0]
        assert isinstance(parameter, Placeholder)  # noqa: S101 -- the word has no lead
        definition = self.task.parameters.get(parameter.name) if parameter is first else None
        if definition is None or not may_begin_with_dash(definition):
            raise UnsafeValueError(parameter.name)

    def text(self, template: Word, *, absolute: bool) -> str:
        """The word with its placeholders replaced in place; what is absent is empty."""
        return "".join(part if isinstance(part, str) else self._one(part, absolute) for part in template.parts)

    def values(self) -> dict[str, object]:
        """All values by placeholder, for scripts: paths absolute, absent ones none, `many` inputs as lists."""
        around = self.around
        values: dict[str, object] = {}
        for name, definition in self.task.inputs.items():
            files = around.inputs.get(name)
            paths = None if files is None else [self._absolute(file) for file in files]
            values[f"input.{name}"] = paths if definition.many or not paths else paths[0]
        for name, output in self.task.outputs.items():
            if not output.is_glob:
                values[f"output.{name}"] = self._absolute(output.file)
        for name in self.task.parameters:
            values[f"param.{name}"] = around.parameters.get(name)
        values |= {f"data.{name}": path for name, path in around.data.items()}
        values |= {"resources.cpus": around.cpus, "resources.memory_mb": around.memory_mb}
        if around.scatter is not None:
            values |= {"scatter.index": around.scatter.index, "scatter.stem": around.scatter.stem}
        return values | {"submission.id": around.submission, "workdir": str(around.workdir)}

    def variables(self, values: Mapping[str, object], only: set[str] | None = None) -> dict[str, str]:
        """The values as environment variables, `_` for `.`; an absent one is unset, a `many` input its folder."""
        variables = {}
        for placeholder, value in values.items():
            name = placeholder.replace(".", "_", 1)
            if value is None or (only is not None and name not in only):
                continue
            kind, _, own = placeholder.partition(".")
            if kind == "input" and self.task.inputs[own].many:
                variables[name] = self._absolute(self.task.inputs[own].file)
            else:
                variables[name] = value_text(cast("Value", value))
        return variables

    def _absolute(self, file: str) -> str:
        return str(self.around.workdir / file)

    def _parameter_words(self, name: str) -> list[str]:
        definition = self.task.parameters[name]
        value = self.around.parameters.get(name)
        if value is None:
            return []
        if definition.kind is ParameterType.BOOLEAN and definition.flag is not None and not definition.many:
            return [definition.flag] if value else []
        words: list[str] = []
        for item in value if isinstance(value, list) else [value]:
            words += _flagged(definition, value_text(item), name)
        return words

    def _input_words(self, name: str) -> list[str]:
        definition = self.task.inputs[name]
        files = self.around.inputs.get(name)
        return [word for file in files or () for word in _flagged(definition, _safe_path(file), "")]

    def _one(self, placeholder: Placeholder, absolute: bool) -> str:
        kind, name, around = placeholder.kind, placeholder.name, self.around
        if kind == "param":
            value = around.parameters.get(name)
            return "" if value is None else value_text(value)
        if kind in {"input", "output"}:
            if kind == "input" and around.inputs.get(name) is None:
                return ""
            file = self.task.inputs[name].file if kind == "input" else self.task.outputs[name].file
            return self._absolute(file) if absolute else file
        if kind == "data":
            return around.data[name]
        item = around.scatter or ScatterItem(1, "")
        fixed = {
            "{scatter.index}": str(item.index),
            "{scatter.stem}": item.stem,
            "{resources.cpus}": str(around.cpus),
            "{resources.memory_mb}": str(around.memory_mb),
            "{submission.id}": around.submission,
            "{workdir}": str(around.workdir),
        }
        return fixed[str(placeholder)]


def _safe_path(file: str) -> str:
    """A relative path that no command reads as an option."""
    return f"./{file}" if file.startswith("-") else file


def _flagged(definition: ParameterDefinition | TaskInputDefinition, text: str, name: str) -> list[str]:
    if definition.flag is None:
        allowed = isinstance(definition, ParameterDefinition) and may_begin_with_dash(definition)
        if text.startswith("-") and not allowed:
            raise UnsafeValueError(name)
        return [text]
    if definition.separator is not None:
        return [definition.flag + definition.separator + text]
    return [definition.flag, text]
