"""What results are to be cited with."""

from analytics_automated.pipelines.definitions.task import SoftwareDefinition
from analytics_automated.pipelines.models import Data
from analytics_automated.pipelines.plans import Plan


def software_of(plan: Plan) -> list[SoftwareDefinition]:
    """What the tasks of the job use, each once. Reference data that names no version has that of its backend now."""
    found: dict[SoftwareDefinition, None] = {}
    for task in plan.tasks.values():
        for each in task.software:
            version = each.version
            if version is None and each.data is not None:
                data = Data.objects.filter(backend__name=task.backend, name=each.data).first()
                version = data.version if data is not None and data.version else None
            found[each.model_copy(update={"version": version})] = None
    return list(found)
