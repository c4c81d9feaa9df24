"""What pipeline files define."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from analytics_automated.pipelines.definitions import BackendDefinition, JobDefinition, TaskDefinition
from analytics_automated.pipelines.files.source import Document
from analytics_automated.pipelines.problems import Problem


@dataclass
class Configuration:
    """What one or more pipeline files define, each name once, and where it stands."""

    backends: dict[str, BackendDefinition] = field(default_factory=dict)
    tasks: dict[str, TaskDefinition] = field(default_factory=dict)
    jobs: dict[str, JobDefinition] = field(default_factory=dict)
    pipelines: dict[tuple[str, str], str] = field(default_factory=dict)
    """The owning pipeline of each (`tasks` | `jobs`, name)."""
    owners: set[str] = field(default_factory=set)
    """The pipelines of the files."""
    shipped: dict[tuple[str, str], dict[str, Path]] = field(default_factory=dict)
    """The files that each (`tasks` | `jobs`, name) ships, by their paths from the pipeline file's folder."""
    unreadable: set[tuple[str, str]] = field(default_factory=set)
    """Sections and names that are there but could not be read; `("files", …)` where not even the names could."""
    incomplete: set[tuple[str, str]] = field(default_factory=set)
    """Sections and names of which a file beside is missing, as `problems` say."""
    problems: list[Problem] = field(default_factory=list)
    documents: dict[tuple[str, str], Document] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)

    spelled: dict[tuple[str, str], str] = field(default_factory=dict)
    """Every name as its file has it, by section and the name in lower case."""

    def located(self, problem: Problem) -> Problem:
        """The problem with file and line, found by its path (section, name, …)."""
        path = problem.path
        document = self.documents.get((str(path[0]), str(path[1]))) if len(path) > 1 else None
        if document is None or problem.file is not None:
            return problem
        return replace(problem, file=document.file, line=document.line_of(path))

    def in_order(self, problems: Iterable[Problem]) -> list[Problem]:
        """The problems in the order of files and lines, each once; last those that stand in no file."""
        places = {file: place for place, file in enumerate(self.files)}
        located = dict.fromkeys(self.located(problem) for problem in problems)
        return sorted(located, key=lambda each: (places.get(each.file or "", len(places)), each.line or 0))
