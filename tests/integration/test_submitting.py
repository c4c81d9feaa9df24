"""Submitting to jobs, in every form, and fetching what came of it."""

import base64
import json

import pytest

from integration.live import EXAMPLES, Service

TEXT = "one line\nand ünother\n"
RESIDUES = "ACDEFGHIKLMNPQRSTVWY"
FASTA = EXAMPLES / "globins.fasta"


def expected_table(fasta: str) -> str:
    """The composition of each sequence, computed here once more."""
    lines = ["\t".join(["sequence", "length", *RESIDUES])]
    for record in fasta.upper().split(">")[1:]:
        name = fasta[fasta.upper().index(record) :].split()[0]
        sequence = "".join(record.split("\n")[1:])
        lines.append("\t".join([name, str(len(sequence)), *(str(sequence.count(residue)) for residue in RESIDUES)]))
    return "".join(f"{line}\n" for line in lines)


def test_one_step_gives_back_what_was_sent(service: Service) -> None:
    done = service.run("noop", files={"data": ("mine.txt", TEXT.encode())})
    assert done["status"] == "COMPLETE"
    assert service.results(done) == {"copy_copied": TEXT.encode()}
    assert [step["status"] for step in done["steps"]] == ["COMPLETE"]
    assert done["steps"][0]["exit_code"] == 0


def test_three_steps_hand_a_file_on(service: Service) -> None:
    content = bytes(range(256)) * 1000
    done = service.run("three", files={"data": content})
    assert done["status"] == "COMPLETE"
    assert service.results(done) == dict.fromkeys(["copy_copied", "again_twice", "once_more_thrice"], content)


def test_the_protein_report_counts_and_draws(service: Service) -> None:
    fasta = FASTA.read_text()
    sent = {"sequences": (FASTA.name, FASTA.read_bytes())}
    done = service.run("protein_report", files=sent, data={"name": "Globins"})
    assert done["status"] == "COMPLETE"
    assert done["name"] == "Globins"
    results = service.results(done)
    assert results["composition_table"].decode() == expected_table(fasta)
    assert results["clean_sequences_clean"].decode() == "".join(
        line if line.startswith(">") else line.upper() for line in fasta.splitlines(keepends=True) if line.strip()
    )
    assert results["draw_picture"].startswith(b"<svg ")
    assert results["draw_picture"].count(b'fill="steelblue"') == len(RESIDUES)
    assert {step["name"]: step["backend"] for step in done["steps"]} == {
        "clean_sequences": "workstation",
        "composition": "workstation",
        "draw": "reports",
    }


def test_an_answer_tells_all_of_the_submission(service: Service) -> None:
    given = service.submit("protein_report", files={"sequences": ("my globins.fasta", FASTA.read_bytes())})
    assert given["status"] in {"SUBMITTED", "RUNNING"}
    assert given["poll_after"] >= 1
    done = service.finished(given)
    assert list(done) == [
        *("id", "job", "job_version", "definition", "name", "status", "message", "cause", "stopped"),
        *("created", "started", "finished", "expires", "poll_after"),
        *("inputs", "parameters", "steps", "results", "links"),
    ]
    assert done["id"] == given["id"]
    assert done["definition"] == service.get("/api/v1/jobs/protein_report").json()["definition"]
    assert done["parameters"] == {"composition_min_length": 1, "draw_colour": "steelblue"}
    assert done["created"] <= done["started"] <= done["finished"]
    assert done["poll_after"] is None
    assert [(each["name"], each["file"], each["size"]) for each in done["inputs"]] == [
        ("sequences", "my globins.fasta", FASTA.stat().st_size)
    ]
    assert service.get(done["inputs"][0]["url"]).content == FASTA.read_bytes()
    assert [(each["name"], each["media_type"]) for each in done["results"]] == [
        ("clean_sequences_clean", "text/plain"),
        ("composition_table", "text/tab-separated-values"),
        ("draw_picture", "image/svg+xml"),
    ]


@pytest.mark.parametrize(
    ("value", "content", "file"),
    [
        (TEXT, TEXT.encode(), "data.txt"),
        ({"text": TEXT}, TEXT.encode(), "data.txt"),
        ({"text": TEXT, "file_name": "notes.md"}, TEXT.encode(), "notes.md"),
        ({"base64": base64.b64encode(b"\0\xff\x80").decode(), "file_name": "raw.bin"}, b"\0\xff\x80", "raw.bin"),
        ({"base64": ""}, b"", "data.txt"),
    ],
    ids=["text", "text object", "named text", "base64", "empty"],
)
def test_json_carries_files(service: Service, value: object, content: bytes, file: str) -> None:
    done = service.run("noop", json={"name": "by JSON", "inputs": {"data": value}})
    assert done["status"] == "COMPLETE"
    assert done["name"] == "by JSON"
    assert done["inputs"][0]["file"] == file
    assert service.results(done) == {"copy_copied": content}


def test_a_result_becomes_the_input_of_another_submission(service: Service) -> None:
    first = service.run("noop", files={"data": ("first.txt", TEXT)})
    second = service.run("three", json={"inputs": {"data": {"result": f"{first['id']}/copy_copied"}}})
    assert second["status"] == "COMPLETE"
    assert service.results(second)["once_more_thrice"] == TEXT.encode()
    assert second["inputs"][0]["sha256"] == first["results"][0]["sha256"]


def test_input_data_names_the_single_input(service: Service) -> None:
    done = service.run("noop", files={"input_data": ("old client.txt", TEXT)})
    assert done["status"] == "COMPLETE"
    assert done["inputs"][0]["name"] == "data"
    by_json = service.run("noop", json={"inputs": {"input_data": TEXT}})
    assert service.results(by_json) == {"copy_copied": TEXT.encode()}


def test_a_form_field_may_hold_an_inputs_text(service: Service) -> None:
    boundary = "simple"
    body = f'--{boundary}\r\nContent-Disposition: form-data; name="data"\r\n\r\n{TEXT}\r\n--{boundary}--\r\n'
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    done = service.run("noop", content=body.encode(), headers=headers)
    assert service.results(done) == {"copy_copied": TEXT.encode()}


def test_a_request_may_come_in_chunks(service: Service) -> None:
    body = json.dumps({"inputs": {"data": TEXT}}).encode()
    pieces = (body[at : at + 7] for at in range(0, len(body), 7))
    done = service.run("noop", content=pieces, headers={"Content-Type": "application/json"})
    assert service.results(done) == {"copy_copied": TEXT.encode()}


def test_a_form_may_come_in_chunks(service: Service) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="data"; filename="big.bin"\r\n\r\n'
    content = bytes(range(256)) * 8192
    pieces = [head, *(content[at : at + 50_000] for at in range(0, len(content), 50_000)), b"\r\n--b--\r\n"]
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    done = service.run("noop", content=iter(pieces), headers=headers)
    assert service.results(done) == {"copy_copied": content}


def test_the_same_bytes_sent_twice_are_two_submissions(service: Service) -> None:
    one, two = service.run("noop", files={"data": TEXT}), service.run("noop", files={"data": TEXT})
    assert one["id"] != two["id"]
    assert service.results(one) == service.results(two)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "../../etc/passwd"),
        ("a\nb\0c.txt", "a_b_c.txt"),
        ("Übersicht 日本.txt", "Übersicht 日本.txt"),
        ('"; rm -rf $HOME;.txt', '"; rm -rf $HOME;.txt'),
        ("x" * 5000 + ".txt", "x" * 251 + ".txt"),
        ("-rf", "-rf"),
        ("..", ".."),
    ],
    ids=["path", "control", "unicode", "shell", "long", "dash", "dots"],
)
def test_a_file_name_is_data_and_never_a_path(service: Service, given: str, kept: str) -> None:
    done = service.run("digests", json={"inputs": {"files": [{"text": TEXT, "file_name": given}]}})
    assert done["status"] == "COMPLETE", done["message"]
    assert done["inputs"][0]["file"] == kept
    response = service.get(done["inputs"][0]["url"])
    assert response.content == TEXT.encode()
    disposition = response.headers["Content-Disposition"]
    assert disposition.startswith("attachment")
    assert "/" not in disposition.replace("UTF-8''", "")
    assert "\n" not in disposition


def test_hostile_names_in_a_form_are_taken_as_data(service: Service) -> None:
    done = service.run("digests", files={"files": ('..\\..\\"quoted"\r\nX-Evil: 1', TEXT)})
    assert done["status"] == "COMPLETE", done["message"]
    assert service.results(done)["digests_sums"].count(b"\n") == 1


def test_values_of_email_and_webhook_are_taken(service: Service) -> None:
    fields = {"name": "N", "email": "a@example.org", "webhook": "https://example.org/hook"}
    done = service.run("noop", files={"data": TEXT}, data=fields)
    assert done["status"] == "COMPLETE"
    assert "a@example.org" not in json.dumps(done), "an id is no proof of who asks"
