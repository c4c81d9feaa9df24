"""The reference of validators."""

import inspect
from typing import get_type_hints

from pydantic import BaseModel

from analytics_automated.pipelines.validators.registry import validator_class, validator_names
from generated_reference.kinds import HEADERS, field_row, models_in, steps_in
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
    text = inspect.cleandoc(validator.__doc__ or "")
    return f"## {name}\n\n{text}\n\n{_options(validator.Options)}"


def _options(model: type[BaseModel], place: str = "") -> str:
    """A table of the options, and one below it for each mapping in them that has keys of its own."""
    hints = get_type_hints(model, include_extras=True)
    rows, below = [], ""
    for name, field in model.model_fields.items():
        shown = field.alias or name
        rows.append(field_row(shown, field, hints[name]))
        inner = f"{place}{shown}{steps_in(hints[name])}"
        below += "".join(f"\nIn `{inner}`:\n\n{_options(each, inner + '.')}" for each in models_in(hints[name]))
    return table(["Option", *HEADERS[1:]], rows) + below
