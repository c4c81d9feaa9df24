"""The programs that a shell script surely calls: what a check of a machine may look for.

Only what can be said for sure is said. A script that changes where programs are looked for, or that is written in a
way that `shell_text` does not take apart rightly, names none.
"""

import re

from analytics_automated.pipelines.shell_text import SimpleCommand, TooComplicated, take_apart

_RESERVED = "if then else elif fi case esac for select while until do done in function time coproc { } ! [[ ]]"
"""Reserved words: bash(1), RESERVED WORDS."""
_BUILTINS = """
    . : [ alias bg bind break builtin caller cd command compgen complete compopt continue declare dirs disown echo
    enable eval exec exit export false fc fg getopts hash help history jobs kill let local logout mapfile popd printf
    pushd pwd read readarray readonly return set shift shopt source suspend test times trap true type typeset ulimit
    umask unalias unset wait print
"""
"""What `compgen -b` lists, and ksh's `print`."""
_WORDS_OF_THE_SHELL = frozenset(f"{_RESERVED} {_BUILTINS}".split())
_CHANGES_THE_SEARCH = re.compile(r"\bPATH\+?=|(?:^|[\s;&|({])(?:source|\.|eval|module|ml|conda|mamba|alias|cd|hash)\s")
"""Behind these, programs may lie where nobody can tell. Relative folders of PATH make `cd` one of them."""
_NOT_TAKEN_APART = re.compile(r"\(\(|=\(|\bcase\b|\bselect\b|\bcoproc\b|\[\[|<\(|>\(")
_FUNCTION = re.compile(r"(?:\bfunction\s+([^\s(){};]+))|(?:([^\s(){};]+)\s*\(\s*\))")
_ASKED_FOR = re.compile(r"\b(?:command\s+-[vV]|which|type(?:\s+-\w+)?)\s+([\w.+-]+)")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=.*", re.DOTALL)
_PROGRAM = re.compile(r"[\w./+-]*\w[\w./+-]*")


def programs_of_script(script: str) -> list[str]:
    """Names of programs, in order, each once."""
    if _CHANGES_THE_SEARCH.search(script) or _NOT_TAKEN_APART.search(script):
        return []
    try:
        commands = take_apart(script).commands
    except TooComplicated:
        return []
    own = {name for found in _FUNCTION.finditer(script) for name in found.groups() if name}
    # Who asks whether there is a program can do without it.
    own |= set(_ASKED_FOR.findall(script)) | _WORDS_OF_THE_SHELL
    found = dict.fromkeys(_program_of(command) for command in commands)
    return [name for name in found if name is not None and name not in own]


def _program_of(command: SimpleCommand) -> str | None:
    words = list(command.words)
    while words and _ASSIGNMENT.fullmatch(words[0].value):
        words.pop(0)
    is_sure = words and words[0].is_plain and _PROGRAM.fullmatch(words[0].value)
    return words[0].value if is_sure else None
