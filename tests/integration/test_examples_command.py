"""`aa test`: a job's examples, run as callers would run them, without a service."""

import tempfile
from pathlib import Path

import pytest

from integration.live import aa, apply

PIPELINE = """format: 1
pipeline: p
tasks:
  count:
    inputs: {data: in.txt}
    outputs: {number: out.txt}
    command: sh count.sh {input.data} {output.number} {param.add}
    files: [count.sh]
    parameters: {add: {type: integer, default: 0, minimum: 0}}
    exit_codes: {stop: [9], messages: {9: Nothing to count.}}
  show: {inputs: {number: n.txt}, outputs: {shown: s.txt}, command: "cat {input.number}", stdout: shown}
jobs:
  counted:
    runnable: true
    steps: [count, show]
    results: {number: count.number, shown: show.shown}
    examples:
      - EXAMPLE
"""


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples/three.txt").write_text("a\nb\nc\n")
    (tmp_path / "examples/empty.txt").write_text("")
    (tmp_path / "examples/right.txt").write_text("lines 3.0\n")
    (tmp_path / "count.sh").write_text(
        '[ -s "$1" ] || exit 9\nlines=$(wc -l < "$1")\necho "lines $((lines + $3))" > "$2"\n'
    )
    return tmp_path / "p.yaml"


def tried(pipeline: Path, *examples: str) -> list[str]:
    text = "\n      - ".join(examples)
    pipeline.write_text(PIPELINE.replace("EXAMPLE", text))
    done = aa(pipeline.parent / "data", "test", pipeline)
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert done.returncode == (1 if "FAILED" in done.stdout else 0), done.stderr
    assert not (pipeline.parent / "data").exists(), "the installation that is there is not touched"
    return [line.split(" (", 1)[0] for line in lines]


def test_examples_that_come_out_as_expected_are_ok(pipeline: Path) -> None:
    assert tried(
        pipeline,
        "{title: Three, inputs: {data: examples/three.txt}, expect: {results: [number, shown]}}",
        "{inputs: {data: examples/three.txt}, expect: {results: {number: {file: examples/right.txt, tolerance: 0}}}}",
        "{inputs: {data: examples/three.txt}, parameters: {count_add: 4}, expect: {results: {shown: {contains: lines 7}}}}",
        "{inputs: {data: examples/empty.txt}, expect: {stopped: count, message: Nothing to count}}",
        "{inputs: {data: examples/three.txt}, expect: {results: {number: {sha256: "
        "cbd65321b629057536befebe37b8c30ddf84a89f63b69de0371e9bfe5a013326}}}}",
    ) == [
        "ok      counted: Three",
        "ok      counted: example 2",
        "ok      counted: example 3",
        "ok      counted: example 4",
        "ok      counted: example 5",
        "5 examples, 0 not as expected",
    ]  # fmt: skip


def test_what_is_not_as_expected_is_said_for_each_example(pipeline: Path) -> None:
    said = tried(
        pipeline,
        "{inputs: {data: examples/three.txt}, expect: {results: {number: examples/right.txt}}}",
        "{inputs: {data: examples/three.txt}, expect: {status: ERROR}}",
        "{inputs: {data: examples/empty.txt}, expect: {results: [shown]}}",
        "{inputs: {data: examples/three.txt}, expect: {results: {number: {sha256: " + "0" * 64 + "}}}}",
        "{inputs: {data: examples/three.txt}, expect: {stopped: count}}",
    )
    assert [line for line in said if not line.startswith("FAILED")] == [
        "result number: differs from examples/right.txt: line 1 is 'lines 3', not 'lines 3.0'",
        "is COMPLETE, not ERROR",
        "result shown: is not there",
        "result number: has the SHA-256 cbd65321b629057536befebe37b8c30ddf84a89f63b69de0371e9bfe5a013326, not "
        + "0" * 64,
        "did not stop, and not at 'count'",
        "5 examples, 5 not as expected",
    ]


def test_the_logs_of_a_failed_step_are_shown_to_its_author(pipeline: Path) -> None:
    (pipeline.parent / "count.sh").write_text("echo what went wrong >&2\nexit 4\n")
    said = tried(pipeline, "{inputs: {data: examples/three.txt}}")
    assert "count stderr: what went wrong" in said
    assert "is ERROR, not COMPLETE: Step 'count' failed with exit code 4." in said


def test_a_job_of_the_database_is_tried_from_what_is_stored(pipeline: Path, tmp_path: Path) -> None:
    pipeline.write_text(PIPELINE.replace("EXAMPLE", "{inputs: {data: examples/three.txt}, expect: {results: [shown]}}"))
    data = tmp_path / "installation"
    apply(data, pipeline)
    pipeline.write_text("gone")
    done = aa(data, "test", "counted")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ok      counted: example 1")
    assert aa(data, "test", "conted").stderr == "Error: there is no job 'conted' (did you mean 'counted'?)\n"


def test_wrong_files_are_told_as_by_check(pipeline: Path) -> None:
    pipeline.write_text(PIPELINE.replace("EXAMPLE", "{inputs: {dat: examples/three.txt}}"))
    done = aa(pipeline.parent / "data", "test", pipeline)
    assert done.returncode == 1
    assert "jobs.counted.examples[0].inputs" in done.stderr


def test_files_without_examples_are_no_success(pipeline: Path) -> None:
    pipeline.write_text(PIPELINE.replace("    examples:\n      - EXAMPLE\n", ""))
    done = aa(pipeline.parent / "data", "test", pipeline)
    assert (done.returncode, done.stderr) == (1, "Error: no job has `examples`: there is nothing to try\n")


def test_nothing_is_left_behind_unless_it_is_kept(pipeline: Path) -> None:
    before = set(Path(tempfile.gettempdir()).glob("aa-test-*"))
    tried(pipeline, "{inputs: {data: examples/three.txt}}")
    assert set(Path(tempfile.gettempdir()).glob("aa-test-*")) <= before
