"""The tables of a run, as people read them: printed, and kept in `RESULTS.md`."""

from collections.abc import Mapping, Sequence

from bench.figures import Figure, Findings
from bench.parts import Part

Run = Mapping[str, Findings]
"""What was found, by the name of the part."""
BOUNDS = ("figure", "measured", "at least", "aim", "")
MEASURED = ("measured", "median", "")


def bounds_table(run: Run) -> str:
    """The figures that are to reach something, and whether they do."""
    figures = [figure for findings in run.values() for figure in findings.bounded]
    return _table(BOUNDS, [_bounds_row(figure) for figure in figures])


def _bounds_row(figure: Figure) -> Sequence[str]:
    shown = (figure.show(value) for value in (figure.value, figure.at_least, figure.aim))
    return (figure.name, *shown, figure.verdict)


def others_table(findings: Findings) -> str:
    """What a part measured besides, and how quiet the machine was."""
    table = _table(MEASURED, [(each.name, each.show(each.value), each.detail) for each in findings.others])
    return f"{table}\n\nOther processes took {findings.bystanders:.0%} of the processors meanwhile."


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns line up; the first and the last hold words, the others values."""
    widths = [max(3, *(len(row[place]) for row in [columns, *rows])) for place in range(len(columns))]
    last = len(columns) - 1
    rule = ["-" * width if place in (0, last) else "-" * (width - 1) + ":" for place, width in enumerate(widths)]
    lines = []
    for row in [columns, rule, *rows]:
        cells = [
            cell.ljust(width) if place in (0, last) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


HEAD = """\
# What A_A costs

Written by `make bench`, which measures everything in one run, on one machine, and stops all that it started.

"""
METHOD = """\
## Method
A_A is `aa up` on a PostgreSQL and a Redis of the run's own, with two worker slots and otherwise the settings that it
has by itself; each part has an installation and databases of its own. **PostgreSQL does not wait for the disk** (it is
the tests' own, with `fsync` off): how long a disk takes is the disk's matter. Raw Celery is one worker process on the
same Redis with the thread pool, two threads and Celery's default prefetch; its task is `subprocess.run(["true"])` and
tells its end through a FIFO, so the sender sees it at once. Clients, service, workers and servers share the machine.
Percentiles are by nearest rank. The ratio of a time is how many times raw Celery's it is; of a rate, what part of raw
Celery's is reached.
"""


def as_document(
    run: Run, parts: Sequence[Part], machine: Sequence[tuple[str, str]], *, date: str, source: str, seconds: float
) -> str:
    """The whole of `RESULTS.md`."""
    sections = "\n".join(f"### {part.name}\n{part.method}\n\n{others_table(run[part.name])}\n" for part in parts)
    where = "\n".join(f"- {word}: {what}" for word, what in machine)
    return (
        f"{HEAD}{date}, source {source}, {seconds:.0f} s.\n\n{bounds_table(run)}\n\n"
        f"{METHOD}\n{sections}\n## Machine\n{where}\n"
    )
