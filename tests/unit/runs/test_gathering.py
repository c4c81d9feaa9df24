"""What is taken out of a work folder, and what is not."""

import os
from pathlib import Path

import pytest

from analytics_automated.pipelines.definitions import TaskDefinition
from analytics_automated.runs.gathering import Unfit, find_outputs, gather
from analytics_automated.storage.streams import open_stored, remove


def task(**outputs: object) -> TaskDefinition:
    return TaskDefinition.model_validate({"command": "tool", "outputs": outputs})


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def test_exactly_one_file_is_taken_where_one_is_meant(work: Path) -> None:
    (work / "a.tsv").write_text("x")
    assert find_outputs(task(table="*.tsv"), work, []).files == [("table", "a.tsv")]
    (work / "b.tsv").write_text("x")
    with pytest.raises(Unfit, match="is one file, but 2 match"):
        find_outputs(task(table="*.tsv"), work, [])


def test_many_takes_all_that_match_also_in_folders(work: Path) -> None:
    (work / "out").mkdir()
    for name in ("b.png", "a.png", ".hidden.png"):
        (work / "out" / name).write_text("x")
    found = find_outputs(task(plots={"file": "out/*.png", "many": True}), work, [])
    assert found.files == [("plots", "out/.hidden.png"), ("plots", "out/a.png"), ("plots", "out/b.png")]


def test_staged_inputs_never_match_a_glob(work: Path) -> None:
    (work / "in.tsv").write_text("x")
    found = find_outputs(task(tables={"file": "*.tsv", "many": True}), work, ["in.tsv"])
    assert found.files == []
    assert found.missing == ["tables"]


def test_a_staged_input_is_no_output_of_its_name(work: Path) -> None:
    (work / "o.txt").write_text("x")
    assert find_outputs(task(made="o.txt"), work, ["o.txt"]).missing == ["made"]


def test_an_optional_output_may_be_missing(work: Path) -> None:
    assert find_outputs(task(log={"file": "x.log", "optional": True}), work, []).missing == []


def test_a_link_within_the_folder_is_a_file(work: Path) -> None:
    (work / "real.txt").write_text("x")
    (work / "link.txt").symlink_to("real.txt")
    assert find_outputs(task(out="link.txt"), work, []).files == [("out", "link.txt")]


@pytest.mark.parametrize("target", ["/etc/passwd", "../secret.txt", "nothing.txt", "folder/../../secret.txt"])
def test_a_link_that_leads_out_or_nowhere_is_refused_without_a_path(work: Path, target: str) -> None:
    (work.parent / "secret.txt").write_text("secret")
    (work / "out.txt").symlink_to(target)
    with pytest.raises(Unfit) as refused:
        find_outputs(task(out="out.txt"), work, [])
    assert "/" not in str(refused.value)
    assert str(work) not in str(refused.value)


def test_a_folder_that_is_a_link_out_is_refused(work: Path) -> None:
    (work.parent / "elsewhere").mkdir()
    (work.parent / "elsewhere" / "x.tsv").write_text("secret")
    (work / "sub").symlink_to(work.parent / "elsewhere")
    with pytest.raises(Unfit, match="leads out"):
        find_outputs(task(out={"file": "sub/*.tsv", "many": True}), work, [])


def test_a_fifo_is_refused_and_never_waited_for(work: Path) -> None:
    os.mkfifo(work / "out.txt")
    with pytest.raises(Unfit, match="no regular file"):
        find_outputs(task(out="out.txt"), work, [])


def test_a_folder_is_no_output(work: Path) -> None:
    (work / "out.txt").mkdir()
    with pytest.raises(Unfit, match="no regular file"):
        find_outputs(task(out="out.txt"), work, [])


def test_a_file_that_became_a_fifo_after_the_look_is_refused(work: Path) -> None:
    (work / "out.txt").write_text("x")
    found = find_outputs(task(out="out.txt"), work, [])
    (work / "out.txt").unlink()
    os.mkfifo(work / "out.txt")
    with pytest.raises(Unfit):
        gather(task(out="out.txt"), work, found, "1.1")


def test_files_of_one_name_from_several_folders_stay_apart(work: Path) -> None:
    for folder in ("a", "b"):
        (work / folder).mkdir()
        (work / folder / "x.txt").write_text(folder)
    plots = task(plots={"file": "*/x.txt", "many": True})
    gathered = gather(plots, work, find_outputs(plots, work, []), "1.1")
    assert [each.file for each in gathered] == ["x.txt", "2-x.txt"]
    assert [each.media_type for each in gathered] == ["text/plain", "text/plain"]
    with open_stored(gathered[1].stored.key) as stored:
        assert stored.read() == b"b"
    assert all(name not in gathered[0].stored.key for name in ("x.txt", "plots"))
    remove(each.stored.key for each in gathered)
