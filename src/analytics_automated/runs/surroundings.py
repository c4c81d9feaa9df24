"""A command's surroundings: its environment and its program. Nothing of the server's own is passed on."""

import json
import os
import shutil
from collections.abc import Mapping, Sequence

from analytics_automated.executors.search_path import search_path
from analytics_automated.runs.places import Place
from analytics_automated.runs.secrets import Secrets
from analytics_automated.runs.workdirs import WorkFolder

PASSED_ON = ("LANG", "LC_ALL", "LC_CTYPE", "TZ")
"""Variables of the worker that a command does get: how text is written, and where the machine is."""


def environment(
    folder: WorkFolder, place: Place, task_variables: Mapping[str, str], secrets: Secrets
) -> dict[str, str]:
    """All variables of a command: the backend's, the task's own, which win over these, its secrets, and those that
    every command has."""
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    passed.setdefault("LANG", "C.UTF-8")
    return {
        **passed,
        **place.environment,
        **task_variables,
        **secrets.values,
        "PATH": command_path(place),
        "HOME": str(folder.home),
        "TMPDIR": str(folder.temporary),
        "task_file": str(folder.values),
        "message_file": str(folder.message),
        "progress_file": str(folder.progress),
    }


def command_path(place: Place) -> str:
    """The PATH of a command: the backend's folders in front of the worker's."""
    return ":".join([*place.path, search_path()])


def write_values(folder: WorkFolder, values: Mapping[str, object]) -> None:
    """The file that `$task_file` names: all values as JSON, by placeholder."""
    folder.values.write_text(json.dumps(values, ensure_ascii=False, indent=1), encoding="utf-8")


def script_argv(folder: WorkFolder, interpreter: Sequence[str], script: str) -> tuple[str, ...]:
    """Write the script, byte for byte, and return the argument list that runs it."""
    folder.script.write_bytes(script.encode("utf-8"))
    folder.script.chmod(0o400)
    return (*interpreter, str(folder.script))


def python_on(path: str) -> str:
    """What the program `python` of a script is: the first of `python3` and `python` there, never A_A's own."""
    return next((each for each in ("python3", "python") if shutil.which(each, path=path)), "python")
