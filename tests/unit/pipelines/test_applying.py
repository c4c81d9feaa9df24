"""Pipeline files and the database, where both may change: ownership, pages, shipped files, what is left behind."""

from collections.abc import Callable
from pathlib import Path

import pytest

from analytics_automated.pipelines.configuration import (
    Changes,
    Options,
    apply,
    exported,
    needed_by,
    read_stored,
    verify_stored,
)
from analytics_automated.pipelines.files.reader import read_files
from analytics_automated.pipelines.models import Change, Job, JobFile, Snapshot, Task, TaskFile
from analytics_automated.pipelines.problems import ConfigurationError
from analytics_automated.storage.models import Blob
from analytics_automated.storage.streams import blob_storage, open_stored

pytestmark = pytest.mark.django_db

PIPELINE = """format: 1
pipeline: p
tasks:
  count: {inputs: {data: in.txt}, outputs: {number: out.txt}, command: "sh count.sh {input.data} {output.number}", files: [count.sh]}
  spare: {command: "true"}
jobs:
  counted:
    runnable: true
    steps: [count]
    examples: [{title: Three, inputs: {data: examples/three.txt}}]
"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes the pipeline with its files."""

    def to(text: str = PIPELINE, script: str = 'wc -l < "$1" > "$2"\n', folder: str = "a") -> Path:
        path = tmp_path / folder / "p.yaml"
        (path.parent / "examples").mkdir(parents=True, exist_ok=True)
        (path.parent / "examples/three.txt").write_text("1\n2\n3\n")
        (path.parent / "count.sh").write_text(script)
        path.write_text(text)
        return path

    return to


def applied(path: Path, **options: bool) -> Changes:
    return apply(read_files([path]), Options(who="ada", **options))


def refused(path: Path, **options: bool) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        applied(path, **options)
    return [problem.message for problem in raised.value.problems]


def edited_on_pages(**columns: str) -> None:
    Task.objects.filter(name="spare").update(**columns)
    verify_stored("grace")


def content(blob: Blob) -> bytes:
    with open_stored(blob.key) as stream:
        return stream.read()


def stored_names() -> set[str]:
    folders, _ = blob_storage().listdir("")
    return {name for folder in folders for name in blob_storage().listdir(folder)[1]}


# Shipped files


def test_shipped_files_are_stored_once_and_belong_to_the_snapshot(write: Write) -> None:
    applied(write())
    shipped = TaskFile.objects.get()
    assert (shipped.path, content(shipped.blob)) == ("count.sh", b'wc -l < "$1" > "$2"\n')
    assert JobFile.objects.get().path == "examples/three.txt"
    snapshot = Snapshot.objects.get()
    assert snapshot.shipped_to("count") == {"count.sh": shipped.blob}
    assert snapshot.plan.files["count"]["count.sh"].sha256 == shipped.blob.sha256
    applied(write(folder="b"))
    assert Blob.objects.count() == 2, "the same bytes from elsewhere are the same blobs"


def test_applied_again_nothing_changes(write: Write) -> None:
    applied(write())
    again = applied(write())
    assert not again
    assert len(again.unchanged) == 3
    assert Change.objects.filter(door="file").count() == 3


def test_another_content_of_a_shipped_file_is_a_change_that_gives_a_new_snapshot(write: Write) -> None:
    applied(write())
    before = Snapshot.objects.get()
    changes = applied(write(script="cat\n"))
    assert changes.changed == [("tasks", "count")]
    assert str(changes.differences[0]).startswith("file count.sh: sha256 ")
    after = Job.objects.get().snapshot
    assert after is not None
    assert after != before
    assert content(before.shipped_to("count")["count.sh"]) == b'wc -l < "$1" > "$2"\n'
    assert content(after.shipped_to("count")["count.sh"]) == b"cat\n"


def test_bytes_of_a_refused_configuration_are_not_kept(write: Write) -> None:
    before = stored_names()
    path = write(PIPELINE.replace("steps: [count]", "steps: [count, {task: count, name: again, needs: [nobody]}]"))
    assert refused(path)
    assert Blob.objects.count() == 0
    assert stored_names() == before


@pytest.mark.parametrize("name", ["../p2.sh", "missing.sh"])
def test_a_file_that_lies_outside_or_nowhere_is_refused_with_its_line(write: Write, name: str) -> None:
    path = write(PIPELINE.replace("[count.sh]", f"[{name}]"))
    (path.parents[1] / "p2.sh").write_text("x")
    problem = read_files([path]).problems[0]
    assert problem.line == 4
    assert problem.where.startswith("tasks.count.files")


def test_a_link_that_leads_out_of_the_folder_is_refused(write: Write, tmp_path: Path) -> None:
    path = write()
    (tmp_path / "secret").write_text("x")
    (path.parent / "count.sh").unlink()
    (path.parent / "count.sh").symlink_to(tmp_path / "secret")
    assert [problem.message for problem in read_files([path]).problems] == ["lies outside the pipeline file's folder"]


# What a pipeline no longer names


def test_what_is_no_longer_named_stays_unless_pruned(write: Write) -> None:
    applied(write())
    shorter = write(PIPELINE.replace('  spare: {command: "true"}\n', ""))
    assert applied(shorter).kept == [("tasks", "spare")]
    assert applied(shorter, prune=True).deleted == [("tasks", "spare")]
    assert list(Task.objects.values_list("name", flat=True)) == ["count"]
    assert Change.objects.filter(name="spare", kind="deleted").count() == 1


def test_a_file_that_names_nothing_more_prunes_all_that_its_pipeline_had(write: Write) -> None:
    applied(write())
    assert applied(write("format: 1\npipeline: p\n"), prune=True).deleted == [
        ("tasks", "count"), ("tasks", "spare"), ("jobs", "counted"),
    ]  # fmt: skip
    assert (Task.objects.count(), Job.objects.count()) == (0, 0)


def test_what_another_pipeline_uses_is_not_pruned(write: Write) -> None:
    applied(write())
    other = "format: 1\npipeline: q\njobs:\n  other: {steps: [{task: spare}], runnable: true}\n"
    applied(write(other, folder="q"))
    messages = refused(write(PIPELINE.replace('  spare: {command: "true"}\n', "")), prune=True)
    assert len(messages) == 1
    assert messages[0] == "uses the task 'spare', which would be deleted"
    assert Task.objects.filter(name="spare").exists()


def test_a_file_with_faults_prunes_nothing(write: Write) -> None:
    applied(write())
    assert refused(write(PIPELINE.replace('command: "true"', "comand: x")), prune=True)
    assert Task.objects.count() == 2


# What was changed on the pages


def test_a_change_of_the_pages_makes_apply_stop_and_show_the_difference(write: Write) -> None:
    applied(write())
    edited_on_pages(title="By hand")
    (message,) = refused(write())
    assert message.startswith("was changed on the pages by grace since a file was last applied: `--overwrite` takes ")
    assert "-    title: By hand" in message
    assert Task.objects.get(name="spare").title == "By hand"
    assert applied(write(), overwrite=True).changed == [("tasks", "spare")]
    assert Task.objects.get(name="spare").title == ""


def test_a_dry_run_stops_at_it_too(write: Write) -> None:
    applied(write())
    edited_on_pages(title="By hand")
    assert refused(write(), dry_run=True)


def test_a_change_of_the_pages_that_the_file_has_taken_over_is_none_any_more(write: Write) -> None:
    applied(write())
    edited_on_pages(title="By hand")
    taken_over = PIPELINE.replace('{command: "true"}', '{command: "true", title: By hand}')
    assert not applied(write(taken_over))
    assert Change.objects.latest("pk").kind == "adopted"
    assert applied(write(taken_over.replace("By hand", "By file"))).changed == [("tasks", "spare")]


def test_a_change_of_the_pages_that_was_taken_back_is_none(write: Write) -> None:
    applied(write())
    edited_on_pages(title="By hand")
    edited_on_pages(title="")
    assert applied(write(PIPELINE.replace('{command: "true"}', '{command: "true", title: New}'))).changed


def test_what_the_pages_deleted_comes_back_only_by_overwrite(write: Write) -> None:
    applied(write())
    Task.objects.get(name="spare").delete()
    verify_stored("grace")
    (message,) = refused(write())
    assert message.startswith("was deleted on the pages by grace")
    assert applied(write(), overwrite=True).created == [("tasks", "spare")]


def test_what_the_pages_changed_is_not_pruned_without_a_word(write: Write) -> None:
    applied(write())
    edited_on_pages(title="By hand")
    shorter = write(PIPELINE.replace('  spare: {command: "true"}\n', ""))
    assert refused(shorter, prune=True)
    assert applied(shorter, prune=True, overwrite=True).deleted == [("tasks", "spare")]


def test_a_name_that_the_pages_gave_belongs_to_their_pipeline(write: Write) -> None:
    applied(write())
    Task.objects.filter(name="spare").update(pipeline="pages")
    verify_stored("grace")
    assert refused(write()) == ["belongs to the pipeline 'pages': choose another name, or change it there"]


# A dry run


def test_a_dry_run_says_what_would_change_and_changes_nothing(write: Write) -> None:
    applied(write())
    lines = Change.objects.count()
    changes = applied(write(PIPELINE.replace('command: "true"', 'command: "false"'), script="cat\n"), dry_run=True)
    assert changes.changed == [("tasks", "count"), ("tasks", "spare")]
    assert "-    command: 'true'\n+    command: 'false'" in str(changes.differences[1])
    assert (Change.objects.count(), Blob.objects.count()) == (lines, 2)
    assert Task.objects.get(name="spare").command == "true"


def test_a_dry_run_names_the_jobs_that_would_be_renewed(write: Write) -> None:
    applied(write())
    text = "format: 1\npipeline: q\njobs: {other: {steps: [count], runnable: true}}\n"
    applied(write(text, folder="q"))
    assert applied(write(script="cat\n"), dry_run=True).renewed == ["other"]
    assert applied(write(script="cat\n")).renewed == ["other"]
    assert not applied(write(script="cat\n"), dry_run=True)


# History


def test_the_history_says_who_changed_what_by_which_door(write: Write) -> None:
    applied(write())
    edited_on_pages(title="By hand")
    applied(write(script="cat\n"), overwrite=True)
    lines = Change.objects.order_by("pk").values_list("who", "door", "section", "name", "kind")
    assert list(lines) == [
        ("A_A", "start", "backends", "local", "created"),
        ("ada", "file", "tasks", "count", "created"),
        ("ada", "file", "tasks", "spare", "created"),
        ("ada", "file", "jobs", "counted", "created"),
        ("grace", "pages", "tasks", "spare", "changed"),
        ("ada", "file", "tasks", "count", "changed"),
        ("ada", "file", "tasks", "spare", "changed"),
        ("ada", "file", "jobs", "counted", "renewed"),
    ]
    snapshots = Change.objects.filter(section="jobs").values_list("snapshot", flat=True)
    assert len(set(snapshots)) == 2


# Export


def test_an_export_lies_beside_its_files_and_applying_it_changes_nothing(write: Write, tmp_path: Path) -> None:
    applied(write())
    written = exported(read_stored()).write(tmp_path / "out")
    assert [path.relative_to(tmp_path).as_posix() for path in written] == ["out/p/p.yaml"]
    assert (tmp_path / "out/p/count.sh").read_text() == 'wc -l < "$1" > "$2"\n'
    assert (tmp_path / "out/p/examples/three.txt").read_text() == "1\n2\n3\n"
    assert not apply(read_files(written))
    exported(read_stored()).write(tmp_path / "out")


def test_different_files_of_one_path_are_exported_side_by_side(write: Write, tmp_path: Path) -> None:
    applied(write())
    other = (
        PIPELINE.replace("count:", "count2:")
        .replace("steps: [count]", "steps: [count2]")
        .replace("counted", "counted2")
    )
    one, two = write(folder="one"), write(other.replace('  spare: {command: "true"}\n', ""), "cat\n", folder="two")
    apply(read_files([one, two]))
    written = exported(read_stored()).write(tmp_path / "out")
    assert [path.relative_to(tmp_path / "out").as_posix() for path in written] == ["p/p.yaml", "p/2/p.yaml"]
    assert not apply(read_files(written))


def test_one_job_is_exported_with_what_it_needs(write: Write) -> None:
    applied(write())
    stored = read_stored()
    export = exported(stored, needed_by(stored, ["counted"]))
    (text,) = export.pipelines.values()
    assert "spare" not in text
    assert [path.as_posix() for path in export.files] == ["p/count.sh", "p/examples/three.txt"]


def test_a_shipped_file_may_have_the_name_that_the_pipeline_file_would_have(write: Write, tmp_path: Path) -> None:
    path = write(PIPELINE.replace("count.sh", "p.yaml.txt"))
    (path.parent / "p.yaml.txt").write_text("x")
    odd = path.rename(path.with_name("odd.yaml"))
    (path.parent / "p.yaml").write_text("not a pipeline")
    odd.write_text(odd.read_text().replace("files: [p.yaml.txt]", "files: [p.yaml.txt, p.yaml]"))
    apply(read_files([odd]))
    written = exported(read_stored()).write(tmp_path / "out")
    assert [each.relative_to(tmp_path / "out").as_posix() for each in written] == ["p/p-2.yaml"]
    assert (tmp_path / "out/p/p.yaml").read_text() == "not a pipeline"
    assert not apply(read_files(written))


@pytest.mark.parametrize("link", ["p", "p/p.yaml"])
def test_an_export_follows_no_link(write: Write, tmp_path: Path, link: str) -> None:
    applied(write())
    (tmp_path / "elsewhere").mkdir()
    place = tmp_path / "out" / link
    place.parent.mkdir(parents=True)
    place.symlink_to(tmp_path / "elsewhere" / ("target" if "/" in link else ""))
    with pytest.raises(OSError, match="it is a link") as raised:
        exported(read_stored()).write(tmp_path / "out")
    assert raised.value.filename == str(place)
    assert list((tmp_path / "elsewhere").iterdir()) == []


# What files would break elsewhere


def test_a_job_that_another_names_as_its_successor_is_not_pruned(write: Write) -> None:
    applied(write("format: 1\npipeline: q\ntasks: {x: {command: x}}\njobs: {new: {steps: [x]}}\n", folder="q"))
    applied(
        write(
            "format: 1\npipeline: r\njobs: {old: {steps: [x], deprecated: {since: 2026-12-01, successor: new}}}\n",
            folder="r",
        )
    )
    (message,) = refused(write("format: 1\npipeline: q\ntasks: {x: {command: x}}\n", folder="q"), prune=True)
    assert "there is no job 'new'" in message


def test_a_backend_does_not_take_away_what_a_task_that_nobody_uses_needs(write: Write) -> None:
    backend = "format: 1\nbackends: {b: {limits: {timeout: 2h}, data: {db: /db}}}\n"
    applied(write(backend, folder="b"))
    task = "format: 1\npipeline: q\ntasks: {x: {backend: b, timeout: 1h, command: 'x {data.db}'}}\n"
    applied(write(task, folder="q"))
    messages = refused(write(backend.replace("2h", "1m").replace("db: /db", ""), folder="b"))
    assert len(messages) == 2
    assert applied(write(backend.replace("2h", "3h"), folder="b")).changed == [("backends", "b")]


def test_what_was_wrong_before_is_no_reason_to_refuse_something_else(write: Write) -> None:
    applied(write())
    Task.objects.filter(name="spare").update(command="a | b")
    other = "format: 1\npipeline: q\ntasks: {x: {command: x}}\n"
    assert applied(write(other, folder="q")).created == [("tasks", "x")]


# Names that move


def test_a_name_whose_case_changes_is_applied_with_prune(write: Write) -> None:
    applied(write())
    renamed = write(PIPELINE.replace("spare", "Spare"))
    assert refused(renamed) == ["differs from 'spare', which is there, only by its case: `--prune` deletes that one"]
    changes = applied(renamed, prune=True)
    assert (changes.created, changes.deleted) == ([("tasks", "Spare")], [("tasks", "spare")])


def test_a_name_moves_to_another_pipeline_where_the_files_of_both_are_given(write: Write) -> None:
    applied(write())
    rest = write(PIPELINE.replace('  spare: {command: "true"}\n', ""))
    taker = write('format: 1\npipeline: q\ntasks: {spare: {command: "true"}}\n', folder="q")
    changes = apply(read_files([rest, taker]))
    assert changes.changed == [("tasks", "spare")]
    assert str(changes.differences[0]) == "pipeline p -> q"
    assert Task.objects.get(name="spare").pipeline == "q"
    assert not apply(read_files([rest, taker]))


def test_pipelines_do_not_differ_only_by_case(write: Write) -> None:
    applied(write())
    messages = refused(write("format: 1\npipeline: P\ntasks: {x: {command: x}}\n", folder="q"))
    assert messages == ["its pipeline 'P' differs from 'p', which is there, only by its case"]
