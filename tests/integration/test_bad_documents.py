"""JSON that is broken or means nothing here: each gets a clear answer and leaves nothing behind."""

import json
from typing import Any

import httpx
import pytest

from integration.live import Service

pytestmark = pytest.mark.usefixtures("nothing_stays")

NOBODY = "6e6df8c5-0f5e-4b9e-9f0c-6f7cb7dbb4a0"


def post(service: Service, document: str | bytes, job: str = "noop") -> httpx.Response:
    return service.post(job, content=document, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ('{"inputs": {"data": "x"}', "Expecting ',' delimiter, at line 1, column 25"),
        ("{\n'inputs': 1}", "at line 2, column 1"),
        ("", "Expecting value"),
        ('{"name": "a", "name": "b"}', "the key 'name' is there twice"),
        ('{"inputs": {"data": "a", "data": "b"}}', "the key 'data' is there twice"),
        ('{"parameters": {"a": NaN}}', "NaN is no number of JSON"),
        ('{"parameters": {"a": -Infinity}}', "-Infinity is no number of JSON"),
        ('{"name": "\\ud800"}', "a lone surrogate"),
        ('{"\\udfff": 1}', "a lone surrogate"),
        (b'{"name": "\xff"}', "it is not UTF-8 text, by its byte 11"),
        (b"\xef\xbb\xbf{}", "a byte order mark"),
        ('{"name": "' + "a\nb" + '"}', "Invalid control character"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ('{"parameters": {"a": ' + "1" * 5000 + "}}", "a number has more than 1000 digits"),
        ("[]", "must be an object"),
        ("null", "must be an object"),
        ('"text"', "must be an object"),
    ],
    ids=lambda value: None if isinstance(value, str) and len(value) > 40 else str(value)[:30],
)
def test_broken_json_is_refused(service: Service, document: str | bytes, reason: str) -> None:
    response = post(service, document)
    assert response.status_code == 400, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["type"] == "/api/problems/malformed-request"
    assert reason in response.json()["detail"]


def test_json_that_is_too_large_is_refused_though_a_form_would_not_be(service: Service) -> None:
    response = post(service, json.dumps({"inputs": {"data": "x" * 1_000_001}}))
    assert response.status_code == 413
    assert "multipart/form-data" in response.json()["detail"]


@pytest.mark.parametrize(
    ("document", "where", "name", "code"),
    [
        ({"inputs": 5}, "body", "inputs", "wrong_type"),
        ({"parameters": []}, "body", "parameters", "wrong_type"),
        ({"name": 5}, "body", "name", "wrong_type"),
        ({"email": ["a@example.org"]}, "body", "email", "wrong_type"),
        ({"name": "a\0b"}, "body", "name", "no_match"),
        ({"name": "x" * 300}, "body", "name", "too_long"),
        ({"email": "nobody"}, "body", "email", "invalid"),
        ({"webhook": "file:///etc/passwd"}, "body", "webhook", "invalid"),
        ({"input": {"data": "x"}}, "body", "input", "unknown"),
        ({"inputs": {"data": 5}}, "inputs", "data", "wrong_type"),
        ({"inputs": {"data": None}}, "inputs", "data", "required"),
        ({"inputs": {"data": []}}, "inputs", "data", "wrong_type"),
        ({"inputs": {"data": {}}}, "inputs", "data", "wrong_type"),
        ({"inputs": {"data": {"text": 5}}}, "inputs", "data", "wrong_type"),
        ({"inputs": {"data": {"text": "a", "base64": "YQ=="}}}, "inputs", "data", "wrong_type"),
        ({"inputs": {"data": {"text": "a", "filename": "b"}}}, "inputs", "data", "wrong_type"),
        ({"inputs": {"data": {"base64": "no base64!"}}}, "inputs", "data", "malformed"),
        ({"inputs": {"data": {"base64": "YQ"}}}, "inputs", "data", "malformed"),
        ({"inputs": {"data": {"base64": "é"}}}, "inputs", "data", "malformed"),
        ({"inputs": {"data": {"result": "nonsense"}}}, "inputs", "data", "no_such_result"),
        ({"inputs": {"data": {"result": f"{NOBODY}/copy_copied"}}}, "inputs", "data", "no_such_result"),
        ({"inputs": {"data": {"result": f"{NOBODY}/a\0b"}}}, "inputs", "data", "no_such_result"),
        ({"inputs": {"data": {"result": f"{NOBODY}/../../a"}}}, "inputs", "data", "no_such_result"),
        ({"inputs": {"dat": "x"}}, "inputs", "dat", "unknown"),
        ({"parameters": {"copy_level": 1}}, "parameters", "copy_level", "unknown"),
        ({"inputs": {"data": "x", "input_data": "y"}}, "inputs", "data", "too_many"),
    ],
    ids=lambda value: json.dumps(value)[:50] if isinstance(value, dict) else None,
)
def test_json_that_means_nothing_is_refused(
    service: Service, document: dict[str, Any], where: str, name: str, code: str
) -> None:
    response = post(service, json.dumps(document))
    assert response.status_code == 422, response.text
    assert response.json()["type"] == "/api/problems/invalid-request"
    assert (where, name, code) in [(each["in"], each["name"], each["code"]) for each in response.json()["errors"]]


def test_everything_that_is_wrong_is_told_at_once(service: Service) -> None:
    document = {
        "nmae": "a misspelt field",
        "email": "nobody",
        "inputs": {"txet": "a misspelt input"},
        "parameters": {"count": 99, "words_ratio": "high", "words_mode": "slow", "word_loud": True},
    }
    response = post(service, json.dumps(document), "words")
    assert response.status_code == 422
    assert {(each["in"], each["name"], each["code"]) for each in response.json()["errors"]} == {
        ("body", "nmae", "unknown"),
        ("body", "email", "invalid"),
        ("inputs", "txet", "unknown"),
        ("inputs", "text", "required"),
        ("parameters", "label", "required"),
        ("parameters", "count", "too_large"),
        ("parameters", "words_ratio", "wrong_type"),
        ("parameters", "words_mode", "not_a_choice"),
        ("parameters", "word_loud", "unknown"),
    }


@pytest.mark.parametrize(
    ("document", "name", "near"),
    [
        ({"nmae": 1}, "nmae", "'name'"),
        ({"paramters": {}}, "paramters", "'parameters'"),
        ({"inputs": {"Text": "x"}}, "Text", "'text'"),
        ({"parameters": {"lable": "x"}}, "lable", "'label'"),
    ],
)
def test_an_unknown_field_is_refused_with_the_nearest_name(
    service: Service, document: dict[str, Any], name: str, near: str
) -> None:
    by_name = {each["name"]: each for each in post(service, json.dumps(document), "words").json()["errors"]}
    assert by_name[name]["code"] == "unknown"
    assert f"did you mean {near}?" in by_name[name]["message"]


def test_an_unknown_form_field_is_refused_with_the_nearest_name(service: Service) -> None:
    response = service.post("words", files={"text": b"T", "lable": (None, b"x")})
    assert response.status_code == 422
    by_name = {each["name"]: each["message"] for each in response.json()["errors"]}
    assert "did you mean 'label'?" in by_name["lable"]


def test_a_job_that_is_not_runnable_takes_nothing(service: Service) -> None:
    response = service.post("idle", files={"text": b"T"})
    assert response.status_code == 409
    assert response.json()["type"] == "/api/problems/not-runnable"
    assert service.get("/api/v1/jobs/idle").json()["runnable"] is False


def test_a_job_that_is_defined_otherwise_takes_nothing(service: Service) -> None:
    response = service.http.post("/api/v1/jobs/noop/submissions?definition=other", files={"data": b"x"})
    assert response.status_code == 409
    assert response.json()["type"] == "/api/problems/definition-changed"
    assert service.get("/api/v1/jobs/noop").json()["definition"] in response.json()["detail"]


def test_an_unknown_job_takes_nothing(service: Service) -> None:
    response = service.post("protien_report", files={"sequences": b">a\nM\n"})
    assert response.status_code == 404
    assert "did you mean 'protein_report'?" in response.json()["detail"]
