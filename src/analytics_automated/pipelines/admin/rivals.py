"""What somebody else changed while a page was open: said, and put under what was typed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, QueryDict

from analytics_automated.pipelines.configuration.changes import Difference
from analytics_automated.pipelines.configuration.versions import changes_of, version_at
from analytics_automated.pipelines.models.change import Change, ChangeKind, Door

SEEN = "aa_seen"
"""The hidden field with the line of history that a page shows."""
INSTEAD = "aa_instead"
"""The hidden field of a page that was refused: saving it puts all that is typed in the place of what is there."""
_DOORS = {Door.FILE: "by a file", Door.PAGES: "on the pages", Door.START: "by A_A"}


@dataclass(frozen=True, slots=True)
class Rival:
    """A change that a page does not know of."""

    latest: Change
    difference: list[str]
    """From what the page showed to what is there now, as lines of a unified difference."""

    @property
    def message(self) -> str:
        """What is said of it."""
        who, door = self.latest.who or "somebody", _DOORS[Door(self.latest.door)]
        return (
            f"was changed by {who}, {door}, since you opened it: see the difference. Nothing is saved, and what you "
            "typed is still here; save again to put it in the place of what is there now"
        )


def seen_line(section: str, name: str) -> str:
    """The line of history that holds for a thing, as a page keeps it. What only its Tasks became is none of its own."""
    line = _own_lines(section, name).first()
    return "" if line is None else str(line.pk)


def rival_of(section: str, name: str, seen: str) -> Rival | None:
    """The change that a page does not know of which has seen that line."""
    latest = _own_lines(section, name).first()
    if latest is None or str(latest.pk) == seen:
        return None
    # Only of its own lines: a number that somebody made up shows nothing of other things.
    before = changes_of(section, name).filter(pk=int(seen)).first() if seen.isdecimal() and len(seen) < 19 else None
    former = before.name if before is not None else None
    difference = Difference(section, latest.name, version_at(before), version_at(latest), name_before=former)
    return Rival(latest, list(difference.lines()))


def _own_lines(section: str, name: str) -> Any:
    return changes_of(section, name).exclude(kind__in=(ChangeKind.RENEWED, ChangeKind.ADOPTED))


def rebase(request: HttpRequest, prefix: str, rows: dict[str, str]) -> None:
    """Number the typed rows of that prefix anew, so that they fit those that are there now: `rows`, names by key (empty
    where such rows have none). A row that is there no longer becomes a new one."""
    data = request.POST.copy()
    total = data.get(f"{prefix}-TOTAL_FORMS", "")
    numbers = range(int(total)) if total.isdecimal() and len(total) < 5 else range(0)
    claimed = dict(_claims(data, prefix, numbers, rows))
    order = [*claimed, *(number for number in numbers if number not in claimed)]
    _renumber(data, prefix, order)
    _renumber(request.FILES, prefix, order)
    for place, number in enumerate(order):
        data[f"{prefix}-{place}-id"] = claimed.get(number, "")
    data[f"{prefix}-INITIAL_FORMS"] = str(len(claimed))
    request.POST = data  # type: ignore[assignment]  # the stubs' is immutable


def _claims(data: QueryDict, prefix: str, numbers: range, rows: dict[str, str]) -> Iterator[tuple[int, str]]:
    """Which typed row is which of those that are there: the one of its name, else the one that it was."""
    left = dict(rows)
    waiting = []
    for number in numbers:
        typed = data.get(f"{prefix}-{number}-name") or data.get(f"{prefix}-{number}-path") or ""
        key = next((key for key, name in left.items() if name and name == typed), None)
        if key is None:
            waiting.append(number)
        else:
            del left[key]
            yield number, key
    for number in waiting:
        key = data.get(f"{prefix}-{number}-id") or ""
        if left.pop(key, None) is not None:
            yield number, key


def _renumber(data: Any, prefix: str, order: list[int]) -> None:
    """Give the fields of rows the numbers of their new places."""
    moved: dict[str, list[Any]] = {}
    for place, number in enumerate(order):
        old = f"{prefix}-{number}-"
        for field in [field for field in data if field.startswith(old)]:
            moved[f"{prefix}-{place}-{field.removeprefix(old)}"] = data.getlist(field)
    for number in order:
        for field in [field for field in data if field.startswith(f"{prefix}-{number}-")]:
            del data[field]
    for field, values in moved.items():
        data.setlist(field, values)
