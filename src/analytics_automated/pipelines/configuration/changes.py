"""What becomes of a configuration, for people to read."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from analytics_automated.pipelines.configuration.stored import Key
from analytics_automated.pipelines.files.writer import definition_text
from analytics_automated.pipelines.problems import Problem


@dataclass(frozen=True)
class Version:
    """One thing of a configuration as it is at some time."""

    data: Mapping[str, Any] | None = None
    """Its keys; none where it is not there."""
    files: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of its shipped files, by path."""
    pipeline: str = ""
    """The pipeline that owns it."""


@dataclass(frozen=True)
class Difference:
    """One thing before and after."""

    section: str
    name: str
    before: Version
    after: Version
    name_before: str | None = None
    """Where it had another name."""

    def __str__(self) -> str:
        """A unified difference of both as they stand in a pipeline file; changed contents of files by digest."""
        return "\n".join(self.lines())

    def lines(self) -> Iterator[str]:
        """The lines of that text, without line ends."""
        before = definition_text(self.section, self.name_before or self.name, self.before.data)
        after = definition_text(self.section, self.name, self.after.data)
        yield from difflib.unified_diff(before.splitlines(), after.splitlines(), "before", "after", lineterm="", n=3)
        if self.before.pipeline and self.after.pipeline and self.before.pipeline != self.after.pipeline:
            yield f"pipeline {self.before.pipeline} -> {self.after.pipeline}"
        for path in dict.fromkeys([*self.before.files, *self.after.files]):
            old, new = self.before.files.get(path), self.after.files.get(path)
            if old != new:
                yield f"file {path}: {_short(old)} -> {_short(new)}"


def _short(digest: str | None) -> str:
    return f"sha256 {digest[:12]}" if digest else "none"


@dataclass
class Changes:
    """What an apply did, or would do, by section and name."""

    created: list[Key] = field(default_factory=list)
    changed: list[Key] = field(default_factory=list)
    unchanged: list[Key] = field(default_factory=list)
    deleted: list[Key] = field(default_factory=list)
    """What its pipeline no longer names."""
    kept: list[Key] = field(default_factory=list)
    """The same, but left as it is."""
    renewed: list[str] = field(default_factory=list)
    """Jobs that are not in the files, but whose tasks changed."""
    differences: list[Difference] = field(default_factory=list)
    """Of all that is created, changed or deleted."""
    warnings: list[Problem] = field(default_factory=list)

    def __bool__(self) -> bool:
        """True where anything differs."""
        return bool(self.differences or self.renewed)
