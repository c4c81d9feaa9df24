"""Processes that a killed worker left behind."""

import os
import subprocess
import time
from pathlib import Path

from analytics_automated.executors.orphans import end_orphans


def test_a_whole_tree_of_a_killed_worker_is_ended_and_no_stranger() -> None:
    environment = {"PATH": os.environ["PATH"], "AA_ATTEMPT": "77.1"}
    script = "setsid sleep 300 & (trap '' TERM; sleep 300) & exec sleep 300"
    leader = subprocess.Popen(["bash", "-c", script], env=environment, start_new_session=True)
    stranger = subprocess.Popen(["sleep", "300"], env={**environment, "AA_ATTEMPT": "77.10"})
    try:
        deadline = time.monotonic() + 10
        while len(carriers("77.1")) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert end_orphans("77.1") == []
        leader.wait(timeout=5)
        assert carriers("77.1") == []
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_where_nothing_is_left_nothing_happens() -> None:
    assert end_orphans("never.1") == []


def carriers(attempt: str) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if f"AA_ATTEMPT={attempt}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except (OSError, ValueError):
            continue
    return found
