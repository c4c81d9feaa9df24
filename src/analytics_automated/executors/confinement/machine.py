"""What of this machine every sandboxed command may see: its programs, and what these need to work."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix/store", "/gnu/store")
_HARMLESS = (
    "/sys/devices/system",  # how many processors there are, and how memory is laid out
    "/var/cache/fontconfig",
)
_ETC = (
    # Programs and libraries: where they are.
    "alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "paths.d",
    # Names of users, hosts and services.
    "group", "gai.conf", "host.conf", "hosts", "nsswitch.conf", "passwd", "protocols", "services",
    # Language, time, terminals, kinds of files, fonts, paper.
    "default/locale", "locale.alias", "locale.conf", "localtime", "timezone", "terminfo", "inputrc",
    "magic", "magic.mime", "mime.types", "fonts", "papersize", "paperspecs",
    # Certificates of others. Never the folders of private keys beside them.
    "ca-certificates", "ca-certificates.conf", "crypto-policies", "pki/ca-trust", "pki/tls/cert.pem",
    "pki/tls/certs", "ssl/cert.pem", "ssl/certs", "ssl/openssl.cnf",
    # Shells and module systems.
    "bash.bashrc", "bashrc", "environment-modules", "lmod", "profile", "profile.d", "shells",
    # Languages and tools.
    "ImageMagick-6", "ImageMagick-7", "OpenCL", "R", "ghostscript", "gnuplot", "ipython", "java", "jvm", "libblas",
    "libpaper.d", "lua", "ncbi", "octave", "openmpi", "perl", "python", "python3", "php", "ruby",
)  # fmt: skip
_ETC_PATTERNS = ("java-*", "python3.*", "libblas.so*", "liblapack.so*", "R-*")
_NETWORK = ("/etc/resolv.conf",)
_ORDERS = (
    "sys", "irq", "bus", "fs", "acpi", "scsi", "driver", "dynamic_debug", "mtrr", "pressure", "sysrq-trigger",
)  # fmt: skip
"""What in /proc the kernel takes orders by. It takes many from whoever has the user id 0 outside, whatever rights he
has; bubblewrap sees to that only where the folder itself can be written to."""
_TOOLS_PATH = "/usr/bin:/bin:/usr/local/bin:/usr/sbin:/sbin"
"""Where the tools are looked for: in folders that a command sees, too."""


class NoTool(Exception):
    """A program that a sandbox is made with is not on this machine. The text says which, and how to get it."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The facts about one machine that a sandbox is made from."""

    bwrap: str
    """The programs' paths."""
    prlimit: str
    perl: str
    system: tuple[Path, ...]
    """Files and folders that every command may read."""
    links: tuple[tuple[Path, str], ...] = ()
    """Links at the top, such as `/bin`, and where they lead."""
    network: tuple[Path, ...] = ()
    """What a command reads besides that uses the network."""
    orders: tuple[Path, ...] = ()
    """What in /proc is to be read only."""

    @classmethod
    def here(cls) -> Self:
        """This machine as it is now. Raises `NoTool`."""
        links = [Path(name) for name in _SYSTEM if Path(name).is_symlink()]
        folders = [Path(name) for name in (*_SYSTEM, *_HARMLESS) if Path(name).exists() and Path(name) not in links]
        etc = Path("/etc")
        configured = {etc / name for name in _ETC} | {each for pattern in _ETC_PATTERNS for each in etc.glob(pattern)}
        return cls(
            bwrap=_tool("bwrap", "bubblewrap"),
            prlimit=_tool("prlimit", "util-linux"),
            perl=_tool("perl", "perl"),
            system=(*folders, *sorted(each for each in configured if each.exists())),
            links=tuple((each, str(each.readlink())) for each in links),
            network=tuple(Path(name) for name in _NETWORK if Path(name).exists()),
            orders=tuple(Path("/proc", name) for name in _ORDERS if Path("/proc", name).exists()),
        )


def _tool(name: str, package: str) -> str:
    found = shutil.which(name, path=_TOOLS_PATH)
    if found is None:
        raise NoTool(f"there is no program `{name}` on this machine: install the package {package}")
    return found
