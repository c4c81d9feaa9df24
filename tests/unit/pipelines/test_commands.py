"""The rendering rules, one by one."""

import json
from pathlib import Path
from typing import Any

import pytest

from analytics_automated.pipelines.commands import Rendered, Surroundings, UnsafeValueError, render, value_text
from analytics_automated.pipelines.definitions import TaskDefinition
from analytics_automated.pipelines.templates import (
    Placeholder,
    TemplateError,
    Word,
    parse_command,
    parse_word,
)

STRING, INTEGER = {"type": "string"}, {"type": "integer"}


def rendered(task: dict[str, Any], given: dict[str, Any] | None = None, **inputs: list[str] | None) -> Rendered:
    around = Surroundings(
        workdir=Path("/aa/work"),
        submission="some-id",
        inputs=inputs,
        parameters=given or {},
        data={"uniref90": "/data/uniref90"},
        cpus=4,
        memory_mb=2000,
    )
    return render(TaskDefinition.model_validate(task), around)


def words(command: str, given: dict[str, Any] | None = None, /, **parameters: dict[str, Any]) -> list[str]:
    return list(rendered({"command": command, "parameters": parameters}, given).argv)


# A command is split once, as a shell splits


@pytest.mark.parametrize(
    ("command", "split"),
    [
        ("tool a  b\tc", ["tool", "a", "b", "c"]),
        ("tool 'a b' \"c d\" e\\ f", ["tool", "a b", "c d", "e f"]),
        ("tool a'b'\"c\"", ["tool", "abc"]),
        ("tool '' \"\"", ["tool", "", ""]),
        ("tool '|' \">\" \\; 'a && b' '$HOME' \"`\"", ["tool", "|", ">", ";", "a && b", "$HOME", "`"]),
        ("tool '\\n' \"\\n\" \\\\", ["tool", "\\n", "\\n", "\\"]),
        ("tool *.txt ~ {a,b} # no comment !", ["tool", "*.txt", "~", "{a,b}", "#", "no", "comment", "!"]),
        ("tool \\\n  --long \\\n  x\n", ["tool", "--long", "x"]),
        ("tool \"a\\\nb\" 'c\\\nd'", ["tool", "ab", "c\\\nd"]),
        ("awk '/^>/ {print; next} NF {print toupper($0)}'", ["awk", "/^>/ {print; next} NF {print toupper($0)}"]),
        ("R -e '{data.frame(x)}' '{\"a\": {\"b\": 1}}'", ["R", "-e", "{data.frame(x)}", '{"a": {"b": 1}}']),
        ("tool {{input.x}} '{{{{workdir}}}}' {inputs.x} { input.x }", ["tool", "{input.x}", "{{{workdir}}}", "{inputs.x}", "{", "input.x", "}"]),
    ],
)  # fmt: skip
def test_a_command_is_split_once_as_a_shell_splits(command: str, split: list[str]) -> None:
    assert [word.literal for word in parse_command(command)] == split


@pytest.mark.parametrize(
    "command", ["a | b", "a > b", "a<b", "a;b", "a & b", "$x", "a `b`", "a 'b", 'a "b', "a\\", "", " \n"]
)
def test_what_only_a_shell_could_do_is_no_command(command: str) -> None:
    with pytest.raises(TemplateError):
        parse_command(command)


def test_a_list_of_words_is_not_split() -> None:
    assert list(rendered({"command": ["tool", "a b", "|", "$x", "", "'"]}).argv) == ["tool", "a b", "|", "$x", "", "'"]


def test_a_word_is_text_and_placeholders_in_turn() -> None:
    assert parse_word("a{param.x}{workdir}b{{param.y}}") == Word(
        ("a", Placeholder("param", "x"), Placeholder("workdir"), "b{param.y}")
    )
    assert [str(each) for each in parse_word("{param.x}{workdir}{input.}").placeholders] == [
        "{param.x}",
        "{workdir}",
        "{input.}",
    ]


# Values


@pytest.mark.parametrize(
    ("definition", "value", "made"),
    [
        (STRING, "a b", ["a b"]),
        (STRING, "", [""]),
        (STRING, "'; rm -rf / #", ["'; rm -rf / #"]),
        (INTEGER, 5, ["5"]),
        ({"type": "number"}, 0.001, ["0.001"]),
        ({"type": "number"}, 1e22, ["1e+22"]),
        ({"type": "number"}, 1.0, ["1.0"]),
        ({"type": "boolean"}, True, ["true"]),
        ({"type": "boolean"}, False, ["false"]),
        (STRING, None, []),
        (STRING | {"many": True}, ["a", "b c"], ["a", "b c"]),
        (STRING | {"many": True}, [], []),
        (STRING | {"many": True}, None, []),
        # a flag
        (STRING | {"flag": "--x"}, "a b", ["--x", "a b"]),
        (STRING | {"flag": "--x"}, "", ["--x", ""]),
        (STRING | {"flag": "--x"}, None, []),
        (INTEGER | {"flag": "-n"}, -5, ["-n", "-5"]),
        (STRING | {"flag": "--x", "separator": "="}, "a b", ["--x=a b"]),
        (STRING | {"flag": "-x", "separator": ""}, "a b", ["-xa b"]),
        (STRING | {"flag": "--x", "separator": "="}, None, []),
        (STRING | {"flag": "-x", "many": True}, ["a", "b"], ["-x", "a", "-x", "b"]),
        (STRING | {"flag": "-x", "separator": "=", "many": True}, ["a", "b"], ["-x=a", "-x=b"]),
        (STRING | {"flag": "-x", "many": True}, [], []),
        # a boolean with a flag is the flag or nothing
        ({"type": "boolean", "flag": "--quiet"}, True, ["--quiet"]),
        ({"type": "boolean", "flag": "--quiet"}, False, []),
        ({"type": "boolean", "flag": "--quiet"}, None, []),
        # what the author chose may begin with a dash
        ({"value": "-rf"}, "-rf", ["-rf"]),
        ({"type": "choice", "choices": ["-a", "-b"]}, "-b", ["-b"]),
        (STRING | {"allow_dash": True}, "-x", ["-x"]),
        (INTEGER | {"allow_dash": True}, -5, ["-5"]),
    ],
)  # fmt: skip
def test_a_word_that_is_one_placeholder_becomes_none_one_or_several(
    definition: dict[str, Any], value: Any, made: list[str]
) -> None:
    assert words("tool {param.x} end", {"x": value}, x=definition) == ["tool", *made, "end"]


@pytest.mark.parametrize(
    ("word", "made"),
    [
        ("x={param.a}", "x=a b"),
        ("{param.a}.{param.n}", "a b.-5"),
        ("x{param.absent}y", "xy"),
        ("n{param.n}", "n-5"),
        ("{param.flag}!", "true!"),
        ("--x={param.dash}", "--x=-d"),
        ("{param.dash}.txt", "-d.txt"),
        ("{param.choice}.txt", "-c.txt"),
        ("{input.one}:{output.out}", "in.txt:out.txt"),
        ("@{input.many}", "@parts"),
        ("{resources.cpus}-{resources.memory_mb}-{submission.id}", "4-2000-some-id"),
        ("{workdir}/{data.uniref90}", "/aa/work//data/uniref90"),
    ],
)
def test_within_a_word_a_placeholder_is_replaced_in_place_and_the_word_stays_one(word: str, made: str) -> None:
    task = {
        "command": f"tool '{word}'",
        "inputs": {"one": "in.txt", "many": {"file": "parts", "many": True}},
        "outputs": {"out": "out.txt"},
        "parameters": {
            "a": STRING,
            "n": INTEGER,
            "absent": STRING,
            "flag": {"type": "boolean"},
            "dash": STRING | {"allow_dash": True},
            "choice": {"type": "choice", "choices": ["-c"]},
        },
    }
    given = {"a": "a b", "n": -5, "flag": True, "dash": "-d", "choice": "-c"}
    assert rendered(task, given, one=["in.txt"], many=["parts/x"]).argv == ("tool", made)


@pytest.mark.parametrize(
    "command", ["tool {param.x}", "tool {param.x}.txt", "tool {param.y}{param.x}", "tool '{param.y}-rf'"]
)
def test_a_value_that_would_become_an_option_is_not_rendered(command: str) -> None:
    with pytest.raises(UnsafeValueError) as raised:
        words(command, {"x": "-rf", "y": ""}, x=STRING, y=STRING)
    assert raised.value.parameter == ("y" if "x" not in command else "x")


def test_a_negative_number_would_become_an_option_too() -> None:
    with pytest.raises(UnsafeValueError):
        words("tool {param.x}", {"x": -5}, x=INTEGER)


@pytest.mark.parametrize(
    ("definition", "files", "made"),
    [
        ({"file": "in.txt"}, ["in.txt"], ["in.txt"]),
        ({"file": "in.txt", "flag": "--guide"}, ["in.txt"], ["--guide", "in.txt"]),
        ({"file": "in.txt", "flag": "--guide", "separator": "="}, ["in.txt"], ["--guide=in.txt"]),
        ({"file": "in.txt", "flag": "--guide", "optional": True}, None, []),
        ({"file": "in.txt", "optional": True}, None, []),
        ({"file": "parts", "many": True}, ["parts/b", "parts/a"], ["parts/b", "parts/a"]),
        ({"file": "parts", "many": True}, [], []),
        ({"file": ".", "many": True}, ["-rf", "a b"], ["./-rf", "a b"]),
        ({"file": "parts", "many": True, "flag": "-i"}, ["parts/a", "parts/b"], ["-i", "parts/a", "-i", "parts/b"]),
    ],
)
def test_an_input_is_its_file_or_files(definition: dict[str, Any], files: list[str] | None, made: list[str]) -> None:
    assert rendered({"command": "tool {input.x}", "inputs": {"x": definition}}, x=files).argv == ("tool", *made)


# Environment and scripts

SCRIPT: dict[str, Any] = {
    "script": "true",
    "inputs": {
        "one": "in.txt",
        "absent": {"file": "b", "optional": True},
        "many": {"file": "parts", "many": True},
        "here": {"file": ".", "many": True},
    },
    "outputs": {"out": "sub/out.txt", "logs": "*.log"},
    "parameters": {
        "text": STRING,
        "whole": INTEGER,
        "number": {"type": "number"},
        "yes": {"type": "boolean", "flag": "--yes"},
        "no": {"type": "boolean"},
        "absent": STRING,
        "list": STRING | {"many": True},
        "fixed": {"value": "stored"},
        "with_flag": STRING | {"flag": "-x"},
    },
}
GIVEN = {
    "text": "a 'b' $c",
    "whole": 10**20,
    "number": 1e-7,
    "yes": True,
    "no": False,
    "absent": None,
    "list": ["a b", "c"],
    "fixed": "stored",
    "with_flag": "v",
}
FILES: dict[str, Any] = {"one": ["in.txt"], "absent": None, "many": ["parts/a", "parts/b c"], "here": ["x"]}


def test_a_script_has_the_values_in_its_environment() -> None:
    made = rendered(SCRIPT, GIVEN, **FILES)
    assert made.argv == ("bash", "-euo", "pipefail")
    assert made.environment == {
        "input_one": "/aa/work/in.txt",
        "input_many": "/aa/work/parts",
        "input_here": "/aa/work",
        "output_out": "/aa/work/sub/out.txt",
        "param_text": "a 'b' $c",
        "param_whole": "100000000000000000000",
        "param_number": "1e-07",
        "param_yes": "true",
        "param_no": "false",
        "param_list": "a b\nc",
        "param_fixed": "stored",
        "param_with_flag": "v",
        "data_uniref90": "/data/uniref90",
        "resources_cpus": "4",
        "resources_memory_mb": "2000",
        "submission_id": "some-id",
        "workdir": "/aa/work",
    }


def test_all_values_are_there_as_json_too() -> None:
    values = json.loads(json.dumps(rendered(SCRIPT, GIVEN, **FILES).values))
    assert values == {
        "input.one": "/aa/work/in.txt",
        "input.absent": None,
        "input.many": ["/aa/work/parts/a", "/aa/work/parts/b c"],
        "input.here": ["/aa/work/x"],
        "output.out": "/aa/work/sub/out.txt",
        **{f"param.{name}": value for name, value in GIVEN.items()},
        "data.uniref90": "/data/uniref90",
        "resources.cpus": 4,
        "resources.memory_mb": 2000,
        "submission.id": "some-id",
        "workdir": "/aa/work",
    }


@pytest.mark.parametrize(
    ("interpreter", "argv"),
    [
        (None, ("bash", "-euo", "pipefail")),
        ("Rscript --vanilla", ("Rscript", "--vanilla")),
        (["python", "-X", "dev mode"], ("python", "-X", "dev mode")),
    ],
)
def test_a_script_is_run_by_its_interpreter(interpreter: Any, argv: tuple[str, ...]) -> None:
    assert rendered({"script": "x", "interpreter": interpreter}).argv == argv


def test_a_command_gets_only_those_values_in_its_environment_that_it_does_not_name() -> None:
    task = {
        "command": "tool {param.named} {input.named}",
        "inputs": {"named": "a.txt", "hidden": {"file": "b.txt", "env_only": True}},
        "parameters": {"named": STRING, "hidden": STRING | {"env_only": True}, "gone": STRING | {"env_only": True}},
    }
    made = rendered(task, {"named": "n", "hidden": "h", "gone": None}, named=["a.txt"], hidden=["b.txt"])
    assert made.environment == {"param_hidden": "h", "input_hidden": "/aa/work/b.txt"}


def test_variables_of_the_author_hold_values_and_absolute_paths() -> None:
    task = {
        "command": "tool",
        "inputs": {"x": "in.txt", "absent": {"file": "b", "optional": True}, "many": {"file": "m", "many": True}},
        "outputs": {"y": "out.txt"},
        "parameters": {
            "text": STRING,
            "list": STRING | {"many": True},
            "gone": STRING,
            "flag": INTEGER | {"flag": "-n"},
        },
        "environment": {
            "TEXT": "<{param.text}>",
            "DASH": "{param.flag}",
            "FILES": "{input.x}:{output.y}:{input.many}",
            "GONE": "{param.gone}{input.absent}",
            "LIST": "{param.list}",
            "REST": "{resources.cpus} {submission.id} {workdir} {data.uniref90} {{param.text}} {other}",
            "PLAIN": "$HOME",
        },
    }
    given = {"text": "-a\u00a0b", "list": ["1", "2"], "gone": None, "flag": -1}
    assert rendered(task, given, x=["in.txt"], absent=None, many=["m/1"]).environment == {
        "TEXT": "<-a\u00a0b>",
        "DASH": "-1",
        "FILES": "/aa/work/in.txt:/aa/work/out.txt:/aa/work/m",
        "GONE": "",
        "LIST": "1\n2",
        "REST": "4 some-id /aa/work /data/uniref90 {param.text} {other}",
        "PLAIN": "$HOME",
    }


def test_a_value_is_never_looked_at_again() -> None:
    given = {"x": "{param.y} {input.secret} {{workdir}}", "y": "Y"}
    assert words("tool {param.x} a{param.x}", given, x=STRING, y=STRING) == ["tool", given["x"], f"a{given['x']}"]
    made = rendered({"script": "x", "environment": {"A": "{param.x}"}, "parameters": {"x": STRING}}, given)
    assert made.environment["A"] == made.environment["param_x"] == given["x"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (1.0, "1.0"),
        (1e-3, "0.001"),
        (1e100, "1e+100"),
        (True, "true"),
        ("a", "a"),
        ([1, "a", False], "1\na\nfalse"),
    ],
)
def test_values_are_written_as_json_writes_them(value: Any, text: str) -> None:
    assert value_text(value) == text
