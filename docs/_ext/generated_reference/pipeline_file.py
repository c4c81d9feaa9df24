"""The reference of the pipeline file's keys."""

from dataclasses import dataclass, field
from typing import Any, get_type_hints

from pydantic import BaseModel

from analytics_automated.pipelines.checks.support import WITHOUT_EFFECT
from analytics_automated.pipelines.definitions import PipelineDefinition
from generated_reference.kinds import HEADERS, Reference, field_row, models_in, steps_in
from generated_reference.support import unsupported_values
from generated_reference.tables import code, table

UNSUPPORTED = "Not supported by this version"


@dataclass
class Section:
    """A mapping of the file, with all places where it may stand."""

    model: type[BaseModel]
    places: list[str] = field(default_factory=list)
    """Such as `tasks.NAME.inputs.NAME`; empty for the file itself."""

    @property
    def label(self) -> str:
        """What links to it name."""
        return f"keys-{self.model.__name__.lower()}"


def sections() -> list[Section]:
    """All mappings, each once, in the order in which a file has them."""
    found: dict[type[BaseModel], Section] = {}

    def visit(model: type[BaseModel], place: str) -> None:
        is_new = model not in found
        section = found.setdefault(model, Section(model))
        section.places.append(place)
        if not is_new:
            return
        for key, annotation in _hints(model).items():
            for inner in models_in(annotation):
                visit(inner, f"{place}.{key}".lstrip(".") + steps_in(annotation))

    visit(PipelineDefinition, "")
    return list(found.values())


def pipeline_file_reference() -> str:
    """A section per mapping: its keys, what they hold, their defaults, and what they are for."""
    by_model = {section.model: section for section in sections()}

    def refer(model: type[BaseModel]) -> str:
        return f"[mapping](#{by_model[model].label})"

    return "\n".join(_shown(section, refer) for section in by_model.values())


def _hints(model: type[BaseModel]) -> dict[str, Any]:
    """Annotations by key, as it is written in files."""
    hints = get_type_hints(model, include_extras=True)
    return {each.alias or name: hints[name] for name, each in model.model_fields.items()}


def _shown(section: Section, refer: Reference) -> str:
    model = section.model
    rows = []
    for name, info in model.model_fields.items():
        key = info.alias or name
        *cells, meaning = field_row(key, info, _hints(model)[key], refer)
        rows.append([*cells, f"{meaning} {_support(model, name)}"])
    first, *others = section.places
    heading = code(first) if first else "The file"
    text = (model.__doc__ or "").strip()
    if others:
        text += f" Also at {', '.join(code(place) for place in others)}."
    return f"({section.label})=\n### {heading}\n\n{text}\n\n{table(HEADERS, rows)}"


def _support(model: type[BaseModel], name: str) -> str:
    if name in WITHOUT_EFFECT.get(model, ()):
        return "**Without effect in this version.**"
    values = unsupported_values(model, name)
    if values is None:
        return ""
    if values:
        return f"**{UNSUPPORTED}: {', '.join(code(value) for value in values)}.**"
    default = model.model_fields[name].get_default(call_default_factory=True)
    return f"**{UNSUPPORTED}{f', but for {code(default)}' if isinstance(default, str) else ''}.**"
