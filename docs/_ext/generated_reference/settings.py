"""The reference of settings."""

from typing import get_type_hints

from analytics_automated.config.environment import PREFIX, Settings
from generated_reference.kinds import HEADERS, field_row
from generated_reference.tables import table


def settings_reference() -> str:
    """All variables, with what they hold, their default and what they are for."""
    hints = get_type_hints(Settings, include_extras=True)
    rows = [field_row(f"{PREFIX}{name.upper()}", field, hints[name]) for name, field in Settings.model_fields.items()]
    return table(["Variable", *HEADERS[1:]], rows)
