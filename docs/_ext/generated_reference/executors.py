"""The reference of executors."""

import inspect
from typing import get_type_hints

from analytics_automated.executors.registry import executor_class, executor_names
from generated_reference.kinds import HEADERS, field_row
from generated_reference.tables import table

OWN = "analytics_automated."
"""What is documented here comes with A_A; plug-ins bring documentation of their own."""


def own_executors() -> list[str]:
    """The names of the executors that come with A_A."""
    return [name for name in executor_names() if executor_class(name).__module__.startswith(OWN)]


def executors_reference() -> str:
    """A section per executor: where it runs commands, and its options."""
    return "\n".join(_section(name) for name in own_executors())


def _section(name: str) -> str:
    executor = executor_class(name)
    model = executor.Options
    hints = get_type_hints(model, include_extras=True)
    rows = [field_row(field.alias or key, field, hints[key]) for key, field in model.model_fields.items()]
    options = table(["Option", *HEADERS[1:]], rows) if rows else "It has no options.\n"
    return f"## {name}\n\n{inspect.cleandoc(executor.__doc__ or '')}\n\n{options}"
