"""What is wrong within one Task, each with its message."""

import shlex
from typing import Any

import pytest

from analytics_automated.pipelines.checks.programs import program_problems
from analytics_automated.pipelines.checks.task import check_task, stream_file
from analytics_automated.pipelines.commands import command_words
from analytics_automated.pipelines.definitions import TaskDefinition

STRING, INTEGER, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}
CHOICE = {"type": "choice", "choices": ["a", "b"]}


def said(**keys: Any) -> list[str]:
    return [str(problem) for problem in check_task(TaskDefinition.model_validate(keys))]


def command(text: str, **parameters: Any) -> dict[str, Any]:
    return {"command": text, "parameters": parameters}


def script(**keys: Any) -> dict[str, Any]:
    return {"script": "true", **keys}


def parameter(**keys: Any) -> dict[str, Any]:
    return script(parameters={"x": keys})


ONE_OF_TWO = "needs either `command` or `script`, one of the two"
UNUSED = "the command does not use it: write {param.x} in the command, or `env_only: true` here"
OWN_WORD = "so it must be a word of its own"
NEGATIVE = "is negative, which the command would read as an option: set a `flag`, or `allow_dash: true`"
CASES: list[tuple[dict[str, Any], str]] = [
    # what to execute
    ({}, ONE_OF_TWO),
    ({"command": "", "script": ""}, ONE_OF_TWO),
    ({"command": "a", "script": "b"}, f"script: {ONE_OF_TWO}"),
    ({"script": " \n"}, "script: is empty"),
    ({"command": "  "}, "command: is empty"),
    ({"command": "a", "interpreter": "python"}, "interpreter: belongs to a `script`: a command names its program itself"),
    ({"script": "a", "interpreter": "python {param.x}"}, "interpreter: must be a program, or a list of words, without placeholders"),
    ({"script": "a", "interpreter": "python | tee"}, "interpreter: holds a pipe or || outside quotes, which only a shell understands"),
    # secrets
    (script(secrets=["OWN", "KEY"]), "secrets[1]: AA_SECRET_KEY is a setting of A_A itself, which no task is given"),
    # what only a shell understands
    ({"command": "a | b"}, "command: holds a pipe or || outside quotes, which only a shell understands: put the sign in quotes, or write the command as a `script`"),
    ({"command": "a > b"}, "command: holds a redirection outside quotes"),
    ({"command": "a < b"}, "command: holds a redirection outside quotes"),
    ({"command": "a 2>&1"}, "command: holds a redirection outside quotes"),
    ({"command": "a; b"}, "command: holds a ; outside quotes"),
    ({"command": "a && b"}, "command: holds a & or && outside quotes"),
    ({"command": "a $HOME"}, "command: holds a $ outside quotes"),
    ({"command": "a `id`"}, "command: holds a ` outside quotes"),
    ({"command": "a 'b"}, "command: cannot be split into words: no closing quotation"),
    # placeholders
    (command("a {param.y}", x=STRING | {"env_only": True}), "command: {param.y} names no parameter of this task; known: x"),
    (command("a {param.colr}", colour=STRING | {"env_only": True}), "command: {param.colr} names no parameter of this task (did you mean 'colour'?)"),
    ({"command": "a {input.x}"}, "command: {input.x} names no input of this task; known: none"),
    ({"command": "a {input.}"}, "command: {input.} names no input of this task; known: none"),
    ({"command": "a {input.my-file}"}, "command: {input.my-file} names no input of this task; known: none"),
    ({"command": "a {input.x.y}"}, "command: {input.x.y} names no input of this task; known: none"),
    ({"command": "a {output.x}"}, "command: {output.x} names no output of this task; known: none"),
    ({"command": "a {resources.gpus}"}, "command: {resources.gpus} names no resource of this task (did you mean 'cpus'?)"),
    ({"command": "a {scatter.name}"}, "command: {scatter.name} names no scatter value of this task"),
    ({"command": "a {submission.user}"}, "command: {submission.user} names no submission value of this task"),
    ({"command": "a {data.}"}, "command: {data.} names no data"),
    ({"command": "a {output.x}", "outputs": {"x": "*.txt"}}, "command: {output.x} stands for one file, but the output 'x' is a glob or `many`"),
    ({"command": "a {output.x}", "outputs": {"x": {"file": "*.t", "many": True}}}, "command: {output.x} stands for one file"),
    ({"command": "a", "environment": {"A": "{param.x}"}}, "environment.A: {param.x} names no parameter of this task"),
    ({"command": "a", "container": "img-{param.x}"}, "container.image: {param.x} names no parameter of this task"),
    # words
    (command("a x{param.x}", x=STRING | {"many": True}), f"command: {{param.x}} is a list, {OWN_WORD}"),
    (command("a x{param.x}", x=STRING | {"flag": "-x"}), f"command: {{param.x}} has a flag, {OWN_WORD}"),
    ({"command": "a x{input.x}", "inputs": {"x": {"file": "x", "flag": "-x"}}}, f"command: {{input.x}} has a flag, {OWN_WORD}"),
    (command("a -{param.x}", x=STRING), "command: -{param.x} lets a caller choose the option itself: write the option out"),
    (command("a --{param.x}=1", x=STRING), "command: --{param.x} lets a caller choose the option itself"),
    # use
    (command("a", x=STRING), f"parameters.x: {UNUSED}"),
    (command("a", x={"value": 5}), f"parameters.x: {UNUSED}"),
    ({"command": "a", "inputs": {"x": "in.txt"}}, "inputs.x: the command does not use it: write {input.x} in the command"),
    # numbers that would be options
    (command("a {param.x}", x=INTEGER | {"minimum": -1}), f"parameters.x.minimum: {NEGATIVE}"),
    (command("a {param.x}.y", x=NUMBER | {"default": -0.5}), f"parameters.x.default: {NEGATIVE}"),
    (command("a {param.x}", x=NUMBER | {"maximum": -1}), f"parameters.x.maximum: {NEGATIVE}"),
    (command("a {param.x}", x=INTEGER | {"many": True, "default": [1, -1]}), f"parameters.x.default: {NEGATIVE}"),
    # files
    (script(inputs={"x": "."}), "inputs.x: '.' is the work folder itself, which only an input with `many` can be"),
    (script(inputs={"x": "*.txt"}), "inputs.x: is a file name, which holds no *, ? or ["),
    (script(inputs={"x": "a", "y": "a"}), "inputs.y: has the same file name as 'x'"),
    (script(inputs={"x": "a"}, outputs={"y": "a"}), "outputs.y: has the same file name as 'x'"),
    (script(outputs={"x": "a", "y": "a"}), "outputs.y: has the same file name as 'x'"),
    (script(inputs={"x": {"file": "a", "separator": "="}}), "inputs.x.separator: stands between `flag` and file, and there is no flag"),
    (script(outputs={"x": "."}), "outputs.x: names a file or a glob, such as '*.tsv'"),
    (script(outputs={"x": {"file": "a", "many": True}}), "outputs.x: is `many`, so its file is a glob, such as 'out/*.png'"),
    (script(outputs={"x": "a**/b"}), "outputs.x: '**' stands for folders, so it is a part of its own between two /"),
    (script(outputs={"x": "a", "y": "a/b"}), "outputs.y: lies in 'a', which is the file of 'x' and no folder"),
    (script(inputs={"x": "a/b"}, outputs={"y": "a"}), "inputs.x: lies in 'a', which is the file of 'y' and no folder"),
    # streams
    (script(stdin="x"), "stdin: names no input of this task"),
    (script(stdin="tabel", inputs={"table": "t"}), "stdin: names no input of this task (did you mean 'table'?)"),
    (script(stdin="x", inputs={"x": {"file": "x", "many": True}}), "stdin: is one file, but the input 'x' is `many`"),
    (script(stdout="x"), "stdout: names no output of this task"),
    (script(stderr="x", outputs={"x": "a?.log"}), "stderr: is one file, but the glob of the output 'x' does not say which"),
    # names
    (script(inputs={"X": "a", "x": "b"}), "inputs.x: differs from 'X' only by its case"),
    (script(outputs={"X": "a", "x": "b"}), "outputs.x: differs from 'X' only by its case"),
    (script(parameters={"X": STRING, "x": STRING}), "parameters.x: differs from 'X' only by its case"),
    # exit codes
    (script(exit_codes={"stop": ["3"], "fail": ["1-5"]}), "exit_codes.fail: names 3, and so does `stop`: a code means one thing"),
    (script(exit_codes={"stop": ["3"], "continue": ["3"]}), "exit_codes.continue: names 3, and so does `stop`"),
    # parameters
    (parameter(), "parameters.x: needs a `type` (string, integer, number, boolean, choice) or a stored `value`"),
    (parameter(value=1, default=2), "parameters.x.default: is of no use beside a stored `value`"),
    (parameter(**STRING, separator="="), "parameters.x.separator: stands between `flag` and value, and there is no flag"),
    (parameter(**STRING, flag="-x", env_only=True), "parameters.x.flag: is of no use with `env_only`"),
    (parameter(**STRING, minimum=0), "parameters.x.minimum: belongs to a number"),
    (parameter(**CHOICE, pattern="a"), "parameters.x.pattern: belongs to a string"),
    (parameter(**INTEGER, max_length=3), "parameters.x.max_length: belongs to a string"),
    (parameter(**CHOICE, allow_dash=True), "parameters.x.allow_dash: belongs to a string or number"),
    (parameter(**STRING, choices=["a"]), "parameters.x.choices: belongs to a choice"),
    (parameter(**STRING, max_items=3), "parameters.x.max_items: belongs to a parameter with `many`"),
    (parameter(type="choice"), "parameters.x: needs `choices`: a list, or each with its title"),
    (parameter(type="choice", choices=[]), "parameters.x: needs `choices`: a list, or each with its title"),
    (parameter(**NUMBER, minimum=2, maximum=1), "parameters.x.minimum: is above `maximum`"),
    (parameter(**STRING, pattern="["), "parameters.x.pattern: is no regular expression: "),
    (parameter(**STRING, pattern="a)|(b"), "parameters.x.pattern: is no regular expression: "),
    (parameter(**STRING, pattern="(?x) a # b"), "parameters.x.pattern: is no regular expression: "),
    (parameter(**INTEGER, default="a"), "parameters.x.default: must be a whole number"),
    (parameter(**INTEGER, default=1.5), "parameters.x.default: must be a whole number"),
    (parameter(**INTEGER, default=True), "parameters.x.default: must be a whole number"),
    (parameter(**NUMBER, default=float("inf")), "parameters.x.default: must be a number"),
    (parameter(**INTEGER, default=11, maximum=10), "parameters.x.default: must be at most 10"),
    (parameter(**INTEGER, default=[1]), "parameters.x.default: must be a whole number"),
    (parameter(**INTEGER, many=True, default=1), "parameters.x.default: must be a list"),
    (parameter(**INTEGER, many=True, default=[1, 2], max_items=1), "parameters.x.default: must have at most 1 values"),
    (parameter(**STRING, default="-x"), "parameters.x.default: must not begin with '-'"),
    (parameter(**STRING, default="a\nb"), "parameters.x.default: must be text on one line, without control characters"),
    (parameter(**STRING, default="\x85"), "parameters.x.default: must be text on one line, without control characters"),
    (parameter(**STRING, default="x" * 256), "parameters.x.default: must have at most 255 characters"),
    (parameter(**STRING, default="b", pattern="a+"), "parameters.x.default: must match the pattern a+"),
    (parameter(**STRING, example="b", pattern="a+"), "parameters.x.example: must match the pattern a+"),
    (parameter(**CHOICE, default="c"), "parameters.x.default: must be one of a, b"),
    (parameter(type="boolean", default="true"), "parameters.x.default: must be true or false"),
    (parameter(**INTEGER, value="a"), "parameters.x.value: must be a whole number"),
    # environment
    (script(environment={"PATH": "/x"}), "environment.PATH: is set by A_A for every command: use the backend's `path`"),
    (script(environment={"HOME": "/x"}), "environment.HOME: is set by A_A for every command"),
    (script(environment={"AA_ATTEMPT": "x"}), "environment.AA_ATTEMPT: is set by A_A for every command"),
    (script(environment={"input_x": "a"}, inputs={"x": "a"}), "environment.input_x: is the variable in which A_A gives this value: choose another name"),
    (script(environment={"task_file": "a"}), "environment.task_file: is the variable in which A_A gives this value"),
    (script(environment={"workdir": "a"}), "environment.workdir: is the variable in which A_A gives this value"),
    (script(environment={"resources_cpus": "a"}), "environment.resources_cpus: is the variable in which A_A gives this value"),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "message"), CASES, ids=[message[:60] for _, message in CASES])
def test_a_bad_task_is_told_what_is_wrong_where_and_what_would_be_right(keys: dict[str, Any], message: str) -> None:
    (problem,) = said(**keys)
    assert problem.startswith(message)


def test_there_are_many_ways_to_be_wrong() -> None:
    assert len(CASES) >= 40


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert len(said(command="a {input.q}", stdin="x", stdout="y", parameters={"x": STRING, "y": {}})) == 6


@pytest.mark.parametrize(
    "keys",
    [
        {"command": "tool"},
        {"command": "awk '{print $1 | \"sort\"}' {input.x}", "inputs": {"x": "a"}},
        {"command": "cat", "stdin": "x", "inputs": {"x": "a"}},
        {"command": "tool {input.x} {{input.y}} {data.uniref90} {workdir}", "inputs": {"x": "a"}},
        {"command": "tool {input.x}", "inputs": {"x": {"file": ".", "many": True}}},
        {"command": "tool", "environment": {"A": "{param.x}"}, "parameters": {"x": STRING}},
        command("tool {param.x}", x=INTEGER | {"minimum": -1, "flag": "-n"}),
        command("tool {param.x}", x=INTEGER | {"minimum": -1, "allow_dash": True}),
        command("tool x{param.x}", x=INTEGER | {"minimum": -1}),
        command("tool -{param.x}", x=CHOICE),
        command("tool -{param.x}", x=INTEGER),
        command("tool {param.x}", x={"value": "-rf"}),
        command("tool {param.x}", x={"type": "choice", "choices": ["-a", "-b"]}),
        script(outputs={"x": "out/**/*.txt", "y": "out/z"}),
        script(inputs={"x": {"file": "parts", "many": True}}, outputs={"y": "parts/z"}),
        script(outputs={"x": "log"}, stdout="x", stderr="x"),
        script(outputs={"x": {"file": "*.log", "many": True}}, stdout="x", stderr="x"),
        script(exit_codes={"stop": ["3"], "continue": ["0", "2"], "fail": ["64-78"]}),
        parameter(**INTEGER, default=1.0),
        parameter(**STRING, default="-x", allow_dash=True),
        parameter(**STRING, default="ab", pattern="(?i)AB"),
        parameter(value=["a", "b"], many=True),
        script(environment={"ENVIRONMENT": "x", "ROUNDS": "2", "NODES": "1", "LC_ALL": "C"}),
    ],
)  # fmt: skip
def test_a_right_task_has_no_problem(keys: dict[str, Any]) -> None:
    assert said(**keys) == []


# Variables by which programs load code


@pytest.mark.parametrize(
    "variable",
    ["BASH_ENV", "ENV", "IFS", "PS4", "SHELLOPTS", "LD_PRELOAD", "LD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES", "PYTHONPATH",
     "PYTHONSTARTUP", "PERL5OPT", "PERL5LIB", "RUBYOPT", "NODE_OPTIONS", "R_PROFILE", "R_LIBS_USER", "JAVA_TOOL_OPTIONS",
     "_JAVA_OPTIONS", "CLASSPATH", "LUA_INIT", "JULIA_LOAD_PATH", "AWKPATH", "MAKEFLAGS", "GIT_SSH_COMMAND", "EDITOR",
     "PAGER", "LESSOPEN", "TAR_OPTIONS", "GCONV_PATH", "OPENSSL_CONF", "APPTAINER_BIND", "XDG_CONFIG_HOME"],
)  # fmt: skip
@pytest.mark.parametrize("text", ["{param.x}", "/lib/{param.x}", "{input.file}"])
def test_nothing_of_a_caller_reaches_a_variable_by_which_programs_load_code(variable: str, text: str) -> None:
    keys = script(environment={variable: text}, parameters={"x": STRING}, inputs={"file": "f"})
    (problem,) = said(**keys)
    assert problem.startswith(f"environment.{variable}: holds {{")
    assert problem.endswith("which is a caller's, but programs load code by this variable")


@pytest.mark.parametrize("chosen", [CHOICE, INTEGER, {"value": "stored"}, {"type": "boolean"}])
def test_what_the_author_chose_may_stand_in_any_variable(chosen: dict[str, Any]) -> None:
    assert said(**script(environment={"PYTHONPATH": "/opt/{param.x}"}, parameters={"x": chosen})) == []


# Programs that take code on their command line


def holes(text: str) -> list[str]:
    """What the checks of programs say of a command with the caller's text `x`, the number `n` and the choice `c`."""
    task = TaskDefinition.model_validate(
        {
            "command": shlex.split(text) if "'" in text else text.split(" "),
            "inputs": {"file": "f", "files": {"file": "m", "many": True}},
            "parameters": {
                "x": STRING,
                "n": INTEGER,
                "c": CHOICE,
                "e": STRING | {"flag": "-e"},
                "f": STRING | {"flag": "-f"},
                "ec": STRING | {"flag": "-c", "separator": ""},
                "eval": STRING | {"flag": "--eval", "separator": "="},
                "loud": {"type": "boolean", "flag": "-v"},
            },
        }
    )
    return [problem.message for problem in program_problems(task, command_words(task))]


CODE = """
sh -c 'echo {param.x}'
sh -c 'echo {param.n}'
/bin/bash -ec {param.x}
bash -euo pipefail -c 'echo {param.x}'
bash -c -e {param.x}
bash -c -- {param.x}
bash -O extglob -c {param.x}
bash --rcfile f -c {param.x}
bash {param.loud} -c {param.x}
bash {param.ec}
bash {param.x}
bash scripts/{param.x}.sh
fish -c {param.x}
python {param.x}
python3 -c{param.x}
python3.12 -Bc {param.x}
python3 {param.ec}
python3 -m {param.x}
python3 -W{param.x} t.py
perl -e 'print 1' -e {param.x}
perl {param.e}
perl -lne'print {param.x}'
perl -pe 's/a/b/' {param.x}
perl -i.bak -pe 's/a/{param.n}/' f
perl -M{param.x} t.pl
perl -l{param.x} -e 1
Rscript --vanilla -e {param.x}
Rscript {param.e}
R --no-save -e 'a({param.x})'
Rscript -e {input.files}
ruby -rjson -e {param.x}
node --eval={param.x}
node {param.eval}
php -r {param.x}
lua -e {param.x}
julia -e {param.x}
gnuplot -e {param.x}
pwsh -Command {param.x}
awk {param.x} in.txt
awk -F , '/{param.x}/ {{print}}' in.txt
awk {param.f} in.txt
awk -f {param.x} in.txt
awk -v a=1 -e {param.x} in.txt
gawk --source {param.x}
gawk -i {param.x} '{print}'
awk -- {param.x}
bioawk -c fastx {param.x} in
sed {param.x} in
sed {param.e} in
sed -n -e {param.x}
sed -n{param.x} in
sed -E {param.x}
sed -f {param.x}
sed --expression={param.x}
jq --indent 2 {param.x} a.json
m4 -D{param.x} f
parallel echo {param.x}
watch ls {param.x}
ssh host ls {param.x}
make X={param.x}
env -S {param.x}
env BASH_ENV={param.x} bash x.sh
env LD_PRELOAD={input.file} tool
find . -exec {param.x} ;
find . -name a -exec sh -c {param.x} ;
xargs -I X sh -c {param.x}
singularity exec img.sif bash -c {param.x}
conda run -n env python -c {param.x}
nohup nice timeout 5 python -c {param.x}
/usr/bin/env python3 -c {param.x}
busybox sh -c {param.x}
sqlite3 db {param.x}
psql -c {param.x}
mlr --icsv filter {param.x} f
git -c {param.x} status
tar -I {param.x} -xf f
rsync -e {param.x} a b
sort --compress-program={param.x} f
split --filter {param.x}
vim -c {param.x} f
flock l -c {param.x}
{param.x}
{param.c}
{input.file} a
./{param.x}/tool
env -i {param.x}
env A=1 {param.x}
nice -n 5 {param.x}
timeout -s KILL 5 {param.x}
xargs -n 1 {param.x}
singularity exec img.sif {param.x}
singularity exec {param.x} tool
docker run -v a:b img {param.x}
sudo -u bob {param.x}
srun -n 4 {param.x}
""".strip().splitlines()


@pytest.mark.parametrize("text", CODE)
def test_a_value_is_never_code_nor_chooses_what_is_run(text: str) -> None:
    assert holes(text)
    assert all("script" in message or "program" in message for message in holes(text))


DATA = """
sh -c 'echo $1' _ {param.x}
bash -euo pipefail -c 'echo $1' _ {param.x}
bash tool.sh -c {param.x}
bash tool.sh {param.ec}
python3 tool.py -c {param.x}
python3 -m tool {param.x}
python3 -c 'import sys' {param.x}
python3 tool.py {param.loud} {param.e}
perl -e 'print $ARGV[0]' {param.x}
perl tool.pl -e {param.x}
Rscript plot.R --args -e {param.x}
Rscript -e 'x' {param.x}
awk -v x={param.x} '{print x}' in
awk -F {param.x} '{print}' in
awk -F{param.x} '{print}' in
awk '{print}' {param.x}
awk 'NR < {param.n}' in
awk '/{param.c}/' in
sed -n 1p {param.x}
sed s/a/{param.n}/ f
sed -i{param.x} s/a/b/ f
jq --arg x {param.x} .[$x] f
grep -e {param.x} f
grep {param.e} f
find {input.files} -name {param.x}
find . -name {param.x}
env A={param.x} tool
env -i tool {param.x}
nice -n 5 tool {param.x}
nice -n {param.n} tool
timeout 5 tool {param.x}
timeout -s KILL 5 tool {param.x}
nice -n 5 python3 tool.py {param.x}
singularity exec img.sif tool {param.x}
docker run -v a:b img tool {param.x}
conda run -n env tool {param.x}
srun -n 4 tool {param.x}
xargs -n 1 tool {param.x}
java -jar x.jar {param.x}
tar -xf {input.file}
mlr --icsv cut -f {param.x} f
git clone {param.x}
tool -e {param.x} -c {param.x} {param.ec}
""".strip().splitlines()


@pytest.mark.parametrize("text", DATA)
def test_a_value_beside_the_code_is_only_data(text: str) -> None:
    assert holes(text) == []


# Scripts


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("echo $param_x", [("x", 1)]),
        ("echo\n\ncat ${param_x} $param_y $param_x", [("x", 3), ("y", 3)]),
        ("echo ${param_x:-none}", [("x", 1)]),
        ('echo "$(cat $param_x)"', [("x", 1)]),
        ("echo 'a'$param_x", [("x", 1)]),
        ('cat <<END\n$param_x\nEND\necho $param_y', [("y", 4)]),
        ('cat <<< "$param_x" $param_y', [("y", 1)]),
        ("for a in $param_x; do :; done", [("x", 1)]),
        ('echo "$param_x" "${param_x}" "a $(cat "$param_y") b"', []),
        ("echo '$param_x' # $param_x", []),
        ("echo \\$param_x", []),
        ("a=$param_x export B=$param_y", []),
        ("case $param_x in a) ;; esac; [[ $param_y = a ]]; (( $param_x > 1 ))", []),
        ('echo ${param_x:+--flag "$param_x"} ${#param_x}', []),
        ("echo $input_x $parameter", []),
        ('echo "`cat $param_x`" "$param_y"', [("x", 1)]),
        ('echo `cat "$param_x"`', []),
        ("echo $'it\\'s $param_x' $param_y", [("y", 1)]),
        ("a=($param_x)", [("x", 1)]),
    ],
)  # fmt: skip
def test_an_unquoted_parameter_in_a_shell_script_is_worth_a_warning(text: str, warned: list[tuple[str, int]]) -> None:
    task = TaskDefinition.model_validate({"script": text, "parameters": {"x": STRING, "y": STRING}})
    problems = check_task(task)
    assert all(problem.warning for problem in problems)
    assert [problem.message.split(" so ")[0] for problem in problems] == [
        f"$param_{name} stands without quotes in line {line} of the script," for name, line in warned
    ]


def test_all_lines_are_named_in_which_a_value_stands_without_quotes() -> None:
    text = 'a $param_x $param_y\nb "$param_x" $param_x $param_x\nc\nd ${param_x}\n'
    problems = said(script=text, parameters={"x": STRING, "y": STRING})
    assert [problem.partition(" of the script")[0] for problem in problems] == [
        "warning: script: $param_x stands without quotes in lines 1, 2 and 4",
        "warning: script: $param_y stands without quotes in line 1",
    ]


@pytest.mark.parametrize(
    ("interpreter", "option"),
    [
        ("bash -c", "-c"),
        ("bash -euc", "-c"),
        ("/usr/bin/python3 -c", "-c"),
        ("python -m", "-m"),
        ("env perl -we", "-we"),
        ("Rscript -e", "-e"),
        ("bash -e", None),
        ("perl -w", None),
        ("python -u", None),
        ("gdb -batch -x", None),
        ("node -r", None),
        ("awk -f", None),
    ],
)
def test_an_interpreter_that_takes_text_runs_no_script_file(interpreter: str, option: str | None) -> None:
    for written in (interpreter, interpreter.split()):
        problems = said(script="true", interpreter=written)
        assert len(problems) == (option is not None), problems
        assert all("the script is a file: leave" in problem for problem in problems)


def test_an_unquoted_file_of_the_task_in_a_shell_script_is_worth_a_warning() -> None:
    text = 'cat $input_a "$input_a" ${input_b} $input_own > $output_c'
    problems = said(script=text, inputs={"a": "a.txt", "b": "b.txt"}, outputs={"c": "c.txt"})
    assert [problem.partition(" stands")[0] for problem in problems] == [
        "warning: script: $input_a", "warning: script: $input_b", "warning: script: $output_c",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("interpreter", "warns"),
    [(None, True), ("bash", True), ("/bin/sh -eu", True), ("python", False), ("Rscript", False), ("perl", False)],
)
def test_only_scripts_of_a_shell_are_looked_at(interpreter: str | None, warns: bool) -> None:
    assert bool(said(script="print $param_x", interpreter=interpreter, parameters={"x": STRING})) is warns


@pytest.mark.parametrize(
    ("output", "stream", "file"),
    [
        ("out.txt", "stdout", "out.txt"),
        ("*.log", "stdout", "stdout.log"),
        ("*.log", "stderr", "stderr.log"),
        ("logs/*.txt", "stderr", "logs/stderr.txt"),
        ("a?.log", "stderr", None),
    ],
)
def test_a_stream_goes_to_the_file_that_its_output_names(output: str, stream: str, file: str | None) -> None:
    task = TaskDefinition.model_validate(script(outputs={"x": output}, stdout="x", stderr="x"))
    assert stream_file(task, stream) == file


def test_a_stream_that_is_no_output_is_a_log() -> None:
    assert stream_file(TaskDefinition(script="true"), "stdout") is None
