"""Validators are found by name, and their options describe themselves."""

import pytest
from pydantic import ValidationError

from analytics_automated.pipelines.validators.base import Validator
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
    for option in schema["properties"].values():
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
