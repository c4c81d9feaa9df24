"""What an operator may say of a Slurm cluster."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_OWN = frozenset(
    ("parsable", "job-name", "output", "error", "export", "array", "chdir", "wrap", "wait", "requeue", "no-requeue")
)
"""Options of sbatch that are A_A's to give."""


def _one_word(text: str) -> str:
    if not re.fullmatch(r"[^\s,;=-][^\s;=]*", text):
        raise ValueError(f"{text!r} is no name that Slurm knows: it has no spaces, and does not begin with a dash")
    return text


def _sbatch_option(text: str) -> str:
    name = text.removeprefix("--").partition("=")[0]
    if not re.fullmatch(r"--[a-z][a-z0-9-]*(=.*)?", text):
        raise ValueError(f"{text!r} is not of the form --name=value, as in --reservation=spring")
    if name in _OWN:
        raise ValueError(f"--{name} is A_A's to give")
    return text


Name = Annotated[str, Field(max_length=255), AfterValidator(_one_word)]


class SlurmOptions(BaseModel):
    """Options of the executor `slurm`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    partition: Name | None = Field(
        None, description="Partition, or several with commas. Without it: the cluster's default."
    )
    account: Name | None = Field(None, description="Account that jobs are charged to.")
    qos: Name | None = Field(None, description="Quality of service.")
    constraint: str | None = Field(
        None, max_length=255, pattern=r"^[^-]", description="Features that a node must have, such as `avx512&ssd`."
    )
    cluster: Name | None = Field(None, description="Cluster, where the same Slurm knows several.")
    gpu: Name = Field(
        "gpu", description="What Slurm calls an accelerator: `gpu`, or with a type `gpu:a100` (`--gres`)."
    )
    nice: int = Field(
        100,
        ge=0,
        le=1_000_000,
        description="`--nice` of a submission of priority 0. An account may only make its jobs wait longer, so this is "
        "the room that higher priorities have.",
    )
    nice_step: int = Field(
        10, ge=0, le=100_000, description="By how much `--nice` goes down for each step that a priority goes up."
    )
    extra_walltime: int = Field(
        300,
        ge=0,
        le=604_800,
        description="Seconds that Slurm gives a job beyond its `timeout`, which A_A itself counts from its start. "
        "Slurm's own limit only holds where A_A is not there to do so.",
    )
    max_pending: int | None = Field(
        None,
        ge=1,
        description="Most of A_A's jobs that wait in Slurm at a time; further steps wait in A_A. Keep it below the "
        "limits of the account (`MaxSubmitJobs`) and the cluster (`MaxJobCount`).",
    )
    arrays: bool = Field(True, description="Whether the items of a scattered step are handed over as job arrays.")
    sbatch: tuple[Annotated[str, AfterValidator(_sbatch_option)], ...] = Field(
        (), description="Further options of `sbatch`, each as one word, such as `--reservation=spring`."
    )
    bin: str | None = Field(
        None, pattern=r"^/", description="Folder of `sbatch` and the others, where they are not on the worker's PATH."
    )
    conf: str | None = Field(
        None,
        pattern=r"^/",
        description="The cluster's `slurm.conf`, where it is not at its usual place (`SLURM_CONF`).",
    )
    command_timeout: float = Field(
        20.0, ge=1.0, le=300.0, description="Seconds that one of Slurm's commands may take to answer."
    )
