"""What a pipeline file says can be typed into the pages, and comes to the same; and a page saved as it is changes
nothing."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from analytics_automated.pipelines.checks.values import with_typed_values
from analytics_automated.pipelines.configuration import read_stored
from analytics_automated.pipelines.configuration.stored import as_data
from analytics_automated.pipelines.files.beside import files_of
from analytics_automated.pipelines.files.reader import Configuration, read_text
from analytics_automated.pipelines.files.source import read_document
from analytics_automated.pipelines.models import Backend, Change, Job, Task
from integration.page_forms import BlankPage, fields_of

HERE = Path(__file__).parent
FILES = [
    HERE.parents[1] / "examples" / "protein_report.yaml",
    HERE / "pipelines" / "archives.yaml",
    HERE.parent / "unit" / "pipelines" / "all_keys.yaml",
]
MODELS: dict[str, Any] = {"backends": Backend, "tasks": Task, "jobs": Job}


@pytest.fixture
def admin_client(db: None, client: Client) -> Client:
    client.force_login(User.objects.create(username="operator", is_staff=True, is_superuser=True))
    return client


def things(data: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Section, name and keys of everything that a file defines, in an order in which it can be typed."""
    for section in MODELS:
        # A job that names its successor comes after that.
        for name, each in sorted(data.get(section, {}).items(), key=lambda entry: "deprecated" in entry[1]):
            yield section, name, each


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_can_be_typed_into_the_pages(file: Path, admin_client: Client) -> None:
    configuration = Configuration()
    read_text(file.read_text(), file.name, configuration)
    data = read_document(file.read_text(), file.name).data
    for section, name, keys in things(data):
        kind = MODELS[section]._meta.model_name
        if section == "jobs":
            job = configuration.jobs[name]
            configuration.jobs[name] = with_typed_values(job, configuration.tasks)
            keys = {**keys, "files": list(dict.fromkeys(path for _, path in files_of(job)))}
            if file.stem == "all_keys":  # of which this version does not support all
                keys.pop("runnable", None)
                configuration.jobs[name] = configuration.jobs[name].model_copy(update={"runnable": False})
        definition: Any = getattr(configuration, section)[name]
        address = reverse(f"admin:pipelines_{kind}_add")
        sent = BlankPage(admin_client.get(address), f"{kind}_form").filled(name, str(data["pipeline"]), keys)
        response = admin_client.post(address, sent)
        assert response.status_code == 302, response.context["problems"]
        stored = read_stored().definition((section, name))
        assert stored is not None
        said = as_data(definition)
        if section == "backends" and said.get("queue") == name:
            del said["queue"]  # as `aa apply` does
        assert json.dumps(as_data(stored), indent=1) == json.dumps(said, indent=1)
    lines = Change.objects.count()
    for section, name, _ in things(data):
        kind = MODELS[section]._meta.model_name
        address = reverse(f"admin:pipelines_{kind}_change", args=[MODELS[section].objects.get(name=name).pk])
        opened = admin_client.get(address)
        assert admin_client.post(address, fields_of(opened, f"{kind}_form")).status_code == 302
    assert Change.objects.count() == lines, "the history has no line more"
