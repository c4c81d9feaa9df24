"""What a process used, as the kernel counted it."""

import resource

_KIB = 1024  # getrusage(2): ru_maxrss is in kibibytes on Linux.


def own_peak() -> int:
    """Bytes of the largest resident set that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB


def peak_memory(usage: resource.struct_rusage, starter: int) -> int | None:
    """Bytes of the largest resident set of a process or any child it waited for; none where that is not
    known.

    At execve(2) Linux counts the memory that a new process had before, and that was the memory of `starter`
    bytes of the process that started it (fs/exec.c, exec_mmap; fork and vfork alike). So only a figure
    clearly above it is the program's own; the kernel's counters are rough by some per cent.
    """
    peak = usage.ru_maxrss * _KIB
    return peak if peak > starter + starter // 16 else None


def cpu_seconds(usage: resource.struct_rusage) -> float:
    """User and system time of a process and of the children it waited for."""
    return usage.ru_utime + usage.ru_stime
