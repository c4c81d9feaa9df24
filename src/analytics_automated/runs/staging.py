"""Inputs on their way into the work folder."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from analytics_automated.pipelines.checks.task import stream_file
from analytics_automated.pipelines.definitions import TaskDefinition
from analytics_automated.pipelines.plans import Plan
from analytics_automated.runs.models import Result, StepRun, SubmissionInput
from analytics_automated.storage.models import Blob
from analytics_automated.storage.streams import copy_out

LONGEST_NAME = 200
PROGRAM_MAGIC = (b"#!", b"\x7fELF")
"""How files begin that the system runs by themselves: execve(2), and the ELF specification's e_ident."""
LONGEST_MAGIC = max(map(len, PROGRAM_MAGIC))


@dataclass(frozen=True, slots=True)
class Available:
    """A file that a step may be given."""

    file: str
    blob: Blob


class MissingInput(Exception):
    """A required input that nothing has provided. The argument is its name."""


def find_inputs(plan: Plan, step_run: StepRun) -> dict[str, list[Available] | None]:
    """The files of each of the task's inputs; none where an optional one is absent.

    Raises `MissingInput`.
    """
    planned, task = plan.step(step_run.step), plan.task_of(step_run.step)
    offered = _offered(step_run)
    found: dict[str, list[Available] | None] = {}
    for name, definition in task.inputs.items():
        sources = planned.inputs.get(name, [])
        present = next((offered[source] for source in sources if source in offered), None)
        if present is None and not definition.optional:
            raise MissingInput(name)
        found[name] = present
    return found


def _offered(step_run: StepRun) -> Mapping[str, list[Available]]:
    """What is there, by source: `step.output`, or the name of a job input."""
    offered: dict[str, list[Available]] = {}
    inputs = SubmissionInput.objects.filter(submission_id=step_run.submission_id)
    for given in inputs.select_related("blob").order_by("name", "position"):
        offered.setdefault(given.name, []).append(Available(given.file, given.blob))
    results = Result.objects.filter(submission_id=step_run.submission_id)
    for made in results.select_related("blob").order_by("step_run__position", "step_run__item", "position"):
        offered.setdefault(f"{made.step}.{made.output}", []).append(Available(made.file, made.blob))
    return offered


def ship(files: Mapping[str, Blob], work: Path) -> None:
    """Copy the shipped files into the work folder, read-only, under their paths. Their folders can be written to.

    What its first bytes tell to be a program, a script with `#!` or an ELF file, can be run. The content alone decides,
    so that two files with one digest are one in every way.
    """
    for path, blob in files.items():
        target = work / path
        target.parent.mkdir(parents=True, exist_ok=True)
        copy_out(blob.key, target)
        with target.open("rb") as copy:
            is_program = copy.read(LONGEST_MAGIC).startswith(PROGRAM_MAGIC)
        target.chmod(0o555 if is_program else 0o444)


def stage(
    plan: Plan,
    step: str,
    inputs: Mapping[str, Sequence[Available] | None],
    work: Path,
    shipped: Collection[str] = (),
) -> dict[str, list[str] | None]:
    """Copy the inputs into the work folder, where the `shipped` paths are taken; returns their paths, by input.

    A file that comes under its caller's name never lies where the task has something of its own: it gets its index
    in front.
    """
    task = plan.task_of(step)
    taken = reserved_paths(task, shipped)
    staged: dict[str, list[str] | None] = {}
    for name, available in inputs.items():
        definition = task.inputs[name]
        if available is None:
            staged[name] = None
            continue
        if definition.many:
            folder = "" if definition.file == "." else f"{definition.file}/"
            (work / definition.file).mkdir(parents=True, exist_ok=True)
            paths = [free_name(folder, safe_name(each.file), index, taken) for index, each in enumerate(available, 1)]
        else:
            paths = [definition.file]
            (work / definition.file).parent.mkdir(parents=True, exist_ok=True)
        for path, each in zip(paths, available, strict=False):
            copy_out(each.blob.key, work / path)
        staged[name] = paths
    return staged


def reserved_paths(task: TaskDefinition, shipped: Collection[str] = ()) -> set[str]:
    """The paths in the work folder that have a meaning for the task, and the folders that these lie in.

    They are those of its single inputs, its outputs and streams, the folders of its inputs with `many`, and the
    `shipped` files. Those of optional inputs are among them, as a tool may look whether there is one.
    """
    streams = (stream_file(task, stream) for stream in ("stdout", "stderr"))
    paths = {*shipped, *(each.file for each in task.inputs.values()), *filter(None, streams)}
    paths |= {output.file for output in task.outputs.values()}  # a glob for the sake of its folder
    parents = {parent.as_posix() for path in paths for parent in PurePosixPath(path).parents}
    return (paths | parents) - {"."}


def safe_name(file: str) -> str:
    """A user's file name as a name in a folder: its last part, printable, no dots in front, of bounded length.

    Letters of any script and spaces stay.
    """
    name = PurePosixPath(file.replace("\\", "/")).name
    name = "".join(sign if sign.isprintable() else "_" for sign in name).strip().lstrip(".")
    while len(name.encode()) > LONGEST_NAME:
        stem, dot, ending = name.partition(".")
        name = f"{stem[:-1]}{dot}{ending}" if len(stem) > 1 else name[:-1]
    return re.sub(r"[/\x00]", "_", name) or "file"


def free_name(folder: str, name: str, index: int, taken: set[str]) -> str:
    """The path of that name in the folder; where it is taken, with the file's index in front."""
    path = f"{folder}{name}"
    if path in taken:
        path = f"{folder}{index}-{name}"
    while path in taken:
        path = f"{path}_"
    taken.add(path)
    return path
