"""A command's surroundings: its environment and its program. Nothing of the server's own is passed on."""

import json
import os
import shutil
from collections.abc import Mapping, Sequence

from analytics_automated.executors.search_path import search_path
from analytics_automated.runs.workdirs import WorkFolder

PASSED_ON = ("LANG", "LC_ALL", "LC_CTYPE", "TZ")
"""Variables of the worker that a command does get: how text is written, and where the machine is."""


def environment(folder: WorkFolder, task_variables: Mapping[str, str]) -> dict[str, str]:
    """All variables of a command: the task's own, and those that every command has."""
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    passed.setdefault("LANG", "C.UTF-8")
    return {
        **passed,
        **task_variables,
        "PATH": search_path(),
        "HOME": str(folder.home),
        "TMPDIR": str(folder.temporary),
        "task_file": str(folder.values),
    }


def write_values(folder: WorkFolder, values: Mapping[str, object]) -> None:
    """The file that `$task_file` names: all values as JSON, by placeholder."""
    folder.values.write_text(json.dumps(values, ensure_ascii=False, indent=1), encoding="utf-8")


def script_argv(folder: WorkFolder, interpreter: Sequence[str], script: str) -> tuple[str, ...]:
    """Write the script, byte for byte, and return the argument list that runs it.

    `python` is the first of `python3` and `python` on the command's PATH, never A_A's own.
    """
    folder.script.write_bytes(script.encode("utf-8"))
    folder.script.chmod(0o400)
    program, *options = interpreter
    if program == "python":
        path = search_path()
        program = next((each for each in ("python3", "python") if shutil.which(each, path=path)), program)
    return (program, *options, str(folder.script))
