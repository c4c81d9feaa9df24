"""The reference of the kinds of values that keys hold."""

import re
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from analytics_automated.pipelines.definitions import scalars
from analytics_automated.pipelines.definitions.task import ExitRange
from analytics_automated.pipelines.quantities import Duration, Size
from generated_reference.kinds import kind_of, rules_of
from generated_reference.tables import code, table

LONGEST_PATTERN = 80
"""Characters of a regular expression that helps its reader."""
LONGEST_EXAMPLE = 40
"""Characters of an example that a column has room for; longer ones are only checked."""


@dataclass(frozen=True)
class Kind:
    """A kind of value, with what its name does not say."""

    annotation: Any
    meaning: str
    examples: tuple[str, ...]

    @property
    def words(self) -> str:
        """What tables of keys call it."""
        return kind_of(self.annotation)


KINDS = (
    Kind(scalars.Text, "Text as typed, of one or more lines. No NUL character.", ("one", "two words")),
    Kind(scalars.Word, "Text without control characters.", ("two words",)),
    Kind(scalars.Line, "The same, as a title or a flag is.", ("Expect value",)),
    Kind(scalars.Name, "Letters, digits and `_`, a letter first.", ("search", "hits_2")),
    Kind(scalars.JobName, "The same, and `-` and `.`.", ("homologues", "find-homologues.v2")),
    Kind(scalars.PublicName, "By which callers know a parameter.", ("evalue", "search_evalue")),
    Kind(scalars.VariableName, "A variable of a process.", ("OMP_NUM_THREADS",)),
    Kind(scalars.QueueName, "A Celery queue.", ("reports",)),
    Kind(scalars.SystemUser, "A user of the system.", ("analysis",)),
    Kind(scalars.Reference, "A job's input, or a step's output.", ("query", "search.hits")),
    Kind(scalars.StepOutput, "A step and an output of its task.", ("search.hits",)),
    Kind(scalars.StepParameter, "A step and a parameter of its task.", ("search.evalue",)),
    Kind(
        scalars.RelativePath,
        "Below the work folder; without a leading `/` or `-`, without `..`. `.` is the folder itself.",
        ("table.csv", "plots/one.png"),
    ),
    Kind(
        scalars.FilePath,
        "Below the folder of the pipeline file, without a leading `/` and without `..`.",
        ("examples/hba.fasta",),
    ),
    Kind(ExitRange, "From 0 to 255.", ("3", "64-78")),
    Kind(scalars.Date, "Year, month and day.", ("2026-12-01",)),
    Kind(scalars.Sha256, "A digest.", ("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",)),
    Kind(Duration, "More than 0, at most 100,000 days.", ("45s", "30m", "12h", "7d")),
    Kind(
        Size,
        "Bytes. `KB MB GB TB` are powers of 1000, `KiB MiB GiB TiB` of 1024.",
        ("500KB", "10MB", "2GiB", "4096"),
    ),
)


def values_reference() -> str:
    """A table of the kinds: what they are, with the regular expression that the whole matches, and examples."""
    return table(["Kind", "Is", "Such as"], [_row(kind) for kind in KINDS])


def _row(kind: Kind) -> list[str]:
    adapter: TypeAdapter[Any] = TypeAdapter(kind.annotation)
    for example in kind.examples:
        adapter.validate_python(scalars.Scalar(example, example))  # no example is wrong
    rules = rules_of(kind.annotation)
    longest = min((rule["maxLength"] for rule in rules if "maxLength" in rule), default=None)
    meaning = kind.meaning + (f" At most {longest} characters." if longest else "")
    pattern = _pattern(rules, adapter.json_schema())
    shown = [example for example in kind.examples if len(example) <= LONGEST_EXAMPLE]
    return [kind.words, f"{meaning} {pattern}", ", ".join(map(code, shown))]


def _pattern(rules: list[dict[str, Any]], schema: dict[str, Any]) -> str:
    """The regular expression of the kind alone; none where it is any text."""
    any_text = {rule["pattern"] for rule in rules_of(scalars.Word) if "pattern" in rule}
    found = [rule["pattern"] for rule in rules if "pattern" in rule and rule["pattern"] not in any_text]
    found += [each["pattern"] for each in schema.get("anyOf", []) if "pattern" in each]
    pattern = re.sub(r"^\^(?:\(\?:(.*)\)|(.*))\$$", r"\1\2", found[-1]) if found else ""
    return f"Pattern: {code(pattern)}." if 0 < len(pattern) <= LONGEST_PATTERN else ""
