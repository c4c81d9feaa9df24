"""What a configuration asks for and this machine does not have: programs, data, folders, secrets.

It looks as a worker of this machine would that had this process's PATH and variables.
"""

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from analytics_automated.executors.registry import executor_class, executor_names
from analytics_automated.executors.search_path import search_path
from analytics_automated.pipelines.checks.configuration import LOCAL_BACKEND
from analytics_automated.pipelines.checks.interpreters import RUNNERS
from analytics_automated.pipelines.checks.script_programs import programs_of_script
from analytics_automated.pipelines.commands import command_words, interpreter_words
from analytics_automated.pipelines.definitions import BackendDefinition, TaskDefinition
from analytics_automated.pipelines.problems import Path as KeyPath
from analytics_automated.pipelines.problems import Problem
from analytics_automated.pipelines.templates import TemplateError
from analytics_automated.runs.secrets import MissingSecret, find_secrets

_SHELL = re.compile(r"(.*/)?(ba|da|k|mk)?sh")
_HERE_TOO = frozenset(
    {"env", "nice", "ionice", "timeout", "time", "stdbuf", "nohup", "setsid", "taskset", "xargs", "numactl"}
)
"""Runners behind whose options the program that they run stands, on the same machine and by the same PATH."""


def missing_here(
    backends: Mapping[str, BackendDefinition],
    tasks: Mapping[str, TaskDefinition],
    environment: Mapping[str, str] = os.environ,
) -> list[Problem]:
    """Everything that is missing, as warnings; paths begin with `backends` or `tasks`.

    Only Backends whose commands run on this machine are looked at, and Tasks that use one of them. Programs of a Task
    with a `setup` or a container are not among them: where these are, only they know. See `not_found_here`.
    """
    here = _backends_here(backends)
    problems = [each.below("backends", name) for name, backend in here.items() for each in _of_backend(backend)]
    for name, task in tasks.items():
        if task.backend in here:
            programs = () if _has_setup(task, here[task.backend]) else _programs_not_found(task, here[task.backend])
            found = [*(_missing((key,), said) for key, said in programs), *_secrets(task, environment)]
            problems += (each.below("tasks", name) for each in found)
    return problems


def not_found_here(backends: Mapping[str, BackendDefinition], tasks: Mapping[str, TaskDefinition]) -> list[Problem]:
    """Programs that this machine lacks unless a `setup` brings them, as warnings; paths begin with `tasks`."""
    here = _backends_here(backends)
    return [
        _missing(("tasks", name, key), f"{said}, unless the `setup` brings it")
        for name, task in tasks.items()
        if task.backend in here and _has_setup(task, here[task.backend])
        for key, said in _programs_not_found(task, here[task.backend])
    ]


def _backends_here(backends: Mapping[str, BackendDefinition]) -> dict[str, BackendDefinition]:
    all_backends = {LOCAL_BACKEND: BackendDefinition(), **backends}
    return {name: each for name, each in all_backends.items() if _runs_here(each)}


def _has_setup(task: TaskDefinition, backend: BackendDefinition) -> bool:
    return any(setup and setup.strip() for setup in (task.setup, backend.setup))


def _runs_here(backend: BackendDefinition) -> bool:
    return backend.executor in executor_names() and executor_class(backend.executor).attended


def _of_backend(backend: BackendDefinition) -> Iterator[Problem]:
    for index, folder in enumerate(backend.path):
        if not Path(folder).is_dir():
            yield _missing(("path", index), f"there is no folder {folder!r} on this machine")
    for name, data in backend.data.items():
        path = Path(data.path)
        # Some programs name a set of files by what their names begin with, as BLAST does its databases.
        if not path.exists() and not any(path.parent.glob(f"{_literally(path.name)}.*")):
            yield _missing(("data", name), f"there is nothing at {data.path!r} on this machine")
    if backend.container is not None and not shutil.which(backend.container, path=search_path()):
        yield _missing(("container",), f"there is no program {backend.container!r} on this machine")


def _literally(name: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", name)


def _programs_not_found(task: TaskDefinition, backend: BackendDefinition) -> Iterator[tuple[str, str]]:
    """The key that names each program that is not there, and what is said of it."""
    if task.container is not None:
        return
    path = ":".join([*backend.path, search_path()])
    for key, program in dict.fromkeys(_programs(task)):
        wanted = ("python3", "python") if program == "python" and key == "interpreter" else (program,)
        if "/" in program and not program.startswith("/"):
            continue  # in the work folder
        if not any(shutil.which(each, path=path) for each in wanted):
            where = "on this machine" if "/" in program else "on the PATH of this machine"
            where = f"in the backend's `path` or {where}" if backend.path and "/" not in program else where
            yield key, f"there is no program {' or '.join(map(repr, wanted))} {where}"


def _programs(task: TaskDefinition) -> Iterator[tuple[str, str]]:
    """Programs that the task surely calls, each with the key that names it."""
    try:
        words = [word.literal for word in command_words(task)]
        interpreter = interpreter_words(task) if task.script is not None else ()
    except TemplateError:
        return  # which is an error of its own
    yield from (("command", program) for program in _run_by(words))
    if interpreter:
        yield from (("interpreter" if task.interpreter else "script", each) for each in _run_by(interpreter))
        if _SHELL.fullmatch(interpreter[0]) and isinstance(task.script, str):
            yield from (("script", program) for program in programs_of_script(task.script))


def _run_by(words: Sequence[str | None]) -> Iterator[str]:
    """The program, and behind `nice` and its like the one that it runs."""
    rest = list(words)
    while rest and rest[0]:
        program = rest.pop(0) or ""
        yield program
        name = program.rpartition("/")[2]
        if name not in _HERE_TOO:
            return
        operands, valued = RUNNERS[name]
        while rest and rest[0] is not None:
            if rest[0].startswith("-"):
                del rest[: 2 if re.fullmatch(valued, rest[0]) else 1]
            elif re.match(r"[A-Za-z_]\w*=", rest[0]):
                del rest[0]
            elif operands:
                operands -= 1
                del rest[0]
            else:
                break


def _secrets(task: TaskDefinition, environment: Mapping[str, str]) -> Iterator[Problem]:
    for index, name in enumerate(task.secrets):
        try:
            find_secrets([name], environment)
        except MissingSecret as error:
            yield _missing(("secrets", index), str(error))


def _missing(path: KeyPath, message: str) -> Problem:
    return Problem(path, message, warning=True)
