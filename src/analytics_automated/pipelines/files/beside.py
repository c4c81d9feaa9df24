"""Files that lie beside a pipeline file and belong to it: scripts, shipped files, files of examples and schedules."""

from collections.abc import Iterator
from pathlib import Path

from analytics_automated.pipelines.definitions import JobDefinition
from analytics_automated.pipelines.definitions.call import CallDefinition
from analytics_automated.pipelines.definitions.task import ScriptFile
from analytics_automated.pipelines.files.configuration import Configuration
from analytics_automated.pipelines.files.source import Document
from analytics_automated.pipelines.problems import Path as KeyPath
from analytics_automated.pipelines.problems import Problem

LARGEST_SCRIPT = 4_000_000
"""Bytes of a script that lies beside the pipeline file."""


def read_beside(document: Document, configuration: Configuration, folder: Path | None) -> None:
    """Put the text of script files in the place of their names, and find all other files that are named.

    What is wrong is noted, and the Task or Job stays, so that all else in it is checked. Without a folder there are no
    scripts, and other files are not looked for.
    """
    for name, task in list(configuration.tasks.items()):
        if configuration.documents["tasks", name] is not document:
            continue
        faults: list[Problem] = []
        if isinstance(task.script, ScriptFile):
            try:
                text = _script_text(_inside(folder, task.script.file))
                configuration.tasks[name] = task.model_copy(update={"script": text})
            except ValueError as error:
                faults.append(Problem(("script", "file"), str(error)))
        named = ((("files", place), path) for place, path in enumerate(task.files))
        _find(("tasks", name), named, document, configuration, folder, faults)
    for name, job in list(configuration.jobs.items()):
        if configuration.documents["jobs", name] is document:
            _find(("jobs", name), files_of(job), document, configuration, folder, [])


def files_of(job: JobDefinition) -> Iterator[tuple[KeyPath, str]]:
    """The files that a job names, with the places where it does: inputs and expected results of its examples, and
    inputs of its schedule."""
    for place, example in enumerate(job.examples):
        yield from _files_of_call(example, ("examples", place))
        for name, result in example.expect.expected.items():
            if result.file is not None:
                yield ("examples", place, "expect", "results", name, "file"), result.file
    if job.schedule is not None:
        yield from _files_of_call(job.schedule, ("schedule",))


def _files_of_call(call: CallDefinition, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    for name, given in call.inputs.items():
        if isinstance(given, str):
            yield (*path, "inputs", name), given
        else:
            yield from (((*path, "inputs", name, place), file) for place, file in enumerate(given))


def _find(
    key: tuple[str, str],
    named: Iterator[tuple[KeyPath, str]],
    document: Document,
    configuration: Configuration,
    folder: Path | None,
    faults: list[Problem],
) -> None:
    found = {}
    for place, file in named if folder is not None else ():
        try:
            found[file] = _inside(folder, file)
        except ValueError as error:
            faults.append(Problem(place, str(error)))
    for fault in faults:
        path = (*key, *fault.path)
        configuration.problems.append(Problem(path, fault.message, document.file, document.line_of(path)))
    if faults:
        configuration.incomplete.add(key)
    if found:
        configuration.shipped[key] = found


def _inside(folder: Path | None, file: str) -> Path:
    """The file of that name in the folder. Raises `ValueError` where there is none, or where it lies outside."""
    if folder is None:
        raise ValueError("cannot be read here: write the script's text into the pipeline file")
    inside = folder.resolve()
    path = (inside / file).resolve()
    if not path.is_relative_to(inside):
        raise ValueError("lies outside the pipeline file's folder")
    try:
        if not path.is_file():
            raise ValueError("is no file" if path.exists() else f"there is no file {file!r} beside the pipeline file")
        with path.open("rb"):
            return path
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None


def _script_text(path: Path) -> str:
    if path.stat().st_size > LARGEST_SCRIPT:
        raise ValueError(f"is larger than {LARGEST_SCRIPT} bytes")
    data = path.read_bytes()
    if b"\0" in data:
        raise ValueError("holds a NUL character")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None
