"""The package of the how-to, made of the very text that readers copy, works as the how-to says."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.live import ROOT, LiveSystem, aa, apply, variables

PAGE = (ROOT / "docs" / "howto" / "write-a-validator.md").read_text()
FILE = re.compile(r"^`aa-bed/(?P<name>[\w.]+)`:\n\n```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
JOB = re.search(r"^```yaml\n# Part of a file, below `jobs`\n(?P<text>.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
TASK = """\
format: 1
pipeline: intervals
tasks:
  coverage: {inputs: {regions: regions.bed}, outputs: {count: count.txt}, command: "wc -l {input.regions}", stdout: count}
jobs:
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder `aa-bed`, as the how-to has it."""
    folder = tmp_path_factory.mktemp("package") / "aa-bed"
    folder.mkdir()
    for file in FILE.finditer(PAGE):
        (folder / file["name"]).write_text(file["text"])
    return folder


@pytest.fixture(scope="module")
def installed(package: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables with which A_A's commands find the package: it is installed beside the environment of the tests."""
    target = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--target", str(target), str(package)], check=True, capture_output=True, text=True)
    return {"PYTHONPATH": str(target)}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline file with the how-to's job."""
    assert JOB is not None
    file = tmp_path_factory.mktemp("pipeline") / "coverage.yaml"
    file.write_text(TASK + re.sub(r"^", "  ", JOB["text"], flags=re.MULTILINE))
    return file


@pytest.fixture(scope="module")
def system(installed: dict[str, str], pipeline: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSystem]:
    """`aa up` with the plug-in."""
    running = LiveSystem(tmp_path_factory.mktemp("plug-in") / "data", **installed)
    apply(running.data, pipeline, **installed)
    running.start()
    try:
        yield running
        assert running.stop() == 0
    finally:
        running.kill()


def test_the_package_is_as_short_as_it_is_said_to_be(package: Path) -> None:
    assert sorted(file.name for file in package.iterdir()) == ["aa_bed.py", "pyproject.toml", "test_aa_bed.py"]
    lines = [line for name in ("pyproject.toml", "aa_bed.py") for line in (package / name).read_text().splitlines()]
    assert len([line for line in lines if line.strip()]) < 40


def test_its_own_test_passes(package: Path, installed: dict[str, str], tmp_path: Path) -> None:
    pytest_command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_aa_bed.py"]
    done = subprocess.run(
        pytest_command, cwd=package, env=variables(tmp_path, **installed), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_aa_check_knows_it_and_its_options(installed: dict[str, str], pipeline: Path, tmp_path: Path) -> None:
    assert aa(tmp_path, "check", pipeline, **installed).returncode == 0
    without = aa(tmp_path, "check", pipeline)
    assert without.returncode != 0
    assert "there is no validator 'bed'" in without.stderr
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(pipeline.read_text().replace("max_intervals", "max_interval"))
    refused = aa(tmp_path, "check", wrong, **installed)
    assert refused.returncode != 0
    assert "is no option of this validator (did you mean 'max_intervals'?)" in refused.stderr


def test_the_service_takes_and_refuses_data_by_it(system: LiveSystem) -> None:
    ended = system.service.run("coverage", files={"regions": ("regions.bed", b"chr1\t100\t200\nchr2\t5\t6\n")})
    assert ended["status"] == "COMPLETE"
    response = system.service.post("coverage", files={"regions": ("regions.bed", b"chr1\t100\t200\nchr2\t6\t5\n")})
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert (error["code"], error["message"]) == ("invalid_data", "An interval ends before it starts (line 2).")
    assert system.complaints() == []


def test_a_job_whose_plug_in_was_uninstalled_lets_nothing_in(system: LiveSystem) -> None:
    assert system.stop() == 0
    bare = LiveSystem(system.data)
    bare.start()
    try:
        response = bare.service.post("coverage", files={"regions": ("regions.bed", b"chr1\t100\t200\n")})
        assert response.status_code == 422
        (error,) = response.json()["errors"]
        assert error["message"].startswith("The file could not be checked: the validator 'bed' failed.")
        assert "validator cannot be made" in bare.log.read_text()
        assert "KeyError: 'bed'" in bare.log.read_text()
    finally:
        bare.stop()
        bare.kill()
