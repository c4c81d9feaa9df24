"""Validators are found by name, and their options describe themselves."""

import io
from importlib.metadata import EntryPoint

import pytest
from pydantic import ValidationError

from analytics_automated.pipelines.checks.job import validator_problems
from analytics_automated.pipelines.definitions.job import ValidatorUse
from analytics_automated.pipelines.validators import registry
from analytics_automated.pipelines.validators.base import CheckedStream, Invalid, Validator
from analytics_automated.pipelines.validators.registry import (
    build_validator,
    validator_class,
    validator_names,
)

OWN = (
    "csv",
    "fasta",
    "fastq",
    "image",
    "json",
    "mmcif",
    "pdb",
    "regex",
    "size",
    "text",
    "tsv",
    "xml",
    "zip",
)


def test_all_own_validators_are_installed():
    assert set(OWN) <= set(validator_names())
    assert list(validator_names()) == sorted(validator_names())


@pytest.mark.parametrize("name", OWN)
def test_a_validator_is_found_under_its_own_name(name):
    found = validator_class(name)
    assert issubclass(found, Validator)
    assert found.name == name
    assert found.__doc__


@pytest.mark.parametrize("name", OWN)
def test_every_option_is_described_and_has_a_schema(name):
    schema = validator_class(name).Options.model_json_schema()
    assert schema["additionalProperties"] is False
    for model in (schema, *schema.get("$defs", {}).values()):
        for option in model["properties"].values():
            assert option["description"].endswith((".", "?"))


def test_options_come_as_a_configuration_file_gives_them():
    options = build_validator("csv", {"columns": ["a", "b"], "delimiter": ";"}).options
    assert list(options.columns) == ["a", "b"]
    assert build_validator("size", {"max": "10MB"}).options.max == 10_000_000
    assert build_validator("image", {"formats": ["png"]}).options.formats == ("png",)


def test_options_are_written_as_they_are_read():
    options = build_validator("size", {"max": 10_000_000}).options
    assert options.model_dump(mode="json", exclude_unset=True) == {"max": "10MB"}


def test_an_unknown_name_is_a_key_error():
    with pytest.raises(KeyError, match="gff3"):
        validator_class("gff3")
    with pytest.raises(KeyError, match="gff3"):
        build_validator("gff3", {})


def test_an_unknown_option_is_refused_by_name():
    with pytest.raises(ValidationError) as caught:
        build_validator("fasta", {"alfabet": "protein"})
    assert caught.value.errors()[0]["loc"] == ("alfabet",)


@pytest.fixture
def installed(monkeypatch):
    """Makes entry points of validators, besides those that are there, for the time of a test."""

    def install(**values: str) -> None:
        made = [EntryPoint(name, value, registry.GROUP) for name, value in values.items()]
        found = registry.entry_points
        monkeypatch.setattr(registry, "entry_points", lambda group: [*made, *found(group=group)])
        registry.validator_names.cache_clear()
        registry.validator_class.cache_clear()

    yield install
    registry.validator_names.cache_clear()
    registry.validator_class.cache_clear()


def test_no_plug_in_takes_the_name_of_an_own_validator(installed):
    installed(fasta="collections:OrderedDict")
    assert validator_class("fasta").__module__.endswith("validators.fasta")
    assert validator_names().count("fasta") == 1


@pytest.mark.parametrize("value", ["no_such_module:Validator", "collections:OrderedDict", "collections:nothing"])
def test_a_plug_in_that_cannot_be_had_lets_nothing_in_and_tells_the_log(installed, caplog, value):
    installed(broken=value)
    absent = registry.validator_or_refusal("broken", {})
    with pytest.raises(Invalid) as caught:
        absent.check(CheckedStream(io.BytesIO(b"data"), size=4, seconds=60))
    assert str(caught.value) == (
        "The file could not be checked: the validator 'broken' failed. This is a fault of the service, not of the file."
    )
    (record,) = caplog.records
    assert record.exc_info is not None
    assert record.validator == "broken"


def test_a_plug_in_that_cannot_be_had_is_a_problem_of_the_configuration(installed):
    installed(broken="no_such_module:Validator")
    (problem,) = validator_problems([ValidatorUse(name="broken")], ("validators",))
    assert problem.message == (
        "the validator 'broken' cannot be used: ModuleNotFoundError: No module named 'no_such_module'"
    )
