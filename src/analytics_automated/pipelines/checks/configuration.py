"""The checks of a whole configuration: every Task, every Job with the Tasks that it uses, every Backend."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from analytics_automated.pipelines.checks.backend import (
    LOCAL_BACKEND,
    LOCAL_QUEUE,
    check_backend,
    queue_clashes,
    queue_of,
)
from analytics_automated.pipelines.checks.job import plan_job
from analytics_automated.pipelines.checks.job_names import job_name_problems
from analytics_automated.pipelines.checks.placement import placement_problems
from analytics_automated.pipelines.checks.support import unsupported
from analytics_automated.pipelines.checks.task import check_task
from analytics_automated.pipelines.definitions import BackendDefinition, JobDefinition, TaskDefinition
from analytics_automated.pipelines.plans import Plan
from analytics_automated.pipelines.problems import Problem, nearest

SECTIONS = ("backends", "tasks", "jobs")


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
    `("files", …)` stands for a file of which not even the names are known. Without `all_backends` a backend, or
    a job's successor, that is not given may be defined elsewhere.
    """
    checked = Checked()
    for name, backend in backends.items():
        checked.problems += (problem.below("backends", name) for problem in check_backend(backend))
    checked.problems += queue_clashes(backends)
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
        if task.backend in backends:
            problems += placement_problems(task, backends[task.backend])
        elif task.backend == LOCAL_BACKEND and task.backend not in unread["backends"]:
            # It always exists, and has its defaults unless it is defined elsewhere.
            found = placement_problems(task, BackendDefinition())
            problems += (problem if all_backends else replace(problem, warning=True) for problem in found)
        if any(not problem.warning for problem in problems):
            wrong.add(name)
        checked.problems += (problem.below("tasks", name) for problem in problems)
    checked.problems += job_name_problems(jobs, unread["jobs"], all_known=all_backends and all_known)
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


__all__ = ["LOCAL_BACKEND", "LOCAL_QUEUE", "Checked", "check_backend", "check_configuration", "queue_of"]
