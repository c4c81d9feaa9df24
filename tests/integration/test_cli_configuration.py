"""`aa check` and `aa apply` as people run them: exit codes, what is said where, and what is left behind."""

import os
import subprocess
from pathlib import Path

import pytest

import stacks
from integration.live import AA, EXAMPLES, aa, variables

GOOD = """\
format: 1
pipeline: good
tasks:
  sort:
    inputs: {lines: in.txt}
    outputs: {sorted: out.txt}
    command: sort -k {param.column} {input.lines} -o {output.sorted}
    parameters: {column: {type: integer, default: 1}}
  count: {inputs: {sorted: in.txt}, outputs: {number: n.txt}, command: "wc -l {input.sorted}", stdout: number}
jobs:
  sort-and-count: {runnable: true, steps: [{task: sort}, {task: count}]}
"""
BAD = GOOD.replace("{input.lines}", "{input.line} | uniq").replace("title", "titel")
WARNED = GOOD.replace("jobs:", "  say: {script: 'echo $param_x', parameters: {x: {type: string}}}\njobs:")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("good", GOOD), ("bad", BAD), ("warned", WARNED)):
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


def rows(data: Path) -> dict[str, list[tuple[str, ...]]]:
    return {
        table: [tuple(row.values()) for row in stacks.rows(data, f"SELECT * FROM pipelines_{table} ORDER BY id")]
        for table in ("task", "job", "step", "parameter", "backend", "queuetype", "snapshot")
    }


# aa check


def test_a_good_file_is_checked_without_a_database_and_its_bindings_are_shown(folder: Path) -> None:
    done = aa(folder / "data", "check", folder / "good.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "job sort-and-count",
        "  STEP   INPUT   FROM",
        "  sort   lines   caller's lines",
        "  count  sorted  sort.sorted",
        "  PARAMETER    TYPE     DEFAULT  SETS",
        "  sort_column  integer  1        sort.column",
        "  RESULT        FROM",
        "  sort_sorted   sort.sorted",
        "  count_number  count.number",
    ]
    assert not (folder / "data").exists(), "nothing was made"


def test_a_wrong_file_is_told_on_stderr_with_exit_code_1(folder: Path) -> None:
    done = aa(folder / "data", "check", folder / "bad.yaml")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        f"{folder}/bad.yaml:7: tasks.sort.command: holds a pipe or || outside quotes, which only a shell understands: "
        "put the sign in quotes, or write the command as a `script`",
        "1 error",
    ]


def test_the_errors_of_all_files_come_in_one_go(folder: Path) -> None:
    (folder / "other.yaml").write_text("format: 1\npipeline: good\ntasks:\n  Sort: {comand: x}\n")
    (folder / "broken.yaml").write_text("a: [")
    files = [folder / name for name in ("bad.yaml", "other.yaml", "broken.yaml", "missing.yaml")]
    done = aa(folder / "data", "check", *files)
    assert done.returncode == 1
    said = [line.partition(": ")[0] for line in done.stderr.splitlines()]
    assert said == [f"{files[0]}:7", f"{files[1]}:4", f"{files[2]}:1", str(files[3]), "4 errors"]


def test_a_warning_is_told_and_is_no_error(folder: Path) -> None:
    done = aa(folder / "data", "check", folder / "warned.yaml")
    assert done.returncode == 0
    assert done.stderr.startswith(f"{folder}/warned.yaml:10: warning: tasks.say.script: $param_x stands without quotes")
    assert done.stdout.startswith("job sort-and-count\n")


def test_a_backend_of_another_file_is_only_a_warning(folder: Path) -> None:
    (folder / "far.yaml").write_text(GOOD.replace("  sort:\n", "  sort:\n    backend: far\n"))
    done = aa(folder / "data", "check", folder / "far.yaml")
    assert done.returncode == 0
    assert "warning: tasks.sort.backend: there is no backend 'far' in these files" in done.stderr
    done = aa(folder / "data", "apply", folder / "far.yaml")
    assert done.returncode == 1
    assert "tasks.sort.backend: there is no backend 'far'" in done.stderr


def test_what_this_machine_lacks_is_told_when_it_is_asked_for(folder: Path) -> None:
    text = GOOD.replace("command: sort", "command: no-such-sort").replace("runnable: true", "runnable: false")
    (folder / "here.yaml").write_text(text.replace("stdout: number", "stdout: number, secrets: [SERVICE_KEY]"))
    assert aa(folder / "data", "check", folder / "here.yaml").returncode == 0
    done = aa(folder / "data", "check", "--here", folder / "here.yaml")
    assert done.returncode == 1
    assert done.stdout.startswith("job sort-and-count\n")
    assert done.stderr.splitlines() == [
        f"{folder}/here.yaml:7: warning: tasks.sort.command: there is no program 'no-such-sort' on the PATH of this machine",
        f"{folder}/here.yaml:9: warning: tasks.count.secrets[0]: the secret 'SERVICE_KEY' is missing: the worker "
        "has neither AA_SECRET_SERVICE_KEY nor AA_SECRET_SERVICE_KEY_FILE",
        "2 missing on this machine",
    ]
    assert not (folder / "data").exists(), "nothing was made"


def test_a_program_that_a_setup_may_bring_is_told_and_is_no_error(folder: Path) -> None:
    text = GOOD.replace("command: sort", "setup: module load sorts\n    command: no-such-sort")
    (folder / "setup.yaml").write_text(text)
    done = aa(folder / "data", "check", "--here", folder / "setup.yaml")
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        f"{folder}/setup.yaml:8: warning: tasks.sort.command: there is no program 'no-such-sort' on the PATH of this "
        "machine, unless the `setup` brings it"
    ]


def test_a_machine_that_has_everything_lacks_nothing(folder: Path) -> None:
    done = aa(folder / "data", "check", "--here", folder / "good.yaml")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_file_may_come_through_a_pipe(folder: Path) -> None:
    done = subprocess.run(
        [AA, "check", "/dev/stdin"], input=GOOD, text=True, capture_output=True, check=False, env=variables(folder / "data")
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_a_message_of_any_characters_can_be_printed_anywhere(folder: Path) -> None:
    (folder / "strange.yaml").write_text(
        "format: 1\npipeline: p\ntasks: {t: {command: é, 'ünknown – \U0001f9ec': 1}}\n"
    )
    done = subprocess.run(
        [AA, "check", folder / "strange.yaml"], text=True, capture_output=True, check=False,
        env=variables(folder / "data") | {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )  # fmt: skip
    assert done.returncode == 1
    assert "is no key here" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [["check"], ["apply"], ["check", "--nothing", "x"], ["apply", "."]])
def test_a_wrong_command_line_has_exit_code_2(folder: Path, arguments: list[str]) -> None:
    done = aa(folder / "data", *arguments)
    assert done.returncode == 2
    assert "Usage: aa" in done.stderr


def test_the_examples_are_right(folder: Path) -> None:
    done = aa(folder / "data", "check", *sorted(EXAMPLES.glob("*.yaml")))
    assert (done.returncode, done.stderr) == (0, "")


# aa apply


def test_a_good_file_is_applied_and_again_changes_nothing(folder: Path) -> None:
    data = folder / "data"
    done = aa(data, "apply", folder / "good.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["created  task sort", "created  task count", "created  job sort-and-count"]
    before = rows(data)
    done = aa(data, "apply", folder / "good.yaml")
    assert done.stdout.splitlines() == ["same     task sort", "same     task count", "same     job sort-and-count"]
    assert rows(data) == before


def test_what_changed_is_said(folder: Path) -> None:
    data = folder / "data"
    (folder / "other.yaml").write_text("format: 1\npipeline: other\njobs: {only-sort: {steps: [{task: sort}]}}\n")
    assert aa(data, "apply", folder / "good.yaml", folder / "other.yaml").returncode == 0
    (folder / "good.yaml").write_text(GOOD.replace("default: 1", "default: 2"))
    done = aa(data, "apply", folder / "good.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "changed  task sort",
        "same     task count",
        "same     job sort-and-count",
        "renewed  job only-sort",
    ]


def test_a_wrong_file_changes_nothing(folder: Path) -> None:
    data = folder / "data"
    assert aa(data, "apply", folder / "good.yaml").returncode == 0
    before = rows(data)
    (folder / "more.yaml").write_text("format: 1\npipeline: more\ntasks: {new: {command: tool}}\n")
    done = aa(data, "apply", folder / "more.yaml", folder / "bad.yaml")
    assert (done.returncode, done.stdout) == (1, "")
    first, last = done.stderr.splitlines()
    assert first.startswith(f"{folder}/bad.yaml:7: tasks.sort.command: holds a pipe")
    assert last == "nothing was changed"
    assert rows(data) == before


def test_a_name_of_another_pipeline_is_refused_with_its_owner(folder: Path) -> None:
    data = folder / "data"
    assert aa(data, "apply", folder / "good.yaml").returncode == 0
    (folder / "thief.yaml").write_text("format: 1\npipeline: thief\ntasks: {sort: {command: tool}}\n")
    done = aa(data, "apply", folder / "thief.yaml")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"{folder}/thief.yaml:3: tasks.sort: belongs to the pipeline 'good': choose another name, or change it there",
        "nothing was changed",
    ]


def test_what_this_version_does_not_have_is_refused_for_a_runnable_job_only(folder: Path) -> None:
    data = folder / "data"
    text = GOOD.replace("runnable: true", "runnable: true, access: login, retention: 30d")
    (folder / "later.yaml").write_text(text)
    done = aa(data, "apply", folder / "later.yaml")
    assert done.returncode == 1
    assert done.stderr.count("not supported by this version") == 2
    (folder / "later.yaml").write_text(text.replace("runnable: true", "runnable: false"))
    assert aa(data, "apply", folder / "later.yaml").returncode == 0


def test_a_warning_is_told_when_it_is_applied(folder: Path) -> None:
    done = aa(folder / "data", "apply", folder / "warned.yaml")
    assert done.returncode == 0
    assert "warning: tasks.say.script: $param_x stands without quotes" in done.stderr


@pytest.mark.stack("embedded")
def test_the_data_folder_of_the_command_line_is_taken_before_that_of_the_environment(folder: Path) -> None:
    here, there = folder / "here", folder / "there"
    assert aa(there, "apply", "--data", here, folder / "good.yaml").returncode == 0
    assert (here / "secret_key").exists()
    assert not there.exists()
    assert len(rows(here)["task"]) == 2


def test_a_data_folder_that_cannot_be_used_is_said_to_be_so(folder: Path) -> None:
    blocked = folder / "file" / "data"
    (folder / "file").write_text("")
    done = aa(blocked, "apply", folder / "good.yaml")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert str(blocked) in done.stderr


def test_a_database_without_tables_is_said_to_be_so(folder: Path) -> None:
    data = folder / "data"
    data.mkdir(mode=0o700)
    stacks.empty(data)
    done = aa(data, "apply", folder / "good.yaml")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "`aa manage migrate` prepares it" in done.stderr


def test_a_script_beside_the_file_is_found_from_anywhere(folder: Path) -> None:
    (folder / "p").mkdir()
    (folder / "p" / "run.sh").write_text("echo $HOME\n")
    (folder / "p" / "p.yaml").write_text("format: 1\npipeline: p\ntasks: {t: {script: {file: run.sh}}}\n")
    done = subprocess.run(
        [AA, "check", os.path.relpath(folder / "p" / "p.yaml", "/")], cwd="/", text=True, capture_output=True, check=False,
        env=variables(folder / "data"),
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
