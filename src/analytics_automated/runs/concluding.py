"""From the end of a command to what is recorded of it: the verdict, the outputs, the logs."""

import logging
from collections.abc import Collection
from dataclasses import replace

from django.conf import settings

from analytics_automated.executors.base import Cause, Log, Outcome
from analytics_automated.pipelines.models import Backend
from analytics_automated.runs import engine
from analytics_automated.runs.gathering import Unfit, find_outputs, gather
from analytics_automated.runs.models import Attempt, StepRun
from analytics_automated.runs.outages import is_outage, persist
from analytics_automated.runs.recording import broke, discard, ids, record
from analytics_automated.runs.secrets import MissingSecret, Secrets, find_secrets
from analytics_automated.runs.setup import setup_failed, setup_report
from analytics_automated.runs.verdicts import judge, judge_missing, judge_surroundings, judge_unfit
from analytics_automated.runs.voice import read_message
from analytics_automated.runs.workdirs import WorkFolder, work_folder
from analytics_automated.storage.room import is_full

logger = logging.getLogger(__name__)


def conclude(
    claim: engine.Claim, folder: WorkFolder, outcome: Outcome, *, secrets: Secrets, laid_out: Collection[str]
) -> list[StepRun]:
    """Judge the outcome, gather the outputs, and record it all; the steps that became ready.

    `laid_out` are the files in the work folder that are A_A's. What is kept holds no secret.
    """
    if said := secrets.mask_log(setup_report(folder)).text():
        attempt = Attempt.objects.filter(pk=claim.attempt.pk, finished__isnull=True)
        persist(lambda: attempt.update(setup_output=said), settings.AA.lease_seconds)
    outcome = _masked(outcome, secrets)
    if outcome.cause is Cause.CANCELLED:
        return record(engine.end_stopped, claim, outcome)
    step = claim.step_run.step
    task = claim.plan.task_of(step)
    told = read_message(folder.message, secrets)
    verdict = judge(task, step, outcome, claim.attempt.timeout or settings.AA.default_timeout, told)
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


def conclude_elsewhere(step: engine.HandedOver, backend: Backend, outcome: Outcome) -> list[StepRun]:
    """The same for a step that a scheduler has ended; where another worker has done it already, nothing is done.

    An outage of the database, or a full disk, is raised: the outcome is still there when it is over.
    """
    claim = engine.take_back(step.step_run, step.attempt, backend)
    if claim is None:
        return []
    if not step.is_running and outcome.cause is not Cause.CANCELLED:
        engine.begin(step.step_run, step.attempt)  # it was over before anybody had seen it run
    folder = work_folder(backend, claim.step_run.attempt_name)
    try:
        secrets = find_secrets(claim.plan.task_of(claim.step_run.step).secrets)
    except MissingSecret as missing:
        secrets = Secrets()
        detail = f"the logs are not kept, as the secrets in them are not known here: {missing}. {outcome.detail}"
        outcome = replace(outcome, stdout=Log(), stderr=Log(), detail=detail)
    try:
        ready = conclude(claim, folder, outcome, secrets=secrets, laid_out=folder.laid_out())
    except Exception as error:
        if is_outage(error) or is_full(error):
            raise
        logger.exception("the end of an attempt could not be recorded", extra=ids(claim.step_run))
        ready = broke(claim, error)
    if not settings.AA.keep_workdirs:
        discard(folder, claim.step_run)
    return ready


def _masked(outcome: Outcome, secrets: Secrets) -> Outcome:
    return replace(
        outcome,
        stdout=secrets.mask_log(outcome.stdout),
        stderr=secrets.mask_log(outcome.stderr),
        detail=secrets.mask(outcome.detail),
    )
