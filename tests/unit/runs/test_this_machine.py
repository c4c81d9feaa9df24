"""What a configuration asks for and this machine does not have."""

from pathlib import Path
from typing import Any

import pytest

from analytics_automated.pipelines.checks.script_programs import programs_of_script
from analytics_automated.pipelines.definitions import BackendDefinition, TaskDefinition
from analytics_automated.runs.this_machine import missing_here, not_found_here


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of the PATH, with three programs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("tool", "nice", "bash"):
        (folder / name).write_text("")
        (folder / name).chmod(0o755)
    (folder / "data.txt").write_text("")
    monkeypatch.setenv("PATH", str(folder))
    return folder


def missing(
    task: dict[str, Any] | None = None, backend: dict[str, Any] | None = None, **environment: str
) -> list[tuple[str, str]]:
    """Where something is missing, and what."""
    backends = {} if backend is None else {"local": BackendDefinition.model_validate(backend)}
    tasks = {"t": TaskDefinition.model_validate(task)} if task else {}
    found = missing_here(backends, tasks, environment)
    assert all(problem.warning for problem in found)
    return [(problem.where, problem.message) for problem in found]


@pytest.mark.parametrize(
    ("task", "key", "program"),
    [
        ({"command": "tool {workdir}"}, None, None),
        ({"command": "toll {workdir}"}, "command", "'toll'"),
        ({"command": "data.txt"}, "command", "'data.txt'"),
        ({"command": "nice -n 5 tool"}, None, None),
        ({"command": "nice -n 5 toll"}, "command", "'toll'"),
        ({"command": "env A=b tool"}, "command", "'env'"),
        ({"command": "bin/made {workdir}", "files": ["bin/made"]}, None, None),
        ({"script": "tool | tool"}, None, None),
        ({"script": "tool | toll"}, "script", "'toll'"),
        ({"script": "echo", "interpreter": "zsh"}, "interpreter", "'zsh'"),
        ({"script": "toll()", "interpreter": "Rscript"}, "interpreter", "'Rscript'"),
        ({"script": "toll()", "interpreter": "python"}, "interpreter", "'python3' or 'python'"),
        ({"command": "toll", "setup": "module load toll"}, None, None),
        ({"command": "toll", "container": "toll.sif"}, None, None),
        ({"command": "toll", "backend": "elsewhere"}, None, None),
    ],
)
def test_a_program_that_is_not_there_is_named(
    programs: Path, task: dict[str, Any], key: str | None, program: str | None
) -> None:
    expected = [] if key is None else [(f"tasks.t.{key}", f"there is no program {program} on the PATH of this machine")]
    assert missing(task) == expected


@pytest.mark.parametrize("of_backend", [True, False])
def test_a_program_that_a_setup_may_bring_is_named_and_not_missing(programs: Path, *, of_backend: bool) -> None:
    backend, task = ({"setup": "load it"}, {}) if of_backend else ({}, {"setup": "load it"})
    backends = {"local": BackendDefinition.model_validate(backend)}
    tasks = {
        name: TaskDefinition.model_validate({"command": command, **task})
        for name, command in (("there", "tool"), ("gone", "toll"))
    }
    assert missing_here(backends, tasks) == []
    assert list(map(str, not_found_here(backends, tasks))) == [
        "warning: tasks.gone.command: there is no program 'toll' on the PATH of this machine, "
        "unless the `setup` brings it"
    ]


def test_without_a_setup_a_program_that_is_not_there_is_missing(programs: Path) -> None:
    assert not_found_here({}, {"t": TaskDefinition(command="toll", setup=" ")}) == []
    assert len(missing_here({}, {"t": TaskDefinition(command="toll", setup=" ")}, {})) == 1


def test_an_absolute_path_is_looked_at_itself(programs: Path) -> None:
    assert missing({"command": f"{programs}/tool"}) == []
    assert missing({"command": "/nowhere/tool"}) == [
        ("tasks.t.command", "there is no program '/nowhere/tool' on this machine")
    ]


def test_the_backends_folders_are_looked_in_before_the_path(programs: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "special").write_text("")
    (own / "special").chmod(0o755)
    assert missing({"command": "special"}, {"path": [str(own)]}) == []
    assert missing({"command": "other"}, {"path": [str(own)]}) == [
        ("tasks.t.command", "there is no program 'other' in the backend's `path` or on the PATH of this machine")
    ]


def test_data_and_folders_of_a_backend_that_are_not_there_are_named(programs: Path, tmp_path: Path) -> None:
    (tmp_path / "nr.00.phr").write_text("")
    data = {"here": str(programs), "files": f"{tmp_path}/nr", "not_here": f"{tmp_path}/n[r]", "gone": "/nowhere/x"}
    assert missing(None, {"data": data, "path": ["/nowhere", str(programs)], "container": "podman"}) == [
        ("backends.local.path[0]", "there is no folder '/nowhere' on this machine"),
        ("backends.local.data.not_here", f"there is nothing at '{tmp_path}/n[r]' on this machine"),
        ("backends.local.data.gone", "there is nothing at '/nowhere/x' on this machine"),
        ("backends.local.container", "there is no program 'podman' on this machine"),
    ]


def test_a_backend_that_runs_elsewhere_is_not_looked_at(programs: Path) -> None:
    backend = {"executor": "slurm", "data": {"x": "/nowhere"}, "path": ["/nowhere"]}
    assert missing({"command": "toll"}, backend) == []


def test_secrets_that_the_environment_does_not_hold_are_named(programs: Path, tmp_path: Path) -> None:
    task = {"command": "tool", "secrets": ["ONE", "TWO", "THREE", "FOUR"]}
    (tmp_path / "two").write_text("secret")
    environment = {
        "AA_SECRET_ONE": "x", "AA_SECRET_TWO_FILE": f"{tmp_path}/two", "AA_SECRET_THREE_FILE": f"{tmp_path}/three",
    }  # fmt: skip
    assert missing(task, **environment) == [
        (
            "tasks.t.secrets[2]",
            "the secret 'THREE' is missing: AA_SECRET_THREE_FILE names a file that cannot be read: No such file or directory",
        ),
        (
            "tasks.t.secrets[3]",
            "the secret 'FOUR' is missing: the worker has neither AA_SECRET_FOUR nor AA_SECRET_FOUR_FILE",
        ),
    ]


@pytest.mark.parametrize(
    ("script", "programs"),
    [
        ("sort a | uniq -c > b", ["sort", "uniq"]),
        ("LC_ALL=C sort a && awk '{print}' b; true", ["sort", "awk"]),
        ("for x in a b; do gzip $x; done", ["gzip"]),
        ("if grep -q a b; then\n  wc b\nelse\n  echo no\nfi", ["grep", "wc"]),
        ("/opt/x/tool a\n# other\n'quoted tool' b", ["/opt/x/tool"]),
        ('$tool a; "$tool" b; t*ol c; real d', ["real"]),
        ("step() { sort a; }\nfunction other { wc; }\nstep; other", ["sort"]),
        ("if command -v pigz > /dev/null; then pigz a; else gzip a; fi", ["gzip"]),
        ("a=$(hidden b)\nseen", ["seen"]),
        ("( sort a ) | { wc; }", ["sort", "wc"]),
        # what cannot be said for sure
        ("PATH=/x:$PATH\ntool", []),
        ("source env.sh\ntool", []),
        (". env.sh; tool", []),
        ("module load x\ntool", []),
        ("cd x\n./tool", []),
        ("case a in tool) other ;; esac", []),
        ("[[ a && tool ]]", []),
        ("(( tool + 1 ))", []),
        ("a=(tool other)", []),
        ("cat <<END\ntool\nEND\n", []),
        ("echo 'not closed\ntool", []),
    ],
)
def test_the_programs_of_a_shell_script_are_those_that_it_surely_calls(script: str, programs: list[str]) -> None:
    assert programs_of_script(script) == programs
