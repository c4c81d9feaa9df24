"""Reads pipeline files into definitions, with everything that is wrong in them at once."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from analytics_automated.pipelines.definitions import (
    BackendDefinition,
    JobDefinition,
    PipelineDefinition,
    TaskDefinition,
)
from analytics_automated.pipelines.definitions.scalars import JobName, Name
from analytics_automated.pipelines.files.beside import read_beside
from analytics_automated.pipelines.files.configuration import Configuration
from analytics_automated.pipelines.files.sentences import at, problems_of
from analytics_automated.pipelines.files.source import LARGEST, Document, read_document
from analytics_automated.pipelines.problems import Path as KeyPath
from analytics_automated.pipelines.problems import Problem

_MOST_BYTES = 4 * LARGEST + 1
"""More than a pipeline file of the largest number of characters has."""


_Read = TypeVar("_Read", bound=BaseModel)
_NAMES = {"backends": TypeAdapter(Name), "tasks": TypeAdapter(Name), "jobs": TypeAdapter(JobName)}


def read_files(paths: Iterable[Path]) -> Configuration:
    """Read all files. Never raises for what is wrong with them: see `problems`."""
    configuration = Configuration()
    for path in paths:
        read_file(path, str(path), configuration)
    return configuration


def read_file(path: Path, file: str, configuration: Configuration) -> None:
    """Read one file into `configuration`, which calls it `file`, with what lies beside it."""
    configuration.files.append(file)
    read_parsed(parse_file(path, file), configuration, path.parent)


def parse_file(path: Path, file: str) -> Document:
    """Parse one file, which is called `file`. Where it is no text, that is its problem."""
    document = Document(file)
    try:
        with path.open("rb") as opened:
            data = opened.read(_MOST_BYTES)
        text = data.decode("utf-8", errors="strict" if len(data) < _MOST_BYTES else "replace")
    except OSError as error:
        document.add((), f"cannot be read: {error.strerror}")
        return document
    except UnicodeDecodeError as error:
        document.add((), "is not UTF-8 text", data.count(b"\n", 0, error.start) + 1)
        return document
    return read_document(text, file)


def read_text(text: str, file: str, configuration: Configuration, folder: Path | None = None) -> None:
    """Read one file's text into `configuration`. Files beside it are read from `folder`, where there is one."""
    read_parsed(read_document(text, file), configuration, folder)


def read_parsed(document: Document, configuration: Configuration, folder: Path | None = None) -> None:
    """Read one file that is parsed already, as `read_text` does."""
    configuration.problems += document.problems
    if not isinstance(document.data, dict):
        configuration.unreadable.add(("files", document.file))
    if document.data is None:
        return
    sections: Mapping[str, Any] = document.data if isinstance(document.data, dict) else {}
    named = {key: sections[key] for key in ("backends", "tasks", "jobs") if isinstance(sections.get(key), dict)}
    if any(key in sections and key not in named for key in ("backends", "tasks", "jobs")):
        configuration.unreadable.add(("files", document.file))
    top: Any = {key: {} if key in named else value for key, value in sections.items()}
    header = _validated(PipelineDefinition, top if sections else document.data, (), document, configuration)
    pipeline = header.pipeline if header else None
    if header and pipeline is None and (named.get("tasks") or named.get("jobs")):
        message = "is missing: a file with tasks or jobs says which pipeline owns them"
        configuration.problems.append(Problem(("pipeline",), message, document.file, document.line_of(())))
    models: dict[str, tuple[type[BaseModel], dict[str, Any]]] = {
        "backends": (BackendDefinition, configuration.backends),
        "tasks": (TaskDefinition, configuration.tasks),
        "jobs": (JobDefinition, configuration.jobs),
    }
    if pipeline:
        configuration.owners.add(pipeline)
    _name_validators(document)
    for section, (model, known) in models.items():
        for name, data in named.get(section, {}).items():
            _read_named(section, name, data, model, known, document, configuration)
            if pipeline and section != "backends":
                configuration.pipelines.setdefault((section, name), pipeline)
    read_beside(document, configuration, folder)


def _name_validators(document: Document) -> None:
    """Give the options of `{name: fasta, options: {…}}` the lines by the paths that `{fasta: {…}}` has: problems tell
    of both alike."""
    named = {
        path[:-1]: (str(at(document.data, path)), line)
        for path, line in document.lines.items()
        if path[:1] == ("jobs",) and len(path) > 2 and path[-1] == "name" and path[-3] == "validators"
    }
    for use, (name, line) in named.items():
        document.lines.setdefault((*use, name), line)
    for path, line in list(document.lines.items()) if named else ():
        for place in range(len(path) - 1):
            if path[place] == "options" and (found := named.get(path[:place])) is not None:
                document.lines.setdefault((*path[:place], found[0], *path[place + 1 :]), line)


def _read_named(
    section: str,
    name: str,
    data: Any,
    model: type[BaseModel],
    known: dict[str, Any],
    document: Document,
    configuration: Configuration,
) -> None:
    other = configuration.spelled.setdefault((section, name.lower()), name)
    if (section, other) in configuration.documents:
        there = configuration.documents[section, other]
        place = f"{there.file}:{there.line_of((section, other))}"
        message = f"is defined twice: also in {place}" + (f", as {other!r}" if other != name else "")
        path = (section, name)
        configuration.problems.append(Problem(path, message, document.file, document.line_of(path)))
        return
    configuration.documents[section, name] = document
    named = _name_is_right(section, name, document, configuration)
    definition = _validated(model, data, (section, name), document, configuration)
    if definition is None or not named:
        configuration.unreadable.add((section, name))
    else:
        known[name] = definition


def _name_is_right(section: str, name: str, document: Document, configuration: Configuration) -> bool:
    try:
        _NAMES[section].validate_python(name)
    except ValidationError as error:
        message = str(error.errors(include_url=False)[0]["msg"]).removeprefix("Value error, ")
        path = (section, name)
        configuration.problems.append(Problem(path, message, document.file, document.line_of(path)))
        return False
    return True


def _validated(
    model: type[_Read], data: Any, path: KeyPath, document: Document, configuration: Configuration
) -> _Read | None:
    """The data as that model; none, with problems noted, where it is not."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        for problem in problems_of(error.errors(include_url=False), model, data):
            here = problem.below(*path)
            line = document.line_of(here.path)
            configuration.problems.append(replace(here, file=document.file, line=line))
        return None
