"""Pipeline files as they are written."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analytics_automated.pipelines.definitions.scalars import plain_deep
from analytics_automated.pipelines.files.configuration import Configuration
from analytics_automated.pipelines.files.reader import read_files, read_text
from analytics_automated.pipelines.files.source import read_document
from analytics_automated.pipelines.files.writer import definition_text, pipeline_text, value_text

ROOT = Path(__file__).resolve().parents[3]
SECTIONS = ("backends", "tasks", "jobs")


def dumped(configuration: Configuration) -> dict[str, dict[str, Any]]:
    return {
        section: {
            name: each.model_dump(mode="json", by_alias=True, exclude_defaults=True)
            for name, each in getattr(configuration, section).items()
        }
        for section in SECTIONS
    }


def read(text: str) -> Configuration:
    configuration = Configuration()
    read_text(text, "written.yaml", configuration)
    assert configuration.problems == []
    return configuration


FILES = [*sorted((ROOT / "examples").glob("*.yaml")), ROOT / "tests/unit/pipelines/all_keys.yaml"]


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_a_written_file_reads_as_what_it_was_written_from(file: Path) -> None:
    configuration = Configuration()
    read_text(file.read_text(), file.name, configuration)
    data = dumped(configuration)
    text = pipeline_text(data, "written")
    assert json.dumps(dumped(read(text))) == json.dumps(data)
    assert pipeline_text(dumped(read(text)), "written") == text, "written again it is the same to the byte"


def test_files_are_written_as_a_person_would() -> None:
    text = """format: 1
pipeline: p

tasks:
  search:
    inputs: {query: query.fasta}
    outputs: {hits: hits.tsv, logs: {file: '*.log', many: true, publish: false}}
    script: |
      blastp -query "$input_query" |
        sort > "$output_hits"
    parameters:
      evalue: {type: number, default: 0.001, minimum: 0}
      kind: {type: choice, choices: [fast, exact]}
    exit_codes: {stop: [3], fail: [64-78], messages: {3: Nothing was found.}}
    software: [{name: BLAST+, version: '2.10'}]

jobs:
  find:
    title: Find
    runnable: true
    inputs:
      query:
        title: A protein
        validators:
          - fasta
          - {size: {max: 1MB}}
    steps:
      - {task: search}
    results: {hits: search.hits}
"""
    assert pipeline_text(dumped(read(text)), "p") == text


words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
lines = st.lists(st.text("ab :#-{}[]'\"|>&*!%@`,\t\\$é\u2028\x85\ufeff", max_size=6), max_size=4).map("\n".join)
numbers = st.sampled_from(
    ["1", "1.0", "1e3", "0x1F", "0o7", "NO", "null", "~", "true", ".inf", "1:30", "2026-01-01", "<<", "="]
)
free = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words | lines | numbers,
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8).filter(lambda key: key != "<<"), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


@given(free)
@example("?g")
@example("\x1b\n")
@example({"?g": ":x"})
@example("a\n b\n")
@example(" a\nb")
@example("a\n\n\n")
@example("\n")
@example("\na")
@example("a \nb")
@example("a\r\nb")
@example("\tx\n")
@example("--- a\nb")
def test_any_data_reads_as_it_was_written(data: Any) -> None:
    for text in (value_text({"k": data}), pipeline_like(data)):
        document = read_document(text, "f")
        assert document.problems == [], text
        assert json.dumps(plain_deep(document.data["k"])) == json.dumps(data), text


def pipeline_like(data: Any) -> str:
    """The same, as it stands in a pipeline file, where what is short is on one line."""
    text = pipeline_text({"tasks": {"t": {"script": "x", "k": data}}})
    below = text.split("    script: x\n", 1)[1]
    return "".join(line[4:] if line.startswith("    ") else line for line in below.splitlines(keepends=True))


def test_a_definition_for_comparison_has_a_line_for_each_value() -> None:
    text = definition_text(
        "backends", "b", {"defaults": {"timeout": "1h", "resources": {"cpus": 1}}, "path": ["/a", "/b"]}
    )
    assert text.splitlines()[2:] == [
        "    defaults:", "      timeout: 1h", "      resources:", "        cpus: 1", "    path:", "      - /a", "      - /b",
    ]  # fmt: skip


def test_what_is_not_there_is_no_text() -> None:
    assert definition_text("tasks", "t", None) == ""


def test_a_file_on_disk_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(pipeline_text({"tasks": {"t": {"command": "true"}}}, "p"))
    assert list(read_files([path]).tasks) == ["t"]
