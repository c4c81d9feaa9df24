"""What a job says of itself over HTTP: other names, what takes its place, what to cite, examples."""

import json

import pytest
from django.test import Client

from analytics_automated.pipelines.configuration import apply, read_stored
from analytics_automated.pipelines.files.reader import Configuration, read_text

pytestmark = pytest.mark.django_db

TEXT = """format: 1
pipeline: p
backends:
  lab: {data: {uniref90: {path: /data/uniref90, version: "2026_01"}}}
tasks:
  t:
    backend: lab
    script: "echo $data_uniref90"
    software: [{name: BLAST+, version: "2.15"}, {name: UniRef90, type: dataset, data: uniref90}]
jobs:
  new: {runnable: true, steps: [t]}
  old:
    runnable: true
    contact: help@example.org
    citation: Cite this.
    licence: CC0
    terms: Be kind.
    aliases: [older, Oldest]
    deprecated: {since: 2026-12-01, successor: new}
    steps: [t]
    examples: [{title: None needed}]
"""


@pytest.fixture
def client() -> Client:
    configuration = Configuration()
    read_text(TEXT, "p.yaml", configuration)
    assert configuration.problems == []
    apply(configuration)
    return Client(HTTP_HOST="localhost")


def test_a_job_tells_what_to_cite_and_what_takes_its_place(client: Client) -> None:
    shown = client.get("/api/v1/jobs/old").json()
    assert shown["aliases"] == ["older", "Oldest"]
    assert shown["deprecated"] == {
        "since": "2026-12-01",
        "successor": "new",
        "url": "http://localhost/api/v1/jobs/new",
    }
    assert [shown[key] for key in ("contact", "citation", "licence", "terms")] == [
        "help@example.org", "Cite this.", "CC0", "Be kind.",
    ]  # fmt: skip
    assert shown["software"] == [
        {"name": "BLAST+", "type": "software", "version": "2.15"},
        {"name": "UniRef90", "type": "dataset", "version": "2026_01"},
    ]
    assert shown["examples"] == [{"title": "None needed", "inputs": {}, "parameters": {}}]


@pytest.mark.parametrize("name", ["old", "older", "Oldest"])
def test_a_job_is_found_by_its_aliases_too(client: Client, name: str) -> None:
    assert client.get(f"/api/v1/jobs/{name}").json()["name"] == "old"
    answer = client.post(f"/api/v1/jobs/{name}/submissions", "{}", content_type="application/json")
    assert answer.status_code == 201
    assert answer.json()["job"] == "old"


def test_an_alias_is_no_other_jobs_entry_in_the_catalogue(client: Client) -> None:
    assert [job["name"] for job in client.get("/api/v1/jobs").json()["jobs"]] == ["new", "old"]
    assert client.get("/api/v1/jobs/eldest").status_code == 404


def test_a_deprecated_job_says_so_in_headers(client: Client) -> None:
    for answer in (
        client.get("/api/v1/jobs/old"),
        client.post("/api/v1/jobs/old/submissions", json.dumps({}), content_type="application/json"),
    ):
        assert answer["Deprecation"] == "@1796083200"  # 2026-12-01T00:00:00Z
        assert answer["Link"] == '<http://localhost/api/v1/jobs/new>; rel="successor-version"'
    assert "Deprecation" not in client.get("/api/v1/jobs/new")


def test_an_alias_of_a_file_must_be_no_name_of_a_job_that_is_there(client: Client) -> None:
    configuration = Configuration()
    read_text("format: 1\npipeline: q\njobs: {a: {steps: [t], aliases: [New]}}\n", "q.yaml", configuration)
    with pytest.raises(Exception, match="'New' is the name of the job 'new'"):
        apply(configuration)
    assert "a" not in read_stored().jobs
