"""Programs that take code on their command line: no value of a caller's may become a part of that code.

`sh -c`, `python -c`, `awk` and their like are harmless while the code is the author's. With a parameter inside it
they are a shell with another name, so the configuration is refused and `script` is proposed.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analytics_automated.pipelines.checks.interpreters import (
    CARRIERS,
    INTERPRETERS,
    JOINERS,
    LANGUAGES,
    RUNNERS,
    Interpreter,
    Language,
)
from analytics_automated.pipelines.checks.variables import loads_code
from analytics_automated.pipelines.definitions import (
    ParameterDefinition,
    ParameterType,
    TaskDefinition,
    TaskInputDefinition,
)
from analytics_automated.pipelines.problems import Problem
from analytics_automated.pipelines.templates import Placeholder, Word


@dataclass(frozen=True, slots=True)
class Argument:
    """A word as the program gets it: a parameter's flag and its value are two."""

    lead: str
    """The literal text that it begins with; all of it where `kinds` is empty."""
    kinds: frozenset[str] = frozenset()
    """Kinds of the placeholders in it."""
    is_free: bool = False
    """True where a caller may put any text into it."""

    @property
    def is_valued(self) -> bool:
        """True where it depends on what a caller sent."""
        return self.is_free or bool(self.kinds & {"param", "scatter"})

    @property
    def name(self) -> str:
        """The program's name, where it is one."""
        return "" if self.kinds else self.lead.rpartition("/")[2]

    def __str__(self) -> str:
        return self.lead + "…" * bool(self.kinds)


def arguments_of(task: TaskDefinition, words: Sequence[Word]) -> list[Argument]:
    """The words of the task's command as its program gets them, with all optional ones."""
    return [argument for word in words for argument in _arguments(task, word)]


def _arguments(task: TaskDefinition, word: Word) -> Iterator[Argument]:
    kinds = frozenset(placeholder.kind for placeholder in word.placeholders)
    is_free = any(_is_free(task, placeholder, word) for placeholder in word.placeholders)
    option = _option(task, word.lone)
    if option is None or option.flag is None:
        yield Argument(word.lead if kinds else word.literal or "", kinds, is_free)
    elif isinstance(option, ParameterDefinition) and option.kind is ParameterType.BOOLEAN and not option.many:
        yield Argument(option.flag)
    elif option.separator is not None:
        yield Argument(option.flag + option.separator, kinds, is_free)
    else:
        yield Argument(option.flag)
        yield Argument("", kinds, is_free)


def _option(task: TaskDefinition, lone: Placeholder | None) -> ParameterDefinition | TaskInputDefinition | None:
    if lone is None:
        return None
    if lone.kind == "param":
        return task.parameters.get(lone.name)
    return task.inputs.get(lone.name) if lone.kind == "input" else None


def _is_free(task: TaskDefinition, placeholder: Placeholder, word: Word) -> bool:
    """True where the placeholder is a caller's text, or the names of a caller's files."""
    if placeholder.kind == "param" and placeholder.name in task.parameters:
        parameter = task.parameters[placeholder.name]
        return parameter.kind is ParameterType.STRING and not parameter.stored
    if placeholder.kind == "input" and placeholder.name in task.inputs:
        return word.lone is not None and task.inputs[placeholder.name].many
    return placeholder.kind == "scatter"


def program_problems(task: TaskDefinition, words: Sequence[Word]) -> Iterator[Problem]:
    """Problems of a command by which a caller's value could become code, or choose the program."""
    messages = _messages(arguments_of(task, words))
    yield from (Problem(("command",), message) for message in dict.fromkeys(messages))


_CHOSEN = "the program itself must be written out: a value must not choose what is run"


def _messages(given: Sequence[Argument]) -> Iterator[str]:
    if given[0].kinds & {"param", "scatter", "input"}:
        yield _CHOSEN
    if given[0].name in RUNNERS:
        yield from _run_by_runners(given)
    # Behind a runner any word may be the program: which one it is depends on the runner's options.
    for index in range(len(given)) if given[0].name in CARRIERS else (0,):
        name, rest = given[index].name, given[index + 1 :]
        for interpreter in INTERPRETERS:
            if name and re.fullmatch(interpreter.programs, name):
                yield from _code_behind_options(name, rest, interpreter)
        for language in LANGUAGES:
            if re.fullmatch(language.programs, name):
                yield from _code_in_first_argument(name, rest, language)
        if re.fullmatch(JOINERS, name) and any(argument.is_free for argument in rest):
            yield f"{name} gives its arguments to a shell, and a parameter among them would be run: write a `script`"


def _run_by_runners(given: Sequence[Argument]) -> Iterator[str]:
    """Walk to the program that is run in the end, behind `nice`, `env` and their like."""
    operands, valued = RUNNERS[given[0].name]
    value_of_option = False
    for argument in given[1:]:
        lead = argument.lead
        if value_of_option:
            value_of_option = False
        elif lead.startswith("-"):
            value_of_option = re.fullmatch(valued, lead) is not None
            if argument.is_free and "=" not in lead:
                yield _CHOSEN
        elif variable := re.match(r"([A-Za-z_]\w*)=", lead):
            if (argument.is_free or "input" in argument.kinds) and loads_code(variable[1]):
                yield f"programs load code by the variable {variable[1]}: no value of a caller's may reach it"
        elif operands:
            operands -= 1
            if argument.is_free:
                yield _CHOSEN
        elif argument.kinds & {"param", "scatter", "input"}:
            yield _CHOSEN
            return
        elif argument.name not in RUNNERS:
            return
        else:
            operands, valued = RUNNERS[argument.name]


def _code_behind_options(program: str, rest: Sequence[Argument], interpreter: Interpreter) -> Iterator[str]:
    option, has_code, value_of_option, opens = "", False, False, False
    for argument in rest:
        lead = argument.lead
        is_option = lead.startswith(("-", "+")) and lead not in {"-", "--"}
        ends_options = lead == "--" or (lead == "-" and interpreter.code_is_operand)
        opens = opens or re.fullmatch(interpreter.opens, lead) is not None
        if option and not ((is_option or ends_options) and interpreter.code_is_operand):
            if argument.is_valued:
                yield _run_too(program, option)
            if interpreter.code_ends_options:
                return
            option = ""
        elif value_of_option:
            value_of_option = False
        elif re.fullmatch(interpreter.code_next, lead) and not argument.kinds:
            option, has_code = lead, True
        elif is_option:
            holds_code = re.fullmatch(interpreter.code_here, lead + "x" * bool(argument.kinds)) is not None
            if (argument.is_valued and holds_code) or (argument.is_free and interpreter.takes_script):
                yield _run_too(program, str(argument))
            has_code = has_code or holds_code
            value_of_option = re.fullmatch(interpreter.valued, lead) is not None and not argument.kinds
        elif not ends_options:
            yield from _operand(program, argument, interpreter, has_code=has_code, opens=opens)
            if interpreter.takes_script and not opens:
                return


def _operand(
    program: str, argument: Argument, interpreter: Interpreter, *, has_code: bool, opens: bool
) -> Iterator[str]:
    if argument.is_free and opens:
        yield f"{program} runs an operand such as 'id|' in place of opening it: write a `script`"
    elif argument.is_free and interpreter.operands_are_code:
        yield _run_too(program, "")
    elif argument.is_free and interpreter.takes_script and not has_code:
        yield _CHOSEN


def _run_too(program: str, option: str) -> str:
    what = f"{program} {option}".strip()
    return (
        f"{what} runs text of its command line, and a parameter inside it would be run too: "
        "write a `script`, where the value is in the environment"
    )


def _code_in_first_argument(program: str, rest: Sequence[Argument], language: Language) -> Iterator[str]:
    """Free text within those arguments that are program text, or that name its file."""
    has_program, code_next, file_next, skip = False, False, False, 0
    for argument in rest:
        lead, is_whole = argument.lead, not argument.kinds
        if file_next:
            file_next, has_program = False, True
            if argument.is_free:
                yield _CHOSEN
        elif code_next:
            code_next, has_program = False, True
            yield from _inside(program, argument)
        elif skip:
            skip -= 1
        elif is_whole and lead in language.valued:
            skip = language.valued[lead]
        elif is_whole and re.fullmatch(language.code_next, lead):
            code_next = True
        elif is_whole and re.fullmatch(language.file_next, lead):
            file_next = True
        elif lead.startswith("-"):
            has_program = has_program or re.fullmatch(language.code_here, lead) is not None
            if not re.fullmatch(language.harmless, lead):
                yield from _inside(program, argument)
        elif not has_program:
            has_program = True
            yield from _inside(program, argument)


def _inside(program: str, argument: Argument) -> Iterator[str]:
    if argument.is_free:
        yield (
            f"a caller's text stands inside the program of {program}, which would run it: "
            "write a `script`, or pass the value beside the program"
        )
