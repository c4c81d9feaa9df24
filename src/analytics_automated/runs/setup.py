"""The setup of a backend and a task: shell text that makes a command's surroundings ready, such as `module load …`."""

import os
from collections.abc import Mapping, Sequence

from analytics_automated.executors.base import Cause, Log, Outcome
from analytics_automated.runs.workdirs import WorkFolder

PENDING = "pending\n"
LONGEST_REPORT = 65_536
"""Bytes of the setup's own output that are kept: its end."""

STARTER = r"""# Makes the surroundings of a command ready, and then becomes the command.
# Arguments: the attempt's folder, the word "python" where that program is to be found, and the command's words.
declare -r aa_folder=$1 aa_find=$2
shift 2
declare -ra aa_words=("$@")
set --
set -e  # No -u: activate scripts of others read variables that are not set.
for aa_whose in backend task; do
  if [[ -e $aa_folder/setup.$aa_whose ]]; then
    # What it says is kept apart, and it does not read what is the command's.
    source "$aa_folder/setup.$aa_whose" </dev/null >>"$aa_folder/told/setup.log" 2>&1
    aa_status=$?
    [[ $aa_status == 0 ]] || exit "$aa_status"
  fi
done
builtin cd "$aa_folder/work"
: >|"$aa_folder/told/setup.state" || exit 1
set +ae
shopt -u execfail
unset aa_whose aa_status SHLVL OLDPWD
if [[ $aa_find == python ]]; then
  for aa_name in python3 python; do
    if aa_found=$(builtin type -P "$aa_name"); then
      builtin exec -- "$aa_found" "${aa_words[@]:1}"
    fi
  done
fi
builtin exec -- "${aa_words[@]}"
"""
"""`exec` in bash looks the program up on the PATH that the setup left, and ends with 127 or 126 as a shell does."""


def setup_argv(
    folder: WorkFolder, setups: Mapping[str, str], argv: Sequence[str], *, finds_python: bool
) -> tuple[str, ...]:
    """Write the setups, and return the argument list that runs them and then becomes the command, whose own argument
    list stays as it is.

    With `finds_python` its program becomes the first of `python3` and `python` on the PATH that they leave.
    """
    for whose, text in setups.items():
        folder.setup(whose).write_text(f"{text}\n", encoding="utf-8")
    folder.starter.write_text(STARTER, encoding="utf-8")
    folder.setup_state.write_text(PENDING, encoding="utf-8")
    return ("bash", str(folder.starter), str(folder.top), "python" if finds_python else "", *argv)


def setup_failed(folder: WorkFolder, outcome: Outcome) -> bool:
    """True where the setup ended, and not the command: whatever the exit code, the command was never begun."""
    if outcome.cause not in {Cause.EXIT, Cause.SIGNAL}:
        return False
    try:
        return folder.setup_state.read_text(encoding="utf-8") == PENDING
    except (OSError, UnicodeDecodeError):
        return False  # the command has been at it


def setup_report(folder: WorkFolder) -> Log:
    """What the setup said; its end where it is long."""
    try:
        descriptor = os.open(folder.setup_log, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return Log()
    try:
        omitted = max(0, os.fstat(descriptor).st_size - LONGEST_REPORT)
        return Log(tail=os.pread(descriptor, LONGEST_REPORT, omitted), omitted=omitted)
    except OSError:  # no regular file, as the command has been at it
        return Log()
    finally:
        os.close(descriptor)
