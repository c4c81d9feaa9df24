"""sbatch: a command as Slurm is asked to run it."""

import re
from collections.abc import Sequence
from pathlib import Path

from analytics_automated.executors.base import CommandSpec
from analytics_automated.executors.batch.labels import Label
from analytics_automated.executors.batch.wrapper import start_line
from analytics_automated.executors.slurm.options import SlurmOptions
from analytics_automated.executors.slurm.states import duration

_MIB = 1024**2
ONE = "${SLURM_JOB_ID}"
MEMBER = "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
"""The ids of jobs, as their own shells know them."""
NAMES = "members"
"""The file in which an array keeps whose its indices are, a line for each."""


def sbatch_words(spec: CommandSpec, options: SlurmOptions, label: Label, state: Path, *, many: int = 0) -> list[str]:
    """The command line that hands over one command, or an array of `many` that are like it.

    A job's environment is that of sbatch itself, which is bare. (`--export=NONE` would have the node run a login shell
    of the account first, for seconds.) The job begins in its state folder, by which an array's members are found.
    """
    resources = spec.resources
    words = ["sbatch", *options.sbatch, "--parsable", "--export=ALL", "--no-requeue", "--nodes=1", "--ntasks=1"]
    words += [f"--cpus-per-task={resources.cpus}", f"--job-name={label.name}", f"--chdir={state}"]
    words += [f"--nice={nice(spec.priority, options)}", "--open-mode=append"]
    # The messages of Slurm itself; the command's own output goes elsewhere. An array has one pattern for all.
    words.append("--output=/dev/null" if many else f"--output={_literally(state / 'scheduler.log')}")
    if many:
        words.append(f"--array=0-{many - 1}")
    if resources.memory is not None:
        words.append(f"--mem={-(-resources.memory // _MIB)}M")
    if resources.gpus:
        words.append(f"--gres={options.gpu}:{resources.gpus}")
    if spec.timeout is not None:
        words.append(f"--time={duration(spec.timeout + options.extra_walltime)}")
    if spec.comment:
        words.append(f"--comment={spec.comment}")
    for name in ("partition", "account", "qos", "constraint"):
        if value := getattr(options, name):
            words.append(f"--{name}={value}")
    if options.cluster:
        words.append(f"--clusters={options.cluster}")
    return words


def nice(priority: int, options: SlurmOptions) -> int:
    """Slurm's `--nice`: more of it is less urgent, and only administrators may go below zero."""
    return max(0, options.nice - priority * options.nice_step)


def script(state: Path) -> str:
    """What Slurm keeps of one command: where its wrapper is."""
    return f"#!/bin/sh\n{start_line(state, ONE)}\n"


def array_script(states: Sequence[Path]) -> str:
    """The same for an array: each index has its own wrapper."""
    branches = "".join(f"{index}) {start_line(state, MEMBER)} ;;\n" for index, state in enumerate(states))
    return f"#!/bin/sh\ncase $SLURM_ARRAY_TASK_ID in\n{branches}esac\nexit 70\n"


def read_job_id(output: str) -> str | None:
    """The id in what `sbatch --parsable` wrote: `123` or `123;cluster`, after what a site's own plug-in may say."""
    for line in reversed(output.splitlines()):
        if match := re.fullmatch(r"(\d+)(;\S+)?", line.strip()):
            return match[1]
    return None


def _literally(path: Path) -> str:
    r"""A file name in which sbatch replaces nothing: `%` is for patterns, and a `\` anywhere turns them off."""
    text = str(path)
    return text if "\\" in text else text.replace("%", "%%")
