"""Import and export of pipeline files on the pages."""

import io
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from analytics_automated.pipelines.configuration import exported, needed_by, read_stored
from analytics_automated.pipelines.models import Backend, Change, Job, Task
from analytics_automated.storage.streams import blob_storage
from integration.admin_pages import WORDS, apply_words, browser, text_of
from integration.page_forms import fields_of

ALL_THREE = [f"{action}_{kind}" for action in ("add", "change", "view") for kind in ("backend", "task", "job")]


@pytest.fixture
def operator(db: None) -> Client:
    return browser(name="operator", superuser=True)


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


WORDS_ZIP = zipped({"words/words.yaml": WORDS, "words/helpers/table.txt": "a table"})
CLEAN = WORDS[: WORDS.index("  count:")].replace("backends:\n  big: {executor: local, queue: large}\n", "")


def upload(client: Client, content: str | bytes, name: str = "words.zip", **options: str) -> Any:
    data = content.encode() if isinstance(content, str) else content
    return client.post(reverse("admin:pipelines_import"), {"file": SimpleUploadedFile(name, data), **options})


def press(client: Client, shown: Any, button: str = "_apply", **changes: str) -> Any:
    """Press a button of the page that shows what would change."""
    fields = {
        name: value
        for name, value in fields_of(shown, "import_form").items()
        if name in {"upload", "csrfmiddlewaretoken"}
    }
    return client.post(reverse("admin:pipelines_import"), {**fields, button: "1", **changes})


def kept_uploads() -> list[str]:
    storage = blob_storage()
    return [
        name for folder in storage.listdir("")[0] for name in storage.listdir(folder)[1] if name.startswith("import-")
    ]


def names() -> set[str]:
    return {str(row) for model in (Backend, Task, Job) for row in model.objects.all()}


# Import


def test_an_archive_is_shown_first_and_then_applied(operator: Client) -> None:
    before = set(kept_uploads())
    shown = upload(operator, WORDS_ZIP)
    said = text_of(shown)
    assert "4 would be created." in said
    assert "+ command: tr {param.case} {param.quiet} {input.text}" in said
    assert "file helpers/table.txt: none -> sha256 " in said
    assert names() == {"local"}
    done = press(operator, shown)
    assert done.status_code == 302
    assert names() == {"local", "big", "clean", "count", "words"}
    shipped = Task.objects.get(name="count").files.get()
    assert shipped.path == "helpers/table.txt"
    with blob_storage().open(shipped.blob.key) as content:
        assert content.read() == b"a table"
    assert "Applied words.zip: 4 created, 0 changed, 0 deleted." in text_of(operator.get(done.headers["Location"]))
    assert set(kept_uploads()) == before


def test_the_history_says_that_a_file_came_by_that_account(operator: Client) -> None:
    press(operator, upload(operator, WORDS_ZIP))
    lines = Change.objects.exclude(name="local")
    assert {(line.who, line.door, line.kind) for line in lines} == {("operator", "file", "created")}


def test_one_pipeline_file_needs_no_archive(operator: Client) -> None:
    press(operator, upload(operator, CLEAN, "clean.yaml"))
    assert names() == {"local", "clean"}


def test_what_is_so_already_has_nothing_to_apply(operator: Client, tmp_path: Path) -> None:
    apply_words(tmp_path)
    shown = upload(operator, WORDS_ZIP)
    assert "4 would stay as they are. Everything is so already: nothing would change." in text_of(shown)
    assert "_apply" not in shown.content.decode()


def test_problems_are_those_of_the_file_door_under_the_names_of_the_archive(operator: Client) -> None:
    wrong = WORDS.replace("{input.text}", "{input.txt}").replace("title:", "titel:")
    said = text_of(upload(operator, zipped({"a/words.yaml": wrong, "a/helpers/table.txt": ""})))
    assert "This cannot be applied:" in said
    assert (
        "a/words.yaml:10: tasks.clean.command: {input.txt} names no input of this task (did you mean 'text'?)" in said
    )
    assert "a/words.yaml:23: jobs.words.titel: is no key here (did you mean 'title'?)" in said
    assert "aa-import-" not in said


def test_a_shipped_file_that_did_not_come_along_is_named(operator: Client) -> None:
    said = text_of(upload(operator, WORDS, "words.yaml"))
    assert "words.yaml:19: tasks.count.files[0]: there is no file 'helpers/table.txt' beside the pipeline file" in said


def test_what_was_changed_on_the_pages_is_taken_back_only_by_overwrite(operator: Client, tmp_path: Path) -> None:
    apply_words(tmp_path)
    job = Job.objects.get()
    page = operator.get(reverse("admin:pipelines_job_change", args=[job.pk]))
    assert operator.post(page.request["PATH_INFO"], fields_of(page, "job_form") | {"title": "Mine"}).status_code == 302
    shown = upload(operator, WORDS_ZIP)
    assert "was changed on the pages by operator since a file was last applied" in text_of(shown)
    again = press(operator, shown, "_show", overwrite="on")
    assert "- title: Mine + title: Count words" in text_of(again)
    assert press(operator, again).status_code == 302
    assert Job.objects.get().title == "Count words"


def test_what_files_no_longer_name_goes_only_by_prune(operator: Client, tmp_path: Path) -> None:
    apply_words(tmp_path)
    shown = upload(operator, CLEAN, "clean.yaml")
    assert "and kept, as prune is not chosen: task count, job words" in text_of(shown)
    shown = press(operator, shown, "_show", prune="on")
    assert "2 would be deleted." in text_of(shown)
    assert names() == {"local", "big", "clean", "count", "words"}
    press(operator, shown)
    assert names() == {"local", "big", "clean"}


def test_what_was_shown_is_applied_whatever_boxes_are_ticked_afterwards(operator: Client, tmp_path: Path) -> None:
    apply_words(tmp_path)
    shown = upload(operator, CLEAN.replace("default: z", "default: a"), "clean.yaml")
    press(operator, shown, prune="on")
    assert names() == {"local", "big", "clean", "count", "words"}


def test_a_configuration_that_changed_in_between_is_shown_again(operator: Client, tmp_path: Path) -> None:
    shown = upload(operator, WORDS_ZIP)
    apply_words(tmp_path, WORDS.replace("title: Count words", "title: Ours"))
    before = Change.objects.count()
    again = press(operator, shown)
    assert "Nothing was applied: the configuration was changed since this was shown." in text_of(again)
    assert "- title: Ours + title: Count words" in text_of(again)
    assert Change.objects.count() == before
    assert press(operator, again).status_code == 302
    assert Job.objects.get().title == "Count words"


def test_yaml_that_a_pipeline_ships_is_no_pipeline_file(operator: Client) -> None:
    text = WORDS.replace("helpers/table.txt", "settings.yaml")
    for content in ("a: 1", "format: 1\npipeline: other\ntasks:\n  x: {command: date}\n"):
        said = text_of(upload(operator, zipped({"words.yaml": text, "settings.yaml": content})))
        assert "4 would be created." in said


def test_every_pipeline_file_of_an_archive_is_read(operator: Client) -> None:
    other = "format: 1\npipeline: other\ntasks:\n  x: {command: date}\n"
    said = text_of(upload(operator, zipped({"words.yaml": WORDS, "helpers/table.txt": "", "more/other.yml": other})))
    assert "5 would be created." in said


def test_a_pipeline_file_that_takes_long_to_read_is_refused_at_once(operator: Client) -> None:
    before = set(kept_uploads())
    large = CLEAN + "# " + "x" * 400_000
    said = "clean.yaml is larger than 400 kB, the most that a pipeline file may have here"
    assert said in text_of(upload(operator, large, "clean.yaml"))
    assert said in text_of(upload(operator, zipped({"clean.yaml": large})))
    assert set(kept_uploads()) == before


def test_yaml_of_any_size_may_be_shipped(operator: Client) -> None:
    ships = WORDS.replace("helpers/table.txt", "helpers/table.yaml")
    table = "format: table\n" + "x" * 400_000
    press(operator, upload(operator, zipped({"words.yaml": ships, "helpers/table.yaml": table})))
    assert Task.objects.get(name="count").files.get().blob.size == len(table)


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def hostile(name: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("words.yaml", WORDS)
        if name == "link":
            archive.writestr(link("helpers"), "/etc")
        elif name == "bomb":
            archive.writestr("helpers/table.txt", b"\0" * 50_000_000)
        else:
            archive.writestr(name, "x")
    return made.getvalue()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../escaped.txt", "leads out of the archive"),
        ("/etc/escaped.txt", "is an absolute path"),
        ("a\\..\\b", "holds a"),
        ("link", "is a link"),
        ("bomb", "is compressed to less than"),
    ],
)
def test_a_harmful_archive_is_refused_and_not_kept(operator: Client, name: str, said: str) -> None:
    before = set(kept_uploads())
    assert said in text_of(upload(operator, hostile(name)))
    assert set(kept_uploads()) == before


def test_an_archive_may_not_become_larger_than_a_setting_says(operator: Client, settings: Any) -> None:
    settings.AA = settings.AA.model_copy(update={"max_file_size": 2000})
    large = zipped({"words.yaml": WORDS})
    assert "This is larger than" in text_of(upload(operator, large + b"x" * 3000))
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("words.yaml", WORDS + "#" * 3000)
    assert "The files have more than 2KB when decompressed." in text_of(upload(operator, made.getvalue()))


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (zipped({"readme.txt": "x"}), "a.zip", "There is no pipeline file (.yaml or .yml) in the archive."),
        (zipped({}), "a.zip", "The archive has no file."),
        (WORDS_ZIP[:-30], "a.zip", "archive"),
        (b"\xff\xfe", "a.yaml", "a.yaml:1: is not UTF-8 text"),
        (b"a: [", "a.yaml", "a.yaml"),
        (b"", "a.yaml", "The submitted file is empty."),
    ],
)
def test_what_is_no_pipeline_file_is_refused(operator: Client, content: bytes, name: str, said: str) -> None:
    assert said in text_of(upload(operator, content, name))
    assert names() == {"local"}


def test_an_upload_is_of_the_account_that_made_it_and_is_signed(operator: Client) -> None:
    shown = upload(operator, WORDS_ZIP)
    other = browser(*ALL_THREE, name="other")
    assert "This is the upload of another account" in text_of(press(other, shown))
    assert "The upload is no longer kept" in text_of(press(operator, shown, upload="forged"))
    assert names() == {"local"}


def test_an_upload_that_was_swept_is_asked_for_again(operator: Client) -> None:
    before = set(kept_uploads())
    shown = upload(operator, WORDS_ZIP)
    for name in set(kept_uploads()) - before:
        for folder in blob_storage().listdir("")[0]:
            if blob_storage().exists(f"{folder}/{name}"):
                blob_storage().delete(f"{folder}/{name}")
    assert "The upload is no longer kept: choose the file again." in text_of(press(operator, shown))


def test_only_who_may_add_and_change_all_three_imports(db: None) -> None:
    for missing in ("change_task", "add_job", "change_backend"):
        client = browser(*(each for each in ALL_THREE if each != missing), name=f"without {missing}")
        assert client.get(reverse("admin:pipelines_import")).status_code == 403
        assert upload(client, WORDS_ZIP).status_code == 403
        for kind in ("backend", "task", "job"):
            listed = client.get(reverse(f"admin:pipelines_{kind}_changelist")).content.decode()
            assert reverse("admin:pipelines_import") not in listed
    assert names() == {"local"}


def test_who_may_not_delete_does_not_prune(operator: Client, tmp_path: Path) -> None:
    apply_words(tmp_path)
    author = browser(*ALL_THREE, name="author")
    assert author.get(reverse("admin:pipelines_import")).status_code == 200
    assert "Your account may not delete" in text_of(upload(author, CLEAN, "clean.yaml", prune="on"))
    shown = upload(author, CLEAN.replace("default: z", "default: a"), "clean.yaml")
    shown = press(author, shown, "_show", prune="on")
    assert "would be deleted" not in text_of(shown)
    press(author, shown)
    assert names() == {"local", "big", "clean", "count", "words"}


@pytest.mark.parametrize("name", ["pipelines_import", "pipelines_export"])
def test_strangers_are_asked_to_sign_in(db: None, client: Client, name: str) -> None:
    response = client.get(reverse(f"admin:{name}"))
    assert response.headers["Location"].startswith(reverse("admin:login"))


# Export


def unzipped(response: Any) -> dict[str, bytes]:
    assert response.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def act(client: Client, kind: str, action: str, *rows: Any) -> Any:
    data = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    return client.post(reverse(f"admin:pipelines_{kind}_changelist"), data)


def below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_everything_is_exported_as_the_command_does(operator: Client, tmp_path: Path) -> None:
    apply_words(tmp_path / "in")
    exported(read_stored()).write(tmp_path / "out")
    found = unzipped(operator.get(reverse("admin:pipelines_export")))
    assert found == below(tmp_path / "out")
    assert set(found) == {"backends.yaml", "words/words.yaml", "words/helpers/table.txt"}


def test_a_job_is_exported_with_all_that_it_needs(operator: Client, tmp_path: Path) -> None:
    more = "  other:\n    command: date\njobs:\n"
    apply_words(tmp_path / "in", WORDS.replace("jobs:\n", more))
    found = unzipped(act(operator, "job", "export_archive", Job.objects.get()))
    exported(read_stored(), needed_by(read_stored(), ["words"])).write(tmp_path / "out")
    assert found == below(tmp_path / "out")
    assert b"other:" not in found["words/words.yaml"]


def test_what_is_exported_can_be_imported_where_there_is_nothing(operator: Client, tmp_path: Path) -> None:
    apply_words(tmp_path)
    response = operator.get(reverse("admin:pipelines_export"))
    archive = b"".join(response.streaming_content)
    before = exported(read_stored())
    assert "Everything is so already" in text_of(upload(operator, archive))
    for model in (Job, Task, Backend.objects.exclude(name="local")):
        getattr(model, "objects", model).all().delete()
    assert names() == {"local"}
    press(operator, upload(operator, archive, overwrite="on"))
    assert exported(read_stored()) == before


def test_what_ships_no_file_is_exported_as_one_file(operator: Client, tmp_path: Path) -> None:
    apply_words(tmp_path, WORDS.replace("    files: [helpers/table.txt]\n", ""))
    response = act(operator, "job", "export_file", Job.objects.get())
    assert response.headers["Content-Disposition"] == 'attachment; filename="words.yaml"'
    text = response.content.decode()
    for part in ("pipeline: words", "backends:\n  big:", "tasks:\n  clean:", "jobs:\n  words:"):
        assert part in text
    assert "Everything is so already" in text_of(upload(operator, text, "words.yaml"))


def test_one_file_is_refused_where_it_cannot_hold_all(operator: Client, tmp_path: Path) -> None:
    apply_words(tmp_path)
    response = act(operator, "task", "export_file", *Task.objects.all())
    said = text_of(operator.get(response.headers["Location"]))
    assert "One file cannot hold them: files are shipped with count, and must lie beside the pipeline file." in said
    Task.objects.filter(name="clean").update(pipeline="other")
    response = act(operator, "task", "export_file", *Task.objects.all())
    said = text_of(operator.get(response.headers["Location"]))
    assert "they belong to several pipelines (other, words), and a file is of one" in said


def test_only_who_may_see_all_three_exports(db: None, tmp_path: Path) -> None:
    apply_words(tmp_path)
    partly = browser("view_task", "view_job")
    assert partly.get(reverse("admin:pipelines_export")).status_code == 403
    assert "export_archive" not in partly.get(reverse("admin:pipelines_job_changelist")).content.decode()
    refused = act(partly, "job", "export_archive", Job.objects.get())
    assert not refused.streaming, "it is the list, once more"
    viewer = browser("view_task", "view_job", "view_backend")
    assert unzipped(viewer.get(reverse("admin:pipelines_export")))
    assert unzipped(act(viewer, "job", "export_archive", Job.objects.get()))
