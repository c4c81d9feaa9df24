"""The recipes of the examples, made ready to run as their pages say: programs, a database, a virtual environment."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import pytest

from integration.live import EXAMPLES

RECIPES = sorted(path.parent for path in EXAMPLES.glob("recipes/*/pipeline.yaml"))
PACKAGES = {
    "reference-search": {
        "blastp": "ncbi-blast+",
        "makeblastdb": "ncbi-blast+",
        "blastdbcmd": "ncbi-blast+",
        "mafft": "mafft",
        "hmmbuild": "hmmer",
    },
    "r-plot": {"Rscript": "r-base-core"},
    "images": dict.fromkeys(("anytopnm", "pamfile", "pamsumm", "pamscale", "pnmtopng"), "netpbm"),
}
"""Programs that not every machine has, with Debian's packages, by recipe."""
VENV, DATABASES = "/opt/venvs/models", "/srv/reference"
"""Places on the operator's machine that the recipes' backends name."""


def lacking(message: str) -> NoReturn:
    """Something is not on this machine: where all must be there the test fails, elsewhere it is passed over."""
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def need_programs(recipe: str) -> None:
    """All programs of the recipe are here."""
    packages = PACKAGES.get(recipe, {})
    missing = [program for program in packages if shutil.which(program) is None]
    if missing:
        wanted = " ".join(sorted({packages[program] for program in missing}))
        lacking(f"{', '.join(missing)} not installed: apt-get install --no-install-recommends {wanted}")


def made_ready(recipe: Path, folder: Path) -> list[Path]:
    """A copy of the recipe with all that its page tells the reader to make; its pipeline files."""
    need_programs(recipe.name)
    copy = folder / recipe.name
    shutil.copytree(recipe, copy)
    if (copy / "make_database.sh").exists():
        run(copy / "make_database.sh", folder / "reference")
        _replace(copy / "backend.yaml", DATABASES, folder / "reference")
    if (copy / "requirements.txt").exists():
        venv = environment_of(copy / "requirements.txt")
        run(venv / "bin/python", copy / "train.py")
        _replace(copy / "backend.yaml", VENV, venv)
        # The Python that it was made with may lie in somebody's HOME, which the sandbox does not show.
        _replace(copy / "backend.yaml", "readable: [", f"readable: [{sys.base_prefix}, ")
    return sorted(copy.glob("*.yaml"))


def environment_of(requirements: Path) -> Path:
    """A virtual environment with these requirements, in the user's cache: made once, and used by later runs too."""
    wanted = f"{sys.implementation.cache_tag}\n{sys.base_prefix}\n{requirements.read_text()}"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "a_a-recipes")
    venv = cache / hashlib.sha256(wanted.encode()).hexdigest()[:16]
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{venv.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (venv / "complete").exists():
            shutil.rmtree(venv, ignore_errors=True)
            run(sys.executable, "-m", "venv", venv)
            pip = (venv / "bin/python", "-m", "pip", "install", "--quiet", "--requirement", requirements)
            done = subprocess.run([str(word) for word in pip], check=False, capture_output=True, text=True)
            if done.returncode:
                lacking(f"the virtual environment of a recipe needs {requirements} from PyPI: {done.stderr[-500:]}")
            (venv / "complete").touch()
    return venv


def run(*words: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run a program that must succeed; what it printed."""
    done = subprocess.run(
        [str(word) for word in words], check=False, capture_output=True, text=True, cwd=cwd, env=env and dict(env)
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return done.stdout


def _replace(file: Path, place: str, other: Path | str) -> None:
    text = file.read_text()
    assert place in text
    file.write_text(text.replace(place, str(other)))
