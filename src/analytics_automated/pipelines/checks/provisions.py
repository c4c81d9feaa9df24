"""What a Task brings along for its command: shipped files, secrets, and shell text that prepares it."""

from collections.abc import Iterator

from analytics_automated.pipelines.checks.variables import OWN_VARIABLES, PRIVATE_VARIABLES, SERVERS_SECRETS
from analytics_automated.pipelines.definitions import TaskDefinition
from analytics_automated.pipelines.problems import Path, Problem
from analytics_automated.pipelines.templates import placeholders_in_shell


def provision_problems(task: TaskDefinition) -> Iterator[Problem]:
    """Everything that is wrong with them; paths begin at the task."""
    yield from _shipped_files(task)
    yield from _secrets(task)
    yield from setup_problems(task.setup)


def setup_problems(setup: str | None) -> Iterator[Problem]:
    """`setup` is shell text, in which no placeholder is replaced; the path is `setup`."""
    for placeholder in placeholders_in_shell(setup or ""):
        message = f"holds {placeholder}, and nothing is replaced in `setup`: use it in the command or the script"
        yield Problem(("setup",), message)


def own_variables(task: TaskDefinition) -> set[str]:
    """Variables in which A_A gives the task its values."""
    own = {f"param_{name}" for name in task.parameters} | {f"input_{name}" for name in task.inputs}
    return own | {f"output_{name}" for name in task.outputs} | OWN_VARIABLES


def _secrets(task: TaskDefinition) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, name in enumerate(task.secrets):
        path = ("secrets", index)
        if name in seen:
            yield Problem(path, f"names {name!r} twice")
        elif name in SERVERS_SECRETS:
            message = f"AA_SECRET_{name} is a setting of A_A itself, which no task is given: choose another name"
            yield Problem(path, message)
        elif name in PRIVATE_VARIABLES:
            yield Problem(path, f"{name!r} is set by A_A for every command: choose another name")
        elif name in own_variables(task):
            yield Problem(path, f"{name!r} is the variable in which A_A gives a value: choose another name")
        elif name in task.environment:
            yield Problem(path, f"{name!r} is also in `environment`: leave one of the two out")
        seen.add(name)


def _shipped_files(task: TaskDefinition) -> Iterator[Problem]:
    files = {file.file: f"the input {name!r}" for name, file in task.inputs.items() if not file.many}
    files |= {file.file: f"the output {name!r}" for name, file in task.outputs.items() if not file.is_glob}
    folders = {file.file: f"the input {name!r}" for name, file in task.inputs.items() if file.many}
    shipped: set[str] = set()
    for index, file in enumerate(task.files):
        path: Path = ("files", index)
        parents = ["/".join(file.split("/")[:length]) for length in range(1, file.count("/") + 1)]
        if file == "." or any(sign in file for sign in "*?["):
            yield Problem(path, f"{file!r} names no single file: write every file out, without *, ? or [")
        elif file in shipped:
            yield Problem(path, f"names {file!r} twice")
        elif file in files or file in folders:
            yield Problem(
                path, f"{file!r} is also where {(files | folders)[file]} lies: give one of the two another name"
            )
        elif inside := next((parent for parent in parents if parent in folders), None):
            yield Problem(path, f"{file!r} lies in {inside!r}, the folder of {folders[inside]}")
        elif inside := next((parent for parent in parents if parent in files or parent in shipped), None):
            yield Problem(path, f"{file!r} lies in {inside!r}, which is a file and no folder")
        elif within := next((other for other in [*files, *folders, *shipped] if other.startswith(f"{file}/")), None):
            yield Problem(path, f"{file!r} is a file, and {within!r} would lie in it")
        shipped.add(file)
