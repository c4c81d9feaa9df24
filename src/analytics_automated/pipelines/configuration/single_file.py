"""A part of the configuration as one pipeline file, where one can hold it."""

from collections.abc import Collection

from analytics_automated.pipelines.checks.configuration import LOCAL_BACKEND
from analytics_automated.pipelines.configuration.stored import Key, Stored, as_data
from analytics_automated.pipelines.definitions import BackendDefinition
from analytics_automated.pipelines.files.writer import pipeline_text


class NoSingleFileError(ValueError):
    """These cannot stand in one pipeline file. The message says why."""


def single_file(stored: Stored, keys: Collection[Key]) -> tuple[str, str]:
    """These things as the text of one pipeline file, with a name for it. Raises `NoSingleFileError`."""
    wanted = [key for key in stored.all_keys() if key in keys]
    pipelines = sorted({stored.pipelines[key] for key in wanted if key[0] != "backends"})
    if len(pipelines) > 1:
        raise NoSingleFileError(f"they belong to several pipelines ({', '.join(pipelines)}), and a file is of one")
    shipping = [name for section, name in wanted if stored.files.get((section, name))]
    if shipping:
        raise NoSingleFileError(f"files are shipped with {', '.join(shipping)}, and must lie beside the pipeline file")
    sections = {
        section: {name: as_data(getattr(stored, section)[name]) for where, name in wanted if where == section}
        for section in ("backends", "tasks", "jobs")
    }
    if stored.backends.get(LOCAL_BACKEND) == BackendDefinition():
        sections["backends"].pop(LOCAL_BACKEND, None)  # which is so in every installation
    name = pipelines[0] if pipelines else "backends"
    return pipeline_text(sections, pipelines[0] if pipelines else None), f"{name}.yaml"
