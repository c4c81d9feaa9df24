"""A call of a Job as it comes in, by whichever door: files are streamed to storage, all else is collected, and what
was taken in is submitted as a whole."""

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import IO, Any

from django.conf import settings

from analytics_automated.pipelines.admission import SentFile, check_data, check_parameters
from analytics_automated.pipelines.models import Job, Snapshot
from analytics_automated.pipelines.plans import Plan
from analytics_automated.pipelines.problems import nearest
from analytics_automated.pipelines.quantities import format_size
from analytics_automated.pipelines.refusals import Refusal, Refused
from analytics_automated.runs import engine
from analytics_automated.runs.archives import UnfitArchive, may_be_archive, recognize
from analytics_automated.runs.envelope import check_envelope
from analytics_automated.runs.unpacking import Bounds, unpack
from analytics_automated.storage.streams import StoredFile, open_stored, remove, store

ENVELOPE = ("name", "email", "webhook")
SINGLE_INPUT = "input_data"
"""Names the input of a job that has just one."""
STARTING_BYTES = 512
"""What tells an archive."""


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
    unpacked: int = 0
    """Bytes that came out of archives."""

    def submit(self, job: Job, snapshot: Snapshot) -> engine.Submitted:
        """Submit what was taken in; from then on its files are the Submission's.

        Raises `Refused` with all that is wrong.
        """
        plan, refusals = snapshot.plan, self.refusals
        envelope, wrong = check_envelope(self.texts)
        refusals += wrong
        values, wrong = check_parameters(plan, self.parameters)
        unread = {plan.public_name(refusal.name or "") for refusal in refusals if refusal.where == "parameters"}
        refusals += (refusal for refusal in wrong if refusal.code != "required" or refusal.name not in unread)
        refused = {refusal.name for refusal in refusals if refusal.where == "inputs"}
        if self.is_too_large:
            raise Refused(refusals)
        for name, definition in plan.inputs.items():
            if not definition.optional and not self.count(name) and name not in refused:
                self.refuse("inputs", name, "required", "is required")
        files = [SentFile(each.name, each.file, each.stored.size, _opener(each)) for each in self.inputs]
        refusals += check_data(plan, files, settings.AA.validation_timeout)
        if refusals:
            raise Refused(refusals)
        submitted = engine.submit(
            job=job,
            snapshot=snapshot,
            parameters=values,
            inputs=self.inputs,
            name=envelope.name,
            email=envelope.email,
            webhook=envelope.webhook,
        )
        self.inputs.clear()
        return submitted

    def discard(self) -> None:
        """Remove what was stored and not submitted."""
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
        return most, settings.AA.max_file_size if definition.max_size is None else definition.max_size

    def store_input(self, name: str, file: str, source: Iterable[bytes]) -> None:
        """Store one file of an input, or those of an archive. Above its limits storing stops at once, and the rest is
        read away."""
        most, limit = self.limits(name)
        if self.is_too_large or self.count(name) >= most:
            if not self.is_too_large:
                self.refuse("inputs", name, "too_many", f"takes at most {most} file{'s' * (most > 1)}", most)
            read_away(source)
            return
        kinds = self.plan.inputs[name].unpack if self.plan.inputs[name].many else []
        start, rest = _peek(iter(source), STARTING_BYTES if kinds else 0)
        is_archive = may_be_archive(start, kinds)
        try:
            # Of what may be an archive the request's own bound holds; and the file's, once it turned out to be none.
            stored = store(_bounded(rest, settings.AA.max_request_size if is_archive else limit), _owner())
        except TooLarge:
            self._refuse_size(name, limit)
            read_away(rest)
            return
        if is_archive and self._unpack(name, file, stored, kinds):
            return
        self.inputs.append(engine.NewInput(name, _shown(file), stored))
        if stored.size > limit:
            self._refuse_size(name, limit)

    def _unpack(self, name: str, file: str, stored: StoredFile, kinds: Collection[str]) -> bool:
        """Put the files of an archive in its place; False where it is none."""
        is_archive = True
        most, largest = self.limits(name)
        total = settings.AA.max_request_size
        bounds = Bounds(most - self.count(name), largest, total - self.unpacked)
        try:
            with open_stored(stored.key) as archive:
                kind = recognize(archive, kinds)
                is_archive = kind is not None
                found = unpack(archive, kind, bounds, _owner()) if kind else []
        except UnfitArchive as unfit:
            self.is_too_large = self.is_too_large or unfit.code == "too_large"
            self.refuse("inputs", name, unfit.code, f"has an archive, {_shown(file)!r}, {unfit.what}", unfit.limit)
            return True
        finally:
            if is_archive:
                remove([stored.key])
        self.unpacked += sum(each.stored.size for each in found)
        self.inputs += (engine.NewInput(name, _shown(each.file), each.stored) for each in found)
        return is_archive

    def _refuse_size(self, name: str, limit: int) -> None:
        self.is_too_large = True
        self.refuse("inputs", name, "too_large", f"is larger than {format_size(limit)}", limit)

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


def _opener(given: engine.NewInput) -> Callable[[], IO[bytes]]:
    return lambda: open_stored(given.stored.key)


def _owner() -> str:
    return f"input-{uuid.uuid4().hex[:8]}"


def _peek(source: Iterator[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """The first `size` bytes or more, or all that there are, and everything from the beginning."""
    start = b""
    for piece in source:
        start += piece
        if len(start) >= size:
            break
    return start, chain([start], source)


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
