"""`aa schema` and `aa init` as people run them."""

import json
import subprocess
from pathlib import Path

import pytest

from analytics_automated.pipelines.files.schema import pipeline_schema
from integration.live import AA, aa, variables


def test_the_schema_for_editors_is_printed_without_a_database(tmp_path: Path) -> None:
    done = aa(tmp_path / "data", "schema")

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == pipeline_schema()
    assert not (tmp_path / "data").exists(), "nothing was made"


def init(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`aa init` in that folder."""
    return subprocess.run(
        [AA, "init", *words], cwd=folder, env=variables(folder / "data"), capture_output=True, text=True, check=False
    )


def test_a_first_pipeline_is_written_and_is_right(tmp_path: Path) -> None:
    (tmp_path / "numbers.txt").write_text("2\n1\n")

    done = init(tmp_path, "--", "sort", "-n", "numbers.txt")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "wrote sort.yaml",
        "  inputs:     numbers",
        "  outputs:    output",
        "  parameters: none",
        "next:",
        "  aa check sort.yaml  # is it right? Look into the file first",
        "  aa test sort.yaml   # run its example",
        "  aa apply sort.yaml  # put it into the database",
        "  aa up               # serve it; leave this running",
        "  curl --form numbers=@numbers.txt http://127.0.0.1:8000/api/v1/jobs/sort/submissions",
    ]
    assert (tmp_path / "sort.yaml").read_text() == FIRST
    checked = aa(tmp_path / "data", "check", tmp_path / "sort.yaml")
    assert (checked.returncode, checked.stderr) == (0, "")
    assert not (tmp_path / "data").exists(), "nothing else was made"


pytestmark = pytest.mark.stack("embedded")
FIRST = """\
# A pipeline file: what callers send, what is run on it, and what they get.
# Made from: sort -n numbers.txt
format: 1
pipeline: sort  # owns the tasks and jobs of this file

# A task says what is run.
tasks:
  sort:
    # Files that it reads: a name of your choice, and the file's name while the command runs.
    inputs:
      numbers: numbers.txt
    # Files that it writes. A step fails where one is missing, unless it is `optional: true`.
    outputs:
      output: output.txt
    # It is split into words once and never meets a shell. {input.NAME} and {output.NAME} become names of
    # files, {param.NAME} a value, with its flag. For pipes and loops write a `script` in place of it.
    command: sort -n {input.numbers}
    stdout: output  # what it prints is this output
    # timeout: 30m  # end it when it runs longer

# A job is what callers see. It has one step or several, and each step uses a task.
jobs:
  sort:
    title: Sort  # what people read
    runnable: true  # callers may use it
    # What callers send. `max_size` bounds a file; validators check it before anything is run.
    inputs:
      numbers: {title: Numbers, max_size: 10MB}  # add validators: [text] to let in nothing else
    steps:
      - {task: sort}
    # What callers get, and under which name.
    results:
      output: sort.output
    # Example calls, for people and for `aa test`. The files lie beside this one.
    examples:
      - {title: A first example, inputs: {numbers: numbers.txt}, expect: {status: COMPLETE}}
"""


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "sort.yaml").write_text("mine")

    done = init(tmp_path, "--", "sort", "x.txt")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: sort.yaml is there already: name another file by --output, or remove it\n"
    assert (tmp_path / "sort.yaml").read_text() == "mine"


def test_name_and_file_can_be_said(tmp_path: Path) -> None:
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "in.txt").write_text("")

    done = init(tmp_path, "--name", "ordered", "--output", "pipelines/first.yaml", "--", "sort in.txt | uniq > out.txt")

    assert done.returncode == 0
    assert "wrote pipelines/first.yaml\n" in done.stdout
    assert "aa test" not in done.stdout, "the file does not lie below the pipeline file's folder"
    assert "jobs:\n  ordered:\n" in (tmp_path / "pipelines" / "first.yaml").read_text()


def test_options_of_the_command_are_its_own(tmp_path: Path) -> None:
    done = init(tmp_path, "--", "tool", "--name", "x", "--data", "y", "--help")

    assert done.returncode == 0
    text = (tmp_path / "tool.yaml").read_text()
    assert "flag: --name" in text
    assert "flag: --data" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Missing argument"),
        (["--"], "Missing argument"),
        (["--name", "a b", "--", "x"], "'a b' is no name: letters, digits and _ (at most 64), a letter first"),
        (["--name", "input", "--", "x"], "'input' is a reserved word: choose another name"),
    ],
)
def test_a_wrong_command_line_of_init_has_exit_code_2(tmp_path: Path, words: list[str], message: str) -> None:
    done = init(tmp_path, *words)
    assert done.returncode == 2
    assert message in done.stderr


def test_no_command_and_no_folder_are_said_to_be_so(tmp_path: Path) -> None:
    assert init(tmp_path, "--", "").stderr == "Error: the command names no program\n"
    done = init(tmp_path, "--output", "nowhere/x.yaml", "--", "sort")
    assert (done.returncode, done.stderr) == (1, "Error: nowhere/x.yaml cannot be written: No such file or directory\n")
