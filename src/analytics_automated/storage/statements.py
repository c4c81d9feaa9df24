"""Statements that are run all the time, written out.

To have the ORM build a query anew costs several times what the query itself costs. What every attempt asks and writes
is therefore a text, one for both databases, which PostgreSQL prepares. Rows still are models, whose fields convert.
"""

import datetime as dt
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.db import connection, models

_NOW = {"postgresql": "STATEMENT_TIMESTAMP()", "sqlite": "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW')"}
"""As Django's `Now()`."""
_AMONG = {"postgresql": "= ANY(%({0})s)", "sqlite": "IN (SELECT value FROM json_each(%({0})s))"}
_LATER = {
    "postgresql": "STATEMENT_TIMESTAMP() + %({0})s",
    "sqlite": "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW', %({0})s)",
}
_LOCK = {"postgresql": "FOR NO KEY UPDATE", "sqlite": ""}  # SQLite has one writer at a time
_SKIP_LOCKED = {"postgresql": "FOR NO KEY UPDATE SKIP LOCKED", "sqlite": ""}

_Model = TypeVar("_Model", bound=models.Model)
if TYPE_CHECKING:
    _Field = models.Field[Any, Any]
else:
    _Field = models.Field
AT_ONCE = 20
"""Rows in one text; more are left to the ORM, which cuts them into batches."""


@dataclass(frozen=True, slots=True)
class _Parameter:
    """A value's place in a text that differs between databases."""

    texts: Mapping[str, str]
    vendor: str

    def __getitem__(self, name: str) -> str:
        return self.texts[self.vendor].format(name)


class Statement:
    """A text with values as `%(name)s`. For what databases write in their own ways it has

    - `{now}`, the database's clock;
    - `{later[name]}`, so much later, where the value is a `timedelta`;
    - `{among[name]}`, in place of `= ANY`, where the value is a list;
    - `{lock}` and `{skip_locked}`, behind a SELECT.

    A percent sign is doubled.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._texts: dict[str, str] = {}

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        """Run it; what it selects or returns."""
        with connection.cursor() as cursor:
            cursor.execute(self._of_vendor(connection.vendor), _adapted(values))
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found

    def change(self, **values: Any) -> int:
        """Run it; how many rows it changed."""
        with connection.cursor() as cursor:
            cursor.execute(self._of_vendor(connection.vendor), _adapted(values))
            return int(cursor.rowcount)

    def _of_vendor(self, vendor: str) -> str:
        text = self._texts.get(vendor)
        if text is None:
            text = self._texts[vendor] = self._text.format(
                now=_NOW[vendor],
                later=_Parameter(_LATER, vendor),
                among=_Parameter(_AMONG, vendor),
                lock=_LOCK[vendor],
                skip_locked=_SKIP_LOCKED[vendor],
            )
        return text


def _adapted(values: dict[str, Any]) -> dict[str, Any]:
    """The values as the database takes them: SQLite knows neither times, ids nor lists."""
    if connection.vendor == "postgresql":
        return values
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    match value:
        case dt.datetime():
            return connection.ops.adapt_datetimefield_value(value)
        case dt.timedelta():
            return f"{value.total_seconds():+f} seconds"
        case uuid.UUID():
            return value.hex
        case list():
            return json.dumps(value)
        case _:
            return value


def as_json(value: Any) -> Any:
    """What a statement writes to a JSON column."""
    return connection.ops.adapt_json_value(value, None)


class Columns(Generic[_Model]):
    """All columns of a model's table, or those named, as a statement reads them, under that alias."""

    def __init__(self, model: type[_Model], alias: str, *names: str) -> None:
        self._model = model
        fields = model._meta.concrete_fields
        self._fields: list[_Field] = [each for each in fields if not names or each.attname in names]
        self._names = [each.attname for each in self._fields]
        self._alias = alias
        self._converters: dict[str, list[tuple[int, Any, Any]]] = {}

    def __len__(self) -> int:
        return len(self._fields)

    def __str__(self) -> str:
        """For the text."""
        return ", ".join(f"{self._alias}.{each.column}" for each in self._fields)

    def read(self, values: Sequence[Any]) -> _Model:
        """The row that has these values, in the order of the columns; what is behind them is not looked at."""
        read = list(values[: len(self._fields)])
        vendor = connection.vendor
        if vendor not in self._converters:
            self._converters[vendor] = self._find_converters()
        for place, convert, column in self._converters[vendor]:
            read[place] = convert(read[place], column, connection)
        return self._model.from_db(connection.alias, self._names, read)

    def _find_converters(self) -> list[tuple[int, Any, Any]]:
        """As the ORM's compiler has them: the database's own, then the field's."""
        found = []
        for place, field in enumerate(self._fields):
            column = field.get_col(self._alias)  # a foreign key's values are of the kind of what it refers to
            for convert in (*connection.ops.get_db_converters(column), *column.get_db_converters(connection)):
                found.append((place, convert, column))
        return found


class Insertion(Generic[_Model]):
    """New rows of a model. A primary key that the database counts is left to it; defaults are the model's own."""

    def __init__(self, model: type[_Model]) -> None:
        self._model = model
        self._fields: list[_Field] = [
            each for each in model._meta.concrete_fields if not isinstance(each, models.AutoField)
        ]

    def write(self, rows: Sequence[_Model]) -> None:
        """Insert them. Their keys stay unknown here."""
        if len(rows) > AT_ONCE:
            self._model._default_manager.bulk_create(rows)
        elif rows:
            with connection.cursor() as cursor:
                cursor.execute(self._text(len(rows)), self._values(rows))

    def write_one(self, row: _Model) -> None:
        """Insert it, and learn its key."""
        self.write_counted([row])

    def write_counted(self, rows: Sequence[_Model]) -> None:
        """Insert them, and learn their keys."""
        if len(rows) > AT_ONCE:
            self._model._default_manager.bulk_create(rows)
            return
        with connection.cursor() as cursor:
            cursor.execute(f"{self._text(len(rows))} RETURNING {self._model._meta.pk.column}", self._values(rows))
            keys = cursor.fetchall()
        for row, (key,) in zip(rows, keys, strict=True):  # in the order of the rows, as Django's bulk_create has them
            row.pk, row._state.adding, row._state.db = key, False, connection.alias

    def _text(self, count: int) -> str:
        places = f"({', '.join(['%s'] * len(self._fields))})"
        columns = ", ".join(str(each.column) for each in self._fields)
        table = self._model._meta.db_table
        return f"INSERT INTO {table} ({columns}) VALUES {', '.join([places] * count)}"  # noqa: S608 -- names of ours

    def _values(self, rows: Sequence[_Model]) -> list[Any]:
        return [
            each.get_db_prep_save(each.pre_save(row, add=True), connection) for row in rows for each in self._fields
        ]
