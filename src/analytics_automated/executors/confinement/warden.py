"""The program that starts a command inside a sandbox, waits for it, and tells outside how it ended.

bubblewrap itself makes no difference between a command that a signal ended and one that ended by itself with an exit
code of 128 and more, and does not tell the processor time of what ran.
"""

import os
import platform
import signal
from collections.abc import Mapping
from dataclasses import dataclass

from analytics_automated.executors.base import ATTEMPT_VARIABLE

_SETRLIMIT = {"x86_64": 160, "aarch64": 164, "riscv64": 164, "loongarch64": 164, "ppc64le": 75, "s390x": 75}
"""Numbers of the system call, by machine (arch/*/tables/syscall*.tbl in Linux)."""

MARK = "@"
"""In front of the command's variables on their way into the sandbox. So none of them, be it LD_PRELOAD or PERL5OPT, has
a meaning for the programs that make the sandbox, which run outside of it, or for the warden."""

PROGRAM = r"""
open(my $told, '>&=', shift) or die;
$SIG{$_} = sub {} for qw(HUP INT QUIT TERM USR1 USR2 ALRM);
my %given = (AA_ATTEMPT => $ENV{AA_ATTEMPT});
for (keys %ENV) { $given{substr $_, 1} = $ENV{$_} if /^\@/ }
%ENV = %given;
my ($setrlimit, $limits) = splice @ARGV, 0, 2;
my $file = $ARGV[0];
my $pid = fork;
if (!defined $pid) { syswrite $told, 'F ' . ($! + 0) . "\n"; exit 0 }
if (!$pid) {
    for (split /,/, $limits) {
        my ($what, $most) = split /=/;
        next if !syscall($setrlimit, $what + 0, pack('QQ', $most, $most));
        syswrite $told, 'F ' . ($! + 0) . "\n";
        exit 126;
    }
    exec { $file } @ARGV;
    syswrite $told, 'X ' . ($! + 0) . ' ' . (-e $file ? 1 : 0) . "\n";
    exit 127;
}
waitpid $pid, 0;
my $status = $?;
my @times = times;
syswrite $told, 'W ' . $status . ' ' . ($times[2] + $times[3]) . "\n";
""".strip()
"""In Perl, which starts in a millisecond. Handlers, unlike ignored signals, do not pass on to the command. Descriptors
above 2 are closed when it begins (perlvar, $^F). Arguments: the descriptor to tell on, the number of
setrlimit(2), the limits, the command's words. The status is that of wait(2)."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the warden said; all none where it said nothing."""

    status: int | None = None
    """How the command ended, as wait(2) has it."""
    cpu_seconds: float | None = None
    """User and system time of the command and of the children that it waited for."""
    not_executed: int | None = None
    """The error number of execve(2), where the command could not be executed."""
    is_there: bool = True
    """Whether there is such a file within the sandbox."""
    not_forked: int | None = None
    """The error number of fork(2) or setrlimit(2), where no process, or none with its limits, could be made for it."""

    @property
    def exit_code(self) -> int | None:
        """The command's exit code, where it ended by itself."""
        return os.WEXITSTATUS(self.status) if self.status is not None and os.WIFEXITED(self.status) else None

    @property
    def signal(self) -> int | None:
        """The signal that ended the command, where one did."""
        return os.WTERMSIG(self.status) if self.status is not None and os.WIFSIGNALED(self.status) else None


def setrlimit_number() -> int | None:
    """The number of setrlimit(2) on this machine; none where it is not known."""
    return _SETRLIMIT.get(platform.machine())


def read(lines: list[str]) -> Told:
    """What the warden's lines say. A command could write such lines too, of itself alone: whatever cannot be read
    counts as not said."""
    status = cpu = not_executed = not_forked = None
    is_there = True
    for line in lines:
        try:
            match line.split():
                case ["W", number, seconds]:
                    status, cpu = _status(int(number)), max(0.0, float(seconds))
                case ["X", number, there]:
                    not_executed, is_there = int(number), there == "1"
                case ["F", number]:
                    not_forked = int(number)
        except (ValueError, OverflowError):
            continue
    return Told(status, cpu, not_executed, is_there, not_forked)


def marked(environment: Mapping[str, str], attempt: str) -> dict[str, str]:
    """The environment as it goes to the warden."""
    return {ATTEMPT_VARIABLE: attempt, **{f"{MARK}{name}": value for name, value in environment.items()}}


def _status(number: int) -> int:
    if not 0 <= number <= 0xFFFF or not (os.WIFEXITED(number) or 0 < os.WTERMSIG(number) < signal.NSIG):
        raise ValueError(number)
    return number
