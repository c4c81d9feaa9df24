"""What is wrong with what a caller sent, one entry per thing, in words for the caller."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing that is wrong with a request. Holds no path, command line or other inside of the server."""

    where: str
    """The part of the request: `parameters`, `inputs`, `body` or `query`."""
    name: str | None
    """The field."""
    code: str
    """Stable, for programs."""
    message: str
    """For people; continues the field's name: `must be at most 3`."""
    limit: Any = None
    """The bound that was passed, where there is one."""

    def as_json(self) -> dict[str, Any]:
        """As it stands in a problem document."""
        entry = asdict(self)
        return {"in": entry.pop("where"), **entry}


class Refused(Exception):
    """A request that is not taken. Carries everything that is wrong with it, at once."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__("; ".join(f"{refusal.name}: {refusal.message}" for refusal in refusals))
        self.refusals = list(refusals)
