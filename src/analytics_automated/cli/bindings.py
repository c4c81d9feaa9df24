"""The table of a Job's bindings, as `aa check` prints it."""

import json
from collections.abc import Iterator, Sequence

from analytics_automated.pipelines.definitions import ParameterDefinition
from analytics_automated.pipelines.parameters import is_required
from analytics_automated.pipelines.plans import Plan

Row = tuple[str, ...]


def bindings_of(plan: Plan) -> list[str]:
    """Lines that say where every input comes from, what callers may set and which parameters that sets, and where
    results come from. The columns of each of the three are aligned."""
    return [
        f"job {plan.job}",
        *_aligned(("step", "input", "from"), list(_inputs(plan))),
        *_aligned(("parameter", "type", "default", "sets"), list(_parameters(plan))),
        *_aligned(("result", "from"), list(_results(plan))),
    ]


def _inputs(plan: Plan) -> Iterator[Row]:
    for step in plan.steps:
        if not step.inputs:
            yield step.name, "none", ""
        for place, (name, sources) in enumerate(step.inputs.items()):
            said = [source if "." in source else f"caller's {source}" for source in sources]
            yield "" if place else step.name, name, " or ".join(said)


def _parameters(plan: Plan) -> Iterator[Row]:
    for name, parameter in plan.parameters.items():
        definition = parameter.definition
        kind = f"list of {definition.kind.value}" if definition.many else definition.kind.value
        yield name, kind, _default(definition), ", ".join(parameter.sets) or "the job's own"


def _default(definition: ParameterDefinition) -> str:
    if definition.default is None:
        return "required" if is_required(definition) else "absent"
    return json.dumps(definition.default, ensure_ascii=False)


def _results(plan: Plan) -> Iterator[Row]:
    for name, result in plan.results.items():
        yield name, f"{result.step}.{result.output}" + (" (several files)" if result.many else "")


def _aligned(heading: Row, rows: Sequence[Row]) -> list[str]:
    """The rows below their heading; one line that says so where there is none."""
    if not rows:
        return [f"  {heading[0].upper()}S: none"]
    table = [tuple(word.upper() for word in heading), *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(heading))]
    return ["  " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in table]
