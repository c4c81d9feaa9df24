"""What a command may use: processors, memory, time."""

from pydantic import Field

from analytics_automated.pipelines.definitions.scalars import Definition, Integer
from analytics_automated.pipelines.quantities import Duration, Size


class ResourcesDefinition(Definition):
    """Processors, memory and accelerators that one command needs."""

    cpus: Integer | None = Field(None, ge=1, description="Processors.")
    memory: Size | None = Field(None, description="Memory, such as `2GB`.")
    gpus: Integer | None = Field(None, ge=0, description="Accelerators.")


class LimitsDefinition(Definition):
    """A time limit and resources, as defaults or as limits."""

    timeout: Duration | None = Field(None, description="Time that a command may run, such as `1h`.")
    resources: ResourcesDefinition | None = Field(None, description="Resources of a command.")
