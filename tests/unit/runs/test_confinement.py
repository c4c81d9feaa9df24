"""What a command may see: made from its folder, its Backend and what was shipped with its Task."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from analytics_automated.executors.base import Confinement
from analytics_automated.pipelines.definitions import BackendDefinition, TaskDefinition
from analytics_automated.runs.confinement import confinement_of
from analytics_automated.runs.places import find_place
from analytics_automated.runs.workdirs import WorkFolder


def confinement(folder: WorkFolder, backend: dict[str, Any] | None = None, **keys: Any) -> Confinement:
    task = TaskDefinition.model_validate({"command": "tool", **keys})
    return confinement_of(
        folder, find_place(BackendDefinition.model_validate(backend or {}), "b", task, 60), ["a/b.txt"]
    )


@pytest.fixture
def folder(tmp_path: Path) -> WorkFolder:
    made = WorkFolder(tmp_path / "aa-attempt")
    made.make()
    return made


def test_what_may_be_written_is_home_tmpdir_and_what_is_told(folder: WorkFolder) -> None:
    given = confinement(folder)
    assert given.writable == (folder.home, folder.temporary, folder.told)
    assert given.fixed == (folder.work / "a/b.txt",)
    assert {folder.message.parent, folder.progress.parent, folder.setup_log.parent, folder.setup_state.parent} == {
        folder.told
    }


def test_script_and_values_are_read_only(folder: WorkFolder) -> None:
    folder.script.write_text("#")
    folder.values.write_text("{}")
    assert confinement(folder).readable == (folder.script, folder.values)


def test_only_data_that_the_task_names_is_shown(folder: WorkFolder, tmp_path: Path) -> None:
    for name in ("one.fasta", "other.fasta"):
        (tmp_path / name).touch()
    data = {"one": str(tmp_path / "one.fasta"), "other": str(tmp_path / "other.fasta")}
    assert confinement(folder, {"data": data}, command="tool {data.one}").readable == (tmp_path / "one.fasta",)


def test_of_data_that_names_the_beginning_of_files_their_folder_is_shown(folder: WorkFolder, tmp_path: Path) -> None:
    (tmp_path / "u90.phr").touch()
    given = confinement(folder, {"data": {"u90": str(tmp_path / "u90")}}, command="tool {data.u90}")
    assert given.readable == (tmp_path,)


def test_of_a_folder_named_bin_the_one_above_is_shown_but_never_home(
    folder: WorkFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    paths = ["/srv/tools/bin", "/srv/scripts", str(tmp_path / "bin")]
    given = confinement(folder, {"path": paths})
    assert given.readable == (Path("/srv/tools"), Path("/srv/scripts"), tmp_path / "bin")


def test_the_data_folder_and_home_are_hidden(
    folder: WorkFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    Path(settings.DATA.root).mkdir(parents=True, exist_ok=True)
    assert set(confinement(folder).hidden) == {Path(settings.DATA.root).resolve(), tmp_path.resolve()}
