"""No value, however chosen, changes the words of a command, becomes a flag, or reaches a shell."""

import string
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analytics_automated.executors.base import CommandSpec, NoOptions
from analytics_automated.executors.local import LocalExecutor
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
values = st.one_of(
    NASTY,
    st.text(max_size=20),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.lists(st.one_of(NASTY, st.integers(), st.text(max_size=5)), max_size=4),
)
literals = st.text(alphabet=string.ascii_letters + string.digits + "-_=./:;|&$<>`'\"\\ {}()*#", min_size=1, max_size=12)
programs = st.sampled_from(
    ["tool", "/opt/x/tool", "sh", "bash", "python3", "perl", "awk", "sed", "env", "nice", "xargs", "timeout", "Rscript"]
)
flags = st.one_of(st.none(), st.sampled_from(["-e", "--value", "-E"]))


@st.composite
def parameters(draw: st.DrawFn) -> ParameterDefinition:
    kind = draw(st.sampled_from(list(ParameterType)))
    flag = draw(flags)
    keys: dict[str, object] = {"type": kind.value, "many": draw(st.booleans()), "optional": draw(st.booleans())}
    if flag is not None:
        keys |= {"flag": flag, "separator": draw(st.sampled_from([None, "=", ""]))}
    if kind is ParameterType.CHOICE:
        keys["choices"] = draw(st.lists(st.sampled_from(["a", "b c", "$x"]), min_size=1, max_size=3, unique=True))
    return ParameterDefinition.model_validate(keys)


@st.composite
def tasks(draw: st.DrawFn) -> TaskDefinition:
    known = {name: draw(parameters()) for name in draw(st.sets(st.sampled_from("abc"), min_size=1))}
    placeholders = [f"{{param.{name}}}" for name in known]
    part = st.one_of(st.sampled_from([*placeholders, "{input.data}", "{output.made}"]), literals)
    word = st.one_of(st.sampled_from(placeholders), st.lists(part, min_size=1, max_size=3).map("".join))
    options = st.sampled_from(["-c", "-e", "-n", "--"])
    words = [draw(programs), *draw(st.lists(options, max_size=1)), *draw(st.lists(word, max_size=5))]
    words += [placeholder for placeholder in placeholders if not any(placeholder in word for word in words)]
    return TaskDefinition.model_validate(
        {"command": words, "inputs": {"data": {"file": "in.txt", "env_only": True}}, "outputs": {"made": "out.txt"},
         "parameters": {name: parameter.model_dump(exclude_none=True) for name, parameter in known.items()}}
    )  # fmt: skip


def expected_words(task: TaskDefinition, word: Word, given: dict[str, object]) -> int:
    """How many words a template word must become, said without the code under test."""
    lone = word.lone
    if lone is None or lone.kind != "param":
        return 1
    definition, value = task.parameters[lone.name], given.get(lone.name)
    if value is None:
        return 0
    if definition.type is ParameterType.BOOLEAN and definition.flag and not definition.many:
        return int(bool(value))
    each = 2 if definition.flag and definition.separator is None else 1
    return each * (len(value) if isinstance(value, list) else 1)


def around(given: dict[str, object]) -> Surroundings:
    return Surroundings(workdir=Path("/aa/work"), submission="id", inputs={"data": ["in.txt"]}, parameters=given)


@settings(max_examples=500, deadline=None)
@given(task=tasks(), given=st.dictionaries(st.sampled_from("abc"), values))
def test_no_value_changes_the_words_becomes_a_flag_or_is_code(task: TaskDefinition, given: dict[str, object]) -> None:
    if check_task(task):
        return  # a configuration that is refused runs nothing
    checked, refusals = check_values(task.parameters, given)
    if refusals:
        return  # told to the caller, and nothing is queued
    templates = command_words(task)
    try:
        argv = render(task, around(checked)).argv
    except UnsafeValueError:
        return  # refused before anything is queued
    assert len(argv) == sum(expected_words(task, word, checked) for word in templates)
    assert argv[0] == templates[0].literal
    places = iter(argv)
    for word in templates:
        made = [next(places) for _ in range(expected_words(task, word, checked))]
        lone = word.lone
        definition = task.parameters[lone.name] if lone and lone.kind == "param" else None
        for index, text in enumerate(made):
            if definition is not None and definition.flag is not None:
                is_flag = definition.separator is not None or index % 2 == 0
                if is_flag:
                    assert text.startswith(definition.flag)
                elif text.startswith("-"):
                    assert definition.kind in {ParameterType.INTEGER, ParameterType.NUMBER}
            elif definition is not None or not word.lead.startswith("-"):
                assert not text.startswith("-")
            if word.literal is not None:
                assert text == word.literal


@given(value=st.one_of(NASTY, st.text(max_size=30)))
@example(value="-x")
@pytest.mark.parametrize(
    "command",
    [
        ["sh", "-c", "echo {param.x}"],
        ["bash", "-ec", "{param.x}"],
        ["/bin/bash", "-o", "pipefail", "-c", "echo {param.x}"],
        ["env", "A=1", "sh", "-c", "{param.x}"],
        ["nice", "-n", "5", "python3", "-c", "print({param.x})"],
        ["python3", "-W", "ignore", "-c", "{param.x}"],
        ["perl", "-lne", "print {param.x}"],
        ["Rscript", "-e", "{param.x}"],
        ["awk", "{param.x}", "in.txt"],
        ["awk", "-F", ",", "/{param.x}/ {{print}}", "in.txt"],
        ["sed", "-e", "s/a/{param.x}/"],
        ["sed", "s/a/{param.x}/", "in.txt"],
        ["{param.x}", "in.txt"],
        ["xargs", "{param.x}"],
        ["timeout", "5", "{param.x}"],
        ["env", "{param.x}"],
        ["find", ".", "-exec", "sh", "-c", "{param.x}", ";"],
    ],
    ids=" ".join,
)
def test_a_text_of_the_callers_never_stands_where_a_program_takes_code(command: list[str], value: str) -> None:
    task = TaskDefinition.model_validate({"command": command, "parameters": {"x": {"type": "string"}}})
    assert [problem for problem in check_task(task) if "script" in problem.message or "program" in problem.message]


@pytest.mark.parametrize(
    "command",
    [
        ["sh", "-c", "echo $1", "_", "{param.x}"],
        ["awk", "-v", "x={param.x}", "{print x}", "in.txt"],
        ["python3", "tool.py", "-c", "{param.x}"],
        ["perl", "tool.pl", "-e", "{param.x}"],
        ["jq", "--arg", "x", "{param.x}", ".[$x]", "in.json"],
        ["grep", "-e", "{param.x}", "in.txt"],
    ],
    ids=" ".join,
)
def test_a_value_beside_the_code_is_allowed(command: list[str]) -> None:
    task = TaskDefinition.model_validate({"command": command, "parameters": {"x": {"type": "string"}}})
    assert check_task(task) == []


accepted_text = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=30).filter(
    lambda text: not text.startswith("-")
)


@settings(max_examples=60, deadline=None)
@given(given=st.lists(accepted_text, min_size=1, max_size=4))
def test_a_program_receives_exactly_the_values_that_were_accepted(given: list[str], tmp_path_factory) -> None:
    task = TaskDefinition.model_validate(
        {"command": "printf '%s\\0' {param.x}", "parameters": {"x": {"type": "string", "many": True}}}
    )
    assert check_task(task) == []
    checked, refusals = check_values(task.parameters, {"x": given})
    assert refusals == []
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


@settings(deadline=None)
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
