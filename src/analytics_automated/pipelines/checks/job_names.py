"""The names of all Jobs together: aliases, and the Jobs that take the place of others."""

from collections.abc import Collection, Iterator, Mapping

from analytics_automated.pipelines.definitions import JobDefinition
from analytics_automated.pipelines.problems import Problem, nearest


def job_name_problems(
    jobs: Mapping[str, JobDefinition], others: Mapping[str, JobDefinition], unread: Collection[str], *, all_known: bool
) -> Iterator[Problem]:
    """Aliases that are also the name or alias of another job, and successors that there are not; paths begin at
    `jobs`.

    `others` are there too, but only `jobs` are told of; of `unread` the names alone are known. Without `all_known`
    there may be jobs that are not given.
    """
    names = {*jobs, *others, *unread}
    by_name = {name.lower(): name for name in names}
    by_alias = {alias.lower(): name for name, job in others.items() for alias in job.aliases}
    for name, job in jobs.items():
        if owner := by_alias.get(name.lower()):
            yield Problem(("jobs", name), f"is already an alias of the job {owner!r}")
        for index, alias in enumerate(job.aliases):
            path = ("jobs", name, "aliases", index)
            owner = by_alias.setdefault(alias.lower(), name) if alias.lower() not in by_name else None
            if owner is None:
                other = by_name[alias.lower()]
                whose = "this job itself" if other == name else f"the job {other!r}"
                yield Problem(path, f"{alias!r} is the name of {whose}")
            elif owner != name:
                yield Problem(path, f"{alias!r} is already an alias of the job {owner!r}")
            elif alias.lower() in {before.lower() for before in job.aliases[:index]}:
                yield Problem(path, f"names {alias!r} twice")
        yield from _successor(name, job, names, all_known=all_known)


def _successor(name: str, job: JobDefinition, names: Collection[str], *, all_known: bool) -> Iterator[Problem]:
    successor = job.deprecated.successor if job.deprecated is not None else None
    path = ("jobs", name, "deprecated", "successor")
    if successor == name:
        yield Problem(path, "is this job itself: name the one that callers should use instead")
    elif successor is not None and successor not in names:
        message = f"there is no job {successor!r}{nearest(successor, [other for other in names if other != name])}"
        elsewhere = f"{message} in these files; it must be there when they are applied"
        yield Problem(path, message if all_known else elsewhere, warning=not all_known)
