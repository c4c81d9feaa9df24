"""Pipeline files as definitions, with everything that is wrong in them at once."""

import copy
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from pydantic import BaseModel, ValidationError

from analytics_automated.pipelines.checks.configuration import check_configuration
from analytics_automated.pipelines.checks.support import WORDS
from analytics_automated.pipelines.definitions import JobParameterDefinition, MissingOutput, PipelineDefinition
from analytics_automated.pipelines.definitions.scalars import Scalar, plain_deep
from analytics_automated.pipelines.definitions.task import ScriptFile
from analytics_automated.pipelines.files.beside import LARGEST_SCRIPT
from analytics_automated.pipelines.files.configuration import Configuration
from analytics_automated.pipelines.files.reader import read_files, read_text
from analytics_automated.pipelines.files.sentences import problems_of
from analytics_automated.pipelines.files.source import BEGINS_WITH_BRACE, COMMAND_IN_BRACES, LARGEST, read_document

ALL_KEYS = Path(__file__).with_name("all_keys.yaml")
"""A right file with every key."""
LISTING = Path(__file__).with_name("listing.yaml")
"""The listing of the page that the format is written down on; it stands for no job that could be applied."""
HEAD = "format: 1\npipeline: p\n"


def read(text: str, folder: Path | None = None) -> Configuration:
    configuration = Configuration()
    read_text(text, "p.yaml", configuration, folder)
    return configuration


def complaints(text: str, folder: Path | None = None) -> list[str]:
    """All problems of the text, checks included, in order."""
    configuration = read(text, folder)
    checked = check_configuration(
        configuration.backends, configuration.tasks, configuration.jobs, unreadable=configuration.unreadable
    )
    return [str(problem) for problem in configuration.in_order([*configuration.problems, *checked.problems])]


# All at once


def test_all_errors_of_all_files_come_at_once_with_file_line_path_and_remedy(tmp_path: Path) -> None:
    one, two, three = tmp_path / "one.yaml", tmp_path / "two.yaml", tmp_path / "three.yaml"
    one.write_text(
        "format: 1\n"
        "pipeline: one\n"
        "tasks:\n"
        "  first: {command: tool, timout: 5m}\n"
        "  second:\n"
        "    command: tool {param.count}\n"
        "    parameters:\n"
        "      cuont: {type: integer}\n"
        "    resources: {cpus: many}\n"
        "jobs:\n"
        "  go: {titel: T, steps: [{task: third}, {task: nobody}]}\n"
    )
    two.write_text(
        "format: 2\n"
        "pipeline: two\n"
        "tasks:\n"
        "  third: {command: tool | sort}\n"
        "  First: {command: tool}\n"
        "jobs:\n"
        "  stay: {steps: [{task: first}, {task: nobody}], inputs: {x: {max_size: 5 apples}}}\n"
        "  leave: {steps: [{task: third}, {task: nobody}]}\n"
    )
    three.write_text("a: [\n")
    read = read_files([one, two, three, tmp_path / "four.yaml"])
    checked = check_configuration(read.backends, read.tasks, read.jobs, unreadable=read.unreadable)
    said = [str(problem).replace(f"{tmp_path}/", "") for problem in read.in_order([*read.problems, *checked.problems])]
    assert said == [
        "one.yaml:4: tasks.first.timout: is no key here (did you mean 'timeout'?)",
        "one.yaml:9: tasks.second.resources.cpus: must be a whole number, not 'many'",
        "one.yaml:11: jobs.go.titel: is no key here (did you mean 'title'?)",
        "two.yaml:1: format: is not a format that this version reads; it reads 1",
        "two.yaml:4: tasks.third.command: holds a pipe or || outside quotes, which only a shell understands: "
        "put the sign in quotes, or write the command as a `script`",
        "two.yaml:5: tasks.First: is defined twice: also in one.yaml:4, as 'first'",
        "two.yaml:7: jobs.stay.inputs.x.max_size: '5 apples' is no size: write a number and a unit, "
        "such as 500KB, 10MB or 1GiB",
        "three.yaml:2: is no YAML: while parsing a flow node, expected the node content, but found '<stream end>'",
        "four.yaml: cannot be read: No such file or directory",
    ]


def test_what_refers_to_something_unreadable_is_not_blamed() -> None:
    said = complaints(
        HEAD
        + "backends:\n  big: {executr: local}\n"
        + "tasks:\n  t: {backend: big, command: tool}\n  u: {comand: tool}\n"
        + "jobs:\n  j: {steps: [{task: u}]}\n  k: {steps: [{task: t}], result: {}}\n"
    )
    assert said == [
        "p.yaml:4: backends.big.executr: is no key here (did you mean 'executor'?)",
        "p.yaml:7: tasks.u.comand: is no key here (did you mean 'command'?)",
        "p.yaml:10: jobs.k.result: is no key here (did you mean 'results'?)",
    ]


def test_a_job_is_checked_though_its_task_is_wrong() -> None:
    said = complaints(
        HEAD + "tasks:\n  t: {command: tool, stdin: nothing}\njobs:\n  j: {steps: [{task: t}], results: {r: t.out}}\n"
    )
    assert said == [
        "p.yaml:4: tasks.t.stdin: names no input of this task",
        "p.yaml:6: jobs.j.results.r: the step 't' has no output 'out'",
    ]


# Every key


def test_every_key_of_the_page_is_read() -> None:
    configuration = read(LISTING.read_text())
    assert configuration.problems == []
    backend, task, job = (
        configuration.backends["cluster"],
        configuration.tasks["search"],
        configuration.jobs["homologues"],
    )
    for definition in (backend, task, job):
        said = definition.model_fields_set | {"script", "interpreter"}
        assert said >= set(type(definition).model_fields), "the listing is complete"
    assert (backend.data["uniref90"].version, backend.data["weights"].path) == ("2026_01", "/opt/psipred/data")
    assert task.parameters["evalue"].default == 0.001
    assert task.parameters["threads"].value == 4
    assert task.retries is not None
    assert (task.retries.delay, task.timeout) == (10, 1800)
    assert (task.exit_codes.stop, task.exit_codes.ok, task.exit_codes.fail) == (["3"], ["2"], ["64-78"])
    assert job.version == "4.02"
    assert job.schedule is not None
    assert job.steps[1].when == "search.hits.size > 0"


def test_the_cross_checks_of_the_listing_are_those_of_a_listing() -> None:
    said = complaints(LISTING.read_text())
    what = ("the command does not use it", "there is no task 'plot'", "there is no job 'homologues2'")
    assert len(said) == 7
    assert all(any(words in each for words in what) for each in said)


def models() -> list[type[BaseModel]]:
    """All definitions, found from that of a pipeline file."""
    found: dict[type[BaseModel], None] = {}

    def visit(annotation: Any) -> None:
        if isinstance(annotation, type) and not get_args(annotation):
            if issubclass(annotation, BaseModel) and annotation not in found:
                found[annotation] = None
                for each in get_type_hints(annotation, include_extras=True).values():
                    visit(each)
            return
        for part in get_args(annotation):
            visit(part)

    visit(PipelineDefinition)
    return list(found)


def made(definition: Any) -> Iterator[BaseModel]:
    """All definitions that a definition holds, with itself."""
    if isinstance(definition, BaseModel):
        yield definition
        for name in type(definition).model_fields:
            yield from made(getattr(definition, name))
    elif isinstance(definition, dict | list):
        for each in definition.values() if isinstance(definition, dict) else definition:
            yield from made(each)


ELSEWHERE: dict[type[BaseModel], set[str]] = {
    JobParameterDefinition: {"value", "flag", "separator", "env_only"},  # which only a task's parameters have
    ScriptFile: {"file"},  # which lies beside the pipeline file
}
"""What the file of all keys has not."""


@pytest.mark.parametrize("model", models(), ids=lambda model: model.__name__)
def test_every_key_of_every_definition_is_in_the_file_of_all_keys(model: type[BaseModel]) -> None:
    data = plain_deep(read_document(ALL_KEYS.read_text(), "p.yaml").data)
    said: dict[type[BaseModel], set[str]] = {}
    for each in made(PipelineDefinition.model_validate(data)):
        said.setdefault(type(each), set()).update(each.model_fields_set)
    assert set(model.model_fields) - said.get(model, set()) == ELSEWHERE.get(model, set())


def test_the_file_of_all_keys_has_nothing_wrong_but_what_is_still_to_come() -> None:
    said = [each for each in complaints(ALL_KEYS.read_text()) if WORDS not in each]
    assert [each.partition(" warning: ")[2].partition(":")[0] for each in said] == [
        "jobs.homologues.deprecated.successor"
    ], "only that its successor is not runnable"


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    for key, value in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        yield from places(value, (*path, key))


def changed(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    data = copy.copy(data)
    data[path[0]] = changed(data[path[0]], path[1:], value)
    return data


LIBRARY_WORDS = ("Input", "pydantic", "validation error", "Value error", "should", "Error", "ctx", "model_")
WRONG = [Scalar("", None), Scalar("5", 5), Scalar("x", "x"), Scalar("", ""), [], {}, [Scalar("1", 1)],
         {"a": Scalar("b", "b")}, Scalar("9" * 30, 10**30 - 1),
         Scalar("true", True), [[]], [{}], {"input.x": Scalar("", None)}, Scalar("../x", "../x")]  # fmt: skip


@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_a_wrong_value_anywhere_is_told_in_our_own_words(value: Any) -> None:
    data = read_document(ALL_KEYS.read_text(), "p.yaml").data
    for path in places(data):
        wrong = changed(data, path, value)
        try:
            PipelineDefinition.model_validate(wrong)
        except ValidationError as error:
            problems = problems_of(error.errors(include_url=False), PipelineDefinition, wrong)
            assert problems
            for problem in problems:
                assert problem.path[: len(path) - 1] == path[:-1], "the problem is where the value is"
                assert not any(word in problem.message for word in LIBRARY_WORDS), problem


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tasks: [a]", "tasks: must be a mapping (key: value), not a list"),
        ("tasks:", "tasks: must be a mapping (key: value), not nothing"),
        ("tasks: {t: tool}", "tasks.t: must be a mapping (key: value), not 'tool'"),
        ("tasks: {t: {command: {a: b}}}", "tasks.t.command: must be text, not a mapping"),
        ("tasks: {t: {command: [a, [b]]}}", "tasks.t.command: must be a list of words, or text"),
        ("tasks: {t: {command: [a, '', ]}}", None),
        (
            "tasks:\n  t:\n    command:\n      - a\n      -",
            'tasks.t.command: has an empty item: write "" for an empty word',
        ),
        ("tasks: {t: {command: a, network: maybe}}", "tasks.t.network: must be true or false, not 'maybe'"),
        ("tasks: {t: {command: a, inputs: {x: }}}", "tasks.t.inputs.x: must be a mapping (key: value), not nothing"),
        (
            "tasks: {t: {command: a, inputs: {x: {optional: true}}}}",
            "tasks.t.inputs.x.file: is missing",
        ),
        ("tasks: {t: {command: a, exit_codes: {stop: [256]}}}", "tasks.t.exit_codes.stop[0]: is neither an exit code"),
        ("tasks: {t: {command: a, exit_codes: {ok: [2]}}}", "tasks.t.exit_codes.ok: is no key here; known: stop"),
        (
            "tasks: {t: {command: a, missing_output: ignore}}",
            "tasks.t.missing_output: must be 'fail', 'stop' or 'continue', not 'ignore'",
        ),
        ("tasks: {t: {command: a, resources: {cpus: 0}}}", "tasks.t.resources.cpus: must be at least 1"),
        ("tasks: {t: {command: a, timeout: 1:30}}", "tasks.t.timeout: '1:30' is no duration"),
        ("tasks: {t: {command: a, title: }}", "tasks.t.title: has no value"),
        (f"tasks: {{t: {{command: a, title: {'x' * 256}}}}}", "tasks.t.title: is longer than 255 characters"),
        ("tasks: {t: {script: {fle: a.R, file: b.R}}}", "tasks.t.script.fle: is no key here (did you mean 'file'?)"),
        ("tasks: {t: {command: a, outputs: {x: /etc/passwd}}}", "tasks.t.outputs.x: must be a path below"),
        ("tasks: {t: {command: a, outputs: {x: ../x}}}", "tasks.t.outputs.x: must be a plain path below"),
        ("tasks: {t: {command: a, outputs: {x: -x}}}", "tasks.t.outputs.x: must not begin with '-'"),
        ("tasks: {t: {command: a, environment: {A-B: c}}}", "tasks.t.environment.A-B: is no variable name"),
        (
            "tasks: {t: {command: a, parameters: {x: {type: text}}}}",
            "tasks.t.parameters.x.type: must be 'string', 'integer', 'number', 'boolean' or 'choice', not 'text'",
        ),
        (
            "tasks: {t: {command: a, parameters: {x: {type: choice, choices: [a, a]}}}}",
            "tasks.t.parameters.x.choices: names a choice twice",
        ),
        (
            "tasks: {t: {command: a, parameters: {x: {type: number, minimum: .nan}}}}",
            "tasks.t.parameters.x.minimum: must be a finite number",
        ),
        ("jobs: {j: {}}", "jobs.j.steps: is missing"),
        ("jobs: {j: {steps: []}}", "jobs.j.steps: needs at least one entry"),
        ("jobs: {j: {steps: [{name: a}]}}", "jobs.j.steps[0].task: is missing"),
        ("jobs: {j: {steps: [{task: a, ordering: first}]}}", "jobs.j.steps[0].ordering: must be a whole number"),
        ("jobs: {j: {steps: [{task: a, ordering: 99999999999}]}}", "jobs.j.steps[0].ordering: must be at most"),
        ("jobs: {j: {steps: [a], results: {r: hits}}}", "jobs.j.results.r: is no step.output"),
        (
            "jobs: {j: {steps: [a], inputs: {x: {validators: [[fasta]]}}}}",
            "jobs.j.inputs.x.validators[0]: is no validator",
        ),
        (
            "jobs: {j: {steps: [a], validators: [{fasta: protein}]}}",
            "jobs.j.validators[0]: the options of a validator are a mapping, such as {fasta: {option: value}}",
        ),
        ("jobs: {j: {steps: [a], runnable: 1}}", "jobs.j.runnable: must be true or false, not '1'"),
        ("backends: {b: {options: {x: .inf}}}", "backends.b.options.x: holds inf, which is no finite number"),
        ("backends: {b: {queue: 'a b'}}", "backends.b.queue: is no queue name"),
        ("backends: {b: {sandbox: no}}", "backends.b.sandbox: must be 'auto', 'required' or 'off', not 'no'"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_told_with_what_would_be_right(text: str, said: str | None) -> None:
    problems = [str(problem).partition(": ")[2] for problem in read(HEAD + text + "\n").problems]
    assert [each[: len(said or "")] for each in problems] == ([said] if said else [])


@pytest.mark.parametrize(
    ("text", "line", "where"),
    [
        ("  t:\n    inputs: {x: a}\n    command: {input.x}\n", 6, "tasks.t.command"),
        ("  t:\n    inputs: {x: a}\n    command: [cp, {input.x}, b]\n", 6, "tasks.t.command[1]"),
        ("  t:\n    inputs: {x: a}\n    command:\n      - cp\n      - {input.x}\n", 8, "tasks.t.command[1]"),
        ("  t:\n    command: cp\n    environment:\n      X: {workdir}\n", 7, "tasks.t.environment.X"),
        ("  t:\n    command: cp\n    container: {data.image}\n", 6, "tasks.t.container"),
        ("  t:\n    script: {input.x}\n", 5, "tasks.t.script"),
    ],
)
def test_a_lone_unquoted_placeholder_has_a_sentence_of_its_own(text: str, line: int, where: str) -> None:
    assert complaints(f"{HEAD}tasks:\n{text}") == [f"p.yaml:{line}: {where}: {BEGINS_WITH_BRACE}"]


def test_a_comma_in_an_unquoted_command_in_braces_has_a_sentence_of_its_own() -> None:
    (said,) = complaints(f"{HEAD}tasks:\n  t: {{command: sort -k1,2 in.txt}}\n")
    assert said.startswith("p.yaml:4: tasks.t.2 in.txt: is no key here: ")
    assert COMMAND_IN_BRACES in said


# Names


@pytest.mark.parametrize("name", ["a", "A9_", "x" * 64])
def test_right_names_are_taken(name: str) -> None:
    assert complaints(f"{HEAD}tasks:\n  {name}: {{command: tool}}\njobs:\n  {name}: {{steps: [{name}]}}\n") == []


@pytest.mark.parametrize("name", ["'9a'", "_a", "a-b", "a.b", "é", "'a b'", "''", "x" * 65, "'a\u0661'", '"a\\n"'])
def test_wrong_names_of_tasks_are_errors(name: str) -> None:
    (said,) = complaints(f"{HEAD}tasks:\n  {name}: {{command: tool}}\n")
    assert "is no name: letters, digits and _ (at most 64), a letter first" in said or "control character" in said


@pytest.mark.parametrize("name", ["a-b", "a.b", "v1.2-x_y"])
def test_job_names_may_hold_dots_and_dashes(name: str) -> None:
    assert complaints(f"{HEAD}tasks: {{t: {{command: tool}}}}\njobs:\n  {name}: {{steps: [t]}}\n") == []


@pytest.mark.parametrize("section", ["tasks", "jobs", "backends"])
def test_names_are_unique_without_regard_to_case_over_all_files(tmp_path: Path, section: str) -> None:
    body = {"tasks": "{command: tool}", "jobs": "{steps: [t]}", "backends": "{}"}[section]
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    one.write_text(f"{HEAD}{section}:\n  Name: {body}\n")
    two.write_text(f"{HEAD}{section}:\n  other: {body}\n  name: {body}\n  Name: {body}\n")
    assert [str(problem).replace(f"{tmp_path}/", "") for problem in read_files([one, two]).problems] == [
        f"two.yaml:5: {section}.name: is defined twice: also in one.yaml:4, as 'Name'",
        f"two.yaml:6: {section}.Name: is defined twice: also in one.yaml:4",
    ]


def test_a_file_with_tasks_or_jobs_says_whose_they_are() -> None:
    assert complaints("format: 1\ntasks: {t: {command: tool}}\n") == [
        "p.yaml:1: pipeline: is missing: a file with tasks or jobs says which pipeline owns them"
    ]
    assert complaints("format: 1\nbackends: {b: {}}\n") == []


def test_a_file_says_its_format() -> None:
    assert complaints("pipeline: p\n") == ["p.yaml:1: format: is missing"]


# Shorter forms


def test_shorter_forms_are_the_same_as_the_long_ones() -> None:
    short = read(
        HEAD
        + "backends: {b: {data: {d: /data/d}}}\n"
        + "tasks:\n  t:\n    inputs: {x: in.txt}\n    outputs: {y: out.txt}\n    container: image.sif\n"
        + "    command: [tool, -x, 'a b', 5, NO]\n    exit_codes: {stop: 3}\n"
        + "    parameters: {c: {type: choice, choices: [a, 2.10]}}\n"
        + "jobs:\n  j:\n    steps: [t, {task: t, name: u, inputs: {x: t.y}, scatter: x}]\n"
        + "    results: {r: t.y}\n    validators: [fasta, {size: {max: 1MB}}]\n"
        + "    parameters: {p: {sets: t.c, aliases: q}}\n"
    )
    long = read(
        HEAD
        + "backends: {b: {data: {d: {path: /data/d}}}}\n"
        + "tasks:\n  t:\n    inputs: {x: {file: in.txt}}\n    outputs: {y: {file: out.txt}}\n"
        + "    container: {image: image.sif}\n    command: tool -x 'a b' 5 NO\n    exit_codes: {stop: ['3']}\n"
        + "    parameters: {c: {type: choice, choices: {a: a, '2.10': '2.10'}}}\n"
        + "jobs:\n  j:\n    steps: [{task: t}, {task: t, name: u, inputs: {x: [t.y]}, scatter: {over: x}}]\n"
        + "    results: {r: {from: t.y}}\n"
        + "    validators: [{name: fasta}, {name: size, options: {max: 1MB}}]\n"
        + "    parameters: {p: {sets: [t.c], aliases: [q]}}\n"
    )
    assert short.problems == long.problems == []
    assert short.tasks == long.tasks
    assert short.jobs == long.jobs
    assert short.backends == long.backends


def test_where_text_is_meant_the_source_text_is_taken() -> None:
    configuration = read(
        HEAD
        + "tasks:\n  t:\n    command: tool\n    title: 1:30\n"
        + "    environment: {A: 2.10, B: NO, C: 0x1F, D: 1_000, E: 'x'}\n"
        + "    parameters:\n      c: {type: choice, choices: [2.10, NO, on], default: 2.10}\n"
        + "      s: {type: string, default: 007}\n      n: {type: number, default: 007}\n      v: {value: 2.10}\n"
        + "    software: [{name: X, version: 2.10}]\n"
        + "jobs:\n  j: {version: 4.020, steps: [t]}\n"
    )
    task = configuration.tasks["t"]
    assert configuration.problems == []
    assert task.title == "1:30"
    assert task.environment == {"A": "2.10", "B": "NO", "C": "0x1F", "D": "1_000", "E": "x"}
    assert task.parameters["c"].choices == {"2.10": "2.10", "NO": "NO", "on": "on"}
    assert [task.parameters[name].default for name in "csn"] == ["2.10", "007", 7]
    assert task.parameters["v"].value == 2.1
    assert task.software[0].version == "2.10"
    assert configuration.jobs["j"].version == "4.020"
    assert type(task.environment["A"]) is str


def test_null_says_nothing_where_a_value_of_a_parameter_stands() -> None:
    configuration = read(HEAD + "tasks: {t: {command: a, parameters: {x: {type: string, default: null, value: ~}}}}\n")
    parameter = configuration.tasks["t"].parameters["x"]
    assert (parameter.default, parameter.stored) == (None, False)
    assert parameter.model_fields_set == {"type"}


def test_an_enum_is_its_member() -> None:
    configuration = read(HEAD + "tasks: {t: {command: a, missing_output: stop}}\n")
    assert configuration.tasks["t"].missing_output is MissingOutput.STOP


# Files


def test_a_script_is_read_from_a_file_beside_the_pipeline_file(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "plot.R").write_bytes("x <- 'é'\r\n\n".encode())
    file = tmp_path / "p.yaml"
    file.write_text(HEAD + "tasks: {t: {interpreter: Rscript, script: {file: scripts/plot.R}}}\n")
    read = read_files([file])
    assert read.problems == []
    assert read.tasks["t"].script == "x <- 'é'\r\n\n"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("nothing.R", "there is no file 'nothing.R' beside the pipeline file"),
        ("../outside.R", "must be a plain path below the work folder"),
        ("/etc/passwd", "must be a path below the work folder"),
        ("link.R", "lies outside the pipeline file's folder"),
        ("folder/link.R", "lies outside the pipeline file's folder"),
        ("folder", "is no file"),
        ("fifo", "is no file"),
        ("latin.R", "is not UTF-8 text"),
        ("binary.R", "holds a NUL character"),
        ("large.R", f"is larger than {LARGEST_SCRIPT} bytes"),
    ],
)
def test_a_script_that_cannot_be_read_is_an_error(tmp_path: Path, script: str, said: str) -> None:
    folder = tmp_path / "pipeline"
    (folder / "folder").mkdir(parents=True)
    (tmp_path / "outside.R").write_text("secret")
    (folder / "link.R").symlink_to("../outside.R")
    (folder / "folder" / "link.R").symlink_to("/etc/passwd")
    os.mkfifo(folder / "fifo")
    (folder / "latin.R").write_bytes("é".encode("latin-1"))
    (folder / "binary.R").write_bytes(b"a\0b")
    (folder / "large.R").write_bytes(b"x" * (LARGEST_SCRIPT + 1))
    file = folder / "p.yaml"
    file.write_text(f"{HEAD}tasks:\n  t:\n    script: {{file: {script}}}\njobs: {{j: {{steps: [t]}}}}\n")
    read = read_files([file])
    (problem,) = read.problems
    assert (problem.file, problem.line, problem.where) == (str(file), 5, "tasks.t.script.file")
    assert problem.message.startswith(said)
    assert check_configuration(read.backends, read.tasks, read.jobs, unreadable=read.unreadable).problems == []


def test_a_script_in_a_folder_that_is_not_known_cannot_be_read() -> None:
    (problem,) = read(HEAD + "tasks: {t: {script: {file: a.R}}}\n").problems
    assert problem.message == "cannot be read here: write the script's text into the pipeline file"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("é".encode("latin-1"), ":1: is not UTF-8 text"),
        (b"a: 1\nb: \xff\n", ":2: is not UTF-8 text"),
        ("a: 1".encode("utf-16"), ":1: is not UTF-8 text"),
        (b"", ":1: is empty"),
        (b"\x00", ":1: holds the character '\\x00', which YAML does not allow"),
        (b"a" * (4 * LARGEST + 5), f":1: is larger than {LARGEST} characters"),
        ("é".encode() * (LARGEST + 1), f":1: is larger than {LARGEST} characters"),
    ],
    ids=["latin-1", "a bad byte", "utf-16", "empty", "nul", "huge", "huge in letters"],
)
def test_a_file_that_is_no_text_is_an_error(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "p.yaml"
    file.write_bytes(content)
    assert [str(problem) for problem in read_files([file]).problems] == [f"{file}{said}"]


def test_a_byte_order_mark_is_no_part_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + HEAD.encode() + b"tasks: {t: {command: tool}}\n")
    assert read_files([file]).problems == []


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert [str(problem) for problem in read_files([tmp_path]).problems] == [
        f"{tmp_path}: cannot be read: Is a directory"
    ]


def test_a_file_of_thousands_of_tasks_is_read_in_a_moment() -> None:
    text = HEAD + "tasks:\n" + "".join(f"  t{number}: {{command: tool}}\n" for number in range(2000))
    assert len(read(text).tasks) == 2000


def test_what_else_is_wrong_is_said_though_a_file_is_missing(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "format: 1\npipeline: p\ntasks:\n"
        "  t: {command: 'cat {input.x}', files: [gone.txt]}\n"
        "  s: {script: {file: gone.sh}, stdout: nothing}\n"
        "jobs:\n  j: {runnable: true, steps: [t, u], examples: [{inputs: {x: gone.fa}}]}\n"
    )
    read = read_files([tmp_path / "p.yaml"])
    checked = check_configuration(read.backends, read.tasks, read.jobs, unreadable=read.unreadable)
    said = [f"{problem.line}: {problem.where}" for problem in read.in_order([*read.problems, *checked.problems])]
    assert said == [
        "4: tasks.t.files[0]",
        "4: tasks.t.command",
        "5: tasks.s.script.file",
        "5: tasks.s.stdout",
        "7: jobs.j.examples[0].inputs.x",
        "7: jobs.j.steps[1].task",
    ]
