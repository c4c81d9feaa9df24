"""What of this machine every sandboxed command may see: its programs, and what these need to work."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from analytics_automated.executors.confinement.warden import setrlimit_number

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix/store", "/gnu/store")
_HARMLESS = (
    "/sys/devices/system",  # how many processors there are, and how memory is laid out
    "/var/cache/fontconfig",
)
_ETC = (
    # Programs and libraries: where they are.
    "alternatives", "ld.so.cache",
    # Names of users and hosts.
    "group", "hosts", "nsswitch.conf", "passwd",
    # Time, fonts, paper.
    "fonts", "localtime", "papersize", "timezone",
    # Certificates of others. Never the folders of private keys beside them.
    "crypto-policies", "pki/ca-trust", "pki/tls/certs", "ssl/certs", "ssl/openssl.cnf",
    # Module systems.
    "environment-modules", "lmod", "profile.d",
    # Languages and tools.
    "ImageMagick-6", "ImageMagick-7", "OpenCL", "R", "ghostscript", "java", "octave", "openmpi",
)  # fmt: skip
"""No more than programs commonly read: each costs every command a sixth of a millisecond."""
_ETC_PATTERNS = ("java-*",)
_NETWORK = ("/etc/resolv.conf", "/etc/services", "/etc/protocols", "/etc/gai.conf", "/etc/host.conf")
_ORDERS = (
    "sys", "irq", "bus", "fs", "acpi", "scsi", "driver", "dynamic_debug", "sysrq-trigger",
)  # fmt: skip
"""What in /proc the kernel takes orders by. It takes many from whoever has the user id 0 outside, whatever rights he
has; bubblewrap sees to that only where the folder itself can be written to. (`mtrr` and `pressure` ask for rights.)"""
_SMALL = 500_000
_TOOLS_PATH = "/usr/bin:/bin:/usr/local/bin:/usr/sbin:/sbin"
"""Where the tools are looked for: in folders that a command sees, too."""


class NoTool(Exception):
    """A program that a sandbox is made with is not on this machine. The text says which, and how to get it."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The facts about one machine that a sandbox is made from."""

    bwrap: str
    """The programs' paths."""
    perl: str
    setrlimit: int
    """The number of that system call."""
    system: tuple[Path, ...]
    """Folders that every command may read, and large files."""
    files: tuple[Path, ...] = ()
    """Small files that every command may read. To copy one costs less than to mount it."""
    links: tuple[tuple[Path, str], ...] = ()
    """Links at the top, such as `/bin`, and where they lead."""
    network: tuple[Path, ...] = ()
    """What a command reads besides that uses the network."""
    orders: tuple[Path, ...] = ()
    """What in /proc is to be read only."""

    @classmethod
    def here(cls) -> Self:
        """This machine as it is now. Raises `NoTool`."""
        etc = Path("/etc")
        wanted = [Path(name) for name in (*_SYSTEM, *_HARMLESS)] + [etc / name for name in _ETC]
        wanted += sorted(each for pattern in _ETC_PATTERNS for each in etc.glob(pattern))
        wanted = [each for each in wanted if each.exists() and not (each.is_dir() and not any(each.iterdir()))]
        links = [each for each in wanted if each.is_symlink() and each.resolve().is_relative_to("/usr")]
        return cls(
            bwrap=_tool("bwrap", "bubblewrap"),
            perl=_tool("perl", "perl"),
            setrlimit=_setrlimit(),
            system=tuple(each for each in wanted if each not in links and not _is_small(each)),
            files=tuple(each for each in wanted if each not in links and _is_small(each)),
            links=tuple((each, str(each.readlink())) for each in links),
            network=tuple(Path(name) for name in _NETWORK if Path(name).exists()),
            orders=tuple(Path("/proc", name) for name in _ORDERS if _can_be_changed(Path("/proc", name))),
        )


def _setrlimit() -> int:
    number = setrlimit_number()
    if number is None:
        raise NoTool("the number of the system call setrlimit is not known for this kind of machine")
    return number


def _is_small(path: Path) -> bool:
    return path.is_file() and path.stat().st_size < _SMALL


def _can_be_changed(path: Path) -> bool:
    """Whether anything there takes what is written to it, from somebody. An ordinary user is not that somebody."""
    files = path.rglob("*") if path.is_dir() else [path] if path.exists() else []
    return os.geteuid() == 0 and any(not each.is_dir() and each.lstat().st_mode & 0o222 for each in files)


def _tool(name: str, package: str) -> str:
    found = shutil.which(name, path=_TOOLS_PATH)
    if found is None:
        raise NoTool(f"there is no program `{name}` on this machine: install the package {package}")
    return found
