"""From the end of a command to what is recorded of it: the verdict, the outputs, the logs."""

from collections.abc import Collection
from dataclasses import replace

from analytics_automated.executors.base import Cause, Outcome
from analytics_automated.runs import engine
from analytics_automated.runs.gathering import Unfit, find_outputs, gather
from analytics_automated.runs.models import StepRun
from analytics_automated.runs.recording import record
from analytics_automated.runs.secrets import Secrets
from analytics_automated.runs.setup import setup_failed
from analytics_automated.runs.verdicts import judge, judge_missing, judge_surroundings, judge_unfit
from analytics_automated.runs.voice import read_message
from analytics_automated.runs.workdirs import WorkFolder


def conclude(
    claim: engine.Claim,
    folder: WorkFolder,
    outcome: Outcome,
    *,
    timeout: float,
    secrets: Secrets,
    laid_out: Collection[str],
) -> list[StepRun]:
    """Judge the outcome, gather the outputs, and record it all; the steps that became ready.

    `timeout` are the seconds that the command might run; `laid_out` the files in the work folder that are A_A's.
    """
    if outcome.cause is Cause.CANCELLED:
        return record(engine.end_stopped, claim, outcome)
    step = claim.step_run.step
    task = claim.plan.task_of(step)
    told = read_message(folder.message, secrets)
    verdict = judge(task, step, outcome, timeout, told)
    if setup_failed(folder, outcome):
        outcome = replace(outcome, detail=f"the setup failed. {outcome.detail}".strip())
        verdict = judge_surroundings(step, "its software could not be made ready")
    if not verdict.gathers:
        return record(engine.finish, claim, verdict, outcome)
    try:
        found = find_outputs(task, folder.work, laid_out)
        if found.missing and not verdict.stops:
            verdict = judge_missing(task, step, found.missing, told) or verdict
        gathered = gather(task, folder.work, found, claim.step_run.attempt_name) if verdict.gathers else []
    except Unfit as unfit:
        return record(engine.finish, claim, judge_unfit(step, str(unfit), told), outcome)
    return record(engine.finish, claim, verdict, outcome, gathered)
