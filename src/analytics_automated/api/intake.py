"""What a request holds, as it comes in: files are streamed to storage, all else is collected."""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from analytics_automated.pipelines.plans import Plan
from analytics_automated.pipelines.problems import nearest
from analytics_automated.pipelines.quantities import format_size
from analytics_automated.pipelines.refusals import Refusal
from analytics_automated.runs import engine
from analytics_automated.storage.streams import StoredFile, remove, store

ENVELOPE = ("name", "email", "webhook")
SINGLE_INPUT = "input_data"
"""Names the input of a job that has just one."""


class TooLarge(Exception):
    """More bytes than may be."""


@dataclass
class Intake:
    """What a request holds, so far. Its stored files are nobody's until they are submitted: see `discard`."""

    plan: Plan
    texts: dict[str, list[str]] = field(default_factory=dict)
    """Envelope fields of a form."""
    parameters: dict[str, Any] = field(default_factory=dict)
    inputs: list[engine.NewInput] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    is_too_large: bool = False
    """Something was too large: nothing more is stored, the rest is only read."""

    def discard(self) -> None:
        """Remove what was stored."""
        remove(each.stored.key for each in self.inputs if isinstance(each.stored, StoredFile))
        self.inputs.clear()

    def refuse(self, where: str, name: str | None, code: str, message: str, limit: Any = None) -> None:
        """Note something that is wrong."""
        self.refusals.append(Refusal(where, name, code, message, limit))

    def count(self, name: str) -> int:
        """Files of that input so far."""
        return sum(1 for each in self.inputs if each.name == name)

    def input_name(self, given: str) -> str:
        """The input that a field names."""
        if given == SINGLE_INPUT and given not in self.plan.inputs and len(self.plan.inputs) == 1:
            return next(iter(self.plan.inputs))
        return given

    def limits(self, name: str) -> tuple[int, int]:
        """Most files of that input, and most bytes of one."""
        definition = self.plan.inputs[name]
        most = (definition.max_files or settings.AA.max_files) if definition.many else 1
        return most, definition.max_size or settings.AA.max_file_size

    def store_input(self, name: str, file: str, source: Iterable[bytes]) -> None:
        """Store one file of an input. Above its limits storing stops at once, and the rest is read away."""
        most, limit = self.limits(name)
        if self.is_too_large or self.count(name) >= most:
            if not self.is_too_large:
                self.refuse("inputs", name, "too_many", f"takes at most {most} file{'s' * (most > 1)}", most)
            read_away(source)
            return
        rest = iter(source)
        try:
            stored = store(_bounded(rest, limit), f"input-{uuid.uuid4().hex[:8]}")
        except TooLarge:
            self.is_too_large = True
            self.refuse("inputs", name, "too_large", f"is larger than {format_size(limit)}", limit)
            read_away(rest)
            return
        self.inputs.append(engine.NewInput(name, _shown(file), stored))

    def add_parameter(self, given: str, value: Any) -> None:
        """Take one parameter under its public name; twice is once too often."""
        name = self.plan.public_name(given)
        if name in self.parameters:
            self.refuse("parameters", given, "twice", "is given more than once")
        self.parameters[name] = value

    def refuse_unknown(self, where: str, name: str, known: Iterable[str]) -> None:
        """Note a field that nobody knows, with the nearest that somebody does."""
        self.refuse(where, name, "unknown", f"is not known here{nearest(name, known)}")


def _shown(file: str) -> str:
    """A user's file name as it is kept: printable, and its end rather than its beginning."""
    return "".join(sign if sign.isprintable() else "_" for sign in file)[-255:]


def _bounded(source: Iterator[bytes], limit: int) -> Iterator[bytes]:
    size = 0
    for piece in source:
        size += len(piece)
        if size > limit:
            raise TooLarge
        yield piece


def read_away(source: Iterable[bytes]) -> None:
    """Read what nobody wants, so that the client comes to the end of what it sends."""
    for _ in source:
        pass
