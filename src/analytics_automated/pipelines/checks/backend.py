"""What must hold within one Backend, and between the Backends."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from pydantic import ValidationError

from analytics_automated.executors.registry import executor_class, executor_names
from analytics_automated.pipelines.checks.placement import beyond
from analytics_automated.pipelines.checks.provisions import setup_problems
from analytics_automated.pipelines.checks.support import LATER_EXECUTORS
from analytics_automated.pipelines.checks.variables import OWN_VARIABLES, PRIVATE_VARIABLES
from analytics_automated.pipelines.definitions import BackendDefinition
from analytics_automated.pipelines.files.sentences import problems_of
from analytics_automated.pipelines.problems import Problem, listed, nearest

LOCAL_BACKEND = "local"
"""The Backend that always exists."""
LOCAL_QUEUE = "LOCALHOST"
"""Its Queue Type."""


def check_backend(backend: BackendDefinition) -> list[Problem]:
    """What is wrong with one backend; paths begin at it."""
    return [
        *_executor(backend),
        *_paths(backend),
        *_environment(backend),
        *setup_problems(backend.setup),
        *_defaults(backend),
    ]


def _executor(backend: BackendDefinition) -> Iterator[Problem]:
    if backend.executor in executor_names():
        options = executor_class(backend.executor).Options
        try:
            options.model_validate(backend.options)
        except ValidationError as error:
            unknown = f"is no option of the executor {backend.executor!r}"
            wrong = problems_of(error.errors(include_url=False), options, backend.options, unknown)
            yield from (problem.below("options") for problem in wrong)
    elif backend.executor not in LATER_EXECUTORS:
        known = {*executor_names(), *LATER_EXECUTORS}
        hint = nearest(backend.executor, known) or f"; installed: {listed(executor_names())}"
        yield Problem(("executor",), f"there is no executor {backend.executor!r}{hint}")


def _paths(backend: BackendDefinition) -> Iterator[Problem]:
    if backend.root is not None and not PurePosixPath(backend.root).is_absolute():
        yield Problem(("root",), "must be an absolute path")
    for index, folder in enumerate(backend.path):
        if not PurePosixPath(folder).is_absolute():
            yield Problem(("path", index), f"{folder!r} is no absolute path")
        elif ":" in folder:
            yield Problem(("path", index), f"{folder!r} holds a ':', which stands between the folders of PATH")
    spelled: dict[str, str] = {}
    for name, data in backend.data.items():
        if not PurePosixPath(data.path).is_absolute():
            yield Problem(("data", name, "path"), f"{data.path!r} is no absolute path")
        other = spelled.setdefault(name.lower(), name)
        if other != name:
            yield Problem(("data", name), f"differs from {other!r} only by its case")


def _environment(backend: BackendDefinition) -> Iterator[Problem]:
    for name in backend.environment:
        path = ("environment", name)
        if name in PRIVATE_VARIABLES:
            hint = ": use the backend's `path`" if name == "PATH" else ""
            yield Problem(path, f"is set by A_A for every command{hint}")
        elif name in OWN_VARIABLES or name in {f"data_{data}" for data in backend.data}:
            yield Problem(path, "is the variable in which A_A gives this value: choose another name")


def _defaults(backend: BackendDefinition) -> Iterator[Problem]:
    if backend.defaults is not None and backend.limits is not None:
        for problem in beyond(backend.defaults, backend.limits, "`limits` allows"):
            yield problem.below("defaults")


def queue_clashes(backends: Mapping[str, BackendDefinition]) -> Iterator[Problem]:
    """Each backend has a Celery queue of its own; paths begin at `backends`."""
    taken = {} if LOCAL_BACKEND in backends else {LOCAL_QUEUE: LOCAL_BACKEND}
    for name, backend in backends.items():
        queue = queue_of(name, backend)
        if queue in taken:
            message = f"the queue {queue!r} is already that of the backend {taken[queue]!r}"
            yield Problem(("backends", name, "queue"), message)
        taken[queue] = name


def queue_of(name: str, backend: BackendDefinition) -> str:
    """The Celery queue of a backend: as named, else the backend's name; LOCALHOST for the default one."""
    return backend.queue or (LOCAL_QUEUE if name == LOCAL_BACKEND else name)
