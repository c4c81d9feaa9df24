"""The checks of a whole configuration: every Task, every Job with the Tasks that it uses, every Backend."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from pydantic import ValidationError

from analytics_automated.executors.registry import executor_class, executor_names
from analytics_automated.pipelines.checks.job import plan_job
from analytics_automated.pipelines.checks.support import LATER_EXECUTORS, unsupported
from analytics_automated.pipelines.checks.task import check_task
from analytics_automated.pipelines.definitions import BackendDefinition, JobDefinition, TaskDefinition
from analytics_automated.pipelines.files.sentences import problems_of
from analytics_automated.pipelines.plans import Plan
from analytics_automated.pipelines.problems import Problem, listed, nearest

SECTIONS = ("backends", "tasks", "jobs")
LOCAL_BACKEND = "local"
"""The Backend that always exists."""
LOCAL_QUEUE = "LOCALHOST"
"""Its Queue Type."""


@dataclass
class Checked:
    """What came of the checks."""

    plans: dict[str, Plan] = field(default_factory=dict)
    """The plan of every job that is right."""
    problems: list[Problem] = field(default_factory=list)
    """Paths begin with `backends`, `tasks` or `jobs`."""


def check_configuration(
    backends: Mapping[str, BackendDefinition],
    tasks: Mapping[str, TaskDefinition],
    jobs: Mapping[str, JobDefinition],
    *,
    unreadable: Collection[tuple[str, str]] = (),
    all_backends: bool = True,
) -> Checked:
    """Check everything that is given.

    `unreadable` are sections and names that have problems already, as a file has; what refers to them is passed over.
    `("files", …)` stands for a file of which not even the names are known. Without `all_backends` a backend that is
    not given may be defined elsewhere.
    """
    checked = Checked()
    for name, backend in backends.items():
        checked.problems += (problem.below("backends", name) for problem in check_backend(backend))
    checked.problems += _queue_clashes(backends)
    unread = {section: {name for where, name in unreadable if where == section} for section in SECTIONS}
    all_known = all(section in SECTIONS for section, _ in unreadable)
    wrong: set[str] = set()
    for name, task in tasks.items():
        problems = check_task(task)
        known = {LOCAL_BACKEND, *backends, *unread["backends"]}
        if task.backend not in known and all_known:
            message = f"there is no backend {task.backend!r}{nearest(task.backend, known)}"
            elsewhere = f"{message} in these files; it must be there when they are applied"
            problems.append(Problem(("backend",), message if all_backends else elsewhere, warning=not all_backends))
        if any(not problem.warning for problem in problems):
            wrong.add(name)
        checked.problems += (problem.below("tasks", name) for problem in problems)
    for name, job in jobs.items():
        used = {step.task for step in job.steps}
        if used & unread["tasks"] or (used - set(tasks) and not all_known):
            continue
        plan, problems = plan_job(name, job, tasks)
        if job.runnable and used <= set(tasks):
            problems += unsupported(job, tasks, backends)
        if plan is not None and not problems and not used & wrong:
            checked.plans[name] = plan
        for problem in problems:
            outside = problem.path[:1] == ("..",)
            seen = Problem(problem.path[1:], f"{problem.message}, and the runnable job {name!r} needs it")
            checked.problems.append(seen if outside else problem.below("jobs", name))
    return checked


def check_backend(backend: BackendDefinition) -> list[Problem]:
    """What is wrong with one backend; paths begin at it."""
    problems: list[Problem] = []
    if backend.executor in executor_names():
        options = executor_class(backend.executor).Options
        try:
            options.model_validate(backend.options)
        except ValidationError as error:
            unknown = f"is no option of the executor {backend.executor!r}"
            wrong = problems_of(error.errors(include_url=False), options, backend.options, unknown)
            problems += (problem.below("options") for problem in wrong)
    elif backend.executor not in LATER_EXECUTORS:
        hint = nearest(backend.executor, executor_names()) or f"; installed: {listed(executor_names())}"
        problems.append(Problem(("executor",), f"there is no executor {backend.executor!r}{hint}"))
    if backend.root is not None and not PurePosixPath(backend.root).is_absolute():
        problems.append(Problem(("root",), "must be an absolute path"))
    return problems


def _queue_clashes(backends: Mapping[str, BackendDefinition]) -> list[Problem]:
    """Each backend has a Celery queue of its own."""
    problems = []
    taken = {} if LOCAL_BACKEND in backends else {LOCAL_QUEUE: LOCAL_BACKEND}
    for name, backend in backends.items():
        queue = queue_of(name, backend)
        if queue in taken:
            message = f"the queue {queue!r} is already that of the backend {taken[queue]!r}"
            problems.append(Problem(("backends", name, "queue"), message))
        taken[queue] = name
    return problems


def queue_of(name: str, backend: BackendDefinition) -> str:
    """The Celery queue of a backend: as named, else the backend's name; LOCALHOST for the default one."""
    return backend.queue or (LOCAL_QUEUE if name == LOCAL_BACKEND else name)
