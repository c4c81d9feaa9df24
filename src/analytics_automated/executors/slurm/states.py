"""Slurm's states of a job, as squeue(1), sacct(1) and scontrol(1) write them ("JOB STATE CODES")."""

import re

from analytics_automated.executors.base import Cause
from analytics_automated.executors.batch.facts import Stage

_STAGES = {
    "PENDING": Stage.WAITING,
    "REQUEUED": Stage.WAITING,
    "REQUEUE_FED": Stage.WAITING,
    "REQUEUE_HOLD": Stage.WAITING,
    "SPECIAL_EXIT": Stage.WAITING,
    "RESV_DEL_HOLD": Stage.WAITING,
    "CONFIGURING": Stage.RUNNING,
    "RUNNING": Stage.RUNNING,
    "SUSPENDED": Stage.RUNNING,
    "STOPPED": Stage.RUNNING,
    "RESIZING": Stage.RUNNING,
    "SIGNALING": Stage.RUNNING,
    "STAGE_OUT": Stage.ENDING,
    "COMPLETING": Stage.ENDING,
}
_CAUSES = {
    "BOOT_FAIL": Cause.LOST,
    "CANCELLED": Cause.CANCELLED,
    "DEADLINE": Cause.TIMEOUT,
    "LAUNCH_FAILED": Cause.BACKEND_UNAVAILABLE,
    "NODE_FAIL": Cause.LOST,
    "OUT_OF_MEMORY": Cause.MEMORY,
    "PREEMPTED": Cause.LOST,
    "RECONFIG_FAIL": Cause.BACKEND_UNAVAILABLE,
    "REVOKED": Cause.LOST,
    "TIMEOUT": Cause.TIMEOUT,
}


def stage_of(state: str) -> Stage:
    """How far a job in that state is. A state that is not known here is an end: Slurm has many, and adds some."""
    return _STAGES.get(_bare(state), Stage.ENDED)


def cause_of(state: str) -> Cause | None:
    """Why a job in that state has ended, where it was not by itself."""
    return _CAUSES.get(_bare(state))


def seconds_of(text: str) -> float | None:
    """A duration as Slurm writes it: `[DD-[HH:]]MM:SS[.mmm]`."""
    match = re.fullmatch(r"(?:(?:(\d+)-)?(\d+):)?(\d+):(\d+(?:\.\d+)?)", text.strip())
    if not match:
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def duration(seconds: float) -> str:
    """A time limit in whole minutes, which is how exactly Slurm keeps one."""
    return str(max(1, -(-int(seconds) // 60)))


def exit_of(text: str) -> tuple[int, int] | None:
    """Exit code and signal, as in `3:0`."""
    match = re.fullmatch(r"(\d+):(\d+)", text.strip())
    return (int(match[1]), int(match[2])) if match else None


def _bare(state: str) -> str:
    """Without what sacct adds to it: `CANCELLED by 1000`, `CANCELLED+`."""
    return state.split(" ")[0].rstrip("+*")
