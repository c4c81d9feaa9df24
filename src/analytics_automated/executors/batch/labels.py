"""What jobs are called, so that whoever has not heard a scheduler's answer finds them again."""

from dataclasses import dataclass
from typing import Self

_ONE = "aa-"
_MANY = "aa.many-"


@dataclass(frozen=True, slots=True)
class Label:
    """The name of a job, and, where it is one of an array's, its index there."""

    name: str
    index: int | None = None

    @classmethod
    def of(cls, attempt: str) -> Self:
        """That of an attempt by itself."""
        return cls(f"{_ONE}{attempt}")

    @classmethod
    def of_many(cls, first: str, index: int) -> Self:
        """That of one of the attempts of an array, which is named after its first."""
        return cls(f"{_MANY}{first}", index)

    @classmethod
    def read(cls, text: str) -> Self:
        """The reverse of `str`."""
        name, _, index = text.partition(" ")
        return cls(name, int(index) if index else None)

    def __str__(self) -> str:
        return self.name if self.index is None else f"{self.name} {self.index}"


def attempt_of(name: str) -> str | None:
    """The attempt whose job has that name; none where it is not one of ours, or an array's."""
    return name.removeprefix(_ONE) if name.startswith(_ONE) and name != _ONE else None


def is_ours(name: str) -> bool:
    """Whether a job of that name is one of ours, alone or of an array."""
    return name.startswith((_ONE, _MANY))
