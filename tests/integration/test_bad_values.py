"""Values and data that a job does not take: each gets a clear answer and leaves nothing behind."""

from typing import Any

import pytest

from integration.live import Service

pytestmark = pytest.mark.usefixtures("nothing_stays")


def errors(service: Service, job: str, **request: Any) -> list[dict[str, Any]]:
    """What is wrong with a request that is refused."""
    response = service.post(job, **request)
    assert response.status_code == 422, response.text
    assert response.json()["type"] == "/api/problems/invalid-request"
    return list(response.json()["errors"])


@pytest.mark.parametrize(
    ("name", "value", "code", "message"),
    [
        ("count", 0, "too_small", "must be at least 1"),
        ("count", 11, "too_large", "must be at most 10"),
        ("count", 2.5, "wrong_type", "must be a whole number"),
        ("count", "3", "wrong_type", "must be a whole number"),
        ("count", True, "wrong_type", "must be a whole number"),
        ("count", [3], "wrong_type", "must be a whole number"),
        ("count", 10**100, "too_large", "must be at most 10"),
        ("words_ratio", "half", "wrong_type", "must be a number"),
        ("words_ratio", 1.5, "too_large", "must be at most 1"),
        ("words_ratio", -0.1, "too_small", "must be at least 0"),
        ("words_loud", "yes", "wrong_type", "must be true or false"),
        ("words_loud", 1, "wrong_type", "must be true or false"),
        ("words_mode", "slow", "not_a_choice", "must be one of fast, exact"),
        ("words_mode", {"a": 1}, "wrong_type", "must be a text"),
        ("label", "L1", "no_match", "must match the pattern [A-Za-z$; ]+"),
        ("label", "L" * 21, "too_long", "must have at most 20 characters"),
        ("label", "a\nb", "no_match", "must be text on one line, without control characters"),
        ("label", "a\0b", "no_match", "must be text on one line, without control characters"),
        ("label", "-rf", "no_match", "must not begin with '-'"),
        ("label", 5, "wrong_type", "must be a text"),
        ("label", None, "required", "is required"),
        ("words_absent", "-rf", "no_match", "must not begin with '-'"),
        ("words_absent", "x" * 256, "too_long", "must have at most 255 characters"),
        ("words_sites", [1, 2, 3, 4], "too_many", "must have at most 3 values"),
        ("words_sites", ["a"], "wrong_type", "must be a whole number"),
        ("words_sites", 1, "wrong_type", "must be a list"),
        ("words_fixed", "x", "unknown", "is no parameter of this job"),
        ("fixed", "x", "unknown", "is no parameter of this job"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_wrong_value_is_refused(service: Service, name: str, value: object, code: str, message: str) -> None:
    parameters = {"label": "L", name: value}
    wrong = errors(service, "words", json={"inputs": {"text": "T"}, "parameters": parameters})
    assert all(each["in"] == "parameters" and each["name"] == name for each in wrong), wrong
    assert (code, message) in [(each["code"], each["message"].partition(" (did")[0]) for each in wrong]


def test_a_number_that_no_computer_holds_is_refused(service: Service) -> None:
    document = '{"inputs": {"text": "T"}, "parameters": {"in_python_ratio": 1e999}}'
    headers = {"Content-Type": "application/json"}
    for request in ({"content": document, "headers": headers}, {"files": {"text": b"T", "in_python_ratio": "1e999"}}):
        wrong = errors(service, "in_python", **request)
        assert [(each["name"], each["code"]) for each in wrong] == [("in_python_ratio", "wrong_type")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("count", "1_0"),
        ("count", "٣"),
        ("count", " 3"),
        ("count", "0x3"),
        ("count", "03"),
        ("count", ""),
        ("words_ratio", "nan"),
        ("words_ratio", "inf"),
        ("words_ratio", ".5"),
        ("words_loud", "TRUE"),
        ("words_loud", "1"),
    ],
)
def test_a_form_has_jsons_grammar_of_values(service: Service, name: str, text: str) -> None:
    wrong = errors(service, "words", files={"text": b"T"}, data={"label": "L", name: text})
    assert [(each["name"], each["code"]) for each in wrong] == [(name, "wrong_type")]


def test_a_single_value_given_twice_is_refused(service: Service) -> None:
    wrong = errors(service, "words", files={"text": b"T"}, data={"label": ["L", "M"]})
    assert [each["name"] for each in wrong] == ["label"]


def test_a_value_given_by_name_and_alias_is_refused(service: Service) -> None:
    wrong = errors(service, "words", json={"inputs": {"text": "T"}, "parameters": {"label": "L", "tag": "M"}})
    assert [each["code"] for each in wrong] == ["twice"]


def test_data_that_is_no_fasta_is_refused_with_its_place(service: Service) -> None:
    fasta = ">first\nMVLS\n>second one\nMVLSPADKTN\nVKAA1WGKV\n"
    [wrong] = errors(service, "choosy", files={"sequences": fasta})
    assert (wrong["in"], wrong["name"], wrong["code"]) == ("inputs", "sequences", "invalid_data")
    assert "'1' is not an amino acid code" in wrong["message"]
    assert "line 5, column 5" in wrong["message"]
    assert "'second'" in wrong["message"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "The file has no sequence."),
        (b"MVLSPADKTN\n", "does not begin with a header line"),
        (b">a\n>b\nMVLS\n", "A header is followed by no sequence (line 1, record 'a')."),
        (b"".join(b">%d\nMVLS\n" % number for number in range(6)), "more than 5 sequences (line 11"),
        (b">a\nMV\0LS\n", "the byte 0x00"),
        (b">a\xff\nMVLS\n", "not UTF-8"),
        (b"\x89PNG\r\n\x1a\n", "header"),
    ],
    ids=["empty", "no header", "no sequence", "too many", "NUL", "not UTF-8", "a picture"],
)
def test_bad_data_is_refused(service: Service, content: bytes, reason: str) -> None:
    [wrong] = errors(service, "choosy", files={"sequences": ("bad.fasta", content)})
    assert wrong["code"] == "invalid_data"
    assert reason in wrong["message"]


def test_bad_data_and_bad_values_are_told_together(service: Service) -> None:
    wrong = errors(service, "choosy", files={"sequences": b"nonsense"}, data={"count_records_most": "0", "nme": "x"})
    assert {(each["name"], each["code"]) for each in wrong} == {
        ("sequences", "invalid_data"),
        ("count_records_most", "too_small"),
        ("nme", "unknown"),
    }


def test_an_input_that_is_missing_is_told(service: Service) -> None:
    wrong = errors(service, "few_files", json={"inputs": {"note": "only a note"}})
    assert [(each["name"], each["code"]) for each in wrong] == [("files", "required")]


def test_the_empty_file_field_of_a_browsers_form_is_no_file(service: Service) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="data"; filename=""\r\n\r\n\r\n--b--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    wrong = errors(service, "noop", content=body, headers=headers)
    assert [(each["name"], each["code"]) for each in wrong] == [("data", "required")]


def test_one_file_of_many_that_is_too_large_refuses_all(service: Service) -> None:
    sent = [("files", ("a.txt", b"a")), ("files", ("b.txt", b"b" * 10_001)), ("files", ("c.txt", b"c"))]
    response = service.post("few_files", files=sent)
    assert response.status_code == 413
    assert [(each["name"], each["code"], each["limit"]) for each in response.json()["errors"]] == [
        ("files", "too_large", 10_000)
    ]
