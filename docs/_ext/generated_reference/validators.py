"""The reference of validators."""

import inspect
from typing import get_type_hints

from analytics_automated.pipelines.validators.registry import validator_class, validator_names
from generated_reference.kinds import HEADERS, field_row
from generated_reference.tables import table

OWN = "analytics_automated."
"""What is documented here comes with A_A; plug-ins bring documentation of their own."""


def own_validators() -> list[str]:
    """The names of the validators that come with A_A."""
    return [name for name in validator_names() if validator_class(name).__module__.startswith(OWN)]


def validators_reference() -> str:
    """A section per validator: what it checks, and its options."""
    return "\n".join(_section(name) for name in own_validators())


def _section(name: str) -> str:
    validator = validator_class(name)
    hints = get_type_hints(validator.Options, include_extras=True)
    rows = [field_row(option, field, hints[option]) for option, field in validator.Options.model_fields.items()]
    text = inspect.cleandoc(validator.__doc__ or "")
    return f"## {name}\n\n{text}\n\n{table(['Option', *HEADERS[1:]], rows)}"
