"""A server of the tests' own: its data in a folder of its own, on a port of its own, gone at the end."""

import getpass
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

PATIENCE = 30.0
"""Seconds after which a server that does not start, or does not stop, is given up."""


class Missing(Exception):
    """A program is not on this machine. The argument says which, and how to get it."""


class PrivateServer(ABC):
    """A server that this process starts and stops, as often as it likes, with the same data on the same port.

    It ends with the process that started it, however that ends.
    """

    package: str
    """Debian's package that has it."""
    stop_signal: signal.Signals
    """Has it stop at once, without waiting for its clients."""

    def __init__(self) -> None:
        self.program = self.find()
        self.port = _free_port()
        # Not in pytest's own folder: an unprivileged server could not enter that.
        self.folder = Path(tempfile.mkdtemp(prefix=f"aa-{self.package}-"))
        self.log = self.folder / "log"
        self.process: subprocess.Popen[bytes] | None = None
        self.user = self._user()
        if self.user is not None:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)

    @classmethod
    @abstractmethod
    def find(cls) -> Path:
        """Where the server's program is. Raises `Missing`."""

    @classmethod
    def missing(cls) -> Missing:
        """What to say where it is not there."""
        return Missing(f"{cls.package} is not installed: apt-get install {cls.package}")

    @property
    @abstractmethod
    def url(self) -> str:
        """Its address, as A_A's settings take it."""

    @abstractmethod
    def command(self) -> Sequence[str | Path]:
        """What serves in the foreground."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it takes requests already."""

    def prepare(self) -> None:  # noqa: B027 - not all need something
        """Make what it needs before its first start."""

    def start(self) -> None:
        """Start it; returns when it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.as_user(self.command(), mortal=True),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C is for the tests, which then stop it
            )
        deadline = time.monotonic() + PATIENCE
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.package} does not start:\n{self.log.read_text(errors='replace')}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop it, with the data as it is; its clients lose their connections."""
        self._end(self.stop_signal)

    def kill(self) -> None:
        """End it as a crash would."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Have it take connections and answer nothing, as a host that hangs does."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Have it go on."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGCONT)

    def remove(self) -> None:
        """Stop it and remove its data."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self, number: signal.Signals) -> None:
        if self.process is None:
            return
        self.thaw()
        self.process.send_signal(number)
        try:
            self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def as_user(self, command: Sequence[str | Path], *, mortal: bool = False) -> list[str]:
        """The command as the server's user; with `mortal` it ends when this process does."""
        words = ["setpriv"]
        if mortal:
            words += ["--pdeathsig", self.stop_signal.name.removeprefix("SIG")]
        if self.user is not None:
            words += ["--reuid", str(self.user.pw_uid), "--regid", str(self.user.pw_gid), "--clear-groups"]
        return [*words, "--", *map(str, command)]

    def _user(self) -> pwd.struct_passwd | None:
        """The unprivileged user that it runs as where the tests are run by root; PostgreSQL refuses root."""
        if os.geteuid() != 0:
            return None
        try:
            return pwd.getpwnam("postgres")
        except KeyError:
            return pwd.getpwnam("nobody")

    @property
    def user_name(self) -> str:
        """Who it runs as."""
        return self.user.pw_name if self.user is not None else getpass.getuser()


def _free_port() -> int:
    """A port that nobody listens on and that the kernel gives to no client: one that asks a stopped server's port
    again and again would one day be given just that port as its own, and be connected to itself."""
    first_of_clients = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(10_000, max(first_of_clients, 10_100))
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def on_path(program: str) -> Path | None:
    """Where a program is, also among those of the system's administrator."""
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    return Path(found) if found else None
