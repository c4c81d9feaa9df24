"""What a pipeline file may not say the configuration pages may not say either, and they say so in the same words."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import serializers
from django.test import Client
from django.urls import reverse

from analytics_automated.pipelines.configuration import apply
from analytics_automated.pipelines.files.reader import Configuration, read_text
from analytics_automated.pipelines.files.source import read_document
from analytics_automated.pipelines.models import Backend, Change, Job, QueueType, Snapshot, Task
from analytics_automated.storage.models import Blob
from bad_configurations import BAD, Bad
from integration.page_forms import BlankPage
from yaml_text import written

MODELS = {"backends": "backend", "tasks": "task", "jobs": "job"}
CHOSEN = {"step-unknown-task", "task-unknown-backend"}
"""Pages offer what there is, so nobody can choose what is not."""
ON_PAGES = [bad for bad in BAD if bad.pages and bad.id not in CHOSEN]


@pytest.fixture
def admin_client(db: None, client: Client) -> Client:
    client.force_login(User.objects.create(username="operator", is_staff=True, is_superuser=True))
    return client


def everything() -> list[str]:
    return [
        serializers.serialize("json", model.objects.order_by("pk"))  # type: ignore[attr-defined]
        for model in (Backend, QueueType, Task, Job, Snapshot, Change, Blob)
    ]


def apply_the_rest(bad: Bad, data: dict[str, Any]) -> None:
    """Apply what the thing may need: of its own section the others, and the sections before."""
    sections = list(MODELS)[: list(MODELS).index(bad.section) + 1]
    rest: dict[str, Any] = {key: data[key] for key in ("format", "pipeline")}
    for section in sections:
        rest[section] = {
            name: each for name, each in data.get(section, {}).items() if (section, name) != (bad.section, bad.name)
        }
    configuration = Configuration()
    read_text(written(rest)[0], "rest.yaml", configuration)
    apply(configuration)


_BLANK: dict[tuple[Any, ...], BlankPage] = {}


def blank_page(client: Client, address: str, form: str) -> BlankPage:
    """The page of a new thing; read once for all tests in which it offers the same to choose from."""
    offered = (tuple(Backend.objects.values_list("pk", "name")), tuple(Task.objects.values_list("pk", "name")))
    if (address, offered) not in _BLANK:
        _BLANK[address, offered] = BlankPage(client.get(address), form)
    return _BLANK[address, offered]


@pytest.mark.parametrize("bad", ON_PAGES, ids=lambda bad: bad.id)
def test_the_pages_refuse_it_in_the_words_of_files(bad: Bad, admin_client: Client) -> None:
    data = read_document(bad.text, "bad.yaml").data
    apply_the_rest(bad, data)
    address = reverse(f"admin:pipelines_{MODELS[bad.section]}_add")
    blank = blank_page(admin_client, address, f"{MODELS[bad.section]}_form")
    before = everything()
    sent = blank.filled(bad.name, str(data["pipeline"]), data[bad.section][bad.name])
    response = admin_client.post(address, sent)
    assert response.status_code == 200, "it was saved"
    assert f"{bad.where}: {bad.message}" in response.context["problems"]
    assert everything() == before
