"""The names of all Jobs together: aliases, and the Jobs that take the place of others."""

from collections.abc import Collection, Iterator, Mapping

from analytics_automated.pipelines.definitions import JobDefinition
from analytics_automated.pipelines.problems import Problem, nearest


def job_name_problems(
    jobs: Mapping[str, JobDefinition], unread: Collection[str], *, all_known: bool
) -> Iterator[Problem]:
    """Names and aliases that a job before has already, and successors that there are not or that are
    of no use; paths begin at `jobs`.

    Of `unread` the names alone are known. Without `all_known` there may be jobs that are not given.
    """
    names = {name.lower(): name for name in unread}
    aliases: dict[str, str] = {}
    for name, job in jobs.items():
        if owner := aliases.get(name.lower()):
            yield Problem(("jobs", name), f"is already an alias of the job {owner!r}")
        names[name.lower()] = name
        for index, alias in enumerate(job.aliases):
            path = ("jobs", name, "aliases", index)
            key = alias.lower()
            if other := names.get(key):
                whose = "this job itself" if other == name else f"the job {other!r}"
                yield Problem(path, f"{alias!r} is the name of {whose}")
            elif owner := aliases.get(key):
                again = (
                    f"names {alias!r} twice" if owner == name else f"{alias!r} is already an alias of the job {owner!r}"
                )
                yield Problem(path, again)
            aliases.setdefault(key, name)
        yield from _successor(name, job, {*jobs, *unread}, all_known=all_known)
        yield from _of_no_use(name, jobs)


def _successor(name: str, job: JobDefinition, names: Collection[str], *, all_known: bool) -> Iterator[Problem]:
    successor = _successor_of(job)
    path = ("jobs", name, "deprecated", "successor")
    if successor == name:
        yield Problem(path, "is this job itself: name the one that callers should use instead")
    elif successor is not None and successor not in names:
        message = f"there is no job {successor!r}{nearest(successor, [other for other in names if other != name])}"
        elsewhere = f"{message} in these files; it must be there when they are applied"
        yield Problem(path, message if all_known else elsewhere, warning=not all_known)


def _of_no_use(name: str, jobs: Mapping[str, JobDefinition]) -> Iterator[Problem]:
    """A successor that leads back to this job, or that nobody can call."""
    path = ("jobs", name, "deprecated", "successor")
    passed = [name]
    while (successor := _successor_of(jobs.get(passed[-1]))) is not None and successor not in passed:
        passed.append(successor)
    if successor == name and len(passed) > 1:
        circle = " → ".join([*passed, name])
        yield Problem(path, f"leads back to this job ({circle}): one of them must be the one to use")
    elif len(passed) > 1 and (other := jobs.get(passed[1])) and jobs[name].runnable and not other.runnable:
        yield Problem(path, f"is the job {passed[1]!r}, which is not runnable, so that nobody can use it", warning=True)


def _successor_of(job: JobDefinition | None) -> str | None:
    return job.deprecated.successor if job is not None and job.deprecated is not None else None
