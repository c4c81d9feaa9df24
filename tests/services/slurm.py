"""A Slurm cluster of one machine, for tests: controller, node and accounting, with their own munge and MariaDB."""

import contextlib
import getpass
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path

import psutil

from services.private_server import PATIENCE, PrivateServer, on_path

HOST = socket.gethostname().partition(".")[0]
CPUS = 16
"""More than any machine of ours has: most commands of tests only wait."""
MEMORY_MB = 8000
FREEZER = Path("/sys/fs/cgroup/freezer")
"""By this control group (version 1) Slurm finds all processes of a job, as it does at most sites. Without it, those that
leave their parents escape."""

_CONFIGURATION = """\
ClusterName=aa
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={slurmd}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={munge}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/{tracking}
TaskPlugin=task/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
PropagateResourceLimits=NONE
ReturnToService=2
SlurmdParameters=config_overrides
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=100
MaxJobCount=20000
KillWait=1
MessageTimeout=5
GresTypes=gpu
{accounting}
NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} Gres=gpu:2 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
PartitionName=short Nodes=ALL MaxTime=5 DefaultTime=1 State=UP
PartitionName=closed Nodes=ALL MaxTime=INFINITE State=DOWN
"""
_ACCOUNTING = """\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={port}
AccountingStoragePass={munge}
"""
_DATABASE = """\
AuthType=auth/munge
AuthInfo=socket={munge}
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={port}
SlurmUser={user}
PidFile={folder}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={mariadb}
StorageUser={user}
StoragePass=none
StorageLoc=accounting
"""


class Daemon(PrivateServer):
    """One program of the cluster. All run as whoever runs the tests: Slurm's must be root to change users, and need no
    other one where they do not."""

    program_name: str

    @classmethod
    def find(cls) -> Path:
        """With the administrator's programs."""
        found = on_path(cls.program_name)
        if found is None:
            raise cls.missing()
        return found

    @property
    def url(self) -> str:
        """None of them is asked for one."""
        return ""

    def _user(self) -> None:
        return None

    def listens(self) -> bool:
        """Whether somebody takes connections on its port."""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=2):
            return True
        return False

    @abstractmethod
    def command(self) -> Sequence[str | Path]:
        """What serves in the foreground."""


class Munge(Daemon):
    """Tells Slurm's programs who asks."""

    package = "munge"
    program_name = "munged"
    stop_signal = signal.SIGTERM

    @property
    def socket(self) -> Path:
        """Where it is asked."""
        return self.folder / "socket"

    def prepare(self) -> None:
        """Its key."""
        key = self.folder / "key"
        key.write_bytes(random.randbytes(128))
        key.chmod(0o600)
        self.folder.chmod(0o755)

    def command(self) -> Sequence[str | Path]:
        """With all its files in its folder."""
        files = {"socket": "socket", "key-file": "key", "pid-file": "pid", "seed-file": "seed", "log-file": "munge.log"}
        return [self.program, "--foreground", "--force", *(f"--{o}={self.folder / name}" for o, name in files.items())]

    def answers(self) -> bool:
        """Whether it seals something."""
        asked = [self.program.parent.parent / "bin" / "munge", "--no-input", "--socket", self.socket]
        return self.socket.exists() and subprocess.run(asked, capture_output=True, check=False).returncode == 0


class MariaDB(Daemon):
    """Where the accounting keeps its tables."""

    package = "mariadb-server-core"
    program_name = "mariadbd"
    stop_signal = signal.SIGTERM

    def prepare(self) -> None:
        """An empty folder is enough, without its own tables of users."""
        (self.folder / "data").mkdir()

    def command(self) -> Sequence[str | Path]:
        """Without users, and with as little care for the disk as it can have."""
        settings = {
            "user": getpass.getuser(),
            "datadir": self.folder / "data",
            "socket": self.folder / "socket",
            "port": self.port,
            "bind-address": "127.0.0.1",
            "innodb-buffer-pool-size": "64M",
            "innodb-log-file-size": "16M",
            "innodb-flush-log-at-trx-commit": 0,
            "innodb-lock-wait-timeout": 900,
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        return [self.program, "--no-defaults", *options, "--skip-grant-tables", "--skip-name-resolve"]

    def answers(self) -> bool:
        """Whether it takes connections."""
        return self.listens()


class Accounting(Daemon):
    """slurmdbd."""

    package = "slurmdbd"
    program_name = "slurmdbd"
    stop_signal = signal.SIGTERM

    def configure(self, munge: Munge, mariadb: MariaDB) -> None:
        """Its configuration lies where it looks for it: beside the cluster's."""
        file = self.folder / "slurmdbd.conf"
        text = _DATABASE.format(
            munge=munge.socket, port=self.port, mariadb=mariadb.port, user=getpass.getuser(), folder=self.folder
        )
        file.write_text(text)
        file.chmod(0o600)
        (self.folder / "slurm.conf").write_text("")

    def command(self) -> Sequence[str | Path]:
        """It has no option that says where its configuration is; a variable does."""
        return ["env", f"SLURM_CONF={self.folder}/slurm.conf", self.program, "-D"]

    def answers(self) -> bool:
        """Whether it takes connections."""
        return self.listens()


class Controller(Daemon):
    """slurmctld."""

    package = "slurm-wlm"
    program_name = "slurmctld"
    stop_signal = signal.SIGTERM
    configuration: Path

    def command(self) -> Sequence[str | Path]:
        """With the cluster's configuration."""
        return [self.program, "-D", "-f", self.configuration]

    def answers(self) -> bool:
        """Whether it says so."""
        asked = subprocess.run(
            ["scontrol", "ping"],
            env={**os.environ, "SLURM_CONF": str(self.configuration)},
            capture_output=True,
            check=False,
        )
        return asked.returncode == 0


class Node(Daemon):
    """slurmd."""

    package = "slurm-wlm"
    program_name = "slurmd"
    stop_signal = signal.SIGTERM
    configuration: Path

    @property
    def name(self) -> str:
        """Of no other cluster's node on this machine: control groups are named after it."""
        return f"aa{self.port}"

    @property
    def group(self) -> Path:
        """Where its jobs' processes are."""
        return FREEZER / f"slurm_{self.name}"

    @property
    def tracking(self) -> str:
        """How it knows the processes of a job."""
        return "cgroup" if os.access(FREEZER, os.W_OK) else "linuxproc"

    def remove(self) -> None:
        """With its control groups, once they are empty."""
        super().remove()
        for folder in sorted(self.group.rglob("*/"), reverse=True):
            with contextlib.suppress(OSError):
                folder.rmdir()
        with contextlib.suppress(OSError):
            self.group.rmdir()

    def command(self) -> Sequence[str | Path]:
        """With the cluster's configuration, by its own name."""
        return [self.program, "-D", "-f", self.configuration, "-N", self.name]

    def answers(self) -> bool:
        """Whether the controller has it at work."""
        asked = subprocess.run(
            ["sinfo", "--noheader", "--format=%T", "--partition=main"],
            env={**os.environ, "SLURM_CONF": str(self.configuration)},
            capture_output=True,
            text=True,
            check=False,
        )
        return asked.stdout.strip() in ("idle", "mixed", "allocated", "completing")


class Slurm:
    """The cluster. Its controller and its accounting can be stopped and started on their own."""

    def __init__(self, *, accounting: bool = True) -> None:
        """Raises `Missing`."""
        for program in (Munge, Controller, Node, *((MariaDB, Accounting) if accounting else ())):
            program.find()
        self.folder = Path(tempfile.mkdtemp(prefix="aa-slurm-"))
        self.configuration = self.folder / "slurm.conf"
        self.munge = Munge()
        self.mariadb = MariaDB() if accounting else None
        self.accounting = Accounting() if accounting else None
        self.controller = Controller()
        self.node = Node()

    @property
    def daemons(self) -> list[Daemon]:
        """All, in the order of their start."""
        each = (self.munge, self.mariadb, self.accounting, self.controller, self.node)
        return [daemon for daemon in each if daemon is not None]

    def start(self) -> None:
        """Start all; returns when a job could run."""
        accounting = "AccountingStorageType=accounting_storage/none"
        if self.accounting and self.mariadb:
            self.accounting.configure(self.munge, self.mariadb)
            accounting = _ACCOUNTING.format(port=self.accounting.port, munge=self.munge.socket)
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        text = _CONFIGURATION.format(
            accounting=accounting,
            host=HOST,
            node=self.node.name,
            tracking=self.node.tracking,
            controller=self.controller.port,
            slurmd=self.node.port,
            user=getpass.getuser(),
            munge=self.munge.socket,
            folder=self.folder,
            cpus=CPUS,
            memory=MEMORY_MB,
        )
        self.configuration.write_text(text)
        devices = ("/dev/null", "/dev/zero")
        lines = [f"NodeName={self.node.name} Name=gpu File={device}\n" for device in devices]
        (self.folder / "gres.conf").write_text("".join(lines))
        (self.folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n")
        self.controller.configuration = self.node.configuration = self.configuration
        for daemon in self.daemons:
            daemon.prepare()
            daemon.start()
            if daemon is self.accounting:
                self.ask("sacctmgr", "--immediate", "add", "cluster", "aa")

    def ask(self, *words: str | Path) -> str:
        """Run one of its commands as its administrator; what it wrote."""
        environment = {**os.environ, "SLURM_CONF": str(self.configuration)}
        done = subprocess.run(
            list(map(str, words)), env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.returncode == 0, f"{words[0]}: {done.stderr}"
        return done.stdout

    def clear(self) -> None:
        """End all jobs."""
        self.ask("scancel", "--user", getpass.getuser())

    def remove(self) -> None:
        """End its jobs, stop it, and remove its data."""
        with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
            self.clear()
            deadline = time.monotonic() + PATIENCE
            while self.ask("squeue", "--noheader") and time.monotonic() < deadline:
                time.sleep(0.1)
        for process in self._keepers():
            for each in (*process.children(recursive=True), process):
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.kill()
        for daemon in reversed(self.daemons):
            daemon.remove()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _keepers(self) -> list[psutil.Process]:
        """The processes that look after this cluster's jobs, and outlive its daemons where these cannot end them."""
        spool = str(self.folder / "spool")
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.name() == "slurmstepd" and any(
                    spool in str(each.laddr) for each in process.net_connections("unix")
                ):
                    found.append(process)
        return found
