"""What a person types to call a Job."""

import shlex

from analytics_automated.pipelines.plans import Plan

_NO_DATA = [("--header", "Content-Type: application/json"), ("--data", "{}")]


def curl_call(plan: Plan, address: str) -> str:
    """A `curl` command with every field that the Job cannot do without, on lines that a shell joins."""
    fields = [f"{name}=@FILE" for name, definition in plan.inputs.items() if not definition.optional]
    fields += [
        f"{name}=VALUE"
        for name, definition in plan.public_parameters.items()
        if definition.default is None and not definition.optional
    ]
    options = [("--form", field) for field in fields] or _NO_DATA
    lines = ["curl", *(shlex.join(option) for option in options), shlex.quote(address)]
    return " \\\n  ".join(lines)
