"""Whose names are whose: pipelines own Tasks and Jobs."""

from collections.abc import Collection, Iterator, Mapping

from analytics_automated.pipelines.configuration.stored import Key, Stored
from analytics_automated.pipelines.files.configuration import Configuration
from analytics_automated.pipelines.problems import Problem


def ownership_problems(configuration: Configuration, stored: Stored, deleted: Collection[Key]) -> list[Problem]:
    """Names of the files that another pipeline owns, or that differ from a stored one only by case.

    What is `deleted` stands in nobody's way. A name moves to another pipeline where the files of both are given.
    """
    problems = []
    for section in ("backends", "tasks", "jobs"):
        names: Mapping[str, object] = getattr(configuration, section)
        keys = [key for key in stored.every_key() if key[0] == section and key not in deleted]
        known = {name.lower(): name for _, name in keys}
        for name in names:
            spelled = known.get(name.lower(), name)
            owner = stored.pipelines.get((section, spelled), "")
            ours = configuration.pipelines.get((section, name), "")
            if spelled != name:
                message = f"differs from {spelled!r}, which is there, only by its case"
                if owner and owner == ours:
                    message += ": `--prune` deletes that one"
                problems.append(Problem((section, name), message))
            elif owner and owner != ours and owner not in configuration.owners:
                message = f"belongs to the pipeline {owner!r}: choose another name, or change it there"
                problems.append(Problem((section, name), message))
    problems += pipeline_name_problems({**stored.pipelines, **configuration.pipelines}, configuration.owners)
    return problems


def pipeline_name_problems(pipelines: Mapping[Key, str], ours: Collection[str] | None = None) -> Iterator[Problem]:
    """Pipelines whose names differ only by case; with `ours` told of these alone."""
    spelled: dict[str, str] = {}
    for name in pipelines.values():
        if ours is None or name not in ours:
            spelled.setdefault(name.lower(), name)
    for key, name in pipelines.items():
        other = spelled.setdefault(name.lower(), name)
        if other != name:
            yield Problem(key, f"its pipeline {name!r} differs from {other!r}, which is there, only by its case")
