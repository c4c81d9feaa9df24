"""Files that are uploaded on the pages of Tasks and Jobs: stored once, by streams, and never left behind."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from analytics_automated.pipelines.configuration import apply
from analytics_automated.pipelines.files.reader import Configuration, read_text
from analytics_automated.pipelines.models import Job, JobFile, Task, TaskFile
from analytics_automated.storage.models import Blob
from analytics_automated.storage.streams import blob_storage, open_stored
from integration.page_forms import fields_of, row

FILE = """
format: 1
pipeline: words
tasks:
  count:
    inputs: {words: words.txt}
    outputs: {number: number.txt}
    command: wc -l {input.words}
    stdout: number
jobs:
  words:
    steps: [{task: count}]
"""


@pytest.fixture
def admin_client(db: None, client: Client) -> Client:
    configuration = Configuration()
    read_text(FILE, "words.yaml", configuration)
    apply(configuration)
    client.force_login(User.objects.create(username="operator", is_staff=True, is_superuser=True))
    return client


@pytest.fixture(autouse=True)
def nothing_left_behind(db: None) -> Iterator[None]:
    """Every test leaves as many stored files as there are blobs."""
    before = stored_keys()
    yield
    assert stored_keys() - before == set(Blob.objects.values_list("key", flat=True)) - before


def stored_keys() -> set[str]:
    storage = blob_storage()
    if not storage.exists(""):
        return set()
    return {f"{folder}/{name}" for folder in storage.listdir("")[0] for name in storage.listdir(folder)[1]}


def save(client: Client, thing: Any, **changes: Any) -> Any:
    """Open the thing's page, change some fields, and press Save."""
    kind = thing._meta.model_name
    address = reverse(f"admin:pipelines_{kind}_change", args=[thing.pk])
    sent = fields_of(client.get(address), f"{kind}_form")
    return client.post(address, {name: value for name, value in {**sent, **changes}.items() if value is not None})


def upload(number: int, name: str, data: bytes, **more: str) -> dict[str, Any]:
    """The fields of one row with an upload in it."""
    typed = {"position": "", "path": "", **more}
    return {**row("files", number, **typed), f"files-{number}-upload": SimpleUploadedFile(name, data)}


def contents(model: Any) -> dict[str, bytes]:
    """The bytes of all shipped files, by path."""
    found = {}
    for shipped in model.objects.select_related("blob"):
        with open_stored(shipped.blob.key) as stream:
            found[shipped.path] = stream.read()
    return found


def test_a_file_is_uploaded_under_its_own_name_or_a_path(admin_client: Client) -> None:
    task = Task.objects.get()
    files = upload(0, "helpers.R", b"x <- 1\n") | upload(1, "other.R", b"", path="lib/empty.R")
    assert save(admin_client, task, **{"files-TOTAL_FORMS": "2"}, **files).status_code == 302
    assert contents(TaskFile) == {"helpers.R": b"x <- 1\n", "lib/empty.R": b""}
    snapshot = Job.objects.get().snapshot
    assert snapshot is not None
    assert set(snapshot.shipped_to("count")) == {"helpers.R", "lib/empty.R"}


def test_a_file_can_be_downloaded_by_who_may_look(admin_client: Client, client: Client) -> None:
    task = Task.objects.get()
    save(admin_client, task, **{"files-TOTAL_FORMS": "1"}, **upload(0, "a.R", b"bytes", path="lib/a b.R"))
    page = admin_client.get(reverse("admin:pipelines_task_change", args=[task.pk])).content.decode()
    address = reverse("admin:pipelines_task_file", args=[task.pk, TaskFile.objects.get().pk])
    assert f'href="{address}"' in page
    got = admin_client.get(address)
    assert b"".join(got.streaming_content) == b"bytes"  # type: ignore[attr-defined]
    assert got["Content-Disposition"] == 'attachment; filename="a b.R"'
    someone = User.objects.create_user("someone", is_staff=True)
    client.force_login(someone)
    assert client.get(address).status_code == 404
    someone.user_permissions.set(Permission.objects.filter(codename="view_task"))
    client.force_login(someone)
    assert b"".join(client.get(address).streaming_content) == b"bytes"  # type: ignore[attr-defined]
    assert client.get(reverse("admin:pipelines_job_file", args=[task.pk, 1])).status_code == 404


def test_a_file_is_replaced_and_what_is_not_touched_stays(admin_client: Client) -> None:
    task = Task.objects.get()
    files = upload(0, "a.R", b"a") | upload(1, "b.R", b"b")
    save(admin_client, task, **{"files-TOTAL_FORMS": "2"}, **files)
    first = Job.objects.get().snapshot
    assert save(admin_client, task, **upload(0, "another name.R", b"new", path="a.R", position="0")).status_code == 302
    assert contents(TaskFile) == {"a.R": b"new", "b.R": b"b"}
    assert Job.objects.get().snapshot != first
    assert save(admin_client, task, title="Count").status_code == 302
    assert contents(TaskFile) == {"a.R": b"new", "b.R": b"b"}
    assert save(admin_client, task, **row("files", 1, DELETE="on")).status_code == 302
    assert contents(TaskFile) == {"a.R": b"new"}


def test_equal_bytes_are_stored_once(admin_client: Client) -> None:
    files = upload(0, "a.R", b"same") | upload(1, "b.R", b"same")
    assert save(admin_client, Task.objects.get(), **{"files-TOTAL_FORMS": "2"}, **files).status_code == 302
    assert contents(TaskFile) == {"a.R": b"same", "b.R": b"same"}
    assert Blob.objects.count() == 1


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"timeout": "never"}, "tasks.count.timeout: 'never' is no duration"),
    ({"command": "wc {input.words} | sort"}, "tasks.count.command: "),
    ({"exit_codes_messages": "3: [a"}, "is no YAML"),
    (row("files", 0, path="../a.R"), "tasks.count.files[0]: must be a plain path below the work folder"),
    (row("files", 0, path="words.txt"), "tasks.count.files[0]: 'words.txt' is also where the input 'words' lies"),
]


@pytest.mark.parametrize(("changes", "said"), WRONG, ids=[said for _, said in WRONG])
def test_the_bytes_of_a_refused_change_are_removed(admin_client: Client, changes: dict[str, Any], said: str) -> None:
    sent = {"files-TOTAL_FORMS": "1", **upload(0, "a.R", b"never kept"), **changes}
    response = save(admin_client, Task.objects.get(), **sent)
    assert response.status_code == 200
    assert any(said in problem for problem in response.context["problems"]), response.context["problems"]
    assert not TaskFile.objects.exists()
    assert not Blob.objects.exists()


def test_a_row_without_a_file_says_so(admin_client: Client) -> None:
    response = save(admin_client, Task.objects.get(), **{"files-TOTAL_FORMS": "1"}, **row("files", 0, path="a.R"))
    assert "Choose a file." in response.context["problems"]


def test_an_example_names_files_that_are_uploaded_with_it(admin_client: Client) -> None:
    job = Job.objects.get()
    example = {
        "examples-TOTAL_FORMS": "1",
        **row("examples", 0, title="Two", inputs="words: two.txt", expect_results="[count_number]"),
    }
    said = save(admin_client, job, runnable="on", **example).context["problems"]
    assert said == ["jobs.words.examples[0].inputs.words: there is no file 'two.txt': upload it under Files"]
    files = {"files-TOTAL_FORMS": "1", **upload(0, "two.txt", b"a\nb\n")}
    assert save(admin_client, job, runnable="on", **example, **files).status_code == 302
    job.refresh_from_db()
    assert contents(JobFile) == {"two.txt": b"a\nb\n"}
    assert job.to_definition().examples[0].inputs == {"words": "two.txt"}
    said = save(admin_client, job, **row("examples", 0, inputs="", DELETE="on")).context["problems"]
    assert said == ["jobs.words.files[0]: is named by no example and by no schedule"]


def test_who_may_only_look_stores_nothing(admin_client: Client, client: Client) -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(viewer)
    address = reverse("admin:pipelines_task_change", args=[Task.objects.get().pk])
    assert client.post(address, upload(0, "a.R", b"x")).status_code == 403
    assert not Blob.objects.exists()
