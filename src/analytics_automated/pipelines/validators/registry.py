"""Validators by name, found through the entry points `analytics_automated.validators`."""

import functools
import logging
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from analytics_automated.pipelines.validators.base import CheckedStream, Options, Validator, could_not_check

logger = logging.getLogger(__name__)

GROUP = "analytics_automated.validators"
OWN = "analytics_automated."
"""How the modules of A_A's own validators begin."""


@functools.cache
def validator_names() -> tuple[str, ...]:
    """The names of all installed validators, sorted."""
    return tuple(sorted({entry.name for entry in entry_points(group=GROUP)}))


@functools.cache
def validator_class(name: str) -> type[Validator[Any]]:
    """The validator of that name; A_A's own where a plug-in has the same name.

    Raises `KeyError` where none is installed, `TypeError` for no Validator, and what its module raises.
    """
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: not entry.value.startswith(OWN)):
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


class AbsentValidator(Validator[Options]):
    """Stands in for a validator that cannot be had, and lets nothing in."""

    def __init__(self, name: str) -> None:
        super().__init__(Options())
        self._absent = name

    def check(self, stream: CheckedStream) -> None:  # noqa: ARG002 -- it is not read
        """Refuse the file as one that could not be checked."""
        raise could_not_check(self._absent)


def validator_or_refusal(name: str, options: Mapping[str, Any]) -> Validator[Any]:
    """As `build_validator`; where it fails, the log says why, and what is returned refuses every file.

    Options were right when the Job was configured: they fail where a plug-in was removed, or changed its options.
    """
    try:
        return build_validator(name, options)
    except Exception:
        logger.exception("validator cannot be made", extra={"validator": name})
        return AbsentValidator(name)
