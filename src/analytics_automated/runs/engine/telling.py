"""What a running step tells of itself. It changes no status, and leaves no Event."""

from analytics_automated.runs.models import StepRun
from analytics_automated.runs.states import StepStatus


def tell_progress(step_run_id: int, attempt: int, value: float, text: str) -> bool:
    """Keep how far that attempt says that it is; False where it is the step's running one no more."""
    mine = StepRun.objects.filter(pk=step_run_id, attempt=attempt, status=StepStatus.RUNNING)
    return bool(mine.update(progress=value, progress_text=text))
