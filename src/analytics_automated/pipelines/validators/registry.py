"""Validators by name, found through the entry points `analytics_automated.validators`."""

import functools
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from analytics_automated.pipelines.validators.base import Validator

GROUP = "analytics_automated.validators"


@functools.cache
def validator_names() -> tuple[str, ...]:
    """The names of all installed validators, sorted."""
    return tuple(sorted(entry.name for entry in entry_points(group=GROUP)))


@functools.cache
def validator_class(name: str) -> type[Validator[Any]]:
    """The validator of that name. Raises `KeyError` where none is installed, `TypeError` for no Validator."""
    for entry in entry_points(group=GROUP):
        if entry.name == name:
            loaded = entry.load()
            if not (isinstance(loaded, type) and issubclass(loaded, Validator)):
                raise TypeError(f"{entry.value} is registered as the validator {name!r} but is no Validator")
            if getattr(loaded, "name", None) != name:
                raise TypeError(f"{entry.value} is registered as the validator {name!r} but names itself otherwise")
            return loaded
    raise KeyError(name)


def build_validator(name: str, options: Mapping[str, Any]) -> Validator[Any]:
    """The validator of that name with these options, as they stand in a configuration.

    Raises `KeyError` for an unknown name and `pydantic.ValidationError` for options that it does not take.
    """
    chosen = validator_class(name)
    return chosen(chosen.Options.model_validate(dict(options)))
