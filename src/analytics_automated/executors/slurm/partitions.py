"""sinfo: whether a partition takes jobs, and how many processors it has."""

from analytics_automated.executors.base import BackendUnavailable


def sinfo_words(partition: str | None) -> list[str]:
    """The command line that asks for the partition, or for all; the default one is marked by a `*`."""
    words = ["sinfo", "--noheader", "--format=%P|%a|%C"]
    return [*words, f"--partition={partition}"] if partition else words


def read_partitions(output: str, partition: str | None) -> tuple[int, str]:
    """Processors of the partition, or of the default one, that are there; and how it is, in words.

    Raises `BackendUnavailable` where it takes no jobs.
    """
    rows = [line.strip().split("|") for line in output.splitlines() if line.count("|") == 2]
    chosen = [row for row in rows if partition or row[0].endswith("*")] or rows
    if not chosen:
        raise BackendUnavailable(f"Slurm knows no partition {partition}" if partition else "Slurm has no partition")
    up = [row for row in chosen if row[1] == "up"]
    if not up:
        names = ", ".join(f"{name.rstrip('*')} is {state}" for name, state, _ in chosen)
        raise BackendUnavailable(f"no partition takes jobs: {names}")
    counts = [[int(number) for number in row[2].split("/")] for row in up]  # allocated/idle/other/total
    usable = sum(allocated + idle for allocated, idle, _, _ in counts)
    other = sum(count[2] for count in counts)
    names = ", ".join(row[0].rstrip("*") for row in up)
    idle = sum(count[1] for count in counts)
    return usable, f"partition {names}: {idle} of {usable} processors idle" + (
        f", {other} out of service" if other else ""
    )
