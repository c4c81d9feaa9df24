"""What is known of programs that take code, or another program, on their command line.

None of these lists can be complete. They hold what people really put into pipelines, and what does the same under
another name.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_NEVER = r"(?!)"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A program that runs text given behind, or within, one of its options."""

    programs: str
    code_next: str
    """Options whose next word is run."""
    code_here: str = _NEVER
    """Options that hold what is run in the same word."""
    valued: str = _NEVER
    """Other options that take the next word."""
    opens: str = _NEVER
    """Options with which its operands are opened so that some are run: Perl's `<>` runs `id|` (perlop, I/O)."""
    takes_script: bool = False
    """Whether the first other word is a script, behind which all options are the script's own."""
    code_ends_options: bool = False
    """Whether all that follows the code is the code's own."""
    code_is_operand: bool = False
    """Whether further options may stand between the option and its code, as with `sh -c -e TEXT`."""
    operands_are_code: bool = False
    """Whether words that are no options are code, too, such as the statements of `sqlite3 FILE SQL`."""


_SHELL = r"(?:r?ba|da|z|k|lk|mk|pdk|ok|a|ya|c|tc|fi|po|hu|xon|elvi)?sh[\d.]*|rc|es|nu"

INTERPRETERS = (
    Interpreter(
        _SHELL,
        r"-[A-Za-z]*c[A-Za-z]*|--command",
        r"--command=.*",
        r"[-+][A-Za-z]*[oO]|--(rcfile|init-file)",
        takes_script=True,
        code_ends_options=True,
        code_is_operand=True,
    ),
    Interpreter(
        r"(python|pypy|ipython|micropython|jython|sage|bpython)[\d.]*(-dbg|d|w)?",
        r"-[A-Za-z]*[cm]",
        r"-[A-Za-z]*[cm].+",
        r"-[WXQ]|--check-hash-based-pycs",
        takes_script=True,
        code_ends_options=True,
    ),
    Interpreter(r"Rscript|R|r|lr|littler", r"-e|--eval", r"-e.+|--eval=.*", r"-[gfd]|--(gui|file)", takes_script=True),
    Interpreter(
        r"perl[\d.]*",
        r"-[A-Za-z0-9]*[eEMm]",
        r"-[A-Za-z0-9]*[eEMmF].+",
        r"-[CIx]",
        r"-[A-Za-z0-9]*[np].*",
        takes_script=True,
    ),
    Interpreter(r"j?ruby[\d.]*", r"-[A-Za-z]*[er]", r"-[A-Za-z]*[er].+", r"-[ICEK]", takes_script=True),
    Interpreter(
        r"node|nodejs|deno|bun|qjs|d8",
        r"-[A-Za-z]*[epr]|--(eval|print|require|import|loader|experimental-loader)|eval",
        r"--(eval|print|require|import|loader|experimental-loader)=.*",
        takes_script=True,
    ),
    Interpreter(r"php[\d.]*", r"-[rRBEdF]", r"-[rRBEdF].+", r"-[cftSz]", takes_script=True),
    Interpreter(r"lua[\d.]*|luajit", r"-[el]", r"-[el].+", takes_script=True),
    Interpreter(
        r"julia", r"-[eEL]|--(eval|print|load)", r"-[eEL].+|--(eval|print|load)=.*", r"-[JptCHO]", takes_script=True
    ),
    Interpreter(r"octave(-cli)?|matlab|gnuplot|maxima|gp|sbcl|gdb|emacs|osascript",
                 r"-(e|r|batch|ex|iex|x)|--(eval|execute|batch-string|eval-command|init-eval-command|load|command)",
                 r"-e.+|--(eval|batch-string|eval-command|command)=.*"),
    Interpreter(r"guile|racket|clojure|clj|groovy|scala|elixir|erl|expect|ghc|runghc|tclsh[\d.]*|wish[\d.]*|pwsh|powershell",
                 r"-(c|e|eval|s|Command|command|EncodedCommand)|--(eval|command)", r"--(eval|command)=.*",
                 takes_script=True),
    Interpreter(r"n?vi|n?vim|vimdiff|view|ex|ed", r"-[cS]|--cmd", r"\+.*|--cmd=.*"),
    Interpreter(r"sqlite3?|duckdb|psql|mysql|mariadb", r"-(c|e|cmd|s|init)|--(command|execute|cmd|init-command)",
                 r"-e.+|--(command|execute|cmd|init-command)=.*", r"-[vUhpPdFfoS]|-(separator|nullvalue)|--\w+",
                 operands_are_code=True),
    Interpreter(r"mlr", r"put|filter", code_is_operand=True),
    Interpreter(r"m4", r"-D|--define", r"-D.+|--define=.*"),
    Interpreter(r"busybox|toybox|eval|su|runuser|script|flock", r"-[A-Za-z]*c|--command", r"--command=.*"),
    Interpreter(r"g?env", r"-[A-Za-z]*S|--split-string", r"-[A-Za-z]*S.+|--split-string=.*"),
    Interpreter(r"g?find", r"-(exec|execdir|ok|okdir)"),
    Interpreter(r"scp|sftp", r"-[oSD]", r"-[oSD].+"),
    Interpreter(r"rsync", r"-[A-Za-z]*e|--(rsh|rsync-path)", r"-e.+|--(rsh|rsync-path)=.*"),
    Interpreter(r"git", r"-[cu]|--(upload-pack|receive-pack|exec|config-env|exec-path)",
                 r"-[cu].+|--(upload-pack|receive-pack|exec|config-env|exec-path)=.*"),
    Interpreter(r"(bsd|g)?tar",
                 r"-[A-Za-z]*[IF]|--(checkpoint-action|to-command|use-compress-program|rsh-command|info-script)",
                 r"-I.+|--(checkpoint-action|to-command|use-compress-program|rsh-command|info-script).*"),
    Interpreter(r"g?(split|sort)|zip|man|curl|wget", r"--(filter|compress-program|pager|config|use-askpass)|-TT|-[KP]",
                 r"--(filter|compress-program|unzip-command|pager|config|use-askpass)=.*"),
)  # fmt: skip

_TEXT_NEXT = re.compile(r"-[A-Za-z0-9]*[ceE]|-[A-Za-z]*m|--(eval|command|execute|print)")
"""Of the options that take code, those that take it as text; others take a file."""


def takes_text(words: Sequence[str]) -> bool:
    """True where the last of these words makes the program before it take text, or a module's name, for its code."""
    *before, last = words
    return _TEXT_NEXT.fullmatch(last) is not None and any(
        re.fullmatch(interpreter.code_next, last) and re.fullmatch(interpreter.programs, word.rpartition("/")[2])
        for word in before
        for interpreter in INTERPRETERS
        if interpreter.takes_script
    )


JOINERS = r"parallel|sem|watch|ssh|rsh|mosh|hyperfine|entr|g?make|bmake|nmake|ninja|tmux|screen|xterm|nix-shell|socat"
"""Programs that give their arguments to a shell, on this machine or another."""


@dataclass(frozen=True, slots=True)
class Language:
    """Programs whose first word that is no option is a program of their own language."""

    programs: str
    valued: Mapping[str, int]
    """Options whose next words, so many, are data."""
    code_next: str
    """Options whose next word is a part of the program."""
    code_here: str
    """Options that hold a part of the program in the same word."""
    file_next: str
    """Options whose next word is the file of a program."""
    harmless: str = _NEVER
    """Options in whose word a value is only data."""


_AWK = (
    r"-e|--source",
    r"-e.+|--source=.*",
    r"-[A-Za-z]*f|-[iEl]|--(file|exec|include|load)",
    r"-[vF].*|--(assign|field-separator)=.*",
)
_AWK_VALUED = dict.fromkeys(("-v", "-F", "-W", "--assign", "--field-separator"), 1)

LANGUAGES = (
    Language(r"(g|m|n|go)?awk|original-awk", _AWK_VALUED, *_AWK),
    Language(r"bioawk", {**_AWK_VALUED, "-c": 1}, *_AWK),
    Language(
        r"g?sed|ssed",
        dict.fromkeys(("-l", "--line-length"), 1),
        r"-[nErsuz]*e|--expression",
        r"-[nErsuz]*e.+|--expression=.*",
        r"-[nErsuz]*f|--file",
        r"-[nErsuz]*i.*|--in-place=.*",
    ),
    Language(
        r"jq|gojq|jaq|yq|bc|dc|m4",
        {
            **dict.fromkeys(("--arg", "--argjson", "--slurpfile", "--rawfile"), 2),
            **dict.fromkeys(("--indent", "-L"), 1),
        },
        r"-e|--expression",
        r"--expression=.*",
        r"-[A-Za-z]*f|--(file|from-file)",
    ),
)

RUNNERS: dict[str, tuple[int, str]] = {
    **dict.fromkeys(("env", "genv"), (0, r"-[uC]|--(unset|chdir)")),
    **dict.fromkeys(("nice", "gnice"), (0, r"-n|--adjustment")),
    "ionice": (0, r"-[cnpPu]|--(class|classdata)"),
    **dict.fromkeys(("timeout", "gtimeout"), (1, r"-[ks]|--(signal|kill-after)")),
    **dict.fromkeys(("time", "gtime"), (0, r"-[fo]|--(format|output)")),
    "stdbuf": (0, r"-[ioe]|--(input|output|error)"),
    **dict.fromkeys(("xargs", "gxargs"), (0, r"-[IinPLdsEa]|--(arg-file|delimiter|max-\w+|replace)")),
    **dict.fromkeys(("sudo", "doas", "gosu", "su-exec"), (0, r"-[ugCDhprtTU]|--(user|group|host|chdir|prompt)")),
    "chroot": (1, _NEVER),
    "flock": (1, r"-[wE]|--(timeout|wait|conflict-exit-code)"),
    **dict.fromkeys(("linux32", "linux64", "i386", "i686", "x86_64", "uname26"), (0, _NEVER)),
    **dict.fromkeys(("taskset", "chrt", "setarch"), (1, r"-p|--pid")),
    "numactl": (0, r"-[CNmip]"),
    **dict.fromkeys(("strace", "ltrace"), (0, r"-[oepsuEPSaI]")),
    **dict.fromkeys(("srun", "salloc"), (0, r"-[nNpctJoeiAwxGm]")),
    **dict.fromkeys(("mpirun", "mpiexec", "orterun"), (0, r"-(n|np|c|N|H|host|x|machinefile|hostfile)")),
    **dict.fromkeys(("singularity", "apptainer"), (2, r"-[BHSWpo]|--(bind|home|env|pwd|overlay|scratch|workdir)")),
    **dict.fromkeys(
        ("docker", "podman", "nerdctl"),
        (2, r"-[veuwhpml]|--(name|env|volume|user|workdir|entrypoint|network|mount|gpus|memory|cpus|platform)"),
    ),
    **dict.fromkeys(("conda", "mamba", "micromamba"), (1, r"-[np]|--(name|prefix|cwd)")),
    **dict.fromkeys(("uv", "pipx", "poetry", "pipenv", "pixi", "rye", "hatch", "spack", "perf"), (1, r"-[peE]|--\w+")),
    "nsenter": (0, r"-[tSG]|--(target|setuid|setgid)"),
    **dict.fromkeys(("systemd-run", "cgexec", "setpriv", "firejail", "bwrap", "unshare", "prlimit"), (0, r"-[pgu]")),
    **dict.fromkeys(
        ("nohup", "setsid", "exec", "command", "builtin", "busybox", "toybox", "catchsegv", "valgrind", "npx", "uvx",
         "tini", "dumb-init", "fakeroot", "proot", "xvfb-run", "rlwrap", "unbuffer", "cpulimit", "watch", "parallel"),
        (0, r"-[Snlpi]"),
    ),
}  # fmt: skip
"""Programs that run the program that their arguments name: how many words stand before it, and their options that
take the next word."""

CARRIERS = frozenset({*RUNNERS, "find", "gfind"})
"""Programs among whose arguments another program may stand."""
