"""What a page would make of a Backend, Task or Job: looked at, before anything is saved, as a file would be."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from pydantic import BaseModel, TypeAdapter, ValidationError

from analytics_automated.pipelines.admin.forms import Complaint, ConfigurationForm, first_field
from analytics_automated.pipelines.admin.rows import RowsInOrder
from analytics_automated.pipelines.checks.values import with_typed_values
from analytics_automated.pipelines.configuration.stored import as_data, read_stored
from analytics_automated.pipelines.definitions import BackendDefinition, JobDefinition, TaskDefinition
from analytics_automated.pipelines.definitions.scalars import JobName, Name
from analytics_automated.pipelines.files.sentences import problems_of
from analytics_automated.pipelines.models.rows import OwnedRow
from analytics_automated.pipelines.problems import Path, Problem

MODELS: dict[str, type[BaseModel]] = {"backends": BackendDefinition, "tasks": TaskDefinition, "jobs": JobDefinition}
"""Definitions by section."""
NAMES: dict[str, TypeAdapter[str]] = {
    "backends": TypeAdapter(Name),
    "tasks": TypeAdapter(Name),
    "jobs": TypeAdapter(JobName),
}
"""Rules of names, by section."""
_PIPELINE: TypeAdapter[str] = TypeAdapter(Name)


@dataclass(frozen=True)
class Place:
    """Where on a page a problem is shown."""

    rows: str | None
    """The prefix of the rows; none for the thing itself."""
    row: int
    """The form among these."""
    field: str | None
    """None: on top."""


class Draft:
    """A form and the rows below it, all of them valid as forms: together one definition."""

    def __init__(self, section: str, form: ConfigurationForm, formsets: Sequence[RowsInOrder]) -> None:
        self.section, self.form = section, form
        self.rows: dict[str, list[tuple[int, Any]]] = {}
        """Numbers and forms of the rows, by prefix, in their order."""
        for formset in formsets:
            numbered = [(number, each) for number, each in enumerate(formset.forms) if each in formset.rows()]
            self.rows[str(formset.prefix)] = sorted(numbered, key=lambda row: row[1].instance.position)
        self.definition: Any = None
        """What it says; none before `problems`, and where it says nothing that can be read."""

    @property
    def name(self) -> str:
        """The name of the thing."""
        return str(self.form.instance.name)

    @property
    def path(self) -> Path:
        """Where a pipeline file would have it."""
        return (self.section, self.name)

    def thing(self) -> Any:
        """The row as it would be, with all that belongs to it; nothing of it is saved."""
        thing = copy.copy(self.form.instance)
        thing.pk = thing.pk or 0  # a row without one has no rows that belong to it, says Django
        thing._prefetched_objects_cache = {
            prefix: [form.instance for _, form in rows] for prefix, rows in self.rows.items()
        }
        return thing

    def problems(self) -> Iterator[Problem]:
        """What is wrong with the shape of it: names, kinds of values, missing keys. What hangs together with other
        things is found when it is saved."""
        yield from (Problem(self.path, sentence) for sentence in wrong_name(NAMES[self.section], self.name))
        if self.section != "backends":
            wrong = wrong_name(_PIPELINE, str(self.form.instance.pipeline))
            yield from (Problem((*self.path, "pipeline"), sentence) for sentence in wrong)
        data = self.thing().to_data()
        model = MODELS[self.section]
        try:
            self.definition = model.model_validate(data)
        except ValidationError as error:
            yield from (each.below(*self.path) for each in problems_of(error.errors(include_url=False), model, data))

    def take(self) -> None:
        """Give every row what the definition says, as a pipeline file would."""
        definition = self.definition
        if isinstance(definition, JobDefinition):
            definition = with_typed_values(definition, read_stored().tasks)
            self.form.instance.no_inputs = definition.inputs == {}
            self.form.instance.no_results = definition.results == {}
        data = as_data(definition)
        self.form.instance.take_columns(dict(data))
        for prefix, rows in self.rows.items():
            for place, (_, form) in enumerate(rows):
                if isinstance(form.instance, OwnedRow):
                    form.instance.take_columns(self._entry(data, prefix, place, form.instance))

    def _entry(self, data: Mapping[str, Any], prefix: str, place: int, row: Any) -> dict[str, Any]:
        """The keys of one row."""
        if prefix == "validators":
            alike = [form.instance for _, form in self.rows[prefix] if form.instance.input == row.input]
            uses = data["inputs"][row.input] if row.input else data
            place = next(number for number, each in enumerate(alike) if each is row)
            return dict(uses["validators"][place])
        entries = data.get(prefix, {})
        entry = entries[row.name] if isinstance(entries, Mapping) else entries[place]
        return {"value": entry} if isinstance(entry, str) else dict(entry)

    def place(self, problem: Problem) -> Place:
        """Where a problem is shown: as near as its path leads."""
        if problem.path[:2] != self.path:
            return Place(None, 0, None)
        rest = problem.path[2:]
        if not rest:
            named = problem.message.startswith("is no name") or problem.message.startswith("differs from")
            return Place(None, 0, "name" if named else None)
        if (found := self._row(rest)) is not None:
            prefix, (number, form), below = found
            return Place(prefix, number, _field(form, below) or first_field(form))
        return Place(None, 0, _field(self.form, rest))

    def _row(self, rest: Path) -> tuple[str, tuple[int, Any], Path] | None:
        """The row that a path leads to, with what is left of the path."""
        key, below = str(rest[0]), rest[1:]
        if key == "inputs" and below[1:2] == ("validators",):
            return self._validator(str(below[0]), below[2:])
        if key == "validators":
            return self._validator("", below)
        rows = self.rows.get(key)
        if rows is None or not below:
            return None
        if isinstance(below[0], int):
            chosen = rows[below[0]] if below[0] < len(rows) else None
        else:
            chosen = next((row for row in rows if getattr(row[1].instance, "name", None) == below[0]), None)
        return None if chosen is None else (key, chosen, below[1:])

    def _validator(self, name: str, below: Path) -> tuple[str, tuple[int, Any], Path] | None:
        alike = [row for row in self.rows.get("validators", []) if row[1].instance.input == name]
        place = below[0] if below else None
        if not isinstance(place, int) or place >= len(alike):
            return None
        # A validator's name stands between its place and what is wrong with its options.
        return "validators", alike[place], ("options", *below[2:]) if below[2:] else ("name",)

    def complaints(self, problems: Sequence[Problem]) -> tuple[list[Complaint], dict[str, dict[int, list[Complaint]]]]:
        """The problems in their places: of the form, and by prefix and number of the rows."""
        own: list[Complaint] = []
        of_rows: dict[str, dict[int, list[Complaint]]] = {}
        for problem in problems:
            place = self.place(problem)
            complaint = Complaint(place.field, str(problem))
            if place.rows is None:
                own.append(complaint)
            else:
                of_rows.setdefault(place.rows, {}).setdefault(place.row, []).append(complaint)
        return own, of_rows


def wrong_name(rule: TypeAdapter[str], name: str) -> list[str]:
    """What is wrong with a name by that rule, as sentences without the name."""
    try:
        rule.validate_python(name)
    except ValidationError as error:
        return [each["msg"].removeprefix("Value error, ") for each in error.errors(include_url=False)]
    return []


def _field(form: Any, path: Path) -> str | None:
    """The field that a path leads to, or that stands for what it leads to."""
    keys = ["source" if part == "from" else str(part) for part in path]
    for length in range(len(keys), 0, -1):
        name = "_".join(keys[:length])
        if name in form.fields:
            return name
        if name in form.parts:
            return str(form.parts[name][0].name)
    return None


def names_of(model: type[models.Model]) -> list[str]:
    """The names of all rows, the oldest first."""
    return list(model._default_manager.order_by("pk").values_list("name", flat=True))
