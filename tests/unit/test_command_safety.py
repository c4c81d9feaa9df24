"""No value, however chosen, changes the words of a command, becomes a flag, or reaches a shell."""

import contextlib
import shutil
import string
import subprocess
from pathlib import Path
from typing import Any

from hypothesis import assume, event, example, given, settings
from hypothesis import strategies as st

from analytics_automated.executors.base import CommandSpec, NoOptions
from analytics_automated.executors.local import LocalExecutor
from analytics_automated.pipelines.checks.parameter import callers_definition
from analytics_automated.pipelines.checks.task import check_task
from analytics_automated.pipelines.commands import Surroundings, UnsafeValueError, command_words, render
from analytics_automated.pipelines.definitions import ParameterDefinition, ParameterType, TaskDefinition
from analytics_automated.pipelines.files.reader import Configuration, read_text
from analytics_automated.pipelines.parameters import check_values
from analytics_automated.pipelines.templates import Word
from analytics_automated.runs.surroundings import script_argv
from analytics_automated.runs.workdirs import WorkFolder

NASTY = st.sampled_from(
    ["-rf", "--help", "-", "--", "; rm -rf ~", "$(id)", "`id`", "a b", "'", '"', "\\", "*", "~", "", " ", "|", "&&",
     "{param.a}", "{{param.a}}", "{input.data}", "\n", "\x00", "\x1b[0m", "-e", "-c", "é", "\u202e", "=", "%s", "#"]
)  # fmt: skip
scalars = NASTY | st.text(max_size=6) | st.integers(-9, 9) | st.floats() | st.booleans()
values = scalars | st.none() | st.lists(scalars, max_size=3)
NAMES = "abcd"
PLACEHOLDERS = [f"{{param.{name}}}" for name in NAMES]
parts = st.sampled_from(
    [*PLACEHOLDERS, *PLACEHOLDERS, "{input.data}", "{input.absent}", "{input.many}", "{output.made}", "{workdir}",
     "-", "--", "-x", "--long=", "x", "=", ".", "./", " ", "$", "'", '"', "|", "{", "}", "{{param.a}}"]
) | st.text(alphabet=string.printable, min_size=1, max_size=3)  # fmt: skip
words = st.sampled_from(PLACEHOLDERS) | st.lists(parts, min_size=1, max_size=4).map("".join)
flags = st.fixed_dictionaries(
    {}, optional={"flag": st.sampled_from(["-e", "--value", "+v", "E"]), "separator": st.sampled_from(["=", "", " "])}
)
choices = st.sampled_from([["a"], ["a", "b c"], ["-a", "$x"], ["-", "--"]])
parameters = st.builds(
    lambda kind, more: kind | {key: value for key, value in more.items() if key != "separator" or "flag" in more},
    st.sampled_from([{"type": kind.value} for kind in ParameterType if kind is not ParameterType.CHOICE])
    | choices.map(lambda each: {"type": "choice", "choices": each})
    | st.sampled_from([{"value": "-rf"}, {"value": 5}, {"type": "string", "allow_dash": True}])
    | st.sampled_from([{"type": "integer", "allow_dash": True}, {"type": "number", "minimum": 0}]),
    flags.flatmap(lambda flag: st.fixed_dictionaries({"optional": st.booleans()}).map(lambda more: more | flag)),
)
tasks = st.builds(
    lambda program, given, known: {
        "command": [program, *given],
        "inputs": {
            "data": {"file": "in.txt", "env_only": True},
            "absent": {"file": "absent.txt", "optional": True, "env_only": True},
            "many": {"file": "parts", "many": True, "env_only": True},
        },
        "outputs": {"made": "out.txt"},
        "parameters": {
            name: definition
            if any(f"{{param.{name}}}" in word for word in given)
            else {"type": "string", "optional": True, "env_only": True}
            for name, definition in known.items()
        },
    },
    st.sampled_from(["tool", "tool", "/opt/x/tool", "env", "nice", "awk", "python3", "sh"]),
    st.lists(words, max_size=5),
    st.fixed_dictionaries({name: parameters for name in NAMES}),
)
FILES = {"data": ["in.txt"], "absent": None, "many": ["parts/-rf", "parts/$(id)"]}


def around(given: dict[str, Any], **files: list[str] | None) -> Surroundings:
    return Surroundings(workdir=Path("/work"), submission="id", inputs=files, parameters=given)


def expected_words(task: TaskDefinition, word: Word, given: dict[str, Any]) -> int:
    """How many words a template word must become, said without the code under test."""
    lone = word.lone
    if lone is None or lone.kind not in {"param", "input"}:
        return 1
    if lone.kind == "input":
        return len(FILES[lone.name] or [])
    definition, value = task.parameters[lone.name], given.get(lone.name)
    if value is None:
        return 0
    if definition.kind is ParameterType.BOOLEAN and definition.flag:
        return int(bool(value))
    return 2 if definition.flag and definition.separator is None else 1


def is_allowed_a_dash(definition: ParameterDefinition | None) -> bool:
    """Where the author chose the value or allowed it; said without the code under test."""
    return definition is not None and (
        definition.allow_dash or definition.value is not None or definition.type is ParameterType.CHOICE
    )


@settings(max_examples=700, deadline=None)
@given(keys=tasks, given=st.fixed_dictionaries({name: values for name in NAMES}))
def test_no_value_changes_the_words_or_becomes_a_flag(keys: dict[str, Any], given: dict[str, Any]) -> None:
    task = TaskDefinition.model_validate(keys)
    if any(not problem.warning for problem in check_task(task)):
        event("the task is refused")
        return
    public = {name: callers_definition(task, name) for name, each in task.parameters.items() if not each.stored}
    # Of what is sent, that which would be refused by itself is left away, so that the rest gets further.
    sent = {name: given[name] for name in public if not check_values({name: public[name]}, {name: given[name]})[1]}
    checked: dict[str, Any]
    checked, refusals = check_values(public, sent)
    if refusals:
        event("a value is missing")
        return
    checked |= {name: each.value for name, each in task.parameters.items() if each.stored}
    templates = command_words(task)
    try:
        argv = render(task, around(checked, **FILES)).argv
    except UnsafeValueError as error:
        event("refused before anything is queued")
        assert error.parameter in {*task.parameters, "absent"}
        return
    event("rendered")
    assert len(argv) == sum(expected_words(task, word, checked) for word in templates)
    assert argv[0] == templates[0].literal
    places = iter(argv)
    for word in templates:
        made = [next(places) for _ in range(expected_words(task, word, checked))]
        lone = word.lone
        definition = task.parameters[lone.name] if lone and lone.kind == "param" else None
        for index, text in enumerate(made):
            if word.literal is not None:
                assert text == word.literal
            elif definition is not None and definition.flag is not None:
                if definition.separator is not None or index % 2 == 0:
                    assert text.startswith(definition.flag)
                elif text.startswith("-"):
                    assert is_allowed_a_dash(definition) or definition.type in {"integer", "number"}
            elif text.startswith("-") and not word.lead:
                leading = [part for part in word.parts if not isinstance(part, str) and part.kind == "param"]
                assert any(is_allowed_a_dash(task.parameters[part.name]) for part in leading)


# Values that are run, with everything that might run them. What they do is make the file MARK.

PAYLOADS = [
    "touch MARK", "`touch MARK`", "$(touch MARK)", "x; touch MARK", "touch MARK|", "a'; touch MARK; '", 'a"; touch MARK; "',
    "open('MARK','w')", "system(q(touch MARK))", "qx(touch MARK)", 'BEGIN{print>"MARK"}', '{print>"MARK"}', "w MARK",
    "1w MARK", "1e touch MARK", "s/a/b/w MARK", "./mark", "mark", "mark.pl", "mark.awk", "mark.sed", "sh -c 'touch MARK'",
    "PERL5OPT=-Mmark", "BASH_ENV=mark", "/e;w MARK", "p;1w MARK", "-ctouch MARK", "+x", "sh",
]  # fmt: skip
SCRIPTS = {
    "data": "a,b\nc\n",
    "mark": "#!/bin/sh\ntouch MARK\n",
    "mark.pl": "open(F,'>MARK');\n",
    "mark.pm": "open(F,'>MARK');1;\n",
    "mark.awk": 'BEGIN{print>"MARK"}\n',
    "mark.sed": "w MARK\n",
}
SHELL = ["-c", "-e", "-ec", "-euo", "-o", "pipefail", "-s", "--", "-", "+x"]
RUN = ["sh", "-c", "perl", "-e", "awk", "sed", "--"]
PROGRAMS = {
    "sh": SHELL,
    "bash": [*SHELL, "-O", "extglob", "--rcfile", "mark", "--norc", "--init-file", "-l"],
    "perl": ["-e", "-E", "-n", "-p", "-lne", "-M", "-Mstrict", "-i.bak", "-l", "-F,", "-I", "lib", "-x", "--", "-w"],
    "awk": ["-f", "-v", "a=1", "-F", ",", "--", "-F,", "-va=1", "-W"],
    "sed": ["-n", "-e", "-f", "-E", "-i", "-s", "--", "-ne", "--expression=p", "-l", "5"],
    "env": ["-i", "-u", "HOME", "-C", ".", "A=1", "-S", *RUN],
    "nice": ["-n", "5", *RUN],
    "timeout": ["5", "-k", "1", "-s", "KILL", "--foreground", *RUN],
    "xargs": ["-n", "1", "-I", "{}", "-0", "-a", "data", "-r", *RUN],
    "find": [".", "-name", "x", "-exec", ";", "{}", "-type", "f", *RUN],
    "setsid": ["-w", *RUN],
    "tar": ["-cf", "x.tar", "data", "-I", "--to-command", "--checkpoint=1", "--checkpoint-action", "-C", "."],
    "sort": ["-k", "1", "--compress-program", "data", "-S", "1b"],
    "split": ["-l", "1", "--filter", "data"],
}
FORMS = ["{param.x}"] * 4 + ["a{param.x}", "{param.x}b", "x={param.x}", "-v{param.x}", "-{param.x}", "--x={param.x}",
    "-e{param.x}", "s/a/{param.x}/", "/{param.x}/", "{param.y}{param.x}", "mark{param.x}", "./{param.x}"]  # fmt: skip


@st.composite
def tempting_tasks(draw: st.DrawFn) -> dict[str, Any]:
    program = draw(st.sampled_from(sorted(PROGRAMS)))
    given = [program, *draw(st.lists(st.sampled_from([*PROGRAMS[program], "data"]), max_size=4))]
    option = draw(st.sampled_from([{}, {}, {"flag": "-c"}, {"flag": "-e"}, {"flag": "-f"}, {"flag": "-n", "separator": ""}]))
    form = "{param.x}" if option else draw(st.sampled_from(FORMS))
    given.insert(draw(st.integers(1, len(given))), form)
    text = {"type": "string", "optional": True}
    return {"command": given, "parameters": {"x": text | option, "y": text | {"env_only": True}}}


@settings(max_examples=250, deadline=None)
@given(keys=tempting_tasks(), payloads=st.lists(st.sampled_from(PAYLOADS), min_size=2, max_size=2, unique=True))
def test_no_value_is_run(keys: dict[str, Any], payloads: list[str], tmp_path_factory) -> None:
    task = TaskDefinition.model_validate(keys)
    if check_task(task):
        event("the task is refused")
        return
    folder = tmp_path_factory.mktemp("run", numbered=True)
    try:
        event("run")
        assert run_with("harmless", task, folder) or not any(run_with(each, task, folder) for each in payloads)
    finally:
        shutil.rmtree(folder)


def run_with(value: str, task: TaskDefinition, folder: Path) -> bool:
    """Run the command with that value; whether it made the file MARK."""
    for name, content in SCRIPTS.items():
        (folder / name).write_text(content)
        (folder / name).chmod(0o755)
    checked, refusals = check_values(task.parameters, {"x": value})
    if refusals:
        return False
    with contextlib.suppress(UnsafeValueError, OSError, subprocess.TimeoutExpired):
        subprocess.run(
            render(task, around(checked)).argv, cwd=folder, env={"PATH": "/usr/local/bin:/usr/bin:/bin"}, check=False,
            stdin=subprocess.DEVNULL, capture_output=True, timeout=5, start_new_session=True,
        )  # fmt: skip
    return (folder / "MARK").exists()


def test_the_values_that_are_run_would_show(tmp_path: Path) -> None:
    for command in (["sh", "-c", "{param.x}"], ["perl", "-e", "{param.x}"], ["sh", "{param.x}"], ["nice", "{param.x}"]):
        task = TaskDefinition.model_validate({"command": command, "parameters": {"x": {"type": "string"}}})
        made = False
        for payload in PAYLOADS:
            (tmp_path / "MARK").unlink(missing_ok=True)
            made = run_with(payload, task, tmp_path) or made
        assert made, command


# What a program gets


@settings(max_examples=40, deadline=None)
@given(given=st.lists(NASTY | st.text(max_size=30), min_size=1, max_size=4))
def test_a_program_receives_exactly_the_values_that_were_accepted(given: list[str], tmp_path_factory) -> None:
    task = TaskDefinition.model_validate(
        {"command": "printf '%s\\0' {param.x}", "parameters": {"x": {"type": "string", "many": True}}}
    )
    assert check_task(task) == []
    checked, refusals = check_values(task.parameters, {"x": given})
    assume(not refusals)
    argv = render(task, around(checked)).argv
    workdir = tmp_path_factory.mktemp("run")
    executor = LocalExecutor(NoOptions())
    spec = CommandSpec("1.1", argv, workdir, {"PATH": "/usr/bin:/bin"}, stdout=workdir / "seen")
    outcome = executor.wait(executor.submit(spec))
    assert outcome is not None
    assert outcome.exit_code == 0
    assert (workdir / "seen").read_bytes().split(b"\0")[:-1] == [value.encode() for value in given]


script_text = st.text(
    alphabet=st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), min_size=1
).filter(str.strip)


@settings(max_examples=60, deadline=None)
@given(script=script_text)
@example(script="#!/bin/sh\nawk '{print $1}' \"$input_x\" # {input.x} {{param.y}} $(id)\n\n\n")
def test_a_script_is_byte_for_byte_what_the_author_wrote(script: str, tmp_path_factory) -> None:
    quoted = "".join(f"\\U{ord(sign):08x}" for sign in script)
    text = f'format: 1\npipeline: p\ntasks:\n  t:\n    inputs: {{x: in.txt}}\n    script: "{quoted}"\n'
    configuration = Configuration()
    read_text(text, "p.yaml", configuration)
    assert configuration.problems == []
    task = TaskDefinition.model_validate_json(configuration.tasks["t"].model_dump_json(by_alias=True))
    assert isinstance(task.script, str)
    folder = WorkFolder(tmp_path_factory.mktemp("script") / "top")
    folder.make()
    argv = script_argv(folder, ("bash", "-eu"), task.script)
    assert argv == ("bash", "-eu", str(folder.script))
    assert folder.script.read_bytes() == script.encode()
