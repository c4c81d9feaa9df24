"""Inputs on their way into the work folder."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePosixPath

from analytics_automated.pipelines.checks.task import stream_file
from analytics_automated.pipelines.definitions import TaskDefinition
from analytics_automated.pipelines.plans import Plan
from analytics_automated.runs.file_names import free_name
from analytics_automated.runs.models import StepRun
from analytics_automated.runs.offers import Available, offers
from analytics_automated.storage.models import Blob
from analytics_automated.storage.streams import copy_out

PROGRAM_MAGIC = (b"#!", b"\x7fELF")
"""How files begin that the system runs by themselves: execve(2), and the ELF specification's e_ident."""
LONGEST_MAGIC = max(map(len, PROGRAM_MAGIC))


class MissingInput(Exception):
    """A required input that nothing has provided. The argument is its name."""


def find_inputs(plan: Plan, step_run: StepRun) -> dict[str, list[Available] | None]:
    """The files of each of the task's inputs; none where an optional one is absent. One run of a scattered step has
    its own file for the input that is taken apart.

    Raises `MissingInput`.
    """
    planned, task = plan.step(step_run.step), plan.task_of(step_run.step)
    found: dict[str, list[Available] | None] = dict.fromkeys(task.inputs)
    if step_run.item and planned.scatter and step_run.item_blob:
        found[planned.scatter.over] = [Available(step_run.item_name, step_run.item_blob)]
    open_inputs = [name for name in task.inputs if found[name] is None]
    sources = {source for name in open_inputs for source in planned.inputs.get(name, [])}
    offered = offers(step_run.submission_id, sources)
    for name in open_inputs:
        found[name] = next((offered[source] for source in planned.inputs.get(name, []) if source in offered), None)
        if found[name] is None and not task.inputs[name].optional:
            raise MissingInput(name)
    return found


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
            paths = [free_name(folder, each.file, index, taken) for index, each in enumerate(available, 1)]
        else:
            paths = [definition.file]
            (work / definition.file).parent.mkdir(parents=True, exist_ok=True)
        for path, each in zip(paths, available, strict=False):
            if "/" in each.file and definition.many:  # in the folder of the run that made it
                (work / path).parent.mkdir(parents=True, exist_ok=True)
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
