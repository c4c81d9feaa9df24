"""The scripts that a node runs for one attempt, in POSIX sh: what the scheduler gets, the wrapper and the command.

The scheduler gets a line that starts the wrapper, and nothing else: it keeps what it gets, and shows it. The wrapper
claims the attempt, runs the command script and records its end. The command script becomes the command, with the
environment that was asked for; values may be secrets, so they are in the file and never in an argument.
"""

import re
import shlex
from pathlib import Path

from analytics_automated.executors.base import ATTEMPT_VARIABLE, CommandSpec

CLAIMED = 75
"""What the wrapper ends with where another job, or an earlier start of this one, has the attempt: EX_TEMPFAIL of
sysexits.h."""

_WRAPPER = """\
# Runs one attempt. Its argument is the id of the job that it runs in.
state={state}
PATH=/usr/local/bin:/usr/bin:/bin; export PATH
unset PERL5LIB PERL5OPT
mask=$(umask)
umask 077
exec </dev/null 2>>"$state/node.log"
put() {{ printf '%s\\n' "$2" >"$state/$1.part" && mv -f "$state/$1.part" "$state/$1"; }}

# Whoever makes this folder has the attempt: a submission that was made twice does not run twice.
mkdir "$state/claim" 2>/dev/null || exit {claimed}
put job "$1"
put started "$(uname -n)"

# The scheduler tells all processes of the job to end. The wrapper stays, to record how the command took it.
told=
trap 'told=told' TERM
set --
{devices}
# A shell gives 128 and more for a signal, as a command may do itself; only perl tells the two apart.
if command -v perl >/dev/null 2>&1; then
    end=$(perl -e '
        $SIG{{TERM}} = sub {{}};
        $end = system {{ "/usr/bin/env" }} @ARGV;
        print $end == -1 ? "exit 127" : $end & 127 ? "signal " . ($end & 127) : "exit " . ($end >> 8);
    ' env -i "$@" /bin/sh "$state/command" "$mask")
else
    env -i "$@" /bin/sh "$state/command" "$mask" >/dev/null
    code=$?
    if [ "$code" -gt 128 ]; then end="signal $((code - 128))"; else end="exit $code"; fi
fi
{{ printf '%s\\n' "$end" "$told"; times; }} >"$state/exit.part" && mv -f "$state/exit.part" "$state/exit"
case $end in
"signal "*) exit $((128 + ${{end#* }})) ;;
*) exit "${{end#* }}" ;;
esac
"""

_COMMAND = """\
# Becomes the command. Its argument is the umask that the command has.
state={state}
workdir={workdir}
name={name}
unreachable() {{ printf '%s\\n' "$1" >"$state/unreachable"; exit 74; }}
refuse() {{ printf '%s\\n' "$2" >"$state/refusal"; exit "$1"; }}
cd "$workdir" || unreachable "the node cannot enter the work folder"
[ -r {stdin} ] || unreachable "the node cannot read the file of standard input"
exec <{stdin} >{stdout} 2>{stderr}
umask "$1"
unset PWD OLDPWD SHLVL
{exports}
program=
refused=
case $name in
'') refuse 127 "the command names no program" ;;
/*) program=$name ;;
*/*) program=./$name ;;
*)
    rest=${{PATH-/bin:/usr/bin}}:
    while [ -n "$rest" ]; do
        folder=${{rest%%:*}}
        rest=${{rest#*:}}
        case $folder in /*) ;; *) folder=$workdir/$folder ;; esac
        if [ -f "$folder/$name" ]; then
            if [ -x "$folder/$name" ]; then
                program=$folder/$name
                break
            fi
            refused=${{refused:-$folder/$name}}
        fi
    done
    ;;
esac
[ -n "$program" ] || [ -z "$refused" ] || refuse 126 "$refused: not executable"
[ -n "$program" ] || refuse 127 "$name: not found on the PATH ${{PATH-/bin:/usr/bin}}"
[ -e "$program" ] || refuse 127 "$name: not found"
[ -f "$program" ] && [ -x "$program" ] || refuse 126 "$name: not executable"
exec {odd}"$program"{arguments}
"""

_DEVICES = """\
# Which accelerators are the command's is the scheduler's to say.
for device in CUDA_VISIBLE_DEVICES NVIDIA_VISIBLE_DEVICES ROCR_VISIBLE_DEVICES GPU_DEVICE_ORDINAL ZE_AFFINITY_MASK; do
    eval "value=\\${$device-}"
    [ -z "$value" ] || set -- "$@" "$device=$value"
done
"""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_READ_ONLY = frozenset(("PPID", "UID", "EUID", "BASHOPTS", "SHELLOPTS", "BASH_VERSINFO"))
"""Names that some shells do not let anybody assign."""


def wrapper_script(spec: CommandSpec, state: Path) -> str:
    """Runs the command script of the same folder and records how it ended."""
    return _WRAPPER.format(
        state=shlex.quote(str(state)), claimed=CLAIMED, devices=_DEVICES if spec.resources.gpus else ""
    )


def command_script(spec: CommandSpec, state: Path) -> str:
    """Becomes the command."""
    environment = {**spec.environment, ATTEMPT_VARIABLE: spec.attempt}
    exported = {name for name in environment if _VARIABLE.fullmatch(name) and name not in _READ_ONLY}
    # A shell cannot export such names. env(1) can, but shows their values to the machine while it starts.
    odd = [f"{name}={value}" for name, value in environment.items() if name not in exported]
    stdout = state / "stdout" if spec.stdout is None else spec.workdir / spec.stdout
    stderr = state / "stderr" if spec.stderr is None else spec.workdir / spec.stderr
    return _COMMAND.format(
        state=shlex.quote(str(state)),
        workdir=shlex.quote(str(spec.workdir)),
        name=shlex.quote(spec.argv[0] if spec.argv else ""),
        stdin=shlex.quote(str("/dev/null" if spec.stdin is None else spec.workdir / spec.stdin)),
        stdout=shlex.quote(str(stdout)),
        # One open description has one position. With two, each stream would overwrite the other.
        stderr="&1" if stdout.resolve() == stderr.resolve() else shlex.quote(str(stderr)),
        exports="".join(
            f"export {name}={shlex.quote(environment[name])}\n" for name in environment if name in exported
        ),
        odd="".join(f"{word} " for word in ("env", *map(shlex.quote, odd))) if odd else "",
        arguments="".join(f" {shlex.quote(word)}" for word in spec.argv[1:]),
    )


def start_line(state: Path, job: str) -> str:
    """What the scheduler's own script says to run the wrapper; `job` is the shell's expression of the job's id."""
    return f'exec /bin/sh {shlex.quote(str(state / "wrapper"))} "{job}"'
