"""Programs that take code on their command line: no value of a caller's may become a part of that code.

`sh -c`, `python -c`, `awk` and their like are harmless while the code is the author's. With a parameter inside it
they are a shell with another name, so the configuration is refused and `script` is proposed.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analytics_automated.pipelines.definitions import ParameterType, TaskDefinition
from analytics_automated.pipelines.problems import Problem
from analytics_automated.pipelines.templates import Word


@dataclass(frozen=True, slots=True)
class _Interpreter:
    """A program that runs text given behind, or within, one of its options."""

    programs: re.Pattern[str]
    code: re.Pattern[str]
    """Options whose text is run."""
    valued: re.Pattern[str] = re.compile(r"(?!)")
    """Other options that take the next word."""
    script_ends_options: bool = True
    """Whether the first other word is a script, behind which all options are the script's own."""


_SHELL = r"(?:ba|da|z|k|mk|a|c|tc|fi)?sh"
_INTERPRETERS = tuple(
    _Interpreter(re.compile(programs), re.compile(code), re.compile(valued or "(?!)"), ends)
    for programs, code, valued, ends in (
        (_SHELL, r"-[A-Za-z]*c[A-Za-z]*|--command(=.*)?", r"[-+][oO]|--(rcfile|init-file)", True),
        (r"busybox|toybox|eval", r"-[A-Za-z]*c[A-Za-z]*", "", False),
        (r"(python|pypy|ipython)[\d.]*", r"-[A-Za-z]*c.*", r"-[WXQ]", True),
        (r"Rscript|R|littler", r"-e.*|--eval.*", r"-g", True),
        (r"perl[\d.]*", r"-[A-Za-z0-9]*[eEMm].*", r"-[CIx]", True),
        (r"ruby[\d.]*", r"-[A-Za-z]*[er].*", r"-[ICE]", True),
        (r"node|nodejs|deno|bun", r"-[A-Za-z]*[epr]|--(eval|print|require|import).*|eval", "", True),
        (r"php[\d.]*", r"-[rRBEd].*", r"-[cft]", True),
        (r"lua[\d.]*|luajit", r"-[el].*", "", True),
        (r"julia", r"-[eEL].*|--(eval|print|load).*", r"-[JptCO]", True),
        (r"octave(-cli)?|matlab", r"--eval.*|-r|-batch", "", False),
        (r"sqlite3|psql|mysql|duckdb", r"-(c|e|cmd|s)|--(command|execute).*", "", False),
        (r"env", r"-[A-Za-z]*S.*|--split-string.*", "", False),
        (r"su|runuser|script|flock", r"-[A-Za-z]*c.*|--command.*", "", False),
        (r"ssh", r"-o.*", "", False),
        (
            r"(bsd|g)?tar",
            r"--(checkpoint-action|to-command|use-compress-program|rsh-command).*|-I.*",
            "",
            False,
        ),
    )
)

_PROGRAM_FIRST = re.compile(r"[gmn]?awk|original-awk|g?sed|jq|yq|bc|dc|m4")
"""Programs whose first word that is no option is a program of their own language."""

_RUNNERS = re.compile(
    r"env|nice|ionice|nohup|timeout|time|setsid|stdbuf|xargs|parallel|sudo|doas|su|chroot|unshare|nsenter|flock|"
    r"taskset|chrt|prlimit|numactl|strace|ltrace|watch|srun|mpirun|mpiexec|ssh|exec|command|busybox|toybox|catchsegv|"
    r"singularity|apptainer|docker|podman|bwrap|firejail|conda|mamba|micromamba|uv|uvx|npx|pipx|make|find"
)
"""Programs that run the program that their arguments name."""


def program_problems(task: TaskDefinition, words: Sequence[Word]) -> Iterator[Problem]:
    """Problems of a command by which a caller's value could become code, or choose the program."""
    wrapped = _wrapped(words)
    for index in {0, wrapped}:
        if _holds(words[index], "param", "scatter", "input"):
            message = "the program itself must be written out: a value must not choose what is run"
            yield Problem(("command",), message)
    for index in range(len(words)) if wrapped else (0,):
        program = _basename(words[index])
        for interpreter in _INTERPRETERS:
            if interpreter.programs.fullmatch(program):
                yield from _code_behind_options(words, index, interpreter, program)
        if _PROGRAM_FIRST.fullmatch(program):
            yield from _code_in_first_argument(task, words, index, program)


def _basename(word: Word) -> str:
    return (word.literal or "").rpartition("/")[2]


def _wrapped(words: Sequence[Word]) -> int:
    """The place of the program that is run in the end: behind runners such as `nice` and their options."""
    index = 0
    while _RUNNERS.fullmatch(_basename(words[index])):
        ahead = index + 1
        while ahead < len(words) and re.match(r"-|[A-Za-z_]\w*=|[\d.]+[smhd]?$", words[ahead].lead):
            ahead += 1
        if ahead == len(words):
            break
        index = ahead
    return index


def _holds(word: Word, *kinds: str) -> bool:
    return any(placeholder.kind in kinds for placeholder in word.placeholders)


def _code_behind_options(
    words: Sequence[Word], index: int, interpreter: _Interpreter, program: str
) -> Iterator[Problem]:
    value_of_option = False
    for place in range(index + 1, len(words)):
        word = words[place]
        if interpreter.code.fullmatch(word.lead):
            if any(_holds(candidate, "param", "scatter") for candidate in words[place : place + 2]):
                yield Problem(
                    ("command",),
                    f"{program} {word.lead} runs the text that follows, and a parameter inside it would be run too: "
                    "write a `script`, where the value is in the environment",
                )
            return
        if interpreter.script_ends_options and not value_of_option and not word.lead.startswith(("-", "+")):
            return
        value_of_option = interpreter.valued.fullmatch(word.lead) is not None


_TAKES_NEXT = {
    **dict.fromkeys(
        ("-v", "-F", "--assign", "--field-separator", "-l", "--line-length", "-i", "--include"), 1
    ),
    **dict.fromkeys(("--arg", "--argjson", "--slurpfile", "--rawfile"), 2),
}


def _code_in_first_argument(
    task: TaskDefinition, words: Sequence[Word], index: int, program: str
) -> Iterator[Problem]:
    for word in _program_texts(words[index + 1 :]):
        for placeholder in word.placeholders:
            parameter = task.parameters.get(placeholder.name) if placeholder.kind == "param" else None
            if parameter is not None and word.lone is not None and parameter.flag is not None:
                continue  # an option with its value
            free = parameter is not None and parameter.kind is ParameterType.STRING and not parameter.stored
            if free or placeholder.kind == "scatter":
                yield Problem(
                    ("command",),
                    f"{placeholder} stands inside the program of {program}, which would run it: "
                    "write a `script`, or pass the value beside the program",
                )


def _program_texts(arguments: Sequence[Word]) -> Iterator[Word]:
    """Those arguments of awk, sed and the like that are program text."""
    has_program = False
    skip = 0
    expression_next = False
    for word in arguments:
        lead = word.lead
        if expression_next or re.match(r"-[A-Za-z]*e.|--(expression|source)=", lead):
            expression_next, has_program = False, True
            yield word
        elif skip:
            skip -= 1
        elif lead in _TAKES_NEXT:
            skip = _TAKES_NEXT[lead]
        elif re.fullmatch(r"-[A-Za-z]*f|--file|--from-file", lead):
            has_program, skip = True, 1
        elif re.fullmatch(r"-[A-Za-z]*e|--expression|--source", lead):
            expression_next = True
        elif not lead.startswith("-") and not has_program:
            yield word
            has_program = word.literal is not None or not _is_option(word)


def _is_option(word: Word) -> bool:
    return word.lone is not None and word.lone.kind == "param"
