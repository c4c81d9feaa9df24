"""What is wrong with a configuration, and where."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

Path = tuple[str | int, ...]
"""Keys and list positions from the top of a pipeline file, such as `("jobs", "blast", "steps", 0, "task")`."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, for the author: what, where, and what would be right."""

    path: Path
    message: str
    file: str | None = None
    line: int | None = None
    """Counts from 1."""
    warning: bool = False
    """Worth knowing, but no error."""

    @property
    def where(self) -> str:
        """The path as people write it: `jobs.blast.steps[0].task`."""
        text = ""
        for part in self.path:
            text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
        return text

    def below(self, *prefix: str | int) -> "Problem":
        """The same problem, seen from further up."""
        return replace(self, path=(*prefix, *self.path))

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        level = "warning" if self.warning else ""
        return ": ".join(part for part in (place, level, self.where, self.message) if part)


class ConfigurationError(Exception):
    """A configuration that cannot be taken as it is. Nothing was changed."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = list(problems)


def nearest(name: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)` where a known name is near, else nothing."""
    names = {candidate.lower(): candidate for candidate in known}
    found = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.6)
    return f" (did you mean {names[found[0]]!r}?)" if found else ""


def listed(names: Iterable[str]) -> str:
    """The names, for a sentence: `a, b, c`, or `none`."""
    return ", ".join(sorted(names)) or "none"
