"""What rows and definitions have in common: a column for each key, under the key's own name."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

from django.db import models


class DefinitionRow(models.Model):
    """A row that holds the keys of one definition in columns of the same names.

    An empty text says the same as no key, but in the columns of `empty_counts`; so does null. Columns whose default
    is an empty list or mapping say nothing when they are empty.
    """

    columns: ClassVar[tuple[str, ...]]
    """Keys with a column of that name."""
    empty_counts: ClassVar[frozenset[str]] = frozenset()
    """Columns in which the empty text is a value."""

    class Meta:
        abstract = True

    def columns_as_data(self) -> dict[str, Any]:
        """The keys that the columns hold, as a pipeline file has them, in the order of the definition."""
        values = {key: getattr(self, key) for key in self.columns}
        return {key: value for key, value in values.items() if self._says_something(key, value)}

    def _says_something(self, key: str, value: Any) -> bool:
        if value is None or (value == "" and key not in self.empty_counts):
            return False
        return bool(value) or self._default(key) != value

    def _default(self, key: str) -> Any:
        column = self._meta.get_field(key)
        assert isinstance(column, models.Field)  # noqa: S101 -- `columns` names no relation
        return column.get_default()

    def take_columns(self, data: dict[str, Any]) -> None:
        """Take the columns' keys out of `data`; a column whose key is not there gets its default."""
        for key in self.columns:
            setattr(self, key, data.pop(key, self._default(key)))


class OwnedRow(DefinitionRow):
    """A row that belongs to another, at its place among the others of its kind."""

    owner: ClassVar[str]
    """The column that names what it belongs to."""

    position = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True

    @classmethod
    def replace_all(cls, owner: models.Model, entries: Iterable[tuple[Mapping[str, Any], dict[str, Any]]]) -> None:
        """Put rows in the place of all that `owner` has: of each entry columns of their own, and the keys."""
        cls._default_manager.filter(**{cls.owner: owner}).delete()
        cls._default_manager.bulk_create(
            cls._made(owner, place, own, data) for place, (own, data) in enumerate(entries)
        )

    @classmethod
    def _made(cls, owner: models.Model, place: int, own: Mapping[str, Any], data: dict[str, Any]) -> Self:
        row = cls(**{cls.owner: owner, "position": place, **own})
        row.take_columns(dict(data))
        return row


class NamedRow(OwnedRow):
    """A row that is one entry of a mapping: its name, and the keys below it."""

    name = models.CharField(max_length=64)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{getattr(self, self.owner)}.{self.name}"

    @classmethod
    def take_mapping(cls, owner: models.Model, entries: Mapping[str, dict[str, Any]]) -> None:
        """Become what the mapping says."""
        cls.replace_all(owner, (({"name": name}, data) for name, data in entries.items()))


def as_mapping(rows: Iterable[NamedRow]) -> dict[str, dict[str, Any]]:
    """The mapping that the rows are entries of."""
    return {row.name: row.columns_as_data() for row in rows}
