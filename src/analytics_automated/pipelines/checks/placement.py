"""A Task on its Backend: what it needs is there, and what it asks for is allowed."""

from collections.abc import Iterator

from analytics_automated.pipelines.commands import placed_placeholders
from analytics_automated.pipelines.definitions import BackendDefinition, TaskDefinition
from analytics_automated.pipelines.definitions.resources import LimitsDefinition, ResourcesDefinition
from analytics_automated.pipelines.problems import Path, Problem, listed, nearest
from analytics_automated.pipelines.quantities import format_duration, format_size
from analytics_automated.pipelines.reference_data import script_data


def placement_problems(task: TaskDefinition, backend: BackendDefinition) -> Iterator[Problem]:
    """What the backend does not have or allow; paths begin at the task."""
    name = task.backend
    yield from _data(task, backend)
    if backend.limits is not None:
        asked = LimitsDefinition(timeout=task.timeout, resources=task.resources)
        yield from beyond(asked, backend.limits, f"the backend {name!r} allows")
    if task.container is not None and backend.container is None:
        message = f"the backend {name!r} runs no containers: it needs `container`, or the task another backend"
        yield Problem(("container",), message)
    if task.network and backend.network == "deny":
        yield Problem(("network",), f"the backend {name!r} lets no task into the network")
    for index, secret in enumerate(task.secrets):
        if secret in backend.environment:
            yield Problem(("secrets", index), f"{secret!r} is also a variable of the backend {name!r}: rename one")
    for variable in task.environment:
        if variable in {f"data_{data}" for data in backend.data}:
            message = "is the variable in which A_A gives this value: choose another name"
            yield Problem(("environment", variable), message)


def beyond(asked: LimitsDefinition, limits: LimitsDefinition, whose: str) -> Iterator[Problem]:
    """What is more than the limits; `whose` says whose they are."""
    if asked.timeout is not None and limits.timeout is not None and asked.timeout > limits.timeout:
        said = f"is {format_duration(asked.timeout)}, and {whose} {format_duration(limits.timeout)}"
        yield Problem(("timeout",), said)
    wanted, most = asked.resources or ResourcesDefinition(), limits.resources or ResourcesDefinition()
    for key, one, other in (
        ("cpus", wanted.cpus, most.cpus),
        ("memory", wanted.memory, most.memory),
        ("gpus", wanted.gpus, most.gpus),
    ):
        if one is not None and other is not None and one > other:
            shown = (format_size(one), format_size(other)) if key == "memory" else (one, other)
            yield Problem(("resources", key), f"is {shown[0]}, and {whose} {shown[1]}")


def _data(task: TaskDefinition, backend: BackendDefinition) -> Iterator[Problem]:
    for path, placeholder in placed_placeholders(task):
        if placeholder.kind == "data" and placeholder.name and placeholder.name not in backend.data:
            yield _no_data(path, placeholder.name, str(placeholder), task, backend)
    for index, software in enumerate(task.software):
        if software.data is not None and software.data not in backend.data:
            yield _no_data(("software", index, "data"), software.data, repr(software.data), task, backend)
    for name, line in script_data(task):
        if name not in backend.data:
            shown = f"$data_{name} in line {line} of the script"
            problem = _no_data(("script",), name, shown, task, backend)
            yield Problem(problem.path, problem.message, warning=True)


def _no_data(path: Path, name: str, shown: str, task: TaskDefinition, backend: BackendDefinition) -> Problem:
    hint = nearest(name, backend.data) or f"; it has {listed(backend.data)}"
    return Problem(path, f"{shown} names no data of the backend {task.backend!r}{hint}")
