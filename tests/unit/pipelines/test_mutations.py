"""A key of a right file that is misspelt, given a wrong value or left out: an error that names its line, or nothing
but the key's default.

The files are written anew with every key on a line of its own, so that a line names one thing.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from analytics_automated.pipelines.checks.configuration import check_configuration
from analytics_automated.pipelines.checks.support import WORDS
from analytics_automated.pipelines.definitions import PipelineDefinition
from analytics_automated.pipelines.definitions.scalars import Definition, Scalar
from analytics_automated.pipelines.files.configuration import Configuration
from analytics_automated.pipelines.files.reader import read_parsed
from analytics_automated.pipelines.files.sentences import at, known_keys
from analytics_automated.pipelines.files.source import read_document
from analytics_automated.pipelines.problems import Path as KeyPath
from analytics_automated.pipelines.problems import Problem
from yaml_text import every_path, parsed, written

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[2] / "examples"
FILES = {path.name: path.read_text() for path in [HERE / "all_keys.yaml", *sorted(EXAMPLES.glob("*.yaml"))]}
FILES["other_forms.yaml"] = """
format: 1
pipeline: other_forms
tasks:
  split:
    inputs: {table: {file: table.csv}}
    outputs: {parts: {file: "parts/*.csv", many: true}, rest: rest.csv}
    command: [split, "{input.table}", "{param.lines}", "{param.names}"]
    stdout: rest
    parameters:
      lines: {type: integer, flag: -l, default: 100, minimum: 1}
      names: {type: choice, choices: [short, long], default: short}
      mode: {value: [a, b], many: true, env_only: true}
    container: split.sif
    backend: pods
    exit_codes: {stop: 3, fail: [4, 5-9]}
    missing_output: continue
    retries: {on: "exit:64-78"}
  count:
    inputs: {part: part.csv}
    outputs: {number: number.txt}
    script: wc -l < "$input_part" > "$output_number"
    interpreter: [bash, -eu]
  sum:
    inputs: {numbers: {file: numbers, many: true}}
    outputs: {total: total.txt}
    script: cat "$input_numbers"/* > "$output_total"
    parameters:
      base: {type: integer, default: 10}
      tags: {type: string, many: true, default: [one, two], optional: true}
backends:
  pods: {container: podman}
jobs:
  counting.v1:
    steps:
      - split
      - {task: count, scatter: part, inputs: {part: split.parts}}
      - {task: sum, inputs: {numbers: [count.number]}, when: "split.parts.count > 1 and not input.extra"}
      - {name: again, task: sum, inputs: {numbers: extra}, parameters: {base: 3, tags: [x]}, needs: [sum]}
    inputs:
      table: {validators: [csv, {size: {max: 1MB}}]}
      extra: {many: true, optional: true, max_files: 4}
    parameters:
      tags: {sets: [sum.tags], default: [three], example: [four]}
      base: {sets: sum.base}
    results: {total: sum.total}
    access: [staff, students]
    on_failure: finish
    examples:
      - inputs: {table: a.csv, extra: [b.csv, c.csv]}
        parameters: {base: 4, tags: [a]}
        expect: {status: ERROR, results: {total: expected.txt}}
    schedule: {cron: 0 3 * * *, inputs: {table: t.csv}, parameters: {split_lines: 5}}
"""
DATA = {name: read_document(text, name).data for name, text in FILES.items()}
PARTS = [
    (name, section, part)
    for name, data in DATA.items()
    for section, named in data.items()
    for part in (named if isinstance(named, dict) else [""])
]
"""The parts of the files: each definition, and what stands above them."""
each_part = pytest.mark.parametrize(("file", "section", "part"), PARTS, ids=lambda each: each or "whole")
REFERRED = frozenset({"inputs", "parameters", "results", "validators"})
"""Keys whose names are of things elsewhere, in the parts of a job."""


def problems_of(data: Any) -> list[Problem]:
    """All errors, but for what this version does not have yet."""
    configuration = Configuration()
    read_parsed(parsed(data), configuration)
    found = check_configuration(
        configuration.backends, configuration.tasks, configuration.jobs, unreadable=configuration.unreadable
    )
    every = configuration.in_order([*configuration.problems, *found.problems])
    return [each for each in every if not each.warning and WORDS not in each.message]


def paths_of(file: str, section: str, part: str) -> list[KeyPath]:
    start: KeyPath = (section, part) if part else (section,)
    return [path for path in every_path(DATA[file]) if path[: len(start)] == start]


def is_key(data: Any, path: KeyPath) -> bool:
    """True for a key that the format names; false for names, free options and items of lists."""
    return path[-1] in known_keys(PipelineDefinition, path[:-1]) and isinstance(at(data, path[:-1]), dict)


def is_referring(path: KeyPath) -> bool:
    """True for a name that another place gives its meaning: a step's inputs, an example's results, options."""
    if "validators" in path:
        return isinstance(path[-2], int) or path[-1] not in {"name", "options"}
    inside = path[3] if path[0] == "jobs" and len(path) > 3 and path[2] in {"steps", "examples"} else None
    return (isinstance(inside, int) or "schedule" in path) and path[-2] in REFERRED


def with_change(data: Any, path: KeyPath, change: Any) -> Any:
    """A copy whose mapping or list around the path has gone through `change(container, key)`."""
    if len(path) == 1:
        return change(data, path[0])
    made = copy.copy(data)
    made[path[0]] = with_change(data[path[0]], path[1:], change)
    return made


def renamed(data: Any, path: KeyPath, name: str) -> Any:
    return with_change(data, path, lambda around, key: {name if k == key else k: v for k, v in around.items()})


def replaced(data: Any, path: KeyPath, value: Any) -> Any:
    def change(around: Any, key: Any) -> Any:
        made = copy.copy(around)
        made[key] = value
        return made

    return with_change(data, path, change)


def dropped(data: Any, path: KeyPath) -> Any:
    return with_change(data, path, lambda around, key: {k: v for k, v in around.items() if k != key})


def lines_of(data: Any, path: KeyPath) -> range:
    """The lines of a key with all that is in it."""
    _, places = written(data)
    inside = [line for place, line in places.items() if place[: len(path)] == path]
    return range(min(inside), max(inside) + 1)


def tells_of(problem: Problem, names: set[str], data: Any) -> bool:
    """True where the problem, or its line, has one of the names in it."""
    line = written(data)[0].splitlines()[problem.line - 1] if problem.line else ""
    return any(name in str(problem) or name in line for name in names)


@pytest.mark.parametrize("file", FILES)
def test_the_files_are_right(file: str) -> None:
    assert problems_of(DATA[file]) == []


@pytest.mark.parametrize("file", FILES)
def test_the_files_are_the_same_written_a_line_per_key(file: str) -> None:
    text, places = written(DATA[file])
    document = read_document(text, file)
    assert document.problems == []
    assert document.data == DATA[file]
    assert document.lines == places


# Misspelt


def misspellings(key: str) -> list[str]:
    """The key with a letter too much, too few, and two that changed places."""
    middle = len(key) // 2
    swapped = key[: middle - 1] + key[middle] + key[middle - 1] + key[middle + 1 :]
    few = key[:middle] + key[middle + 1 :] if len(key) > 3 else key + "e"
    return [each for each in dict.fromkeys([key + key[-1], few, swapped]) if each != key]


@each_part
def test_a_misspelt_key_is_told_in_its_line_with_the_right_one(file: str, section: str, part: str) -> None:
    data = DATA[file]
    keys = [path for path in paths_of(file, section, part) if is_key(data, path)]
    lacking = []
    for path in keys:
        for name in misspellings(str(path[-1])):
            wrong = renamed(data, path, name)
            line = written(wrong)[1][*path[:-1], name]
            told = [each.message for each in problems_of(wrong) if each.line == line]
            if not any(message.startswith("is no key here") and str(path[-1]) in message for message in told):
                lacking.append((path, name, told))
    assert lacking == []
    assert keys or part not in data.get(section, {}) or not data[section][part]


@each_part
def test_a_misspelt_name_of_something_elsewhere_is_told_in_its_line(file: str, section: str, part: str) -> None:
    data = DATA[file]
    lacking = []
    for path in paths_of(file, section, part):
        if not isinstance(path[-1], str) or is_key(data, path) or not is_referring(path):
            continue
        for name in misspellings(path[-1]):
            wrong = renamed(data, path, name)
            line = written(wrong)[1][*path[:-1], name]
            told = [str(each) for each in problems_of(wrong) if each.line == line]
            if not any(f"{name!r}" in message or name in message for message in told):
                lacking.append((path, name, told))
    assert lacking == []


@each_part
def test_a_name_that_was_changed_is_told_where_it_was_referred_to(file: str, section: str, part: str) -> None:
    """Or nothing refers to it, and it is there under its new name."""
    data = DATA[file]
    lacking = []
    for path in paths_of(file, section, part):
        if not isinstance(path[-1], str) or is_key(data, path) or is_referring(path):
            continue
        for name in misspellings(path[-1]):
            wrong = renamed(data, path, name)
            told = problems_of(wrong)
            if told and not any(each.line and tells_of(each, {path[-1], name}, wrong) for each in told):
                lacking.append((path, name, [str(each) for each in told]))
            if not told:
                made = PipelineDefinition.model_validate(wrong)
                assert value_at(made, (*path[:-1], name)) is not None, (path, name)
    assert lacking == []


@settings(deadline=None)
@given(data=st.data())
def test_any_key_with_any_letter_wrong_is_told_in_its_line(data: st.DataObject) -> None:
    whole = DATA["all_keys.yaml"]
    path = data.draw(st.sampled_from([path for path in every_path(whole) if is_key(whole, path)]))
    key = str(path[-1])
    place = data.draw(st.integers(0, len(key)))
    letter = data.draw(st.sampled_from("abcdefghijklmnopqrstuvwxyzABC_0"))
    behind = data.draw(st.integers(0, 1))
    name = key[:place] + letter + key[place + behind :]
    if name in known_keys(PipelineDefinition, path[:-1]):
        return
    wrong = renamed(whole, path, name)
    line = written(wrong)[1][*path[:-1], name]
    assert any(each.line == line and each.message.startswith("is no key here") for each in problems_of(wrong))


# A wrong value


MAPPING = {"a": Scalar("b", "b")}
LIST = [MAPPING]
NOTHING = Scalar("", None)
SIGNS = Scalar("?!", "?!")
WORD = Scalar("wrong", "wrong")


@dataclass(frozen=True)
class Form:
    """Kinds of values that a place takes besides what it holds."""

    scalar: bool = False
    mapping: bool = False


def other_forms(path: KeyPath) -> Form:
    """Which other forms the format has for a place: a lone scalar for a mapping with just that key, or for a list of
    one."""
    key, around = path[-1], path[-2] if len(path) > 1 else ""
    first = path[2] if len(path) > 2 else ""
    if path[0] == "backends" and around == "data":
        return Form(scalar=True)
    if path[0] == "tasks" and len(path) == 4 and around in {"inputs", "outputs"}:
        return Form(scalar=True)
    if key in {"container", "scatter", "command", "interpreter", "script", "sets", "aliases", "on"}:
        return Form(scalar=True)
    if around == "exit_codes" or (around == "results" and (first == "results" or "expect" in path)):
        return Form(scalar=True)
    if first in {"steps", "examples"} and isinstance(around, int) and key == "inputs":
        return Form()
    if isinstance(key, int) and around in {"steps", "validators"}:
        return Form(scalar=True)
    if around == "inputs" and ("steps" in path or "examples" in path or "schedule" in path):
        return Form(scalar=True)
    return Form(mapping=key in {"choices"})


def wrong_values(path: KeyPath, value: Any) -> Iterator[Any]:
    """Values of a kind that the place does not take."""
    form = other_forms(path)
    if isinstance(value, dict):
        yield LIST
        yield NOTHING if form.scalar else WORD
    elif isinstance(value, list):
        if not form.mapping:
            yield MAPPING
        yield NOTHING if form.scalar else WORD
    else:
        yield MAPPING
        yield LIST


def is_unchecked(path: KeyPath) -> bool:
    """Options of an executor that is still to come."""
    return path[0] == "backends" and len(path) > 3 and path[2] == "options"


@each_part
def test_a_value_of_the_wrong_kind_is_told_in_its_line(file: str, section: str, part: str) -> None:
    data = DATA[file]
    lacking = []
    for path in paths_of(file, section, part):
        if is_unchecked(path):
            continue
        for value in wrong_values(path, at(data, path)):
            wrong = replaced(data, path, value)
            told = problems_of(wrong)
            around = path[:-1] if isinstance(path[-1], int) else path
            if not any(each.line in lines_of(wrong, around) for each in told):
                lacking.append((path, value, [str(each) for each in told]))
    assert lacking == []


def value_at(definition: Any, path: KeyPath) -> Any:
    """What a definition holds at a path of the file; none where nothing."""
    for part in path:
        if isinstance(definition, BaseModel):
            names = {field.alias or name: name for name, field in type(definition).model_fields.items()}
            definition = getattr(definition, names[str(part)]) if part in names else None
        elif isinstance(definition, Mapping):
            definition = definition.get(part)
        elif isinstance(definition, list) and isinstance(part, int) and part < len(definition):
            definition = definition[part]
        else:
            return None
    return definition


def has_a_type_of_its_own(path: KeyPath) -> bool:
    """A stored value without `type`, whose type is that of the value."""
    return path[0] == "tasks" and path[-1] == "value"


@each_part
def test_text_for_a_number_or_a_truth_is_told_in_its_line(file: str, section: str, part: str) -> None:
    data = DATA[file]
    made = PipelineDefinition.model_validate(data)
    lacking = []
    for path in paths_of(file, section, part):
        value = at(data, path)
        if not isinstance(value, Scalar) or isinstance(value.value, str) or isinstance(value_at(made, path), str):
            continue
        if is_unchecked(path) or has_a_type_of_its_own(path):
            continue
        wrong = replaced(data, path, WORD)
        told = problems_of(wrong)
        if not any(each.line in lines_of(wrong, path) for each in told):
            lacking.append((path, [str(each) for each in told]))
    assert lacking == []


FREE = frozenset(
    {"title", "description", "citation", "licence", "terms", "contact", "version", "message", "contains", "setup"}
    | {"command", "script", "interpreter", "flag", "separator", "environment", "choices", "image", "container", "file"}
    | {"files", "inputs", "outputs", "messages", "software", "example", "access", "value"}
)
"""Keys that take any text, or any file's name."""


@each_part
def test_a_text_that_is_none_of_those_that_a_key_takes_is_told_in_its_line(file: str, section: str, part: str) -> None:
    data = DATA[file]
    lacking = []
    for path in paths_of(file, section, part):
        names = [each for each in path if isinstance(each, str)]
        if not isinstance(at(data, path), Scalar) or is_unchecked(path) or FREE & {*names[-2:]} or "tags" in path:
            continue
        if path[-2:-1] == ("results",) and "expect" in path and isinstance(path[-1], str):
            continue  # a file's name
        wrong = replaced(data, path, SIGNS)
        told = problems_of(wrong)
        if not any(each.line in lines_of(wrong, path) for each in told):
            lacking.append((path, [str(each) for each in told]))
    assert lacking == []


# Left out


def field_of(path: KeyPath) -> FieldInfo | None:
    """The field of the definition that a key is."""
    for model in every_model():
        if known_keys(PipelineDefinition, path[:-1]) == [
            each.alias or name for name, each in model.model_fields.items()
        ]:
            fields = {each.alias or name: each for name, each in model.model_fields.items()}
            return fields.get(str(path[-1]))
    return None


def every_model() -> list[type[BaseModel]]:
    def below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
        yield model
        for each in model.__subclasses__():
            yield from below(each)

    return list(below(Definition))


def names_within(value: Any) -> set[str]:
    """All keys and texts of a value."""
    if isinstance(value, dict):
        return {*value}.union(*(names_within(each) for each in value.values()))
    if isinstance(value, list):
        return set().union(*(names_within(each) for each in value))
    return {str(value)} - {""}


def pruned(data: Any) -> Any:
    """The data without empty mappings in it, which a definition with nothing but defaults is."""
    if isinstance(data, list):
        return [pruned(each) for each in data]
    if isinstance(data, dict):
        return {key: pruned(each) for key, each in data.items() if pruned(each) != {}}
    return data


def without(data: Any, path: KeyPath) -> Any:
    """The dump of a definition without what stands at the path."""
    made = copy.deepcopy(data)
    around = at(made, path[:-1])
    if isinstance(around, dict):
        around.pop(path[-1], None)
    return made


@each_part
def test_a_key_that_is_left_out_is_told_where_it_is_needed_or_has_its_default(
    file: str, section: str, part: str
) -> None:
    data = DATA[file]
    whole = PipelineDefinition.model_validate(data).model_dump(by_alias=True, exclude_defaults=True)
    lacking = []
    for path in paths_of(file, section, part):
        field = field_of(path) if is_key(data, path) else None
        if field is None:
            continue
        wrong = dropped(data, path)
        told = problems_of(wrong)
        around = lines_of(wrong, path[:-1])[0] if path[:-1] else 1
        names = {*map(str, path[-2:])} | names_within(at(data, path))
        if field.is_required():
            if not any(each.line == around and each.message == "is missing" for each in told):
                lacking.append((path, "is required", [str(each) for each in told]))
        elif told:
            of_order = path[-1] in {"ordering", "needs"}  # what comes of it is told of the steps that it is about
            if not of_order and not any(each.line == around or tells_of(each, names, wrong) for each in told):
                lacking.append((path, "is referred to", [str(each) for each in told]))
        else:
            made = PipelineDefinition.model_validate(wrong)
            default = field.get_default(call_default_factory=True)
            rest = made.model_dump(by_alias=True, exclude_defaults=True)
            if value_at(made, path) != default or pruned(rest) != pruned(without(whole, path)):
                lacking.append((path, "has its default", value_at(made, path)))
    assert lacking == []


def test_keys_of_every_kind_were_left_out() -> None:
    """So that none of the tests above passes by doing nothing."""
    data = DATA["all_keys.yaml"]
    keys = [path for path in every_path(data) if is_key(data, path)]
    fields = [field_of(path) for path in keys]
    assert all(field is not None for field in fields)
    assert len(keys) > 200
    assert {path[-1] for path, field in zip(keys, fields, strict=True) if field is not None and field.is_required()} == {
        "format", "steps", "task", "over", "from", "cron", "since", "file", "path", "image", "name",
    }  # fmt: skip
    right = [path for path in keys if not problems_of(dropped(data, path))]
    assert len(right) > 100
    assert len(keys) - len(right) > 40
