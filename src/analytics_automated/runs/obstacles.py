"""What keeps a worker from its Backends at present. Steps wait until it is gone: nothing fails because of it."""

import os
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path

from django.conf import settings

from analytics_automated.executors.confinement.sandbox import sandbox_here
from analytics_automated.executors.registry import executor_names
from analytics_automated.pipelines.models import Backend
from analytics_automated.runs.backends import executor_of
from analytics_automated.runs.health import down_backends
from analytics_automated.runs.workdirs import work_root
from analytics_automated.storage.room import free_bytes, storage_has_room


class Obstacle(StrEnum):
    """Why a worker takes up nothing for a Backend."""

    GONE = "gone"
    """The Backend is not configured any more."""
    STORAGE_FULL = "storage_full"
    """Too little is free where results are stored."""
    WORK_FULL = "work_full"
    """Too little is free where work folders are made."""
    UNUSABLE = "unusable"
    """Work folders cannot be made."""
    DOWN = "down"
    """It gives no answer."""
    FULL = "full"
    """It takes no more commands before some have ended."""
    NO_SANDBOX = "no_sandbox"
    """It wants a sandbox, and none works where the worker runs."""
    NO_EXECUTOR = "no_executor"
    """Its executor is not installed where the worker runs."""

    @property
    def sentence(self) -> str:
        """For people; it holds nothing of the inside."""
        return _SENTENCES[self]


_SENTENCES = {
    Obstacle.GONE: "its backend is not there any more",
    Obstacle.STORAGE_FULL: "there is too little room for results",
    Obstacle.WORK_FULL: "there is too little room where it would run",
    Obstacle.UNUSABLE: "its backend's folder cannot be used",
    Obstacle.DOWN: "its backend gives no answer at present",
    Obstacle.FULL: "its backend takes no more at present",
    Obstacle.NO_SANDBOX: "its backend's sandbox does not work",
    Obstacle.NO_EXECUTOR: "its backend's executor is not installed",
}
NO_ROOM = frozenset({Obstacle.STORAGE_FULL, Obstacle.WORK_FULL})


def find_obstacles(backends: Iterable[Backend]) -> Mapping[str, Obstacle]:
    """What keeps this process from each of the Backends, by name; nothing for those that it can work for."""
    rows = list(backends)
    if not storage_has_room():
        return {backend.name: Obstacle.STORAGE_FULL for backend in rows}
    down = down_backends()
    found = {each.name: Obstacle.DOWN if each.name in down else _obstacle(each) for each in rows}
    return {name: obstacle for name, obstacle in found.items() if obstacle is not None}


def _obstacle(backend: Backend) -> Obstacle | None:
    if backend.queue_type.executor not in executor_names():
        return Obstacle.NO_EXECUTOR
    if backend.sandbox == "required" and executor_of(backend).attended and sandbox_here().machine is None:
        return Obstacle.NO_SANDBOX
    root = work_root(backend)
    there = next((each for each in (root, *root.parents) if each.exists()), Path("/"))
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return Obstacle.UNUSABLE
    free = free_bytes(root) if settings.AA.min_free_work else None
    return Obstacle.WORK_FULL if free is not None and free < settings.AA.min_free_work else None
