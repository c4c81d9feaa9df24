"""The recipes do what their pages say, with the real programs."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration.live import AA, EXAMPLES, LiveSystem, apply, processes_of, variables
from integration.recipes import RECIPES, made_ready, run

NAMES = [recipe.name for recipe in RECIPES]


class Ready(dict[str, list[Path]]):
    """Pipeline files of the recipes, each made ready when it is asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def __missing__(self, name: str) -> list[Path]:
        self[name] = made_ready(EXAMPLES / "recipes" / name, self.folder)
        return self[name]


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Ready:
    return Ready(tmp_path_factory.mktemp("recipes"))


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_is_right_and_this_machine_has_what_it_needs(name: str, ready: Ready, tmp_path: Path) -> None:
    checked = run(AA, "check", "--here", *ready[name], env=variables(tmp_path / "data"))

    assert checked.startswith("job ")


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_of_a_recipe_come_out_as_expected(name: str, ready: Ready, tmp_path: Path) -> None:
    said = run(AA, "test", *ready[name], env=variables(tmp_path / "data")).splitlines()

    assert re.fullmatch(r"[1-9]\d* examples?, 0 not as expected", said[-1])
    assert [line for line in said[:-1] if not line.startswith("ok ")] == []


@pytest.fixture(scope="module")
def system(ready: Ready, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSystem]:
    """`aa up` with all recipes at once."""
    data = tmp_path_factory.mktemp("served") / "data"
    apply(data, *(file for name in NAMES for file in ready[name]))
    system = LiveSystem(data, AA_WORKER_CONCURRENCY="2")
    system.start()
    try:
        yield system
        assert system.stop() == 0
        assert processes_of(data) == []
        assert system.complaints() == []
    finally:
        system.kill()


def folder_of(name: str) -> Path:
    return EXAMPLES / "recipes" / name


def rows(table: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.decode())))


def test_a_zip_of_pictures_is_sent_and_thumbnails_come_back(system: LiveSystem) -> None:
    service = system.service
    pictures = (folder_of("images") / "pictures.zip").read_bytes()

    done = service.run("thumbnails", files={"pictures": ("holiday.zip", pictures)}, data={"width": "16"})

    assert done["status"] == "COMPLETE", done["message"]
    results = service.results(done)
    assert set(results) == {"sizes", "thumbnails/circle.png", "thumbnails/flag.png", "thumbnails/ramp.png"}
    assert [(row["picture"], row["width"]) for row in rows(results["sizes"])] == [
        ("circle.png", "120"), ("flag.jpg", "200"), ("ramp.png", "64"),
    ]  # fmt: skip
    width = int.from_bytes(results["thumbnails/flag.png"][16:20])
    assert width == 16


def test_a_picture_in_a_zip_that_is_none_is_refused_by_its_name(system: LiveSystem) -> None:
    service = system.service
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("notes.png", "no picture")

    refused = service.post("thumbnails", files={"pictures": ("holiday.zip", archive.getvalue())})

    assert refused.status_code == 422
    assert "notes.png" in refused.text


def test_a_table_is_scored_by_the_model(system: LiveSystem) -> None:
    service = system.service
    flowers = (folder_of("scikit-learn") / "flowers.csv").read_bytes()

    done = service.run("flowers", files={"flowers": ("flowers.csv", flowers)}, data={"least": "0"})

    assert done["status"] == "COMPLETE", done["message"]
    results = service.results(done)
    assert [row["species"] for row in rows(results["scores"])] == [
        "setosa", "versicolor", "virginica", "virginica", "versicolor",
    ]  # fmt: skip
    assert results["plot"].startswith(b"\x89PNG\r\n\x1a\n")


def test_the_database_is_cited_with_the_version_that_the_backend_has(system: LiveSystem) -> None:
    service = system.service

    software: list[dict[str, Any]] = service.get("/api/v1/jobs/relatives").json()["software"]

    versions = {each["name"]: each["version"] for each in software}
    assert versions["Globins"] == "2026_01"
    assert set(versions) == {"BLAST+", "Globins", "MAFFT", "HMMER"}


def test_a_protein_without_relatives_stops_the_search(system: LiveSystem) -> None:
    service = system.service
    ubiquitin = (folder_of("reference-search") / "ubiquitin.fasta").read_bytes()

    done = service.run("relatives", files={"query": ("ubiquitin.fasta", ubiquitin)}, data={"evalue": "1e-10"})

    assert (done["status"], done["stopped"]) == (
        "COMPLETE",
        {"step": "search_reference", "message": "The database has no relative of this protein."},
    )
    assert [step["status"] for step in done["steps"]] == ["COMPLETE", "SKIPPED", "SKIPPED", "SKIPPED"]
