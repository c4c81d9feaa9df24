"""A place where Tasks run."""

from typing import Annotated, Literal

from pydantic import Field

from analytics_automated.pipelines.definitions.resources import LimitsDefinition
from analytics_automated.pipelines.definitions.scalars import (
    EMPTY_IS_NONE,
    FILLED,
    Definition,
    Free,
    Integer,
    LineOrNone,
    Name,
    QueueName,
    SystemUser,
    Text,
    TextOrNone,
    VariableName,
    Word,
    at_most,
    shorthand,
)


class DataDefinition(Definition):
    """Reference data that lies on a backend, read-only."""

    path: Annotated[Word, at_most(1000), FILLED] = Field(description="Absolute path on the backend.")
    version: LineOrNone = Field(None, description="Its version, shown with results.")


class BackendDefinition(Definition):
    """A place where Tasks run: a root folder, options, and one Queue Type."""

    executor: Annotated[Word, at_most(64)] = Field(
        "local", description="What runs the commands: `local` or an installed plug-in's name."
    )
    queue: QueueName | None = Field(None, description="The Celery queue; the backend's name unless said.")
    root: Annotated[Annotated[Word, at_most(1000)] | None, EMPTY_IS_NONE] = Field(
        None, description="Where work folders are made; under the data folder unless said."
    )
    sandbox: Annotated[
        Literal["auto", "required", "off"],
        Field(description="Whether commands are isolated: where that works, always or not at all."),
    ] = "auto"
    network: Literal["allow", "deny"] = Field("allow", description="Whether tasks may ask for the network.")
    container: Literal["apptainer", "podman", "docker"] | None = Field(None, description="What runs containers.")
    options: dict[str, Free] = Field({}, description="The executor's own options.")
    data: dict[Name, Annotated[DataDefinition, shorthand("path")]] = Field({}, description="Reference data, by name.")
    path: list[Word] = Field([], description="Folders in front of PATH.")
    environment: dict[VariableName, Text] = Field({}, description="Variables of every command that runs here.")
    setup: TextOrNone = Field(None, description="Shell text before every command; it holds no placeholder.")
    defaults: LimitsDefinition | None = Field(None, description="Time limit and resources of tasks that name none.")
    limits: LimitsDefinition | None = Field(None, description="The most that a task may ask for.")
    max_running: Integer | None = Field(None, ge=1, description="Most commands that run here at once.")
    user: SystemUser | None = Field(None, description="System user that tasks run as, where the executor can.")
