"""What the Backend gives to an attempt: as the Backend is at this moment, not as it was when the job was submitted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from analytics_automated.pipelines.definitions import BackendDefinition, TaskDefinition
from analytics_automated.pipelines.definitions.backend import DataDefinition
from analytics_automated.pipelines.definitions.resources import LimitsDefinition, ResourcesDefinition
from analytics_automated.pipelines.reference_data import mentioned_data, needed_data

DEFAULT_CPUS = 1
DEFAULT_MEMORY = 1_000_000_000
"""What `{resources.…}` say where neither the task nor its backend names any; memory in bytes."""

_Amount = TypeVar("_Amount", int, float)


class MissingData(Exception):
    """Reference data that the backend does not have. The argument is for the operator."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an attempt runs, and how much of it may be used."""

    timeout: float
    """Seconds that the command may run."""
    cpus: int
    memory: int
    """Bytes, as the command is told."""
    most_memory: int | None
    """Bytes that it may use; none where neither the task nor its backend says anything of memory."""
    data: Mapping[str, DataDefinition]
    """All reference data of the backend, by name."""
    used: Mapping[str, DataDefinition]
    """Those of it that the task names."""
    path: Sequence[str]
    """Folders in front of PATH."""
    environment: Mapping[str, str]
    """Variables of every command here; the task's own go before them."""
    setups: Mapping[str, str]
    """Shell text before the command, by whose it is, in this order: `backend`, `task`."""
    sandbox: Literal["auto", "required", "off"]
    """Whether the command is isolated."""
    network: bool
    """Whether it may use the network, where it is isolated."""


def find_place(backend: BackendDefinition, name: str, task: TaskDefinition, default_timeout: float) -> Place:
    """What the task gets on the backend of that name.

    What the task asks for holds, else the backend's defaults, else A_A's own; and none of it exceeds the backend's
    limits, which may have changed since the task was checked against them. Raises `MissingData`.
    """
    missing = [each for each in needed_data(task) if each not in backend.data]
    if missing:
        raise MissingData(f"the backend {name!r} has no data {', '.join(map(repr, missing))}")
    defaults, limits = backend.defaults or LimitsDefinition(), backend.limits or LimitsDefinition()
    usual, most = defaults.resources or ResourcesDefinition(), limits.resources or ResourcesDefinition()
    setups = {"backend": backend.setup, "task": task.setup}
    memory = _amount(task.resources.memory, usual.memory, DEFAULT_MEMORY, most.memory)
    is_limited = any(each is not None for each in (task.resources.memory, usual.memory, most.memory))
    return Place(
        timeout=_amount(task.timeout, defaults.timeout, default_timeout, limits.timeout),
        cpus=_amount(task.resources.cpus, usual.cpus, DEFAULT_CPUS, most.cpus),
        memory=memory,
        most_memory=memory if is_limited else None,
        data=backend.data,
        used={each: backend.data[each] for each in mentioned_data(task, backend.data)},
        path=backend.path,
        environment=backend.environment,
        setups={whose: text for whose, text in setups.items() if text and text.strip()},
        sandbox=backend.sandbox,
        network=task.network and backend.network == "allow",
    )


def _amount(asked: _Amount | None, usual: _Amount | None, otherwise: _Amount, most: _Amount | None) -> _Amount:
    amount = next(each for each in (asked, usual, otherwise) if each is not None)
    return amount if most is None else min(amount, most)
