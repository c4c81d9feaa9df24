"""First pipelines that are guessed from command lines: they are right, and they run what was typed."""

import json
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from analytics_automated.pipelines.checks.configuration import check_configuration
from analytics_automated.pipelines.commands import Surroundings, render
from analytics_automated.pipelines.definitions import TaskDefinition
from analytics_automated.pipelines.definitions.scalars import plain_deep
from analytics_automated.pipelines.files.reader import Configuration, read_text
from analytics_automated.pipelines.files.schema import pipeline_schema
from analytics_automated.pipelines.files.source import read_document
from analytics_automated.pipelines.shell_text import TooComplicated, take_apart
from analytics_automated.pipelines.sketches.sketch import NoSketch, Sketch, sketch

SCHEMA = Draft202012Validator(pipeline_schema())
FILES = {
    "data.txt": "b\na\nc\na\n",
    "more.txt": "x\ny\n",
    "null.txt": "",
    "a.fasta": ">s\nMK\n",
    "b.fasta": ">t\nMR\n",
    "in.csv": "a,b\n1,2\n",
    "sub/x.txt": "1\n",
    "strange name [1].txt": "strange\n",
    "tool.py": "#!/usr/bin/env python3\nimport sys\nprint(*sys.argv[1:])\n",
    "run.sh": '#!/bin/bash\necho "$@"\n',
}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("here")
    fill(folder)
    return folder


def fill(folder: Path) -> None:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)


def sketched(here: Path, *words: str) -> Sketch:
    """The sketch, once reader, checks and schema have found nothing wrong."""
    made = sketch(words, here=here, folder=here)
    configuration = Configuration()
    read_text(made.text, "p.yaml", configuration, here)
    checked = check_configuration(configuration.backends, configuration.tasks, configuration.jobs)
    problems = [*configuration.problems, *checked.problems]
    # Text that no shell takes may seem to have values outside quotes.
    assert [
        str(problem) for problem in problems if not problem.warning or "stands without quotes" not in str(problem)
    ] == []
    assert set(configuration.jobs) == set(checked.plans) == {made.name}
    assert [error.message for error in SCHEMA.iter_errors(plain_deep(read_document(made.text, "p").data))] == []
    return made


def task_of(here: Path, *words: str) -> TaskDefinition:
    made = sketched(here, *words)
    return made.plan.tasks[made.name]


def shown(task: TaskDefinition) -> dict[str, Any]:
    """What of the task is said, short."""
    keys = {key: getattr(task, key) for key in ("command", "script", "interpreter", "stdin", "stdout", "stderr")}
    files = {"inputs": task.inputs, "outputs": task.outputs}
    parameters = {name: (each.kind.value, each.flag, each.default) for name, each in task.parameters.items()}
    said = {
        **{key: {name: each.file for name, each in given.items()} for key, given in files.items()},
        **{key: value.removesuffix("\n") for key, value in keys.items() if value is not None},
        "parameters": parameters,
    }
    return {key: value for key, value in said.items() if value}


TABLE: list[tuple[list[str], dict[str, Any]]] = [
    (
        ["sort", "-n", "-k2", "data.txt", "-o", "sorted.txt"],
        {
            "inputs": {"data": "data.txt"}, "outputs": {"sorted": "sorted.txt"},
            "command": "sort -n {param.k} {input.data} -o {output.sorted}", "parameters": {"k": ("integer", "-k", 2)},
        },
    ),
    (
        ["mafft", "--auto", "--maxiterate", "100", "a.fasta"],
        {
            "inputs": {"sequences": "a.fasta"}, "outputs": {"output": "output.txt"}, "stdout": "output",
            "command": "mafft {param.auto} {param.maxiterate} {input.sequences}",
            "parameters": {"auto": ("boolean", "--auto", True), "maxiterate": ("integer", "--maxiterate", 100)},
        },
    ),
    (
        ["blastp", "-query", "a.fasta", "-db", "/data/nr", "-evalue", "1e-5", "-out", "hits.tsv"],
        {
            "inputs": {"query": "a.fasta"}, "outputs": {"table": "hits.tsv"},
            "command": "blastp -query {input.query} -db /data/nr {param.evalue} -out {output.table}",
            "parameters": {"evalue": ("number", "-evalue", 1e-5)},
        },
    ),
    (
        ["tool", "--rate=0.5", "--mode", "fast", "--table=in.csv", "--plot", "p.png"],
        {
            "inputs": {"table": "in.csv"}, "outputs": {"plot": "p.png"},
            "command": "tool {param.rate} {param.mode} --table={input.table} --plot {output.plot}",
            "parameters": {"rate": ("number", "--rate", 0.5), "mode": ("string", "--mode", "fast")},
        },
    ),
    (
        ["hmmsearch", "--noali", "--tblout", "there.txt", "a.fasta", "b.fasta"],
        {
            "inputs": {"sequences": "a.fasta", "b": "b.fasta"}, "outputs": {"tblout": "there.txt"},
            "command": "hmmsearch {param.noali} --tblout {output.tblout} {input.sequences} {input.b}",
            "parameters": {"noali": ("boolean", "--noali", True)},
        },
    ),
    (
        ["tool", "--layout", "wide", "a.fasta"],
        {
            "inputs": {"sequences": "a.fasta"}, "outputs": {"output": "output.txt"}, "stdout": "output",
            "command": "tool {param.layout} {input.sequences}", "parameters": {"layout": ("string", "--layout", "wide")},
        },
    ),
    (
        ["cp", "data.txt", "sub/data.txt"],
        {
            "inputs": {"data": "data.txt"}, "outputs": {"data_2": "data_2.txt"},
            "command": "cp {input.data} {output.data_2}",
        },
    ),
    (
        ["cp", "absent.txt", "there.txt"],
        {
            "inputs": {"absent": "absent.txt"}, "outputs": {"there": "there.txt"},
            "command": "cp {input.absent} {output.there}",
        },
    ),
    (["cat", "data.txt", "data.txt"], {
        "inputs": {"data": "data.txt"}, "outputs": {"output": "output.txt"}, "stdout": "output",
        "command": "cat {input.data} {input.data}",
    }),
    (["dd", "if=data.txt", "of=copy.bin"], {
        "inputs": {"data": "data.txt"}, "outputs": {"copy": "copy.bin"}, "command": "dd if={input.data} of={output.copy}",
    }),
    (["cat", "strange name [1].txt"], {
        "inputs": {"strange_name_1": "strange_name_1_.txt"}, "outputs": {"output": "output.txt"}, "stdout": "output",
        "command": "cat {input.strange_name_1}",
    }),
    (["fastqc", "--outdir=report/", "data.txt"], {
        "inputs": {"data": "data.txt"}, "outputs": {"outdir": "report/*"}, "command": "fastqc --outdir=report/ {input.data}",
    }),
    (["awk", "-F", ",", "-v", "n=5", "/^>/ {print $1}", "data.txt"], {
        "inputs": {"data": "data.txt"}, "outputs": {"output": "output.txt"}, "stdout": "output",
        "command": "awk -F , -v n=5 '/^>/ {print $1}' {input.data}",
    }),
    (["sed", "-e", "s/a/b/", "data.txt"], {
        "inputs": {"data": "data.txt"}, "outputs": {"output": "output.txt"}, "stdout": "output",
        "command": "sed -e s/a/b/ {input.data}",
    }),
    (["echo", "{input.x}", "$HOME", "a b", ""], {
        "outputs": {"output": "output.txt"}, "stdout": "output", "command": "echo {{input.x}} '$HOME' 'a b' ''",
    }),
    (["grep", "-o", "a", "data.txt"], {
        "inputs": {"data": "data.txt"}, "outputs": {"output": "output.txt"}, "stdout": "output",
        "command": "grep -o a {input.data}",
    }),
    (["python3", "-c", "print(open('data.txt').read())"], {
        "inputs": {"data": "data.txt"}, "outputs": {"output": "output.txt"}, "stdout": "output",
        "interpreter": "python3", "script": "print(open('data.txt').read())",
    }),
    (["sort -n < data.txt > out.txt 2>/dev/null"], {
        "inputs": {"data": "data.txt"}, "outputs": {"out": "out.txt"}, "command": "sort -n", "stdin": "data", "stdout": "out",
    }),
    (["sort data.txt 2> errors.log"], {
        "inputs": {"data": "data.txt"}, "outputs": {"log": "errors.log", "output": "output.txt"},
        "command": "sort {input.data}", "stdout": "output", "stderr": "log",
    }),
    (["cat < null.txt"], {
        "inputs": {"null_": "null.txt"}, "outputs": {"output": "output.txt"}, "stdout": "output", "stdin": "null_",
        "command": "cat",
    }),
    (["sort -n data.txt | uniq -c > counts.txt"], {
        "inputs": {"data": "data.txt"}, "outputs": {"counts": "counts.txt"},
        "script": 'sort -n "$input_data" | uniq -c > "$output_counts"',
    }),
    (["grep", "-v", ">", "a.fasta"], {
        "inputs": {"sequences": "a.fasta"}, "outputs": {"output": "output.txt"}, "stdout": "output",
        "command": "grep -v '>' {input.sequences}",
    }),
    (["fold -w1 data.txt | sort | uniq -c | sort -k1,1nr | head -n 3"], {
        "inputs": {"data": "data.txt"}, "outputs": {"output": "output.txt"}, "stdout": "output",
        "script": 'fold -w1 "$input_data" | sort | uniq -c | sort -k1,1nr | head -n "$param_n"',
        "parameters": {"n": ("integer", None, 3)},
    }),
    (["sh", "-c", "head -n 5 data.txt | wc -l"], {
        "inputs": {"data": "data.txt"}, "outputs": {"output": "output.txt"}, "stdout": "output",
        "script": 'head -n "$param_n" "$input_data" | wc -l', "parameters": {"n": ("integer", None, 5)},
    }),
    (["tool --x=5 'data.txt' > a.txt; tool --x 7 -f a.txt >> b.txt"], {
        "inputs": {"data": "data.txt"}, "outputs": {"a": "a.txt", "b": "b.txt"},
        "script": 'tool --x="$param_x" "$input_data" > "$output_a"; tool --x "$param_x_2" -f "$output_a" >> "$output_b"',
        "parameters": {"x": ("integer", None, 5), "x_2": ("integer", None, 7)},
    }),
    (["cat *.fasta | grep -c '>' > n.txt"], {
        "inputs": {"files": "."}, "outputs": {"n": "n.txt"}, "script": "cat *.fasta | grep -c '>' > \"$output_n\"",
    }),
    (["cat sub/*.txt | wc"], {
        "inputs": {"files": "sub"}, "outputs": {"output": "output.txt"}, "stdout": "output", "script": "cat sub/*.txt | wc",
    }),
    (["F=data.txt; sort $F # data.txt"], {
        "inputs": {"data": "data.txt"}, "outputs": {"output": "output.txt"}, "stdout": "output",
        "script": 'F="$input_data"; sort $F # data.txt',
    }),
    (["cat <<X | tee y.txt\ndata.txt\nX"], {
        "inputs": {"data": "data.txt"}, "outputs": {"output": "output.txt"}, "stdout": "output",
        "script": "cat <<X | tee y.txt\ndata.txt\nX",
    }),
]  # fmt: skip


@pytest.mark.parametrize(("words", "expected"), TABLE, ids=[shlex.join(words) for words, _ in TABLE])
def test_a_command_line_is_guessed(here: Path, words: list[str], expected: dict[str, Any]) -> None:
    assert shown(task_of(here, *words)) == expected


def test_what_is_only_passed_on_within_a_script_is_no_result(here: Path) -> None:
    made = sketched(here, "sort data.txt > tmp.txt && uniq -c tmp.txt > counts.txt")
    assert list(made.plan.results) == ["counts"]
    assert made.plan.tasks[made.name].outputs["tmp"].publish is False


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["sort", "data.txt"], "sort"),
        (["/usr/bin/sort", "data.txt"], "sort"),
        (["nice", "-n", "5", "gzip", "-c", "data.txt"], "gzip"),
        (["python3", "tool.py", "data.txt"], "tool"),
        (["./run.sh"], "run"),
        (["LC_ALL=C sort data.txt | uniq"], "sort"),
        (["sh", "-c", "head data.txt | wc"], "head"),
        (["7z", "a"], "n_7z"),
        (["input", "x"], "input_task"),
        (["true"], "true_"),
        (["é"], "pipeline"),
    ],
)
def test_a_pipeline_is_named_after_its_program(here: Path, words: list[str], name: str) -> None:
    assert sketched(here, *words).name == name


def test_a_script_of_the_author_is_no_input(here: Path) -> None:
    made = sketched(here, "python3", "tool.py", "--epochs", "10", "in.csv")
    task = made.plan.tasks[made.name]
    assert task.files == ["tool.py"]
    assert task.command == "python3 tool.py {param.epochs} {input.table}"
    assert set(task.inputs) == {"table"}


def test_a_script_with_a_first_line_is_run_by_what_that_names(here: Path) -> None:
    task = task_of(here, "./tool.py", "data.txt")
    assert (task.command, task.files) == ("python3 tool.py {input.data}", ["tool.py"])
    task = task_of(here, "./run.sh data.txt | wc")
    assert (task.script, task.files) == ('/bin/bash run.sh "$input_data" | wc\n', ["run.sh"])


def test_a_file_that_cannot_be_shipped_is_used_where_it_is(here: Path, tmp_path: Path) -> None:
    made = sketch(["python3", "tool.py", "data.txt"], here=here, folder=tmp_path)
    assert made.plan.tasks["tool"].command == f"python3 {here}/tool.py {{input.data}}"
    assert made.notes == [
        f"{here}/tool.py is used where it is, so the pipeline only runs on machines that have it there"
    ]


def test_an_example_is_written_where_its_files_lie_beside_or_below_the_pipeline_file(
    here: Path, tmp_path: Path
) -> None:
    made = sketched(here, "paste", "data.txt", "sub/x.txt")
    job = read_document(made.text, "p").data["jobs"]["paste"]
    assert plain_deep(job["examples"]) == [
        {"title": "A first example", "inputs": {"data": "data.txt", "x": "sub/x.txt"}, "expect": {"status": "COMPLETE"}}
    ]
    several = read_document(sketched(here, "cat *.fasta | wc -l").text, "p").data["jobs"]["cat"]
    assert plain_deep(several["examples"][0]["inputs"]) == {"files": ["a.fasta", "b.fasta"]}
    elsewhere = sketch(["paste", "data.txt"], here=here, folder=tmp_path)
    assert not elsewhere.has_example
    assert "examples" not in elsewhere.text
    assert not sketched(here, "cp", "absent.txt", "there.txt").has_example


def test_every_section_of_the_file_has_a_comment(here: Path) -> None:
    lines = sketched(here, "tool", "--x", "5", "data.txt", "out.png").text.splitlines()
    for key in ("inputs:", "outputs:", "parameters:", "command: ", "results:", "examples:", "tasks:", "jobs:"):
        places = [index for index, line in enumerate(lines) if line.lstrip().startswith(key)]
        assert places
        assert all(lines[place - 1].lstrip().startswith("#") for place in places), key


@pytest.mark.parametrize("words", [[""], [" "], ["", "x"], ["# nothing"], ["\n"], ["a\udc80"]])
def test_what_is_no_command_is_refused(here: Path, words: list[str]) -> None:
    with pytest.raises(NoSketch):
        sketch(words, here=here, folder=here)


# What is sketched runs what was typed


def run(task: TaskDefinition, folder: Path, paths: dict[str, list[str]], here: Path) -> dict[str, bytes]:
    """Run the task with its defaults as a worker does; its outputs."""
    folder.mkdir()
    for name, files in paths.items():
        target = folder / task.inputs[name].file
        for source in (here / file for file in files):
            place = target / source.name if task.inputs[name].many else target
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(source.read_bytes())
    for file in task.files:
        (folder / file).write_bytes((here / file).read_bytes())
    values = {name: each.default for name, each in task.parameters.items()}
    inputs = {name: [task.inputs[name].file] for name in task.inputs}
    rendered = render(task, Surroundings(folder, "id", inputs, values))
    (folder / ".script").write_text(task.script if isinstance(task.script, str) else "")
    argv = [*rendered.argv, *([".script"] if task.script is not None else [])]
    stdin = (folder / task.inputs[task.stdin].file).read_bytes() if task.stdin else b""
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", **rendered.environment}
    done = subprocess.run(argv, cwd=folder, env=environment, input=stdin, capture_output=True, check=True)
    if task.stdout:
        (folder / task.outputs[task.stdout].file).write_bytes(done.stdout)
    return {name: (folder / each.file).read_bytes() for name, each in task.outputs.items() if each.publish}


@pytest.mark.parametrize(
    ("words", "written"),
    [
        (["sort", "-r", "data.txt", "-o", "out.txt"], {"out": "out.txt"}),
        (["cp", "data.txt", "sub/data.txt"], {"data_2": "sub/data.txt"}),
        (["head", "-n", "2", "data.txt"], {"output": None}),
        (["awk", "-v", "n=2", "NR == n {print $1}", "data.txt"], {"output": None}),
        (["sh", "tool.py"], {}),
        (["python3", "-c", "import sys; sys.stdout.write(open('data.txt').read())"], {"output": None}),
        (["sort < data.txt > out.txt"], {"out": "out.txt"}),
        (["sort data.txt | uniq -c | sort -k1,1nr | head -n 1 > out.txt"], {"out": "out.txt"}),
        (["sort data.txt > t.txt && cat t.txt more.txt > out.txt"], {"out": "out.txt"}),
        (["for f in data.txt more.txt; do wc -l < $f; done"], {"output": None}),
        (["cat *.fasta | grep -c '>'"], {"output": None}),
        (["if grep -q a data.txt; then echo yes > out.txt; fi"], {"out": "out.txt"}),
        (["(cat data.txt; cat 'strange name [1].txt') | tee out.txt | wc -l"], {"out": "out.txt"}),
        (['F=data.txt; cat "$F" $(echo)'], {"output": None}),
        (["bash", "-c", "cut -c 1 < data.txt"], {"output": None}),
    ],
)
def test_what_is_sketched_does_what_was_typed(tmp_path: Path, words: list[str], written: dict[str, str | None]) -> None:
    here = tmp_path / "here"
    here.mkdir()
    fill(here)
    if words == ["sh", "tool.py"]:
        (here / "tool.py").write_text("echo hello\n")
        written = {"output": None}
    made = sketched(here, *words)
    done = run(made.plan.tasks[made.name], tmp_path / "work", made.paths, here)
    typed = words[0] if len(words) == 1 else shlex.join(words)
    by_hand = subprocess.run(["bash", "-c", typed], cwd=here, capture_output=True, check=True)
    assert done == {name: (here / path).read_bytes() if path else by_hand.stdout for name, path in written.items()}


# Any command line

WORDS = st.one_of(
    st.sampled_from([*FILES, "absent.txt", "out.png", "dir/", "-", "--", "-n", "-o", "--out", "--threads", "--quiet"]),
    st.sampled_from(["10", "-5", "0.25", "1e-5", "1e999", "007", "|", ">", "{input.x}", "{{workdir}}", "{param.n}"]),
    st.from_regex(r"--?[a-z]{1,8}(=[a-z0-9.]{1,6})?", fullmatch=True),
    st.from_regex(r"-[a-z][0-9]{1,3}", fullmatch=True),
    st.builds(
        lambda option, file: f"--{option}={file}", st.sampled_from(["in", "out", "x"]), st.sampled_from([*FILES])
    ),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12),
)
PROGRAMS = st.sampled_from(
    ["tool", "sort", "awk", "python3", "bash", "perl", "Rscript", "env", "xargs", "parallel", "sed", "./run.sh", "nice"]
)
ANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def is_same(typed: str, rendered: str, files: set[str], here: Path) -> bool:
    """Whether a word is what was typed, up to the names of files and the way in which numbers are written."""
    if typed == rendered or any(typed.replace(file, f"{here}/{file}") == rendered for file in FILES):
        return True
    if (bare := typed.removeprefix("./")) in FILES and rendered in {bare, str(here / bare)}:
        return True
    for file in files:
        if rendered.endswith(file) and typed.startswith(rendered.removesuffix(file)):
            return True
    lead = next((index for index, sign in enumerate(typed) if sign in "=-0123456789"), 0)
    for start in range(lead, len(typed)):
        if typed[:start] == rendered[:start]:
            try:
                return json.loads(typed[start:]) == json.loads(rendered[start:])
            except ValueError:
                continue
    return False


@ANY
@given(program=PROGRAMS, words=st.lists(WORDS, min_size=1, max_size=8))
def test_any_command_line_makes_a_right_pipeline_that_renders_to_it(here: Path, program: str, words: list[str]) -> None:
    task = task_of(here, program, *words)
    if task.script is not None:
        return
    assert_renders(task, [program, *words], here)


def assert_renders(task: TaskDefinition, words: Sequence[str], here: Path) -> None:
    values = {name: each.default for name, each in task.parameters.items()}
    inputs = {name: [each.file] for name, each in task.inputs.items()}
    argv = render(task, Surroundings(Path("/workdir"), "id", inputs, values)).argv
    files = {each.file for each in [*task.inputs.values(), *task.outputs.values()]}
    if len(argv) > len(words):
        argv = argv[len(argv) - len(words) :]  # behind the interpreter of a script that is shipped
    assert len(argv) == len(words)
    for typed, rendered in zip(words, argv, strict=True):
        assert is_same(typed, rendered, files, here), (typed, rendered)


SHELL = st.lists(
    st.one_of(
        st.sampled_from([*FILES, "absent.txt", "-n 5", "--x=2", "sort", "|", ">", "<", ">>", "2>&1", "&&", ";", "\n"]),
        st.sampled_from(
            ["$(", ")", "(", "'", '"', "`", "\\", "# x", "<<X", "$x", "${x", "}", "{", "if", "*.txt", "A=b"]
        ),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6),
    ),
    min_size=1,
    max_size=12,
).map(" ".join)


@ANY
@given(text=SHELL)
def test_any_shell_text_makes_a_right_pipeline_or_is_refused(here: Path, text: str) -> None:
    try:
        sketched(here, text)
    except NoSketch:
        assert not text.strip() or not any(command.words for command in take_apart(text).commands)


@ANY
@given(
    words=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9), min_size=1)
)
def test_words_in_quotes_are_found_in_shell_text_as_they_are(words: list[str]) -> None:
    words = [f"{word} " for word in words]  # in quotes, as reserved words are none then
    shell = take_apart(shlex.join(words))
    assert [word.value for command in shell.commands for word in command.words] == words
    assert all(word.is_plain for command in shell.commands for word in command.words)


@pytest.mark.parametrize("text", ["cat 'x", 'cat "x', "echo $(cat", "echo `x", "cat <<X", "cat >", "echo ${x"])
def test_shell_text_that_breaks_off_is_too_complicated(text: str) -> None:
    with pytest.raises(TooComplicated):
        take_apart(text)
