"""Attempts to get out of the sandbox. Where the tests run as root, each is made as root and as an ordinary user.

An attack that succeeds says ESCAPED. Those that would succeed without a sandbox are shown to, so that it is the sandbox
that holds them.
"""

import functools
import os
import platform
import pty
import socket
import stat
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from analytics_automated.executors.base import Cause, CommandSpec, Confinement, Outcome, Resources
from analytics_automated.executors.confinement.sandbox import sandbox_here
from analytics_automated.executors.limits import MARGIN, LocalOptions
from analytics_automated.executors.local import LocalExecutor
from executors.contract import PATIENCE, carriers

ORDINARY_USER = 54_321
"""No account has this id; none is needed."""
MARKER = f"secret-{uuid.uuid4().hex}"
PTRACE = {"x86_64": 101, "aarch64": 117, "riscv64": 117, "ppc64le": 26, "s390x": 26}.get(platform.machine(), 101)


class Prison:
    """A work folder as the engine makes it, within a data folder, beside another submission's."""

    def __init__(self, top: Path) -> None:
        self.data = top / "data"
        self.attempt = f"escape-{uuid.uuid4().hex}"
        mine = self.data / "work" / f"aa-{self.attempt}"
        self.work, self.tmp, self.home = mine / "work", mine / "tmp", mine / "home"
        self.other = self.data / "work" / "aa-other" / "work"
        for folder in (self.work, self.tmp, self.home, self.other):
            folder.mkdir(parents=True)
        for secret in (
            self.other / "input.fasta",
            self.data / "db.sqlite3",
            self.data / "secret_key",
            top / "home.txt",
        ):
            secret.write_text(MARKER)
        self.shipped = self.work / "model.txt"
        self.shipped.write_text("shipped")
        self.reference = top / "reference"
        self.reference.mkdir()
        (self.reference / "db.fasta").write_text("reference")

    def spec(self, script: str, **fields: object) -> CommandSpec:
        made = CommandSpec(
            self.attempt,
            ("sh", "-c", script),
            self.work,
            {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "TMPDIR": str(self.tmp), "HOME": str(self.home)},
            confinement=Confinement(
                "required",
                readable=(self.reference,),
                writable=(self.tmp, self.home),
                fixed=(self.shipped,),
                hidden=(self.data,),
            ),
        )
        return replace(made, **fields)


USERS = ["root", "an ordinary user"] if os.geteuid() == 0 else ["an ordinary user"]


@pytest.fixture(params=USERS)
def prison(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Prison]:
    assert sandbox_here().machine, sandbox_here().said
    # Not below pytest's own folder, which an ordinary user cannot enter.
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        prison = Prison(top)
        if request.param == "an ordinary user" and os.geteuid() == 0:
            for each in (top, *top.rglob("*")):
                os.chown(each, ORDINARY_USER, ORDINARY_USER)
            ordinary = functools.partial(subprocess.Popen, user=ORDINARY_USER, group=ORDINARY_USER, extra_groups=[])
            monkeypatch.setattr(subprocess, "Popen", ordinary)
        yield prison
        assert not carriers(prison.attempt), "something got away"


@pytest.fixture
def run(prison: Prison) -> Callable[..., Outcome]:
    def run(script: str, options: LocalOptions | None = None, **fields: object) -> Outcome:
        executor = LocalExecutor(options or LocalOptions(), grace=0.1)
        outcome = executor.wait(executor.submit(prison.spec(script, **fields)), PATIENCE)
        assert outcome is not None, "the command did not end"
        return outcome

    return run


@pytest.fixture
def victim() -> Iterator[psutil.Popen]:
    """A process of this user's outside, with a secret in its environment."""
    with psutil.Popen(["sleep", "600"], env={"AA_SECRET_KEY": MARKER}) as process:
        yield process
        assert process.is_running()
        assert process.status() == psutil.STATUS_SLEEPING
        process.kill()


def perl(program: str) -> str:
    """Shell text that runs a program in Perl, which a sandbox needs anyway."""
    assert "'" not in program
    return f"perl -MSocket -e '{program}'"


# What can be read


@pytest.mark.parametrize("what", ["another submission's input", "the database", "the key", "a neighbour"])
def test_files_of_the_server_cannot_be_read(prison, run, what):
    path = {
        "another submission's input": prison.other / "input.fasta",
        "the database": prison.data / "db.sqlite3",
        "the key": prison.data / "secret_key",
        "a neighbour": prison.data.parent / "home.txt",
    }[what]
    attack = f"cat {path}; cat {path.parent}/*; ls -la {prison.data} {prison.data.parent}"
    assert MARKER in run(attack, confinement=Confinement("off")).stdout.text()
    outcome = run(attack)
    assert MARKER not in outcome.stdout.text()
    assert path.name not in outcome.stdout.text()


def test_the_data_folder_is_masked_where_it_lies_in_what_commands_may_read(prison, run):
    top = prison.data.parent
    spec = prison.spec("")
    confinement = replace(spec.confinement, readable=(top,))
    outcome = run(
        f"cat {top}/home.txt; echo; find {prison.data} -type f; touch {prison.data}/new", confinement=confinement
    )
    assert outcome.stdout.text().splitlines() == [MARKER, str(prison.shipped)]
    assert outcome.exit_code != 0
    assert not (prison.data / "new").exists()


@pytest.mark.parametrize(
    "path", ["/etc/shadow", "/root", "/home", "/run", "/var/run", "/var/lib", "/srv", "/mnt", "/boot"]
)
def test_other_places_of_the_machine_are_not_there(run, path):
    assert run(f"test -e {path}").exit_code == 1
    assert run(f"test -e /proc/1/root{path}").exit_code == 1


def test_the_machines_tmp_is_not_the_commands(prison, run):
    with tempfile.NamedTemporaryFile() as file:
        assert run(f"test -e {file.name}").exit_code == 1
    run("echo mine > /tmp/x; echo mine > /var/tmp/y")
    assert {each.name for each in prison.tmp.iterdir()} >= {"x", "y"}


def test_environments_of_other_processes_cannot_be_read(run, victim):
    attack = "cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep AA_SECRET_KEY"
    assert MARKER in run(attack, confinement=Confinement("off")).stdout.text()
    assert run(attack).exit_code == 1
    assert run(f"test -e /proc/{victim.pid}").exit_code == 1


def test_links_lead_nowhere(prison, run):
    other = prison.other / "input.fasta"
    assert run(f"ln -s /etc/shadow a; ln -s {other} b; cat a b").stdout.text() == ""
    assert run(f"ln {other} c || ln /usr/bin/env c || ln {prison.reference}/db.fasta c").exit_code != 0
    assert not (prison.work / "c").exists()


# What can be written


def test_shipped_files_and_reference_data_cannot_be_changed(prison, run):
    for path in (prison.shipped, prison.reference / "db.fasta"):
        before = path.read_bytes(), stat.S_IMODE(path.stat().st_mode)
        for attack in (
            f"echo x >> {path}",
            f"rm -f {path}",
            f"mv {path} gone",
            f"chmod 777 {path}",
            f"echo x > n; mv n {path}",
        ):
            assert run(attack).exit_code != 0, attack
        assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == before
    assert run(f"touch {prison.reference}/new").exit_code != 0


@pytest.mark.parametrize("folder", ["/", "/usr/bin", "/etc", "/dev", "/opt", "/var", "/proc/sys/kernel"])
def test_the_system_cannot_be_written(run, folder):
    assert run(f"echo x > {folder}/new").exit_code != 0
    assert run(f"mkdir {folder}/new").exit_code != 0


def test_the_kernel_takes_no_orders(run):
    # Nothing is written: for root outside, what he may open for writing is what he may change, but for the two that ask
    # for rights.
    found = run(
        "find /proc -writable -not -type l 2>/dev/null | grep -v -E '^/proc/(self|thread-self|[0-9]+|pressure)/|^/proc/mtrr$'"
    )
    assert found.stdout.text() == ""
    assert run("test -w /proc/sys/kernel/core_pattern").exit_code == 1
    assert run("cat /proc/sys/kernel/pid_max").exit_code == 0


def test_what_belongs_to_the_command_can_be_written(prison, run):
    assert (
        run(
            "echo x > out; echo x > $TMPDIR/t; echo x > ~/h; echo x > /tmp/u; echo x > /dev/shm/s; echo x > /dev/null"
        ).exit_code
        == 0
    )
    assert (prison.home / "h").exists()


# Network and sockets


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def test_the_network_is_out_of_reach_unless_it_was_asked_for(prison, run, listener):
    port = listener.getsockname()[1]
    attack = perl(
        "socket(S, PF_INET, SOCK_STREAM, 0) or die; "
        f'connect(S, sockaddr_in({port}, inet_aton("127.0.0.1"))) and print "ESCAPED"'
    )
    assert run(attack).stdout.text() == ""
    asked = replace(prison.spec("").confinement, network=True)
    assert run(attack, confinement=asked).stdout.text() == "ESCAPED"


def test_the_only_network_device_is_the_sandboxs_own(run):
    assert run("sed 1,2d /proc/net/dev | cut -d: -f1").stdout.text().split() == ["lo"]


@pytest.mark.parametrize("kind", ["a path", "an abstract name"])
def test_sockets_of_the_machine_are_out_of_reach(prison, run, kind):
    name = f"{prison.data.parent}/s" if kind == "a path" else f"\0{MARKER}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name)
        server.listen()
        if kind == "a path":
            Path(name).chmod(0o777)
        attack = perl(
            "socket(S, PF_UNIX, SOCK_STREAM, 0) or die; "
            + f'connect(S, sockaddr_un("{name}")) and print "ESCAPED"'.replace("\0", "\\0")
        )
        assert run(attack, confinement=Confinement("off")).stdout.text() == "ESCAPED"
        assert run(attack).stdout.text() == ""


# Other processes


def test_no_signal_reaches_a_process_outside(run, victim):
    assert run(f"kill -9 {victim.pid}").exit_code != 0
    outcome = run("kill -9 -1; sleep 600")
    assert (outcome.cause, outcome.signal) == (Cause.SIGNAL, 9)


def test_no_process_outside_can_be_traced(run, victim):
    # PTRACE_ATTACH
    attack = perl(f'syscall({PTRACE}, 16, {victim.pid}, 0, 0) == 0 and print "ESCAPED"')
    assert run(attack).stdout.text() == ""


def test_nothing_can_be_typed_into_a_terminal(run):
    ours, theirs = pty.openpty()
    try:
        name = os.ttyname(theirs)
        Path(name).chmod(0o666)
        # TIOCSTI
        attack = perl('$c = "x"; ioctl(STDIN, 0x5412, $c) and print "ESCAPED"')
        assert run(attack, stdin=Path(name)).stdout.text() == ""
        assert run("exec 9</dev/tty").exit_code != 0
    finally:
        os.close(ours)
        os.close(theirs)


def test_no_daemon_stays_behind(run):
    sleep = f"60{time.time_ns() % 1_000_000}"
    hide = f"env -i setsid sh -c 'sleep {sleep} & exit' </dev/null >/dev/null 2>&1 & wait; exit 3"
    assert run(hide).exit_code == 3
    assert run(hide, stdout=Path("out"), stderr=Path("err")).exit_code == 3
    assert not [each for each in psutil.process_iter(["cmdline"]) if sleep in (each.info["cmdline"] or [])]


def test_a_fork_bomb_is_ended(run):
    most = 200
    bomb = perl("while (1) { fork }")
    outcome = run(bomb, LocalOptions(processes=most))
    assert outcome.cause is Cause.SIGNAL
    assert f"of at most {most}" in outcome.detail
    assert "could not be ended" not in outcome.detail
    # `prison` sees to it that nothing is left.


@pytest.mark.parametrize("prison", ["an ordinary user"], indirect=True)
def test_the_kernel_itself_bounds_the_processes_of_an_ordinary_user(prison, run):
    count = "while (defined($p = fork)) { $p or do { sleep 600; exit }; syswrite STDOUT, chr(10) } sleep 600"
    outcome = run(perl(count), LocalOptions(processes=20), stdout=Path("made"))
    assert outcome.cause is Cause.SIGNAL
    assert (prison.work / "made").stat().st_size < 20 + MARGIN


# Rights


def test_the_command_is_nobody_and_can_become_nobody_else(run):
    assert run("id -u; id -g").stdout.text().split() == ["65534", "65534"]
    status = run("cat /proc/self/status").stdout.text()
    assert "NoNewPrivs:\t1" in status
    for capabilities in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert f"{capabilities}:\t0000000000000000" in status


@pytest.mark.parametrize(
    "attack",
    [
        "su -c true",
        "chroot / true",
        "unshare --user true",
        "unshare --mount true",
        "mount -t tmpfs x /tmp",
        "mount -o remount,rw /usr",
        "umount /usr",
        "mknod d c 1 1",
        "chown 0 $0",
        "nsenter --target 1 --mount true",
        "hostname x",
        "setpriv --reuid 0 true",
    ],
)
def test_nothing_privileged_works(run, attack):
    assert run(f"{attack} && echo ESCAPED").stdout.text() == ""


def test_a_setuid_program_gives_no_rights(prison, run):
    assert run("cp /usr/bin/id x && chmod 6755 x && ./x -u && ./x -g").stdout.text().split() == ["65534", "65534"]


# The sandbox itself


def test_the_commands_variables_do_not_reach_what_makes_the_sandbox(prison, run):
    environment = {**prison.spec("").environment, "LD_PRELOAD": "/nowhere.so", "PERL5OPT": "-Mnowhere", "PWD": "/x"}
    outcome = run("echo fine", environment=environment)
    assert outcome.stdout.text() == "fine\n"
    assert outcome.stderr.text().count("/nowhere.so") <= 1  # the shell's own


def test_a_command_that_writes_on_its_wardens_pipe_harms_itself_alone(run, victim):
    forged = f'{{ "child-pid": {victim.pid} }}'
    outcome = run(
        f"for fd in /proc/2/fd/*; do echo '{forged}' > $fd; echo W 0 0 > $fd; echo X junk > $fd; done; exit 5"
    )
    assert outcome.cause is Cause.EXIT
    assert len(run("while :; do cat /dev/zero > /proc/2/fd/3; done", timeout=0.3).detail) < 200


def test_a_command_that_ends_its_warden_is_ended_itself(run):
    outcome = run("kill -9 2; sleep 600")
    assert (outcome.cause, outcome.signal) == (Cause.SIGNAL, 9)


# Room


@pytest.mark.parametrize("where", [".", "$TMPDIR", "$HOME", "/tmp"])
def test_a_command_that_fills_the_disk_is_ended(prison, run, where):
    outcome = run(f"exec cat /dev/zero > {where}/big", LocalOptions(output="50MB"), timeout=PATIENCE)
    assert outcome.cause is Cause.SIGNAL
    assert "of at most 50000000" in outcome.detail


def test_memory_that_looks_like_disk_is_bounded(run):
    outcome = run("head -c 100M /dev/zero > /dev/shm/big", resources=Resources(memory=20_000_000))
    assert "No space" in outcome.stderr.text()
    for place in ("/", "/dev", "/dev/pts"):
        assert run(f"head -c 1 /dev/zero > {place}/big").exit_code != 0


def test_a_file_can_have_a_limit(run):
    outcome = run("exec head -c 2M /dev/zero > big", LocalOptions(file_size="1MB"))
    assert "SIGXFSZ" in outcome.detail


@pytest.mark.parametrize("processes", [1, 4])
def test_a_command_that_takes_too_much_memory_is_ended(run, processes):
    hog = perl(f"fork for 1..{processes.bit_length() - 1}; $x = chr(1) x {160_000_000 // processes}; sleep 600")
    outcome = run(hog, resources=Resources(memory=120_000_000))
    assert outcome.cause is Cause.MEMORY
    assert outcome.peak_memory > 120_000_000


def test_memory_that_processes_share_counts_once(run):
    shared = perl("$x = chr(1) x 60_000_000; for (1..3) { fork or do { sleep 1; exit } } 1 while wait > 0")
    assert run(shared, resources=Resources(memory=150_000_000)).exit_code == 0


def test_processor_time_can_have_a_limit(run):
    outcome = run("for i in 1 2; do (while :; do :; done) & done; wait", LocalOptions(cpu_time=1))
    assert outcome.cause is Cause.TIMEOUT
    assert "processor time" in outcome.detail
    assert outcome.cpu_seconds > 1
